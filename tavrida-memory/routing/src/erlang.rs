//! Values as RabbitMQ prints them in its error texts, which are Erlang terms.

use crate::value::Value;

/// RabbitMQ's name of a field type.
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
        Value::Decimal { .. } => "decimal",
        Value::LongString(_) => "longstr",
        Value::Bytes(_) => "binary",
        Value::Array(_) => "array",
        Value::Timestamp(_) => "timestamp",
        Value::Table(_) => "table",
    }
}

/// A value as a term.
pub(crate) fn term(value: &Value) -> String {
    let typed = |value: &Value| format!("{},{}", type_name(value), term(value));
    let list = |items: Vec<String>| format!("[{}]", items.join(","));
    match value {
        Value::Void => "undefined".to_owned(),
        Value::Bool(truth) => truth.to_string(),
        Value::F32(x) => format!("{:?}", f64::from(*x)),
        Value::F64(x) => format!("{x:?}"),
        Value::Decimal { scale, value } => format!("{{{scale},{value}}}"),
        Value::LongString(text) => binary(text.as_bytes()),
        Value::Bytes(bytes) => binary(bytes),
        Value::Array(items) => list(items.iter().map(|item| format!("{{{}}}", typed(item))).collect()),
        Value::Table(table) => {
            let entry = |(name, value): (&String, &Value)| {
                format!("{{{},{}}}", binary(name.as_bytes()), typed(value))
            };
            list(table.in_order().map(entry).collect())
        }
        Value::Timestamp(seconds) => seconds.to_string(),
        integer => integer.as_i64().unwrap_or_default().to_string(),
    }
}

/// Bytes as a term: `<<"text">>` where they can be printed, else `<<1,2>>`.
pub(crate) fn binary(bytes: &[u8]) -> String {
    let printable = |byte: &u8| matches!(byte, 32..=126 | b'\n' | b'\t' | b'\r');
    if bytes.iter().all(printable) && !bytes.is_empty() {
        return format!("<<{}>>", string(&String::from_utf8_lossy(bytes)));
    }
    let numbers: Vec<String> = bytes.iter().map(u8::to_string).collect();
    format!("<<{}>>", numbers.join(","))
}

/// A list of characters as a term: the text in quotes.
pub(crate) fn string(text: &str) -> String {
    let escaped = text.replace('\\', "\\\\").replace('"', "\\\"");
    format!("\"{}\"", escaped.replace('\n', "\\n").replace('\t', "\\t").replace('\r', "\\r"))
}
