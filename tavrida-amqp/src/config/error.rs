//! What is wrong with a configuration.

use std::fmt;

/// A configuration value that cannot be used: which one, where it stands, and what was expected of it.
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

    /// The same, of what stands in a file or an environment variable.
    #[cfg(feature = "config-file")]
    pub(crate) fn at(self, place: impl fmt::Display) -> Self {
        Self { place: Some(place.to_string()), ..self }
    }

    /// What was expected.
    #[cfg(feature = "config-file")]
    pub(crate) fn problem(&self) -> &str {
        &self.problem
    }

    /// The part of the URI, or the key (`connection.heartbeat`), that is wrong; empty for a file as a whole.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// The file with its line, or the environment variable, that the value comes from. None for a URI, and in code.
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
