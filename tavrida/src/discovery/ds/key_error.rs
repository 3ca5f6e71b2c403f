//! [`KeyError`]: an error in a `.ds` text, and its location.

use std::fmt;

use crate::error::{Error, Kind};

/// Section, key and reason; the caller that knows the file adds its name.
#[derive(Debug)]
pub(super) struct KeyError {
    kind: Kind,
    place: String,
    why: String,
}

impl KeyError {
    /// Returns an error that concerns the whole text, or names the line itself.
    pub(super) fn of_file(why: impl Into<String>) -> Self {
        Self { kind: Kind::ConfigFile, place: String::new(), why: why.into() }
    }

    pub(super) fn of_section(section: &str, why: impl Into<String>) -> Self {
        Self { kind: Kind::ConfigFile, place: format!("section [{section}]: "), why: why.into() }
    }

    pub(super) fn of_key(section: &str, key: &str, why: impl Into<String>) -> Self {
        Self { kind: Kind::ConfigFile, place: format!("section [{section}], key '{key}': "), why: why.into() }
    }

    /// Returns the same error with another code on the wire.
    pub(super) fn kind(self, kind: Kind) -> Self {
        Self { kind, ..self }
    }

    pub(super) fn into_error(self, file: impl fmt::Display) -> Error {
        Error::new(self.kind, format!("{file}: {self}"))
    }
}

impl fmt::Display for KeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.place, self.why)
    }
}
