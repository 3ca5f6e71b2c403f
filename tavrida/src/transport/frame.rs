//! What fits into a frame.
//!
//! AMQP splits bodies over frames, not headers and arguments. A broker answers a frame that is too long by closing the connection
//! (501), and so does RabbitMQ 3.10.8 at a float that Erlang has no number for (541): every transport refuses both first, in the same words.

use super::{BrokerError, Properties};
use crate::field::{MAX_DEPTH, ShortString, Table, Value};
use crate::show::shown;

/// A header that a transport puts on a received message of which it could not read a part: the reason. Such a message is not handled;
/// it is dead-lettered with the reason, and without that part.
pub const UNREADABLE: ShortString = ShortString::from_static("x-tavrida-unreadable");

/// What a frame has around its payload, in bytes.
const AROUND: usize = 8;

/// The most that a method has beside the entries of its arguments, in bytes: its number, a reserved field, the three names of a binding,
/// flags, and the length of the table.
const BESIDE_ARGUMENTS: usize = 4 + 2 + 3 * (1 + 255) + 1 + 4;

/// Checks that the properties of a message fit into one frame of `frame_max` bytes (0: no limit), that no header nests deeper than
/// [`MAX_DEPTH`], and that all floats are finite.
///
/// # Errors
///
/// A refusal with the code 501.
pub fn check_properties(properties: &Properties, frame_max: usize) -> Result<(), BrokerError> {
    check_values("headers", properties.headers())?;
    let (len, room) = (properties.encoded_len(), room(frame_max));
    if len <= room {
        return Ok(());
    }
    Err(too_long("headers and properties", len, frame_max, room))
}

/// Checks that the arguments of a method fit into one frame of `frame_max` bytes (0: no limit) together with any names, that none nests
/// deeper than [`MAX_DEPTH`], and that all floats are finite.
///
/// # Errors
///
/// A refusal with the code 501.
pub fn check_arguments(arguments: &Table, frame_max: usize) -> Result<(), BrokerError> {
    check_values("arguments", arguments)?;
    let (len, room) = (arguments.encoded_len(), room(frame_max).saturating_sub(BESIDE_ARGUMENTS));
    if len <= room {
        return Ok(());
    }
    Err(too_long("arguments", len, frame_max, room))
}

fn room(frame_max: usize) -> usize {
    if frame_max == 0 { usize::MAX } else { frame_max.saturating_sub(AROUND) }
}

fn check_values(what: &str, table: &Table) -> Result<(), BrokerError> {
    let refused = |why: String| Err(BrokerError::channel(501, format!("FRAME_ERROR - the {what} {why}")));
    let depth = table.depth();
    if depth > MAX_DEPTH {
        return refused(format!("nest {depth} levels deep; {MAX_DEPTH} are the most"));
    }
    match table.iter().find_map(|(name, value)| Some((name, not_finite(value)?))) {
        Some((name, float)) => refused(format!("have {float} in '{}'; a float must be finite", shown(name))),
        None => Ok(()),
    }
}

/// Returns a float in a value that is infinite or no number. The value nests no deeper than [`MAX_DEPTH`].
fn not_finite(value: &Value) -> Option<f64> {
    match value {
        Value::F32(float) => Some(f64::from(*float)).filter(|float| !float.is_finite()),
        Value::F64(float) => Some(*float).filter(|float| !float.is_finite()),
        Value::Array(items) => items.iter().find_map(not_finite),
        Value::Table(table) => table.iter().find_map(|(_, value)| not_finite(value)),
        _ => None,
    }
}

fn too_long(what: &str, len: usize, frame_max: usize, room: usize) -> BrokerError {
    let text = format!(
        "FRAME_ERROR - the {what} take {len} bytes; the frame_max of the connection, {frame_max}, leaves {room}"
    );
    BrokerError::channel(501, text)
}

impl Properties {
    /// The length of the content header that carries these properties, in bytes, without the frame around it.
    pub fn encoded_len(&self) -> usize {
        let Self {
            content_type,
            content_encoding,
            headers,
            delivery_mode,
            priority,
            correlation_id,
            reply_to,
            expiration,
            message_id,
            timestamp,
            kind,
            user_id,
            app_id,
            cluster_id,
        } = self;
        let texts = [
            content_type,
            content_encoding,
            correlation_id,
            reply_to,
            expiration,
            message_id,
            kind,
            user_id,
            app_id,
            cluster_id,
        ];
        // Class, weight, size of the body, flags.
        let fixed = 2 + 2 + 8 + 2;
        let texts: usize = texts.into_iter().flatten().map(|text| 1 + text.len()).sum();
        let headers = headers.as_ref().map_or(0, |headers| 4 + headers.encoded_len());
        let octets = usize::from(delivery_mode.is_some()) + usize::from(priority.is_some());
        fixed + texts + headers + octets + timestamp.map_or(0, |_| 8)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const H: ShortString = ShortString::from_static("h");

    #[test]
    fn headers_that_fill_a_frame_to_its_last_byte_fit_and_one_more_byte_does_not() {
        // 8 around the frame, 14 of the content header, 4 of the table, 2 of the name, 5 of the text
        let with = |len: usize| Properties {
            headers: Some(Table::new().with(H, "x".repeat(len))),
            ..Properties::default()
        };
        assert_eq!(check_properties(&with(4096 - 33), 4096), Ok(()));
        let refusal = check_properties(&with(4096 - 32), 4096).unwrap_err();
        assert_eq!(refusal.code, 501);
        assert!(refusal.text.contains("take 4089 bytes"), "{}", refusal.text);
        assert_eq!(check_properties(&with(1 << 20), 0), Ok(()));
    }

    #[test]
    fn all_properties_count() {
        let text = Some(ShortString::from_static("abc"));
        let all = Properties {
            content_type: text.clone(),
            content_encoding: text.clone(),
            headers: Some(Table::new()),
            delivery_mode: Some(2),
            priority: Some(0),
            correlation_id: text.clone(),
            reply_to: text.clone(),
            expiration: text.clone(),
            message_id: text.clone(),
            timestamp: Some(1),
            kind: text.clone(),
            user_id: text.clone(),
            app_id: text.clone(),
            cluster_id: text,
        };
        assert_eq!(all.encoded_len(), 14 + 10 * 4 + 4 + 2 + 8);
    }

    #[test]
    fn arguments_leave_room_for_names() {
        let table = |len: usize| Table::new().with(H, "x".repeat(len));
        assert_eq!(check_arguments(&table(4096 - 8 - 779 - 7), 4096), Ok(()));
        assert_eq!(check_arguments(&table(4096 - 8 - 779 - 6), 4096).unwrap_err().code, 501);
    }

    #[test]
    fn what_nests_deeper_than_any_receiver_reads_is_refused_to_its_sender() {
        let nested = |levels| (0..levels).fold(Value::Void, |value, _| Value::Array(vec![value]));
        let with = |levels| Table::new().with(H, nested(levels));
        assert_eq!(check_arguments(&with(MAX_DEPTH), 0), Ok(()));
        let refusal = check_arguments(&with(MAX_DEPTH + 1), 0).unwrap_err();
        assert!(refusal.text.contains("129 levels"), "{}", refusal.text);
    }

    #[test]
    fn a_float_that_ends_the_connection_on_rabbitmq_is_refused_to_its_sender_wherever_it_is() {
        for float in [Value::F64(f64::NAN), Value::F64(f64::INFINITY), Value::F32(f32::NEG_INFINITY)] {
            let inner = Table::new().with(H, vec![Value::Void, float.clone()]);
            for value in [float, Value::Table(inner)] {
                let headers = Table::new().with(ShortString::from_static("rate"), value);
                let refusal = check_arguments(&headers, 0).unwrap_err();
                assert!(refusal.text.contains("in 'rate'; a float must be finite"), "{}", refusal.text);
                let properties = Properties { headers: Some(headers), ..Properties::default() };
                assert_eq!(check_properties(&properties, 0).unwrap_err().code, 501);
            }
        }
        assert_eq!(check_arguments(&Table::new().with(H, f64::MAX), 0), Ok(()));
    }
}
