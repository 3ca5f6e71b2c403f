//! [`Criteria`]: what a binding of a headers exchange requires.

use tavrida_behaviour::Behaviour;

use crate::broker_error::BrokerError;
use crate::erlang;
use crate::mismatch::Mismatch;
use crate::value::{Table, Value};

/// The headers that a binding requires (R36 to R38).
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Criteria {
    pub(crate) any: bool,
    pub(crate) wanted: Table,
    /// Whether numbers are compared with their types (R39).
    pub(crate) by_type: bool,
}

impl Criteria {
    pub(crate) fn of(arguments: &Table, behaviour: &Behaviour) -> Result<Self, BrokerError> {
        let (any, with_x) = match arguments.get("x-match") {
            None => (false, false),
            Some(Value::LongString(mode)) => match mode.as_str() {
                "all" => (false, false),
                "any" => (true, false),
                "all-with-x" => (false, true),
                "any-with-x" => (true, true),
                other => {
                    let other = erlang::binary(other.as_bytes());
                    return Err(BrokerError::precondition_failed(format_args!(
                        "Invalid x-match field value {other}; expected all, any, all-with-x, or any-with-x"
                    )));
                }
            },
            Some(other) => {
                let (kind, term) = (erlang::type_name(other), erlang::term(other));
                return Err(BrokerError::precondition_failed(format_args!(
                    "Invalid x-match field type {kind} (value {term}); expected longstr"
                )));
            }
        };
        let counts = |name: &str| name != "x-match" && (with_x || !name.starts_with("x-"));
        let wanted = arguments.iter().filter(|(name, _)| counts(name));
        let wanted = wanted.map(|(name, value)| (name.clone(), value.clone())).collect();
        Ok(Self { any, wanted, by_type: behaviour.matches_numbers_by_type })
    }

    pub(crate) fn check(&self, headers: &Table) -> Result<(), Mismatch> {
        let holds = |(name, value): &(&String, &Value)| match headers.get(name) {
            Some(found) => **value == Value::Void || equal(value, found, self.by_type),
            None => false,
        };
        if self.any {
            let found = self.wanted.iter().any(|entry| holds(&entry));
            return if found { Ok(()) } else { Err(Mismatch::NoHeader { expected: self.wanted.clone() }) };
        }
        match self.wanted.iter().find(|entry| !holds(entry)) {
            None => Ok(()),
            Some((name, value)) => Err(Mismatch::Header {
                name: name.clone(),
                expected: value.clone(),
                found: headers.get(name).cloned(),
            }),
        }
    }
}

/// Returns whether a headers exchange treats a value of a binding and one of a message as equal (R39, R40).
pub(crate) fn equal(wanted: &Value, found: &Value, by_type: bool) -> bool {
    let text = |value: &Value| match value {
        Value::LongString(text) => Some(text.clone().into_bytes()),
        Value::Bytes(bytes) => Some(bytes.clone()),
        _ => None,
    };
    if let (Some(wanted), Some(found)) = (text(wanted), text(found)) {
        return wanted == found;
    }
    let found_number = match found {
        // The times of messages, and only they, count in milliseconds.
        Value::Timestamp(seconds) if by_type => Some(Number::Integer(i128::from(*seconds) * 1000)),
        _ => number(found),
    };
    match (number(wanted), found_number) {
        (None, None) => nested(wanted, found, by_type),
        (Some(Number::Integer(a)), Some(Number::Integer(b))) => a == b,
        (Some(Number::Float(a)), Some(Number::Float(b))) => same_float(a, b, by_type),
        (Some(Number::Integer(integer)), Some(Number::Float(float)))
        | (Some(Number::Float(float)), Some(Number::Integer(integer))) => {
            // Integers of fields are below 2^64, where the conversion of a whole float is exact.
            !by_type && float.fract() == 0.0 && float.abs() < 3.0e19 && float as i128 == integer
        }
        _ => false,
    }
}

enum Number {
    Integer(i128),
    Float(f64),
}

fn number(value: &Value) -> Option<Number> {
    match value {
        Value::Timestamp(seconds) => Some(Number::Integer((*seconds).into())),
        other => {
            let integer = other.as_i64().map(|n| Number::Integer(n.into()));
            integer.or_else(|| other.as_f64().map(Number::Float))
        }
    }
}

/// By type, `0.0` is not `-0.0`.
fn same_float(a: f64, b: f64, by_type: bool) -> bool {
    a == b && (!by_type || a.is_sign_negative() == b.is_sign_negative())
}

/// Inside arrays and tables, types count, and so does the order of entries.
fn nested(a: &Value, b: &Value, by_type: bool) -> bool {
    match (a, b) {
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| nested(a, b, by_type))
        }
        (Value::Table(a), Value::Table(b)) => {
            let same =
                |((a, x), (b, y)): ((&String, &Value), (&String, &Value))| a == b && nested(x, y, by_type);
            a.len() == b.len() && a.in_order().zip(b.in_order()).all(same)
        }
        (Value::Array(array), Value::Table(table)) | (Value::Table(table), Value::Array(array)) => {
            array.is_empty() && table.is_empty()
        }
        (Value::F32(a), Value::F32(b)) => same_float((*a).into(), (*b).into(), by_type),
        (Value::F64(a), Value::F64(b)) => same_float(*a, *b, by_type),
        _ => a == b,
    }
}
