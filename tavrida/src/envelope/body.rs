//! The body: one JSON object with `payload` and `context`, located but not parsed, and written from their texts.

use bytes::Bytes;
use bytestring::ByteString;
use serde_json::value::RawValue;

use super::DecodeError;
use super::error::Shown;
use crate::json::{self, Object, without_python_literals};

const PAYLOAD: &str = "payload";
const CONTEXT: &str = "context";

/// The content of a body.
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
        let text = ByteString::try_from(bytes.clone())
            .map_err(|error| DecodeError::BodyNotUtf8 { valid_up_to: error.valid_up_to() })?;
        match BodyMembers::of(&text) {
            Some(members) => members.in_text(&text),
            None => Self::read_python(&text),
        }
    }

    /// Reads a body of Python, which may contain `NaN` and the like.
    fn read_python(text: &ByteString) -> Result<Self, DecodeError> {
        let json = without_python_literals(text).map_or_else(|| text.clone(), ByteString::from);
        match BodyMembers::of(&json) {
            Some(members) => members.in_text(&json),
            None => Err(fault(&json, text)),
        }
    }

    /// Returns the text on the wire, with the original's separators.
    pub(super) fn write(payload: &Object, context: &Object) -> Bytes {
        let parts = ["{\"payload\": ", payload.as_str(), ", \"context\": ", context.as_str(), "}"];
        parts.concat().into()
    }
}

/// Returns why a text has no members. The error shows the text that was sent.
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

/// The texts of the two relevant members.
struct BodyMembers<'a> {
    payload: Option<&'a str>,
    context: Option<&'a str>,
}

impl<'a> BodyMembers<'a> {
    /// Others are skipped; the last of two with the same name counts.
    fn of(text: &'a str) -> Option<Self> {
        let mut found = Self { payload: None, context: None };
        json::members(text, |name, value| match &*json::unescaped(name) {
            PAYLOAD => found.payload = Some(value),
            CONTEXT => found.context = Some(value),
            _ => {}
        })?;
        Some(found)
    }

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
