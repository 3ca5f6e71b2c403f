//! [`CorrelationId`]: the shared id of a chain of calls.

use std::fmt;

use smol_str::SmolStr;

use crate::field::{ShortString, Value};

/// The id of a chain of calls: the same in all its messages.
///
/// It is usually text; a sender that used a number or no value gets it back unchanged, with its type.
#[derive(Debug, Clone, PartialEq)]
pub struct CorrelationId(Value);

impl CorrelationId {
    /// Returns the id as it is in the header, with its type.
    pub fn as_value(&self) -> &Value {
        &self.0
    }

    /// Returns the text, if it is text.
    pub fn as_str(&self) -> Option<&str> {
        self.0.as_str()
    }

    /// Returns the text for AMQP's own property, if it fits.
    pub(crate) fn as_property(&self) -> Option<ShortString> {
        match &self.0 {
            Value::LongString(octets) if !octets.is_empty() => {
                octets.to_text().and_then(|text| text.try_into().ok())
            }
            _ => None,
        }
    }
}

impl From<Value> for CorrelationId {
    fn from(value: Value) -> Self {
        Self(value)
    }
}

impl From<SmolStr> for CorrelationId {
    fn from(text: SmolStr) -> Self {
        Self(text.into())
    }
}

impl From<String> for CorrelationId {
    fn from(text: String) -> Self {
        Self(text.into())
    }
}

impl From<&str> for CorrelationId {
    fn from(text: &str) -> Self {
        Self(text.into())
    }
}

impl From<&CorrelationId> for CorrelationId {
    fn from(id: &CorrelationId) -> Self {
        id.clone()
    }
}

impl PartialEq<str> for CorrelationId {
    fn eq(&self, other: &str) -> bool {
        self.as_str() == Some(other)
    }
}

impl PartialEq<&str> for CorrelationId {
    fn eq(&self, other: &&str) -> bool {
        self.as_str() == Some(*other)
    }
}

impl fmt::Display for CorrelationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.0, self.0.as_i64()) {
            (Value::LongString(bytes), _) => f.pad(&bytes.to_string_lossy()),
            (Value::Void, _) => f.pad("none"),
            (_, Some(number)) => number.fmt(f),
            (other, None) => write!(f, "{other:?}"),
        }
    }
}
