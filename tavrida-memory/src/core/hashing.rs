//! Hashes of field values, which cannot be derived: floats are not `Eq`.

use std::hash::{Hash, Hasher};

use rustc_hash::FxHasher;
use tavrida::field::{Table, Value};

/// Hashes a value; equal values have equal hashes. Types count.
pub(crate) fn value(value: &Value, hasher: &mut FxHasher) {
    value.type_letter().hash(hasher);
    match value {
        Value::Bool(truth) => truth.hash(hasher),
        // 0.0 and -0.0 are equal.
        Value::F32(x) => (*x + 0.0).to_bits().hash(hasher),
        Value::F64(x) => (*x + 0.0).to_bits().hash(hasher),
        Value::Decimal(decimal) => (decimal.scale, decimal.value).hash(hasher),
        Value::LongString(bytes) | Value::Bytes(bytes) => bytes.hash(hasher),
        Value::Array(items) => items.iter().for_each(|item| self::value(item, hasher)),
        Value::Table(table) => self::table(table, hasher),
        Value::Timestamp(seconds) => seconds.hash(hasher),
        other => other.as_i64().hash(hasher),
    }
}

/// Hashes a table, independent of the order of its entries.
pub(crate) fn table(table: &Table, hasher: &mut FxHasher) {
    let mut sum = 0u64;
    for (name, value) in table.iter() {
        let mut entry = FxHasher::default();
        name.hash(&mut entry);
        self::value(value, &mut entry);
        sum = sum.wrapping_add(entry.finish());
    }
    hasher.write_u64(sum);
}
