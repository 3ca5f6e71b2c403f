//! [`RoutingKeys`]: what a message is routed by.

use tavrida::field::{LongString, ShortString, Table, Value};

/// The routing keys of a message: its own, and those of its `CC` and `BCC` headers.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RoutingKeys<'a> {
    pub(crate) primary: &'a str,
    pub(crate) more: &'a [LongString],
}

impl<'a> RoutingKeys<'a> {
    pub(crate) fn each(&self, mut visit: impl FnMut(&'a [u8])) {
        visit(self.primary.as_bytes());
        for key in self.more {
            visit(key);
        }
    }

    /// Returns the keys that may be names of queues, without duplicates.
    pub(crate) fn names(&self) -> Vec<ShortString> {
        let mut names = Vec::new();
        self.each(|key| {
            names.extend(std::str::from_utf8(key).ok().and_then(|key| ShortString::try_from(key).ok()))
        });
        names.sort();
        names.dedup();
        names
    }
}

/// Returns the routing keys in these headers; entries that are not text are ignored.
pub(crate) fn in_headers(headers: &Table, names: &[&str]) -> Vec<LongString> {
    let mut keys = Vec::new();
    for name in names {
        if let Some(Value::Array(items)) = headers.get(name) {
            keys.extend(items.iter().filter_map(|item| match item {
                Value::LongString(key) => Some(key.clone()),
                _ => None,
            }));
        }
    }
    keys
}
