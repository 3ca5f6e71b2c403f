//! [`Value`]: one field of a header table or of an argument.

use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

use super::{LongString, ShortString, Table};

/// A field value, with its type on the wire.
///
/// Two values are equal if their types and contents are: `I8(1)` is not `I64(1)`. (RabbitMQ's headers exchange compares less strictly; that
/// comparison is the broker's.)
///
/// The 64-bit types `L` and `l` are represented by one variant: RabbitMQ writes `l` for both.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Value {
    /// `V`: no value.
    #[default]
    Void,
    /// `t`.
    Bool(bool),
    /// `b`.
    I8(i8),
    /// `B`.
    U8(u8),
    /// `s`.
    I16(i16),
    /// `u`.
    U16(u16),
    /// `I`.
    I32(i32),
    /// `i`.
    U32(u32),
    /// `l`.
    I64(i64),
    /// `f`.
    F32(f32),
    /// `d`.
    F64(f64),
    /// `D`.
    Decimal(Decimal),
    /// `S`: usually UTF-8 text, but any bytes. See [`Value::as_str`].
    LongString(LongString),
    /// `x`.
    Bytes(LongString),
    /// `A`.
    Array(Vec<Value>),
    /// `T`: seconds since 1970-01-01 00:00 UTC.
    Timestamp(u64),
    /// `F`.
    Table(Table),
}

/// How many levels of tables and arrays a header or argument may nest, itself included: the same on every transport.
///
/// A sender is refused above it. A transport that receives a message with more leaves that header out, and the message is not handled
/// but dead-lettered: see [`UNREADABLE`](crate::transport::UNREADABLE). AMQP libraries read tables recursively, so that some
/// thousand levels overflow a stack, which ends a process.
pub const MAX_DEPTH: usize = 128;

/// A decimal number, `value / 10^scale`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decimal {
    /// The number of decimal places.
    pub scale: u8,
    /// The unscaled value.
    pub value: u32,
}

impl Value {
    /// Creates text known at compile time, without an allocation.
    pub const fn from_static(text: &'static str) -> Self {
        Self::LongString(LongString::from_static(text))
    }

    /// Returns the text of a [`Value::LongString`] that is UTF-8. `None` for other values.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::LongString(octets) => octets.as_str(),
            _ => None,
        }
    }

    /// Returns the number of any integer type, or of a timestamp that fits. `None` for other values.
    pub fn as_i64(&self) -> Option<i64> {
        match *self {
            Self::I8(n) => Some(n.into()),
            Self::U8(n) => Some(n.into()),
            Self::I16(n) => Some(n.into()),
            Self::U16(n) => Some(n.into()),
            Self::I32(n) => Some(n.into()),
            Self::U32(n) => Some(n.into()),
            Self::I64(n) => Some(n),
            Self::Timestamp(n) => i64::try_from(n).ok(),
            _ => None,
        }
    }

    pub(super) fn is_nested(&self) -> bool {
        matches!(self, Self::Array(_) | Self::Table(_))
    }

    /// The length on the wire in bytes, with the letter of the type.
    pub fn encoded_len(&self) -> usize {
        let len = match self {
            Self::Void => 0,
            Self::Bool(_) | Self::I8(_) | Self::U8(_) => 1,
            Self::I16(_) | Self::U16(_) => 2,
            Self::I32(_) | Self::U32(_) | Self::F32(_) => 4,
            Self::I64(_) | Self::F64(_) | Self::Timestamp(_) => 8,
            Self::Decimal(_) => 5,
            Self::LongString(bytes) | Self::Bytes(bytes) => 4 + bytes.len(),
            Self::Array(items) => 4 + items.iter().map(Self::encoded_len).sum::<usize>(),
            Self::Table(table) => 4 + table.encoded_len(),
        };
        1 + len
    }

    /// Returns the letter of the type on the wire.
    pub fn type_letter(&self) -> char {
        match self {
            Self::Void => 'V',
            Self::Bool(_) => 't',
            Self::I8(_) => 'b',
            Self::U8(_) => 'B',
            Self::I16(_) => 's',
            Self::U16(_) => 'u',
            Self::I32(_) => 'I',
            Self::U32(_) => 'i',
            Self::I64(_) => 'l',
            Self::F32(_) => 'f',
            Self::F64(_) => 'd',
            Self::Decimal(_) => 'D',
            Self::LongString(_) => 'S',
            Self::Bytes(_) => 'x',
            Self::Array(_) => 'A',
            Self::Timestamp(_) => 'T',
            Self::Table(_) => 'F',
        }
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::LongString(text.into())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::LongString(text.into())
    }
}

impl From<SmolStr> for Value {
    fn from(text: SmolStr) -> Self {
        Self::LongString(text.into())
    }
}

impl From<ShortString> for Value {
    fn from(text: ShortString) -> Self {
        Self::LongString(text.into())
    }
}

impl From<bool> for Value {
    fn from(truth: bool) -> Self {
        Self::Bool(truth)
    }
}

impl From<i32> for Value {
    fn from(number: i32) -> Self {
        Self::I32(number)
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::I64(number)
    }
}

impl From<f64> for Value {
    fn from(number: f64) -> Self {
        Self::F64(number)
    }
}

impl From<Vec<Value>> for Value {
    fn from(items: Vec<Value>) -> Self {
        Self::Array(items)
    }
}

impl From<Table> for Value {
    fn from(table: Table) -> Self {
        Self::Table(table)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_what_is_utf8_and_a_long_string() {
        assert_eq!(Value::from("déjà").as_str(), Some("déjà"));
        assert_eq!(Value::LongString(b"\xff".into()).as_str(), None);
        assert_eq!(Value::Bytes(b"text".into()).as_str(), None);
    }

    #[test]
    fn every_integer_type_is_a_number_and_a_float_is_not() {
        let integers = [
            Value::I8(7),
            Value::U8(7),
            Value::I16(7),
            Value::U16(7),
            Value::I32(7),
            Value::U32(7),
            Value::I64(7),
            Value::Timestamp(7),
        ];
        assert!(integers.iter().all(|value| value.as_i64() == Some(7)));
        assert_eq!(Value::F64(7.0).as_i64(), None);
    }

    #[test]
    fn a_value_stays_small_enough_to_move() {
        assert!(size_of::<Value>() <= 40, "{}", size_of::<Value>());
    }
}
