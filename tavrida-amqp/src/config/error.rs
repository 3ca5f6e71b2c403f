//! Configuration errors.

use std::fmt;

/// An invalid configuration value: its key, its place, and what was expected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError {
    key: String,
    place: Option<String>,
    problem: String,
}

impl ConfigError {
    pub(crate) fn new(key: impl Into<String>, problem: impl Into<String>) -> Self {
        Self { key: key.into(), place: None, problem: problem.into() }
    }

    /// Adds the file or environment variable of the value.
    #[cfg(feature = "config-file")]
    pub(crate) fn at(self, place: impl fmt::Display) -> Self {
        Self { place: Some(place.to_string()), ..self }
    }

    /// Returns what was expected.
    #[cfg(feature = "config-file")]
    pub(crate) fn problem(&self) -> &str {
        &self.problem
    }

    /// Returns the part of the URI, or the key (`connection.heartbeat`), that is wrong; empty for a file as a whole.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Returns the file with its line, or the environment variable, of the value. `None` for a URI, and in code.
    pub fn place(&self) -> Option<&str> {
        self.place.as_deref()
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = [self.place.as_deref().unwrap_or_default(), &self.key, &self.problem];
        let mut said = parts.into_iter().filter(|part| !part.is_empty());
        f.write_str(said.next().unwrap_or_default())?;
        said.try_for_each(|part| write!(f, ": {part}"))
    }
}

impl std::error::Error for ConfigError {}
