//! What the codec does not show as it is on the wire: the order of tables, which it sorts by name, and texts that are cut.

use bytes::Buf;
use tavrida::field::{Decimal, Table, Value};
use tavrida::transport::Properties;
use tavrida_memory::core::Method;

use crate::names::short;

/// Bytes of a frame before its payload.
const HEAD: usize = 7;

/// Returns the arguments of a method, which are always its last field.
pub(super) fn arguments(method: &Method) -> Option<&Table> {
    Some(match method {
        Method::ExchangeDeclare(declare) => &declare.arguments,
        Method::ExchangeBind(bind) | Method::ExchangeUnbind(bind) => &bind.arguments,
        Method::QueueDeclare(declare) => &declare.arguments,
        Method::QueueBind(bind) | Method::QueueUnbind(bind) => &bind.arguments,
        Method::BasicConsume(consume) => &consume.arguments,
        _ => return None,
    })
}

/// Writes a table over the same one in another order, whose last byte is followed by `behind` others.
pub(super) fn overwrite(output: &mut [u8], behind: usize, table: &Table) {
    let mut bytes = Vec::new();
    write_table(table, &mut bytes);
    let end = output.len() - behind;
    output[end - bytes.len()..end].copy_from_slice(&bytes);
}

/// Writes the headers over the same ones in the frame of a content header.
pub(super) fn overwrite_headers(frame: &mut [u8], properties: &Properties) {
    let Some(headers) = &properties.headers else { return };
    let start = headers_start(frame).expect("the frame has headers");
    let mut bytes = Vec::new();
    write_table(headers, &mut bytes);
    frame[start..start + bytes.len()].copy_from_slice(&bytes);
}

/// Returns the headers in the frame of a content header.
pub(super) fn headers(frame: &[u8]) -> Option<Table> {
    Some(read_table(&mut &frame[headers_start(frame)?..]))
}

/// Returns the text of a frame that closes a channel or a connection, and replaces it by one that the codec reads: it may end in the middle
/// of a character.
pub(super) fn take_close_text(frame: &mut [u8]) -> Option<String> {
    let [1, .., _] = frame else { return None };
    if !matches!(frame.get(HEAD..HEAD + 4)?, [0, 10, 0, 50] | [0, 20, 0, 40]) {
        return None;
    }
    let length = usize::from(frame[HEAD + 6]);
    let text = frame.get_mut(HEAD + 7..HEAD + 7 + length)?;
    let whole = String::from_utf8_lossy(text).into_owned();
    text.fill(b' ');
    Some(whole)
}

fn headers_start(frame: &[u8]) -> Option<usize> {
    // Class, weight, size of the body, flags.
    let flags = u16::from_be_bytes([frame[HEAD + 12], frame[HEAD + 13]]);
    let mut start = HEAD + 14;
    for text in [1 << 15, 1 << 14] {
        if flags & text != 0 {
            start += 1 + usize::from(frame[start]);
        }
    }
    (flags & 1 << 13 != 0).then_some(start)
}

fn write_long(bytes: &[u8], out: &mut Vec<u8>) {
    out.extend((bytes.len() as u32).to_be_bytes());
    out.extend(bytes);
}

fn write_table(table: &Table, out: &mut Vec<u8>) {
    let mut entries = Vec::new();
    for (name, value) in table.iter() {
        entries.push(name.len() as u8);
        entries.extend(name.as_bytes());
        write_value(value, &mut entries);
    }
    write_long(&entries, out);
}

fn write_value(value: &Value, out: &mut Vec<u8>) {
    out.push(value.type_letter() as u8);
    match value {
        Value::Void => {}
        Value::Bool(truth) => out.push(u8::from(*truth)),
        Value::I8(n) => out.extend(n.to_be_bytes()),
        Value::U8(n) => out.push(*n),
        Value::I16(n) => out.extend(n.to_be_bytes()),
        Value::U16(n) => out.extend(n.to_be_bytes()),
        Value::I32(n) => out.extend(n.to_be_bytes()),
        Value::U32(n) => out.extend(n.to_be_bytes()),
        Value::I64(n) => out.extend(n.to_be_bytes()),
        Value::F32(n) => out.extend(n.to_be_bytes()),
        Value::F64(n) => out.extend(n.to_be_bytes()),
        Value::Timestamp(n) => out.extend(n.to_be_bytes()),
        Value::Decimal(Decimal { scale, value }) => {
            out.push(*scale);
            out.extend(value.to_be_bytes());
        }
        Value::LongString(bytes) | Value::Bytes(bytes) => write_long(bytes, out),
        Value::Array(items) => {
            let mut entries = Vec::new();
            items.iter().for_each(|item| write_value(item, &mut entries));
            write_long(&entries, out);
        }
        Value::Table(table) => write_table(table, out),
        other => unreachable!("no such value is on the wire: {other:?}"),
    }
}

fn read_long<'a>(input: &mut &'a [u8]) -> &'a [u8] {
    let length = input.get_u32() as usize;
    let (bytes, rest) = input.split_at(length);
    *input = rest;
    bytes
}

fn read_table(input: &mut &[u8]) -> Table {
    let mut entries = read_long(input);
    let mut table = Table::new();
    while entries.has_remaining() {
        let length = entries.get_u8().into();
        let (name, rest) = entries.split_at(length);
        entries = rest;
        table.insert(short(&String::from_utf8_lossy(name)), read_value(&mut entries));
    }
    table
}

fn read_value(input: &mut &[u8]) -> Value {
    match input.get_u8() {
        b'V' => Value::Void,
        b't' => Value::Bool(input.get_u8() != 0),
        b'b' => Value::I8(input.get_i8()),
        b'B' => Value::U8(input.get_u8()),
        b's' => Value::I16(input.get_i16()),
        b'u' => Value::U16(input.get_u16()),
        b'I' => Value::I32(input.get_i32()),
        b'i' => Value::U32(input.get_u32()),
        b'l' | b'L' => Value::I64(input.get_i64()),
        b'f' => Value::F32(input.get_f32()),
        b'd' => Value::F64(input.get_f64()),
        b'T' => Value::Timestamp(input.get_u64()),
        b'D' => Value::Decimal(Decimal { scale: input.get_u8(), value: input.get_u32() }),
        b'S' => Value::LongString(read_long(input).into()),
        b'x' => Value::Bytes(read_long(input).into()),
        b'F' => Value::Table(read_table(input)),
        b'A' => {
            let mut items = read_long(input);
            let mut values = Vec::new();
            while items.has_remaining() {
                values.push(read_value(&mut items));
            }
            Value::Array(values)
        }
        other => panic!("RabbitMQ sent a field of type {other}"),
    }
}
