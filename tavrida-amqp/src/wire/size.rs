//! Checks that headers and arguments fit into a frame.
//!
//! AMQP splits bodies over frames, but not headers and arguments. RabbitMQ answers a frame that is too long by closing the connection
//! (501), so it is not sent.

use tavrida::field::{Table, Value};
use tavrida::transport::BrokerError;

/// The maximum size of everything but a table in a frame: names and properties, each of at most 256 bytes.
const BESIDES: usize = 4096;

/// Rejects a table that does not fit into a frame of `frame_max` bytes with the rest of its content. `what` names it for people.
pub(crate) fn fits(what: &str, table: &Table, frame_max: usize) -> Result<(), BrokerError> {
    let room = frame_max.saturating_sub(BESIDES);
    let len = table_len(table);
    if len <= room {
        return Ok(());
    }
    let text = format!(
        "FRAME_ERROR - the {what} take {len} bytes; the frame_max of the connection, {frame_max}, leaves {room}"
    );
    Err(BrokerError::channel(501, text))
}

/// Returns the encoded length, without the length field of four bytes.
fn table_len(table: &Table) -> usize {
    table.iter().map(|(name, value)| 1 + name.len() + value_len(value)).sum()
}

/// Returns the encoded length with the letter of the type.
fn value_len(value: &Value) -> usize {
    let len = match value {
        Value::Bool(_) | Value::I8(_) | Value::U8(_) => 1,
        Value::I16(_) | Value::U16(_) => 2,
        Value::I32(_) | Value::U32(_) | Value::F32(_) => 4,
        Value::I64(_) | Value::F64(_) | Value::Timestamp(_) => 8,
        Value::Decimal(_) => 5,
        Value::LongString(bytes) | Value::Bytes(bytes) => 4 + bytes.len(),
        Value::Array(items) => 4 + items.iter().map(value_len).sum::<usize>(),
        Value::Table(table) => 4 + table_len(table),
        _ => 0,
    };
    1 + len
}

#[cfg(test)]
mod tests {
    use tavrida::field::ShortString;

    use super::*;

    #[test]
    fn a_table_that_leaves_no_room_for_names_is_refused_with_its_length() {
        let headers = |len: usize| Table::new().with(ShortString::from_static("h"), "x".repeat(len));
        assert_eq!(fits("headers", &headers(4096 - 7), 8192), Ok(()));
        let refusal = fits("headers", &headers(4096 - 6), 8192).unwrap_err();
        assert_eq!(refusal.code, 501);
        assert!(refusal.text.contains("the headers take 4097 bytes"), "{}", refusal.text);
    }

    #[test]
    fn what_is_nested_counts() {
        let inner = Table::new().with(ShortString::from_static("n"), Value::I64(1));
        let table = Table::new().with(ShortString::from_static("t"), vec![Value::Table(inner), Value::Void]);
        // name 2, array 5, table 5, name 2, number 9, void 1
        assert_eq!(table_len(&table), 24);
    }
}
