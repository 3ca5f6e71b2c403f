//! [`Table`]: names with values, in the order of insertion.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fmt;

use serde::de::{MapAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{ShortString, Value};

/// A field table: headers, arguments, nested tables.
///
/// Names are unique; [`insert`](Table::insert) replaces. The order of insertion is kept but has no meaning: tables are equal if they have
/// the same names with the same values.
///
/// ```
/// use tavrida::field::{ShortString, Table, Value};
///
/// let mut headers = Table::new();
/// headers.insert(ShortString::from_static("x-trace"), "abc");
/// assert_eq!(headers.get("x-trace").and_then(Value::as_str), Some("abc"));
/// ```
#[derive(Debug, Clone, Default)]
pub struct Table(Vec<(ShortString, Value)>);

impl Table {
    /// Returns an empty table.
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// Returns an empty table with capacity for `entries`.
    pub fn with_capacity(entries: usize) -> Self {
        Self(Vec::with_capacity(entries))
    }

    /// Inserts a value. Returns the value that it replaced.
    pub fn insert(&mut self, name: impl Into<ShortString>, value: impl Into<Value>) -> Option<Value> {
        let (name, value) = (name.into(), value.into());
        match self.get_mut(&name) {
            Some(old) => Some(std::mem::replace(old, value)),
            None => {
                self.0.push((name, value));
                None
            }
        }
    }

    /// Returns the table with one more entry, for building in one expression.
    #[must_use = "the table comes back with the entry"]
    pub fn with(mut self, name: impl Into<ShortString>, value: impl Into<Value>) -> Self {
        self.insert(name, value);
        self
    }

    /// Adds an entry whose name is known to be new, without a search: the caller keeps names unique.
    pub(crate) fn push_new(&mut self, name: ShortString, value: Value) {
        debug_assert!(self.get(&name).is_none(), "{name} is in the table");
        self.0.push((name, value));
    }

    /// Returns the value of a name.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value)
    }

    /// Returns the value of a name, to change it in place.
    pub fn get_mut(&mut self, name: &str) -> Option<&mut Value> {
        self.0.iter_mut().find(|(key, _)| key == name).map(|(_, value)| value)
    }

    /// Removes a name. Returns its value.
    pub fn remove(&mut self, name: &str) -> Option<Value> {
        let index = self.0.iter().position(|(key, _)| key == name)?;
        Some(self.0.remove(index).1)
    }

    /// Keeps the entries for which `keep` returns `true`.
    pub fn retain(&mut self, mut keep: impl FnMut(&ShortString, &Value) -> bool) {
        self.0.retain(|(name, value)| keep(name, value));
    }

    /// How many levels of tables and arrays the values nest: 0 for values that hold no others.
    ///
    /// Does not recurse, so that any depth is measured.
    pub fn depth(&self) -> usize {
        let mut deepest = 0;
        let mut open: Vec<(&Value, usize)> = self.nested(1).collect();
        while let Some((value, level)) = open.pop() {
            deepest = deepest.max(level);
            match value {
                Value::Table(table) => open.extend(table.nested(level + 1)),
                Value::Array(items) => {
                    open.extend(items.iter().filter(|item| item.is_nested()).map(|item| (item, level + 1)));
                }
                _ => {}
            }
        }
        deepest
    }

    fn nested(&self, level: usize) -> impl Iterator<Item = (&Value, usize)> {
        self.0
            .iter()
            .map(|(_, value)| value)
            .filter(|value| value.is_nested())
            .map(move |value| (value, level))
    }

    /// The length on the wire in bytes, without the four bytes of the length itself.
    pub fn encoded_len(&self) -> usize {
        self.0.iter().map(|(name, value)| 1 + name.len() + value.encoded_len()).sum()
    }

    /// Returns whether a name exists.
    pub fn contains(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// Returns the number of entries.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Returns whether there is no entry.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the entries in the order of insertion.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&ShortString, &Value)> + DoubleEndedIterator {
        self.0.iter().map(|(name, value)| (name, value))
    }
}

impl PartialEq for Table {
    fn eq(&self, other: &Self) -> bool {
        self.len() == other.len() && self.iter().all(|(name, value)| other.get(name) == Some(value))
    }
}

impl IntoIterator for Table {
    type Item = (ShortString, Value);
    type IntoIter = std::vec::IntoIter<Self::Item>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<N: Into<ShortString>, V: Into<Value>> FromIterator<(N, V)> for Table {
    /// Keeps the last value of a duplicate name.
    fn from_iter<I: IntoIterator<Item = (N, V)>>(entries: I) -> Self {
        let mut table = Self::new();
        table.extend(entries);
        table
    }
}

impl<N: Into<ShortString>, V: Into<Value>> Extend<(N, V)> for Table {
    fn extend<I: IntoIterator<Item = (N, V)>>(&mut self, entries: I) {
        let mut entries = entries.into_iter();
        self.0.reserve(entries.size_hint().0);
        for (name, value) in entries.by_ref().take(FEW) {
            self.insert(name, value);
        }
        let Some(next) = entries.next() else { return };
        let mut places: BTreeMap<ShortString, usize> =
            self.0.iter().map(|(name, _)| name.clone()).zip(0..).collect();
        for (name, value) in std::iter::once(next).chain(entries) {
            let (name, value) = (name.into(), value.into());
            match places.entry(name.clone()) {
                Entry::Occupied(place) => self.0[*place.get()].1 = value,
                Entry::Vacant(place) => {
                    place.insert(self.0.len());
                    self.0.push((name, value));
                }
            }
        }
    }
}

/// How many names are searched one by one. A frame holds tens of thousands, which a sender chooses.
const FEW: usize = 64;

/// As a map, in its own order.
impl Serialize for Table {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.len()))?;
        for (name, value) in self.iter() {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for Table {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Entries)
    }
}

struct Entries;

impl<'de> Visitor<'de> for Entries {
    type Value = Table;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a map from names to field values")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Table, A::Error> {
        let mut table = Table::new();
        while let Some((name, value)) = map.next_entry::<ShortString, Value>()? {
            table.insert(name, value);
        }
        Ok(table)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: ShortString = ShortString::from_static("a");
    const B: ShortString = ShortString::from_static("b");

    #[test]
    fn a_second_insert_replaces_and_gives_the_old_value_back() {
        let mut table = Table::new();
        assert_eq!(table.insert(A, 1), None);
        assert_eq!(table.insert(A, 2), Some(Value::I32(1)));
        assert_eq!(table.len(), 1);
    }

    #[test]
    fn a_frame_full_of_names_is_read_in_no_time_and_the_last_of_two_counts() {
        let names = (0..200_000).map(|n| (ShortString::try_from(format!("{n}")).unwrap(), n));
        let again = [("7", -7), ("199999", -1)].map(|(name, n)| (ShortString::from_static(name), n));
        let table: Table = names.chain(again).collect();
        assert_eq!(table.len(), 200_000);
        assert_eq!(table.iter().nth(7).map(|(_, value)| value), Some(&Value::I32(-7)));
        assert_eq!(table.iter().next_back().map(|(_, value)| value), Some(&Value::I32(-1)));
    }

    #[test]
    fn the_depth_counts_levels_and_not_entries() {
        let flat = Table::new().with(A, 1).with(B, "text");
        assert_eq!((Table::new().depth(), flat.depth()), (0, 0));
        let two = Table::new().with(A, vec![Value::Table(flat.clone()), Value::Table(flat)]);
        assert_eq!(two.depth(), 2);
        let deep = (0..1_000).fold(Value::Void, |value, _| Value::Array(vec![value]));
        assert_eq!(Table::new().with(A, deep).depth(), 1_000);
    }

    #[test]
    fn what_is_nested_counts_in_the_encoded_length() {
        let inner = Table::new().with(A, Value::I64(1));
        let table = Table::new().with(B, vec![Value::Table(inner), Value::Void]);
        // name 2, array 5, table 5, name 2, number 9, void 1
        assert_eq!(table.encoded_len(), 24);
    }

    #[test]
    fn order_is_kept_and_does_not_matter_for_equality() {
        let ab = Table::new().with(A, 1).with(B, 2);
        let ba = Table::new().with(B, 2).with(A, 1);
        assert_eq!(ab, ba);
        assert_eq!(ba.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), ["b", "a"]);
        assert_ne!(ab, Table::new().with(A, 1).with(B, 3));
    }
}
