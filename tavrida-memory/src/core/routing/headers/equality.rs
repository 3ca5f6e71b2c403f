//! Equality of two values for a headers exchange (R39, R40).

use std::hash::{Hash, Hasher};

use rustc_hash::FxHasher;
use tavrida::field::Value;

use crate::core::hashing;

/// Numbers are equal by value whatever their type, text by its bytes, and the contents of arrays and tables with their types.
pub(super) fn equal(a: &Value, b: &Value) -> bool {
    match (Scalar::of(a), Scalar::of(b)) {
        (Some(Scalar::Integer(a)), Some(Scalar::Integer(b))) => a == b,
        (Some(Scalar::Float(a)), Some(Scalar::Float(b))) => a == b,
        (Some(Scalar::Integer(integer)), Some(Scalar::Float(float)))
        | (Some(Scalar::Float(float)), Some(Scalar::Integer(integer))) => equals_integer(float, integer),
        (Some(Scalar::Text(a)), Some(Scalar::Text(b))) => a == b,
        (None, None) => match (a, b) {
            (Value::Array(array), Value::Table(table)) | (Value::Table(table), Value::Array(array)) => {
                array.is_empty() && table.is_empty()
            }
            _ => a == b,
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
}

/// Compares exactly: 2^53 + 1 is not the float 2^53.
fn equals_integer(float: f64, integer: i128) -> bool {
    // Every integer of an AMQP field is below 2^64, where the conversion of an integral float is exact.
    float.fract() == 0.0 && float.abs() < 3.0e19 && float as i128 == integer
}

/// Hashes a value; equal values have equal hashes.
pub(super) fn hash(value: &Value, hasher: &mut FxHasher) {
    match Scalar::of(value) {
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
