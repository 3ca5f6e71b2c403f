//! The body: one JSON object with `payload` and `context`, found but not read, and written from their texts.

use std::fmt;

use bytes::Bytes;
use bytestring::ByteString;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::DecodeError;
use super::error::Shown;
use crate::json::{Object, without_python_literals};

const PAYLOAD: &str = "payload";
const CONTEXT: &str = "context";

/// What a body holds.
#[derive(Debug)]
pub(super) struct Body {
    pub(super) payload: Object,
    pub(super) context: Object,
}

impl Body {
    /// Finds payload and context, as slices of the body.
    pub(super) fn read(bytes: &Bytes) -> Result<Self, DecodeError> {
        if bytes.starts_with("\u{feff}".as_bytes()) {
            return Err(DecodeError::ByteOrderMark);
        }
        let text = match std::str::from_utf8(bytes) {
            Ok(_) => ByteString::try_from(bytes.clone()).expect("it was just seen to be UTF-8"),
            Err(error) => return Err(DecodeError::BodyNotUtf8 { valid_up_to: error.valid_up_to() }),
        };
        match serde_json::from_str::<Members<'_>>(&text) {
            Ok(members) => members.in_text(&text),
            Err(_) => Self::read_python(&text),
        }
    }

    /// What is no JSON may still be Python's, with `NaN` and the like in it.
    fn read_python(text: &ByteString) -> Result<Self, DecodeError> {
        let json = without_python_literals(text).map_or_else(|| text.clone(), ByteString::from);
        match serde_json::from_str::<Members<'_>>(&json) {
            Ok(members) => members.in_text(&json),
            Err(_) => Err(fault(&json, text)),
        }
    }

    /// The text on the wire, with the original's separators.
    pub(super) fn write(payload: &Object, context: &Object) -> Bytes {
        let parts = ["{\"payload\": ", payload.as_str(), ", \"context\": ", context.as_str(), "}"];
        parts.concat().into()
    }
}

/// Why a text has no members. What is shown is what was sent.
fn fault(json: &str, sent: &str) -> DecodeError {
    let sent = sent.trim_ascii();
    if sent.is_empty() {
        return DecodeError::EmptyBody;
    }
    match serde_json::from_str::<&RawValue>(json) {
        Ok(_) => DecodeError::BodyNotObject { found: Shown::json(sent) },
        Err(error) => DecodeError::BodyNotJson { flaw: error.to_string(), found: Shown::json(sent) },
    }
}

/// The two members that count. Others are skipped; of two with the same name the last counts.
#[derive(Default)]
struct Members<'a> {
    payload: Option<&'a str>,
    context: Option<&'a str>,
}

impl Members<'_> {
    fn in_text(&self, text: &ByteString) -> Result<Body, DecodeError> {
        let payload = self.payload.ok_or(DecodeError::MissingMember { member: PAYLOAD })?;
        let context = self.context.ok_or(DecodeError::MissingMember { member: CONTEXT })?;
        Ok(Body {
            payload: object(PAYLOAD, payload, text)?,
            context: if context == "null" { Object::EMPTY } else { object(CONTEXT, context, text)? },
        })
    }
}

fn object(member: &'static str, value: &str, text: &ByteString) -> Result<Object, DecodeError> {
    if value.starts_with('{') {
        Ok(Object::from_checked(text.slice_ref(value)))
    } else {
        Err(DecodeError::MemberNotObject { member, found: Shown::json(value) })
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Find;

        impl<'de> Visitor<'de> for Find {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Members::default();
                while let Some(name) = map.next_key()? {
                    let value = map.next_value::<&RawValue>()?.get();
                    match name {
                        Name::Payload => members.payload = Some(value),
                        Name::Context => members.context = Some(value),
                        Name::Other => {}
                    }
                }
                Ok(members)
            }
        }

        deserializer.deserialize_map(Find)
    }
}

enum Name {
    Payload,
    Context,
    Other,
}

impl<'de> Deserialize<'de> for Name {
    /// By its bytes, since a name may hold escaped surrogates without their other half, which are no Rust text.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Tell;

        impl Visitor<'_> for Tell {
            type Value = Name;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a name")
            }

            fn visit_bytes<E>(self, name: &[u8]) -> Result<Name, E> {
                Ok(match name {
                    b"payload" => Name::Payload,
                    b"context" => Name::Context,
                    _ => Name::Other,
                })
            }
        }

        deserializer.deserialize_bytes(Tell)
    }
}
