//! Equality of two values for a headers exchange (R39, R40).

use std::hash::{Hash, Hasher};

use rustc_hash::FxHasher;
use tavrida::field::Value;

use crate::core::{erlang, hashing};

/// How a headers exchange compares numbers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Comparison {
    /// By value, whatever their type.
    #[default]
    ByValue,
    /// Integers with integers and floats with floats; `0.0` is not `-0.0`, and a timestamp of a message counts in milliseconds.
    ByType,
}

/// Compares a value of a binding with one of a message: text by its bytes, and the contents of arrays and tables with their types and in
/// their order.
pub(super) fn equal(wanted: &Value, found: &Value, comparison: Comparison) -> bool {
    let by_type = comparison == Comparison::ByType;
    match (Scalar::of(wanted), Scalar::found(found, comparison)) {
        (Some(Scalar::Integer(a)), Some(Scalar::Integer(b))) => a == b,
        (Some(Scalar::Float(a)), Some(Scalar::Float(b))) => {
            a == b && (!by_type || a.is_sign_negative() == b.is_sign_negative())
        }
        (Some(Scalar::Integer(integer)), Some(Scalar::Float(float)))
        | (Some(Scalar::Float(float)), Some(Scalar::Integer(integer))) => {
            !by_type && equals_integer(float, integer)
        }
        (Some(Scalar::Text(a)), Some(Scalar::Text(b))) => a == b,
        (None, None) => match (wanted, found) {
            (Value::Array(array), Value::Table(table)) | (Value::Table(table), Value::Array(array)) => {
                array.is_empty() && table.is_empty()
            }
            _ => erlang::same(wanted, found, by_type),
        },
        _ => false,
    }
}

enum Scalar<'a> {
    Integer(i128),
    Float(f64),
    Text(&'a [u8]),
}

impl<'a> Scalar<'a> {
    fn of(value: &'a Value) -> Option<Self> {
        Some(match value {
            Value::Timestamp(n) => Self::Integer((*n).into()),
            Value::F32(x) => Self::Float((*x).into()),
            Value::F64(x) => Self::Float(*x),
            Value::LongString(bytes) | Value::Bytes(bytes) => Self::Text(bytes),
            other => Self::Integer(other.as_i64()?.into()),
        })
    }

    /// Returns a value of a message.
    fn found(value: &'a Value, comparison: Comparison) -> Option<Self> {
        match (value, comparison) {
            (Value::Timestamp(seconds), Comparison::ByType) => {
                Some(Self::Integer(i128::from(*seconds) * 1000))
            }
            _ => Self::of(value),
        }
    }
}

/// Compares exactly: 2^53 + 1 is not the float 2^53.
fn equals_integer(float: f64, integer: i128) -> bool {
    // Every integer of an AMQP field is below 2^64, where the conversion of an integral float is exact.
    float.fract() == 0.0 && float.abs() < 3.0e19 && float as i128 == integer
}

/// Hashes a value of a binding.
pub(super) fn hash(wanted: &Value, hasher: &mut FxHasher) {
    hash_scalar(Scalar::of(wanted), wanted, hasher);
}

/// Hashes a value of a message as an equal one of a binding.
pub(super) fn hash_found(found: &Value, comparison: Comparison, hasher: &mut FxHasher) {
    hash_scalar(Scalar::found(found, comparison), found, hasher);
}

fn hash_scalar(scalar: Option<Scalar<'_>>, value: &Value, hasher: &mut FxHasher) {
    match scalar {
        Some(Scalar::Integer(integer)) => hash_integer(integer, hasher),
        Some(Scalar::Float(float)) if equals_integer(float, float as i128) => {
            hash_integer(float as i128, hasher)
        }
        Some(Scalar::Float(float)) => ('d', float.to_bits()).hash(hasher),
        Some(Scalar::Text(text)) => ('S', text).hash(hasher),
        None => match value {
            Value::Array(items) if items.is_empty() => 'F'.hash(hasher),
            Value::Table(table) if table.is_empty() => 'F'.hash(hasher),
            _ => hashing::value(value, hasher),
        },
    }
}

fn hash_integer(integer: i128, hasher: &mut FxHasher) {
    // All integers of fields fit into 65 bits: their lower half distinguishes nearly all.
    hasher.write_u64(integer as u64);
}
