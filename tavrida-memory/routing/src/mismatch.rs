//! [`Mismatch`]: where a binding fails to match a message.

use std::fmt;

use crate::value::{Table, Value};

/// Where a binding fails to match a message.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Mismatch {
    /// A direct exchange: the routing key differs.
    Key {
        /// The key of the binding.
        expected: String,
        /// The key of the message.
        found: String,
    },
    /// A topic exchange: the pattern fails at a word.
    Word {
        /// The pattern.
        pattern: String,
        /// The key of the message.
        key: String,
        /// The index of the word in the key, from 0; the number of words if the key is too short.
        index: usize,
        /// The word of the pattern that fails there. `None` if the pattern has ended.
        expected: Option<String>,
        /// The word of the key. `None` if the key has ended.
        found: Option<String>,
    },
    /// A headers exchange that requires all headers: the first one that is missing or has another value.
    Header {
        /// The name of the header.
        name: String,
        /// The value of the binding; [`Value::Void`] accepts any value.
        expected: Value,
        /// The value of the message. `None` if it has no such header.
        found: Option<Value>,
    },
    /// A headers exchange that requires any of these: the message has none of them.
    NoHeader {
        /// The headers that the binding requires, by name.
        expected: Table,
    },
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key { expected, found } => write!(f, "the key is '{found}', not '{expected}'"),
            Self::Word { pattern, key, index, expected, found } => {
                write!(f, "pattern '{pattern}' fails on key '{key}' at word {}: ", index + 1)?;
                match (expected, found) {
                    (Some(expected), Some(found)) => write!(f, "'{found}' is not '{expected}'"),
                    (Some(expected), None) => write!(f, "the key ends, '{expected}' is missing"),
                    (None, Some(found)) => write!(f, "the pattern ends, '{found}' is too much"),
                    (None, None) => write!(f, "the key ends"),
                }
            }
            Self::Header { name, expected: Value::Void, .. } => write!(f, "header '{name}' is missing"),
            Self::Header { name, expected, found: Some(found) } => {
                write!(f, "header '{name}' is {found}, not {expected}")
            }
            Self::Header { name, expected, found: None } => {
                write!(f, "header '{name}' is missing, expected {expected}")
            }
            Self::NoHeader { expected } if expected.is_empty() => {
                write!(f, "the binding names no header, and asks for any of them")
            }
            Self::NoHeader { expected } => write!(f, "the message has none of {expected}"),
        }
    }
}
