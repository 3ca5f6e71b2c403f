//! Short names for names, arguments and messages.

use tavrida::field::{ShortString, Table, Value};
use tavrida::transport::{Properties, Publication};

pub(crate) fn short(text: impl AsRef<str>) -> ShortString {
    ShortString::try_from(text.as_ref()).expect("test names are short")
}

/// Arguments from pairs.
pub(crate) fn args<V: Into<Value> + Clone>(entries: &[(&str, V)]) -> Table {
    entries.iter().map(|(name, value)| (short(name), value.clone().into())).collect()
}

/// Arguments of several types.
pub(crate) fn table(entries: &[(&str, Value)]) -> Table {
    args(entries)
}

/// A message being built; `"body"` alone is one too.
#[derive(Debug, Clone)]
pub(crate) struct Message(pub(crate) Publication);

impl<T: AsRef<str>> From<T> for Message {
    fn from(body: T) -> Self {
        let mut publication =
            Publication::new(ShortString::default(), ShortString::default(), body.as_ref().to_owned());
        publication.mandatory = false;
        Self(publication)
    }
}

impl Message {
    pub(crate) fn mandatory(mut self) -> Self {
        self.0.mandatory = true;
        self
    }

    pub(crate) fn properties(mut self, properties: Properties) -> Self {
        self.0.properties = properties;
        self
    }

    pub(crate) fn headers(mut self, headers: Table) -> Self {
        self.0.properties.headers = Some(headers);
        self
    }

    pub(crate) fn expiration(mut self, text: &str) -> Self {
        self.0.properties.expiration = Some(short(text));
        self
    }

    pub(crate) fn priority(mut self, priority: u8) -> Self {
        self.0.properties.priority = Some(priority);
        self
    }

    pub(crate) fn persistent(mut self) -> Self {
        self.0.properties.delivery_mode = Some(Properties::PERSISTENT);
        self
    }
}
