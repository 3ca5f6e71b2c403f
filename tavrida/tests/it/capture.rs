//! The golden capture: messages of the original as they were on the wire.
//!
//! A [`Row`] is read in two ways that share no code: [`Row::publication`] is made from the bytes of the wire, for the library to decode;
//! the JSON beside them says what it must find.

use bytes::Bytes;
use serde_json::Value as Json;
use tavrida::field::{ShortString, Table, Value};
use tavrida::transport::{Properties, Publication};

/// One message.
pub(crate) struct Row(Json);

pub(crate) fn rows() -> Vec<Row> {
    let lines = include_str!("../data/wire-capture.jsonl").lines();
    lines.map(|line| Row(serde_json::from_str(line).expect("a row is JSON"))).collect()
}

impl Row {
    /// Returns the scenario; if no header has it, the body does.
    pub(crate) fn name(&self) -> &str {
        let body = self.0["body"].as_str().unwrap_or_default();
        let told = body.split('"').find(|word| word.starts_with('i') && word.contains('_'));
        self.0["scenario"].as_str().or(told).unwrap_or("unnamed")
    }

    pub(crate) fn routing_key(&self) -> &str {
        self.0["routing_key"].as_str().expect("every message has a routing key")
    }

    /// Returns the text of one of the seven headers; void is empty.
    pub(crate) fn text(&self, header: &str) -> &str {
        self.0["headers"][header]["v"].as_str().unwrap_or_default()
    }

    /// Returns all headers, with their types.
    pub(crate) fn headers(&self) -> Table {
        table(&self.0["headers"])
    }

    /// Returns the body as Python would read it, with null for numbers that JSON does not have.
    pub(crate) fn body(&self) -> Json {
        let text = self.0["body"].as_str().expect("a body that is read is text").replace(": NaN", ": null");
        serde_json::from_str(&text).expect("a body that is read is JSON")
    }

    /// Returns the message as a broker delivers it.
    pub(crate) fn publication(&self) -> Publication {
        let mut publication =
            Publication::new(short(&self.0["exchange"]), short(&self.0["routing_key"]), self.bytes());
        publication.mandatory = false;
        publication.properties = Properties { headers: self.wire_headers(), ..self.properties() };
        publication
    }

    fn bytes(&self) -> Bytes {
        match &self.0["body_base64"] {
            Json::String(text) => base64(text).into(),
            _ => self.0["body"].as_str().expect("a body is text").to_owned().into(),
        }
    }

    fn properties(&self) -> Properties {
        let properties = &self.0["properties"];
        let text = |name: &str| properties[name].as_str().map(|_| short(&properties[name]));
        let octet = |name: &str| properties[name].as_u64().and_then(|number| number.try_into().ok());
        Properties {
            content_type: text("content_type"),
            content_encoding: text("content_encoding"),
            delivery_mode: octet("delivery_mode"),
            priority: octet("priority"),
            correlation_id: text("correlation_id"),
            message_id: text("message_id"),
            timestamp: properties["timestamp"].as_u64(),
            kind: text("type"),
            app_id: text("app_id"),
            ..Properties::default()
        }
    }

    fn wire_headers(&self) -> Option<Table> {
        let hex = self.0["headers_hex"].as_str()?;
        let digits = hex.as_bytes().chunks(2).map(|pair| std::str::from_utf8(pair).expect("hex is ASCII"));
        let bytes =
            digits.map(|pair| u8::from_str_radix(pair, 16).expect("two hex digits")).collect::<Vec<_>>();
        Some(Wire(&bytes).table())
    }
}

fn short(text: &Json) -> ShortString {
    text.as_str().expect("a name is text").try_into().expect("a name is short")
}

/// Returns a table from the JSON form: `name: {t, v}`.
fn table(headers: &Json) -> Table {
    let headers = headers.as_object().expect("a table is an object");
    headers
        .iter()
        .map(|(name, value)| (ShortString::try_from(name.as_str()).expect("short"), field(value)))
        .collect()
}

fn field(typed: &Json) -> Value {
    let (letter, value) = (typed["t"].as_str().expect("a type letter"), &typed["v"]);
    match letter {
        "S" => value.as_str().expect("text").into(),
        "t" => Value::Bool(value.as_bool().expect("a truth value")),
        "I" => Value::I32(value.as_i64().and_then(|number| number.try_into().ok()).expect("32 bits")),
        "l" => Value::I64(value.as_i64().expect("64 bits")),
        "V" => Value::Void,
        "A" => Value::Array(value.as_array().expect("an array").iter().map(field).collect()),
        "F" => Value::Table(table(value)),
        other => panic!("the capture has no fields of the type {other}"),
    }
}

/// The remaining bytes of a field table.
struct Wire<'a>(&'a [u8]);

impl<'a> Wire<'a> {
    fn take(&mut self, len: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at(len);
        self.0 = rest;
        taken
    }

    fn number<const N: usize>(&mut self) -> [u8; N] {
        self.take(N).try_into().expect("so many bytes were taken")
    }

    fn long(&mut self) -> &'a [u8] {
        let len = u32::from_be_bytes(self.number());
        self.take(len.try_into().expect("it fits into memory"))
    }

    fn table(&mut self) -> Table {
        let mut entries = Wire(self.long());
        let mut table = Table::new();
        while !entries.0.is_empty() {
            let [len] = entries.number();
            let name = std::str::from_utf8(entries.take(len.into())).expect("names are text");
            let name = ShortString::try_from(name).expect("its length is one byte");
            table.insert(name, entries.field());
        }
        table
    }

    fn field(&mut self) -> Value {
        match self.number() {
            [b'S'] => Value::LongString(self.long().into()),
            [b't'] => Value::Bool(self.number() != [0]),
            [b'I'] => Value::I32(i32::from_be_bytes(self.number())),
            [b'l'] => Value::I64(i64::from_be_bytes(self.number())),
            [b'V'] => Value::Void,
            [b'F'] => Value::Table(self.table()),
            [b'A'] => {
                let mut items = Wire(self.long());
                Value::Array(std::iter::from_fn(|| (!items.0.is_empty()).then(|| items.field())).collect())
            }
            [other] => panic!("the capture has no fields of the type {other}"),
        }
    }
}

fn base64(text: &str) -> Vec<u8> {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let value = |c: &u8| DIGITS.iter().position(|digit| digit == c).expect("a base64 digit") as u32;
    let digits: Vec<u8> = text.bytes().filter(|c| *c != b'=').collect();
    let groups = digits.chunks(4).flat_map(|group| {
        let bits = group.iter().fold(0, |bits, c| bits << 6 | value(c)) << (6 * (4 - group.len()));
        bits.to_be_bytes()[1..group.len()].to_vec()
    });
    groups.collect()
}
