//! Field values for serde: so that commands to a broker can be recorded, read by people, and replayed.
//!
//! Text is written as text. Bytes that are none become `{"hex": "00ff"}`. A table is a map, in its own order.

use std::borrow::Cow;
use std::fmt;

use bytes::Bytes;
use serde::de::{Error as _, MapAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{ShortString, Table, Value};

impl Serialize for ShortString {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self)
    }
}

impl<'de> Deserialize<'de> for ShortString {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<'de, str>::deserialize(deserializer)?;
        Self::try_from(&*text).map_err(D::Error::custom)
    }
}

impl Serialize for Table {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.len()))?;
        for (name, value) in self.iter() {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for Table {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Entries)
    }
}

struct Entries;

impl<'de> Visitor<'de> for Entries {
    type Value = Table;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a map from names to field values")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Table, A::Error> {
        let mut table = Table::new();
        while let Some((name, value)) = map.next_entry::<ShortString, Value>()? {
            table.insert(name, value);
        }
        Ok(table)
    }
}

/// What bytes are written as.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Written<'a> {
    Text(Cow<'a, str>),
    Binary { hex: Cow<'a, str> },
}

/// Writes bytes, for `#[serde(with = ..)]`.
pub(crate) fn serialize<S: Serializer>(bytes: &Bytes, serializer: S) -> Result<S::Ok, S::Error> {
    let written = match std::str::from_utf8(bytes) {
        Ok(text) => Written::Text(text.into()),
        Err(_) => {
            let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            Written::Binary { hex: hex.into() }
        }
    };
    written.serialize(serializer)
}

/// Reads bytes, for `#[serde(with = ..)]`.
pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Bytes, D::Error> {
    match Written::deserialize(deserializer)? {
        Written::Text(text) => Ok(Bytes::from(text.into_owned())),
        Written::Binary { hex } => {
            from_hex(&hex).ok_or_else(|| D::Error::custom(format!("'{hex}' is not written in hex digits")))
        }
    }
}

fn from_hex(hex: &str) -> Option<Bytes> {
    let digits: Vec<u8> =
        hex.chars().map(|digit| digit.to_digit(16).map(|digit| digit as u8)).collect::<Option<_>>()?;
    let pairs = digits.chunks_exact(2);
    pairs.remainder().is_empty().then(|| pairs.map(|pair| pair[0] << 4 | pair[1]).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::field::Decimal;
    use crate::transport::{Properties, Publication};

    #[test]
    fn a_message_is_what_it_was_when_it_is_read_back() {
        let name = ShortString::from_static;
        let headers = Table::new()
            .with(name("z"), vec![Value::Void, Value::I8(-1), Value::U32(7), Value::Timestamp(3)])
            .with(name("a"), Value::Decimal(Decimal { scale: 2, value: 314 }))
            .with(name("text"), "déjà")
            .with(name("bytes"), Value::Bytes(Bytes::from_static(b"\x00\xff")))
            .with(name("inner"), Table::new().with(name("x"), 1.5));
        let publication = Publication {
            properties: Properties { headers: Some(headers), priority: Some(0), ..Properties::default() },
            ..Publication::new(name("x"), name("k"), Bytes::from_static(b"\xff"))
        };
        let written = serde_json::to_string(&publication).unwrap();
        let read: Publication = serde_json::from_str(&written).unwrap();
        assert_eq!(read, publication, "{written}");
        let order: Vec<_> = read.properties.headers().iter().map(|(name, _)| name.to_string()).collect();
        assert_eq!(order, ["z", "a", "text", "bytes", "inner"]);
    }

    #[test]
    fn text_is_written_as_text_and_absent_properties_not_at_all() {
        let publication = Publication::new(ShortString::default(), ShortString::from_static("q"), "hello");
        let written = serde_json::to_string(&publication).unwrap();
        assert_eq!(
            written,
            r#"{"exchange":"","routing_key":"q","mandatory":true,"properties":{},"body":"hello"}"#
        );
    }

    #[test]
    fn a_name_that_is_too_long_and_odd_hex_digits_are_refused() {
        let long = format!("\"{}\"", "x".repeat(256));
        assert!(serde_json::from_str::<ShortString>(&long).is_err());
        let error = serde_json::from_str::<Value>(r#"{"Bytes": {"hex": "0"}}"#).unwrap_err();
        assert!(error.to_string().contains("'0' is not written in hex digits"), "{error}");
    }
}
