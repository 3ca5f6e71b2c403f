//! Field values as text: the letter of the type on the wire, and the value.

use std::fmt::Write;

use tavrida::field::{Decimal, Table, Value};

use super::read::Line;
use crate::names::short;

/// Writes a text: bare if unambiguous, otherwise in quotes.
pub(super) fn write_text(text: &str, out: &mut String) {
    let is_bare = |c: char| c.is_ascii_alphanumeric() || "_.-#*$@/+".contains(c);
    if !text.is_empty() && text.chars().all(is_bare) {
        out.push_str(text);
    } else {
        write_bytes(text.as_bytes(), out);
    }
}

fn write_bytes(bytes: &[u8], out: &mut String) {
    out.push('"');
    for byte in bytes {
        match byte {
            b'"' | b'\\' => out.extend(['\\', char::from(*byte)]),
            b' '..=b'~' => out.push(char::from(*byte)),
            _ => {
                let _ = write!(out, "\\x{byte:02x}");
            }
        }
    }
    out.push('"');
}

pub(super) fn write_table(table: &Table, out: &mut String) {
    out.push('{');
    for (place, (name, value)) in table.iter().enumerate() {
        if place > 0 {
            out.push_str(", ");
        }
        write_text(name, out);
        out.push('=');
        write_value(value, out);
    }
    out.push('}');
}

fn write_value(value: &Value, out: &mut String) {
    out.push(value.type_letter());
    let _ = match value {
        Value::Void => Ok(()),
        Value::Bool(truth) => write!(out, ":{truth}"),
        Value::I8(n) => write!(out, ":{n}"),
        Value::U8(n) => write!(out, ":{n}"),
        Value::I16(n) => write!(out, ":{n}"),
        Value::U16(n) => write!(out, ":{n}"),
        Value::I32(n) => write!(out, ":{n}"),
        Value::U32(n) => write!(out, ":{n}"),
        Value::I64(n) => write!(out, ":{n}"),
        Value::F32(n) => write!(out, ":{n:?}"),
        Value::F64(n) => write!(out, ":{n:?}"),
        Value::Timestamp(n) => write!(out, ":{n}"),
        Value::Decimal(Decimal { scale, value }) => write!(out, ":{scale}/{value}"),
        Value::LongString(bytes) | Value::Bytes(bytes) => {
            out.push(':');
            write_bytes(bytes, out);
            Ok(())
        }
        Value::Array(items) => {
            out.push('[');
            for (place, item) in items.iter().enumerate() {
                out.push_str(if place > 0 { ", " } else { "" });
                write_value(item, out);
            }
            out.push(']');
            Ok(())
        }
        Value::Table(table) => {
            write_table(table, out);
            Ok(())
        }
        other => unreachable!("no such value is on the wire: {other:?}"),
    };
}

pub(super) fn read_text(line: &mut Line<'_>) -> Result<String, String> {
    if line.rest.starts_with('"') {
        let bytes = read_bytes(line)?;
        return String::from_utf8(bytes).map_err(|error| error.to_string());
    }
    let end = line.rest.find([' ', ',', '=', '}', ']']).unwrap_or(line.rest.len());
    let (text, rest) = line.rest.split_at(end);
    line.rest = rest;
    Ok(text.to_owned())
}

fn read_bytes(line: &mut Line<'_>) -> Result<Vec<u8>, String> {
    line.expect("\"")?;
    let mut bytes = Vec::new();
    loop {
        let mut characters = line.rest.chars();
        let next = characters.next().ok_or("the text has no end")?;
        line.rest = characters.as_str();
        match next {
            '"' => return Ok(bytes),
            '\\' if line.eat("x") => {
                let code = line.rest.get(..2).ok_or("\\x without a number")?;
                bytes.push(u8::from_str_radix(code, 16).map_err(|error| error.to_string())?);
                line.rest = &line.rest[2..];
            }
            '\\' => {
                let escaped = line.rest.chars().next().ok_or("the text has no end")?;
                bytes.extend(escaped.to_string().bytes());
                line.rest = &line.rest[escaped.len_utf8()..];
            }
            other => bytes.extend(other.to_string().bytes()),
        }
    }
}

pub(super) fn read_table(line: &mut Line<'_>) -> Result<Table, String> {
    line.expect("{")?;
    let mut table = Table::new();
    while !line.eat("}") {
        let name = read_text(line)?;
        line.expect("=")?;
        table.insert(short(&name), read_value(line)?);
        if !line.eat(", ") {
            line.expect("}")?;
            break;
        }
    }
    Ok(table)
}

fn read_value(line: &mut Line<'_>) -> Result<Value, String> {
    let letter = line.rest.chars().next().ok_or("no value")?;
    line.rest = &line.rest[letter.len_utf8()..];
    match letter {
        'V' => return Ok(Value::Void),
        'F' => return Ok(Value::Table(read_table(line)?)),
        'A' => return Ok(Value::Array(read_items(line)?)),
        _ => line.expect(":")?,
    }
    if matches!(letter, 'S' | 'x') {
        let bytes = read_bytes(line)?.into();
        return Ok(if letter == 'S' { Value::LongString(bytes) } else { Value::Bytes(bytes) });
    }
    let text = read_text(line)?;
    scalar(letter, &text).ok_or_else(|| format!("{text:?} is no value of type {letter}"))
}

fn read_items(line: &mut Line<'_>) -> Result<Vec<Value>, String> {
    line.expect("[")?;
    let mut items = Vec::new();
    while !line.eat("]") {
        items.push(read_value(line)?);
        if !line.eat(", ") {
            line.expect("]")?;
            break;
        }
    }
    Ok(items)
}

fn scalar(letter: char, text: &str) -> Option<Value> {
    Some(match letter {
        't' => Value::Bool(text.parse().ok()?),
        'b' => Value::I8(text.parse().ok()?),
        'B' => Value::U8(text.parse().ok()?),
        's' => Value::I16(text.parse().ok()?),
        'u' => Value::U16(text.parse().ok()?),
        'I' => Value::I32(text.parse().ok()?),
        'i' => Value::U32(text.parse().ok()?),
        'l' => Value::I64(text.parse().ok()?),
        'f' => Value::F32(text.parse().ok()?),
        'd' => Value::F64(text.parse().ok()?),
        'T' => Value::Timestamp(text.parse().ok()?),
        'D' => {
            let (scale, value) = text.split_once('/')?;
            Value::Decimal(Decimal { scale: scale.parse().ok()?, value: value.parse().ok()? })
        }
        _ => return None,
    })
}
