//! Formats values as RabbitMQ prints them in its error texts: as Erlang terms (`~p`).

use std::fmt::Write as _;

use tavrida::field::{ShortString, Table, Value};

/// Returns RabbitMQ's name of a field type.
pub(crate) fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Void => "void",
        Value::Bool(_) => "bool",
        Value::I8(_) => "byte",
        Value::U8(_) => "unsignedbyte",
        Value::I16(_) => "short",
        Value::U16(_) => "unsignedshort",
        Value::I32(_) => "signedint",
        Value::U32(_) => "unsignedint",
        Value::I64(_) => "long",
        Value::F32(_) => "float",
        Value::F64(_) => "double",
        Value::Decimal(_) => "decimal",
        Value::LongString(_) => "longstr",
        Value::Bytes(_) => "binary",
        Value::Array(_) => "array",
        Value::Timestamp(_) => "timestamp",
        Value::Table(_) => "table",
        _ => "unknown",
    }
}

/// Formats a value as a term.
pub(crate) fn term(value: &Value) -> String {
    let mut text = String::new();
    write_term(&mut text, value);
    text
}

/// Formats bytes as a term: `<<"text">>` if they are printable, `<<1,2>>` otherwise.
pub(crate) fn binary(bytes: &[u8]) -> String {
    let printable = |byte: &u8| matches!(byte, 32..=126 | 8..=13 | 27);
    if bytes.iter().all(printable) && !bytes.is_empty() {
        return format!("<<{}>>", string(&String::from_utf8_lossy(bytes)));
    }
    let numbers: Vec<String> = bytes.iter().map(u8::to_string).collect();
    format!("<<{}>>", numbers.join(","))
}

/// Formats bytes as `~p` prints them from this column on, the first being 0: numbers that would reach the 80th column are broken into
/// lines.
#[cfg(feature = "port")]
pub(crate) fn binary_from(column: usize, bytes: &[u8]) -> String {
    let whole = binary(bytes);
    let (indent, width) = (column + 2, 80 - 3 - column);
    if whole.len() - 4 <= width || whole.starts_with("<<\"") {
        return whole;
    }
    let (mut text, mut room) = (String::from("<<"), width);
    for (index, byte) in bytes.iter().enumerate() {
        let comma = if index + 1 < bytes.len() { "," } else { "" };
        let number = format!("{byte}{comma}");
        if number.len() > room {
            text.push('\n');
            text.push_str(&" ".repeat(indent));
            room = width;
        }
        room -= number.len();
        text.push_str(&number);
    }
    text + ">>"
}

/// Formats a list of characters as a term: the text in quotes.
pub(crate) fn string(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for character in text.chars() {
        match character {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\t' => quoted.push_str("\\t"),
            '\r' => quoted.push_str("\\r"),
            '\u{8}' => quoted.push_str("\\b"),
            '\u{B}' => quoted.push_str("\\v"),
            '\u{C}' => quoted.push_str("\\f"),
            '\u{1B}' => quoted.push_str("\\e"),
            other => quoted.push(other),
        }
    }
    quoted.push('"');
    quoted
}

/// Formats a pair such as `{value_too_large,5}` as `~p` prints it from this column on: a pair that would reach the 80th column, the first
/// being 1, is broken after the comma.
pub(crate) fn pair_from(column: usize, pair: &str) -> String {
    match pair.split_once(',') {
        Some((first, second)) if column + 1 + pair.len() >= 80 => {
            format!("{first},\n{}{second}", " ".repeat(column + 1))
        }
        _ => pair.to_owned(),
    }
}

/// Returns whether two values are the same term: types count, the order of a table's entries, and the sign of zero if `signs` says so.
pub(crate) fn same(a: &Value, b: &Value, signs: bool) -> bool {
    let signed = |a: f64, b: f64| a == b && (!signs || a.is_sign_negative() == b.is_sign_negative());
    match (a, b) {
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b, signs))
        }
        (Value::Table(a), Value::Table(b)) => {
            let alike = |((name, value), (other, theirs)): ((&ShortString, _), (&ShortString, _))| {
                name == other && same(value, theirs, signs)
            };
            a.len() == b.len() && a.iter().zip(b.iter()).all(alike)
        }
        (Value::F32(a), Value::F32(b)) => signed((*a).into(), (*b).into()),
        (Value::F64(a), Value::F64(b)) => signed(*a, *b),
        _ => a == b,
    }
}

fn write_term(text: &mut String, value: &Value) {
    match value {
        Value::Void => text.push_str("undefined"),
        Value::Bool(truth) => write_to(text, truth),
        Value::F32(x) => write_float(text, (*x).into()),
        Value::F64(x) => write_float(text, *x),
        Value::Decimal(decimal) => write_to(text, format_args!("{{{},{}}}", decimal.scale, decimal.value)),
        Value::LongString(bytes) | Value::Bytes(bytes) => text.push_str(&binary(bytes)),
        Value::Array(items) => write_list(text, items.iter().map(|item| (None, item))),
        Value::Table(table) => write_table(text, table),
        Value::Timestamp(seconds) => write_to(text, seconds),
        other => write_to(text, other.as_i64().unwrap_or_default()),
    }
}

fn write_table(text: &mut String, table: &Table) {
    write_list(text, table.iter().map(|(name, value)| (Some(name.as_str()), value)));
}

fn write_list<'a>(text: &mut String, items: impl Iterator<Item = (Option<&'a str>, &'a Value)>) {
    text.push('[');
    for (index, (name, value)) in items.enumerate() {
        if index > 0 {
            text.push(',');
        }
        text.push('{');
        if let Some(name) = name {
            write_to(text, format_args!("{},", binary(name.as_bytes())));
        }
        write_to(text, format_args!("{},", type_name(value)));
        write_term(text, value);
        text.push('}');
    }
    text.push(']');
}

/// Writes the shortest digits that read back, with a point: `1.0`, `1.0e22`.
fn write_float(text: &mut String, x: f64) {
    write_to(text, format_args!("{x:?}"));
}

fn write_to(text: &mut String, what: impl std::fmt::Display) {
    write!(text, "{what}").expect("a string takes everything");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terms_look_as_erlang_prints_them() {
        let nested =
            Value::Array(vec![Value::I32(1), Table::new().with(ShortString::from_static("k"), "v").into()]);
        assert_eq!(term(&nested), "[{signedint,1},{table,[{<<\"k\">>,longstr,<<\"v\">>}]}]");
        assert_eq!(term(&Value::F64(10.0)), "10.0");
        assert_eq!(binary(b"\x01a"), "<<1,97>>");
        assert_eq!(binary(b"}\x1B\x0C"), r#"<<"}\e\f">>"#);
        assert_eq!(string("a\"b"), "\"a\\\"b\"");
    }

    /// As `io_lib:format("type 1, first 16 octets = ~p", ..)` prints them.
    #[cfg(feature = "port")]
    #[test]
    fn bytes_are_broken_before_the_80th_column() {
        let text = binary_from(26, &[&[200; 12][..], &[1, 2, 3, 4]].concat());
        let numbers = "200,".repeat(12);
        assert_eq!(text, format!("<<{numbers}1,\n{}2,3,4>>", " ".repeat(28)));
        let text = binary_from(26, &[&[200; 10][..], &[1, 2, 3, 4, 5, 6]].concat());
        assert_eq!(text, format!("<<{}1,2,3,4,5,6>>", "200,".repeat(10)));
    }
}
