//! Converts field values and tables, both ways.

use std::collections::BTreeMap;

use lapin::types::{AMQPValue, DecimalValue, FieldTable};
use tavrida::field::{Decimal, ShortString, Table, Value};

/// Converts a name for lapin.
pub(crate) fn short(name: &str) -> lapin::types::ShortString {
    debug_assert!(name.len() <= ShortString::MAX_LEN, "names are checked where they enter");
    name.into()
}

/// Converts a table for lapin, which sorts it by name.
pub(crate) fn table_out(table: &Table) -> FieldTable {
    let entries: BTreeMap<_, _> = table.iter().map(|(name, value)| (short(name), value_out(value))).collect();
    entries.into()
}

fn value_out(value: &Value) -> AMQPValue {
    match value {
        Value::Bool(value) => AMQPValue::Boolean(*value),
        Value::I8(value) => AMQPValue::ShortShortInt(*value),
        Value::U8(value) => AMQPValue::ShortShortUInt(*value),
        Value::I16(value) => AMQPValue::ShortInt(*value),
        Value::U16(value) => AMQPValue::ShortUInt(*value),
        Value::I32(value) => AMQPValue::LongInt(*value),
        Value::U32(value) => AMQPValue::LongUInt(*value),
        Value::I64(value) => AMQPValue::LongLongInt(*value),
        Value::F32(value) => AMQPValue::Float(*value),
        Value::F64(value) => AMQPValue::Double(*value),
        Value::Decimal(Decimal { scale, value }) => {
            AMQPValue::DecimalValue(DecimalValue { scale: *scale, value: *value })
        }
        Value::LongString(text) => AMQPValue::LongString(text.to_vec().into()),
        Value::Bytes(bytes) => AMQPValue::ByteArray(bytes.to_vec().into()),
        Value::Array(items) => AMQPValue::FieldArray(items.iter().map(value_out).collect::<Vec<_>>().into()),
        Value::Timestamp(seconds) => AMQPValue::Timestamp(*seconds),
        Value::Table(table) => AMQPValue::FieldTable(table_out(table)),
        // `Void` itself; types that AMQP may add later have no letter here.
        _ => AMQPValue::Void,
    }
}

/// Converts a table from lapin.
pub(crate) fn table_in(table: &FieldTable) -> Table {
    let name = |name: &lapin::types::ShortString| {
        ShortString::try_from(name.as_str()).expect("lapin's short strings have at most 255 bytes")
    };
    table.into_iter().map(|(key, value)| (name(key), value_in(value))).collect()
}

fn value_in(value: &AMQPValue) -> Value {
    match value {
        AMQPValue::Boolean(value) => Value::Bool(*value),
        AMQPValue::ShortShortInt(value) => Value::I8(*value),
        AMQPValue::ShortShortUInt(value) => Value::U8(*value),
        AMQPValue::ShortInt(value) => Value::I16(*value),
        AMQPValue::ShortUInt(value) => Value::U16(*value),
        AMQPValue::LongInt(value) => Value::I32(*value),
        AMQPValue::LongUInt(value) => Value::U32(*value),
        AMQPValue::LongLongInt(value) => Value::I64(*value),
        AMQPValue::Float(value) => Value::F32(*value),
        AMQPValue::Double(value) => Value::F64(*value),
        AMQPValue::DecimalValue(DecimalValue { scale, value }) => {
            Value::Decimal(Decimal { scale: *scale, value: *value })
        }
        AMQPValue::ShortString(text) => Value::from(text.as_str()),
        AMQPValue::LongString(text) => Value::LongString(text.as_bytes().into()),
        AMQPValue::FieldArray(items) => Value::Array(items.as_slice().iter().map(value_in).collect()),
        AMQPValue::Timestamp(seconds) => Value::Timestamp(*seconds),
        AMQPValue::FieldTable(table) => Value::Table(table_in(table)),
        AMQPValue::ByteArray(bytes) => Value::Bytes(bytes.as_slice().into()),
        AMQPValue::Void => Value::Void,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> ShortString {
        ShortString::try_from(text).unwrap()
    }

    fn one_of_each() -> Vec<Value> {
        vec![
            Value::Void,
            Value::Bool(true),
            Value::I8(-8),
            Value::U8(8),
            Value::I16(-16),
            Value::U16(16),
            Value::I32(-32),
            Value::U32(32),
            Value::I64(i64::MIN),
            Value::F32(1.5),
            Value::F64(-0.1),
            Value::Decimal(Decimal { scale: 2, value: 314 }),
            Value::from("déjà vu"),
            Value::LongString(b"\xff not text".into()),
            Value::Bytes(b"\0\x01".into()),
            Value::Timestamp(u64::MAX),
        ]
    }

    #[test]
    fn every_type_comes_back_as_it_went() {
        let mut table: Table = one_of_each()
            .into_iter()
            .enumerate()
            .map(|(at, value)| (name(&format!("k{at}")), value))
            .collect();
        table.insert(name("array"), one_of_each());
        table.insert(name("table"), Table::new().with(name("inner"), "text").with(name("x"), one_of_each()));
        table.insert(name("empty"), Table::new());
        assert_eq!(table_in(&table_out(&table)), table);
    }
}
