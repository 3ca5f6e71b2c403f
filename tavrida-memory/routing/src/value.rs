//! [`Value`] and [`Table`]: headers of messages, and arguments of exchanges, queues and bindings.

use std::collections::BTreeMap;
use std::collections::btree_map;
use std::fmt;

/// An AMQP field value, with its type on the wire.
///
/// `==` compares type and content: `I32(1)` is not `I64(1)`, and tables within values have the same entries in the same order. A headers exchange compares less strictly; see [`Behaviour::matches_numbers_by_type`](crate::Behaviour::matches_numbers_by_type).
#[derive(Debug, Clone, Default)]
pub enum Value {
    /// No value (`V`).
    #[default]
    Void,
    /// True or false (`t`).
    Bool(bool),
    /// A signed byte (`b`).
    I8(i8),
    /// An unsigned byte (`B`).
    U8(u8),
    /// A signed 16-bit integer (`s`).
    I16(i16),
    /// An unsigned 16-bit integer (`u`).
    U16(u16),
    /// A signed 32-bit integer (`I`).
    I32(i32),
    /// An unsigned 32-bit integer (`i`).
    U32(u32),
    /// A signed 64-bit integer (`l`). RabbitMQ reads every integer of a definitions file as this type.
    I64(i64),
    /// A 32-bit float (`f`).
    F32(f32),
    /// A 64-bit float (`d`).
    F64(f64),
    /// A decimal number (`D`): the unscaled value, and the number of decimal places.
    Decimal {
        /// The number of decimal places.
        scale: u8,
        /// The unscaled value.
        value: u32,
    },
    /// Text (`S`).
    LongString(String),
    /// Bytes (`x`).
    Bytes(Vec<u8>),
    /// A list (`A`).
    Array(Vec<Value>),
    /// Seconds since 1970-01-01 00:00 UTC (`T`).
    Timestamp(u64),
    /// A table (`F`).
    Table(Table),
}

impl Value {
    /// Returns the text of a [`Value::LongString`].
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::LongString(text) => Some(text),
            _ => None,
        }
    }

    /// Returns the number of any integer type. A timestamp is not one.
    pub fn as_i64(&self) -> Option<i64> {
        Some(match *self {
            Self::I8(n) => n.into(),
            Self::U8(n) => n.into(),
            Self::I16(n) => n.into(),
            Self::U16(n) => n.into(),
            Self::I32(n) => n.into(),
            Self::U32(n) => n.into(),
            Self::I64(n) => n,
            _ => return None,
        })
    }

    /// Returns the number of a float type.
    pub fn as_f64(&self) -> Option<f64> {
        match *self {
            Self::F32(x) => Some(x.into()),
            Self::F64(x) => Some(x),
            _ => None,
        }
    }
}

macro_rules! from {
    ($($kind:ty => $variant:ident),* $(,)?) => {$(
        impl From<$kind> for Value {
            fn from(value: $kind) -> Self {
                Self::$variant(value.into())
            }
        }
    )*};
}

from! {
    bool => Bool, i8 => I8, u8 => U8, i16 => I16, u16 => U16, i32 => I32, u32 => U32, i64 => I64, f32 => F32,
    f64 => F64, &str => LongString, String => LongString, Vec<Value> => Array, Table => Table,
}

impl PartialEq for Value {
    fn eq(&self, other: &Self) -> bool {
        macro_rules! same {
            ($($variant:ident)*) => {
                match (self, other) {
                    (Self::Void, Self::Void) => true,
                    $((Self::$variant(a), Self::$variant(b)) => a == b,)*
                    (Self::Decimal { scale, value }, Self::Decimal { scale: other, value: theirs }) => {
                        (scale, value) == (other, theirs)
                    }
                    (Self::Table(a), Self::Table(b)) => a == b && a.order == b.order,
                    _ => false,
                }
            };
        }
        same! { Bool I8 U8 I16 U16 I32 U32 I64 F32 F64 LongString Bytes Array Timestamp }
    }
}

/// Names with their values.
///
/// Iteration is by name, and `==` compares names and values. The order of insertion is kept, because a node compares it where a table is
/// the value of a header.
///
/// ```
/// use tavrida_routing::{Table, Value};
///
/// let headers = Table::from([("type", "pdf")]).with("pages", 3);
/// assert_eq!(headers.get("pages"), Some(&Value::I32(3)));
/// ```
#[derive(Clone, Default)]
pub struct Table {
    entries: BTreeMap<String, Value>,
    /// The names, in the order of insertion.
    order: Vec<String>,
}

impl Table {
    /// Returns an empty table.
    pub const fn new() -> Self {
        Self { entries: BTreeMap::new(), order: Vec::new() }
    }

    /// Adds an entry; it replaces one of the same name.
    #[must_use = "the table comes back with the entry"]
    pub fn with(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.insert(name, value);
        self
    }

    /// Sets an entry, and returns the value that it replaces.
    pub fn insert(&mut self, name: impl Into<String>, value: impl Into<Value>) -> Option<Value> {
        let name = name.into();
        if !self.entries.contains_key(&name) {
            self.order.push(name.clone());
        }
        self.entries.insert(name, value.into())
    }

    /// Removes an entry, and returns its value.
    pub fn remove(&mut self, name: &str) -> Option<Value> {
        self.order.retain(|known| known != name);
        self.entries.remove(name)
    }

    /// Returns the value of an entry.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.entries.get(name)
    }

    /// Returns whether an entry of this name exists.
    pub fn contains(&self, name: &str) -> bool {
        self.entries.contains_key(name)
    }

    /// Returns the entries, by name.
    pub fn iter(&self) -> btree_map::Iter<'_, String, Value> {
        self.entries.iter()
    }

    /// Returns the entries in the order of insertion.
    pub(crate) fn in_order(&self) -> impl Iterator<Item = (&String, &Value)> {
        self.order.iter().map(|name| (name, &self.entries[name]))
    }

    /// Returns the number of entries.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Returns whether there are no entries.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

impl<N: Into<String>, V: Into<Value>> FromIterator<(N, V)> for Table {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(entries: I) -> Self {
        let mut table = Self::new();
        table.extend(entries);
        table
    }
}

impl<N: Into<String>, V: Into<Value>, const LEN: usize> From<[(N, V); LEN]> for Table {
    fn from(entries: [(N, V); LEN]) -> Self {
        entries.into_iter().collect()
    }
}

impl<N: Into<String>, V: Into<Value>> Extend<(N, V)> for Table {
    fn extend<I: IntoIterator<Item = (N, V)>>(&mut self, entries: I) {
        entries.into_iter().for_each(|(name, value)| drop(self.insert(name, value)));
    }
}

impl PartialEq for Table {
    fn eq(&self, other: &Self) -> bool {
        self.entries == other.entries
    }
}

impl fmt::Debug for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.in_order()).finish()
    }
}

impl IntoIterator for Table {
    type Item = (String, Value);
    type IntoIter = btree_map::IntoIter<String, Value>;

    fn into_iter(self) -> Self::IntoIter {
        self.entries.into_iter()
    }
}

impl<'a> IntoIterator for &'a Table {
    type Item = (&'a String, &'a Value);
    type IntoIter = btree_map::Iter<'a, String, Value>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl fmt::Display for Value {
    /// For people: text without quotes where it is plain, numbers without their type.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Void => f.write_str("void"),
            Self::Bool(truth) => write!(f, "{truth}"),
            Self::F32(x) => write!(f, "{x:?}"),
            Self::F64(x) => write!(f, "{x:?}"),
            Self::Decimal { scale, value } => write!(f, "{value}e-{scale}"),
            Self::LongString(text) => write!(f, "{text:?}"),
            Self::Bytes(bytes) => write!(f, "{bytes:?}"),
            Self::Array(items) => {
                f.write_str("[")?;
                for (index, item) in items.iter().enumerate() {
                    write!(f, "{}{item}", if index > 0 { ", " } else { "" })?;
                }
                f.write_str("]")
            }
            Self::Timestamp(seconds) => write!(f, "T{seconds}"),
            Self::Table(table) => write!(f, "{table}"),
            integer => write!(f, "{}", integer.as_i64().unwrap_or_default()),
        }
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("{")?;
        for (index, (name, value)) in self.iter().enumerate() {
            write!(f, "{}{name}: {value}", if index > 0 { ", " } else { "" })?;
        }
        f.write_str("}")
    }
}
