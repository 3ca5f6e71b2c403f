//! Converts values and properties between our types and those of the frames.

use amq_protocol::protocol::BasicProperties;
use amq_protocol::types::{
    AMQPValue, ByteArray, DecimalValue, FieldTable, LongString, ShortString as WireString,
};
use tavrida::field::{Decimal, ShortString, Table, Value};
use tavrida::transport::Properties;

use crate::names::short;

pub(super) fn to_wire(text: &ShortString) -> WireString {
    text.as_str().into()
}

pub(super) fn from_wire(text: &WireString) -> ShortString {
    short(text.as_str())
}

pub(super) fn table_to_wire(table: &Table) -> FieldTable {
    let mut wire = FieldTable::default();
    for (name, value) in table.iter() {
        wire.insert(to_wire(name), value_to_wire(value));
    }
    wire
}

fn value_to_wire(value: &Value) -> AMQPValue {
    match value {
        Value::Void => AMQPValue::Void,
        Value::Bool(truth) => AMQPValue::Boolean(*truth),
        Value::I8(n) => AMQPValue::ShortShortInt(*n),
        Value::U8(n) => AMQPValue::ShortShortUInt(*n),
        Value::I16(n) => AMQPValue::ShortInt(*n),
        Value::U16(n) => AMQPValue::ShortUInt(*n),
        Value::I32(n) => AMQPValue::LongInt(*n),
        Value::U32(n) => AMQPValue::LongUInt(*n),
        Value::I64(n) => AMQPValue::LongLongInt(*n),
        Value::F32(n) => AMQPValue::Float(*n),
        Value::F64(n) => AMQPValue::Double(*n),
        Value::Decimal(Decimal { scale, value }) => {
            AMQPValue::DecimalValue(DecimalValue { scale: *scale, value: *value })
        }
        Value::LongString(bytes) => AMQPValue::LongString(LongString::from(bytes.to_vec())),
        Value::Bytes(bytes) => AMQPValue::ByteArray(ByteArray::from(bytes.to_vec())),
        Value::Array(items) => {
            AMQPValue::FieldArray(items.iter().map(value_to_wire).collect::<Vec<_>>().into())
        }
        Value::Timestamp(time) => AMQPValue::Timestamp(*time),
        Value::Table(table) => AMQPValue::FieldTable(table_to_wire(table)),
        other => unreachable!("no such value is on the wire: {other:?}"),
    }
}

pub(super) fn properties_to_wire(properties: &Properties) -> BasicProperties {
    let mut wire = BasicProperties::default();
    macro_rules! carry {
        ($($field:ident => $with:ident),*) => {
            $(if let Some(text) = &properties.$field {
                wire = wire.$with(to_wire(text));
            })*
        };
    }
    carry!(content_type => with_content_type, content_encoding => with_content_encoding,
        correlation_id => with_correlation_id, reply_to => with_reply_to, expiration => with_expiration,
        message_id => with_message_id, kind => with_type, user_id => with_user_id, app_id => with_app_id,
        cluster_id => with_cluster_id);
    if let Some(headers) = &properties.headers {
        wire = wire.with_headers(table_to_wire(headers));
    }
    if let Some(mode) = properties.delivery_mode {
        wire = wire.with_delivery_mode(mode);
    }
    if let Some(priority) = properties.priority {
        wire = wire.with_priority(priority);
    }
    if let Some(timestamp) = properties.timestamp {
        wire = wire.with_timestamp(timestamp);
    }
    wire
}

/// Returns all properties but the headers, which the codec sorts.
pub(super) fn properties_from_wire(wire: &BasicProperties) -> Properties {
    Properties {
        content_type: wire.content_type().as_ref().map(from_wire),
        content_encoding: wire.content_encoding().as_ref().map(from_wire),
        headers: None,
        delivery_mode: *wire.delivery_mode(),
        priority: *wire.priority(),
        correlation_id: wire.correlation_id().as_ref().map(from_wire),
        reply_to: wire.reply_to().as_ref().map(from_wire),
        expiration: wire.expiration().as_ref().map(from_wire),
        message_id: wire.message_id().as_ref().map(from_wire),
        timestamp: *wire.timestamp(),
        kind: wire.kind().as_ref().map(from_wire),
        user_id: wire.user_id().as_ref().map(from_wire),
        app_id: wire.app_id().as_ref().map(from_wire),
        cluster_id: wire.cluster_id().as_ref().map(from_wire),
    }
}
