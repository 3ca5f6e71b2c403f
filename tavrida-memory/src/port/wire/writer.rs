//! Fields of AMQP, appended to a buffer.

use tavrida::field::{Decimal, Table, Value};

/// Appends a short text; what is behind its 255th byte is cut off.
pub(in crate::port) fn short(text: &str, out: &mut Vec<u8>) {
    let bytes = &text.as_bytes()[..text.len().min(255)];
    out.push(bytes.len() as u8);
    out.extend_from_slice(bytes);
}

pub(in crate::port) fn long(bytes: &[u8], out: &mut Vec<u8>) {
    counted(out, |out| out.extend_from_slice(bytes));
}

pub(in crate::port) fn table(table: &Table, out: &mut Vec<u8>) {
    counted(out, |out| {
        for (name, field) in table.iter() {
            short(name, out);
            value(field, out);
        }
    });
}

/// Appends what `write` appends, behind its length in 32 bits.
pub(in crate::port) fn counted(out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
    let start = out.len();
    out.extend_from_slice(&[0; 4]);
    write(out);
    let length = (out.len() - start - 4) as u32;
    out[start..start + 4].copy_from_slice(&length.to_be_bytes());
}

fn value(value: &Value, out: &mut Vec<u8>) {
    out.push(value.type_letter() as u8);
    match value {
        Value::Void => {}
        Value::Bool(truth) => out.push((*truth).into()),
        Value::I8(n) => out.extend_from_slice(&n.to_be_bytes()),
        Value::U8(n) => out.push(*n),
        Value::I16(n) => out.extend_from_slice(&n.to_be_bytes()),
        Value::U16(n) => out.extend_from_slice(&n.to_be_bytes()),
        Value::I32(n) => out.extend_from_slice(&n.to_be_bytes()),
        Value::U32(n) => out.extend_from_slice(&n.to_be_bytes()),
        Value::I64(n) => out.extend_from_slice(&n.to_be_bytes()),
        Value::F32(n) => out.extend_from_slice(&n.to_be_bytes()),
        Value::F64(n) => out.extend_from_slice(&n.to_be_bytes()),
        Value::Timestamp(n) => out.extend_from_slice(&n.to_be_bytes()),
        Value::Decimal(Decimal { scale, value }) => {
            out.push(*scale);
            out.extend_from_slice(&value.to_be_bytes());
        }
        Value::LongString(bytes) | Value::Bytes(bytes) => long(bytes, out),
        Value::Array(items) => counted(out, |out| items.iter().for_each(|item| self::value(item, out))),
        Value::Table(fields) => table(fields, out),
        other => unreachable!("a value without a form on the wire: {other:?}"),
    }
}
