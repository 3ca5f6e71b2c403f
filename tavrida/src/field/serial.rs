//! Serde support for bytes: text is written as text, other bytes as `{"hex": "00ff"}`.

use std::borrow::Cow;

use bytes::Bytes;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The serialised form of bytes.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Written<'a> {
    Text(Cow<'a, str>),
    Binary { hex: Cow<'a, str> },
}

/// Serialises bytes, for `#[serde(with = ..)]`.
pub(crate) fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    let written = match std::str::from_utf8(bytes) {
        Ok(text) => Written::Text(text.into()),
        Err(_) => {
            let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            Written::Binary { hex: hex.into() }
        }
    };
    written.serialize(serializer)
}

/// Deserialises bytes, for `#[serde(with = ..)]`.
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
