//! [`Flaw`]: what is wrong in a `.ds` text, and where.

use std::fmt;

use crate::error::{Error, Kind};

/// Section, key and reason; who knows the file adds its name.
#[derive(Debug)]
pub(super) struct Flaw {
    kind: Kind,
    place: String,
    why: String,
}

impl Flaw {
    /// It concerns the text as a whole, or says the line itself.
    pub(super) fn of_file(why: impl Into<String>) -> Self {
        Self { kind: Kind::ConfigFile, place: String::new(), why: why.into() }
    }

    pub(super) fn of_section(section: &str, why: impl Into<String>) -> Self {
        Self { kind: Kind::ConfigFile, place: format!("section [{section}]: "), why: why.into() }
    }

    pub(super) fn of_key(section: &str, key: &str, why: impl Into<String>) -> Self {
        Self { kind: Kind::ConfigFile, place: format!("section [{section}], key '{key}': "), why: why.into() }
    }

    /// The same with another number on the wire.
    pub(super) fn kind(self, kind: Kind) -> Self {
        Self { kind, ..self }
    }

    pub(super) fn into_error(self, file: impl fmt::Display) -> Error {
        Error::new(self.kind, format!("{file}: {self}"))
    }
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.place, self.why)
    }
}
