//! One value of a configuration, and its place.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use crate::config::ConfigError;
use crate::config::draft::seconds;

/// A value that was not interpreted yet.
#[derive(Clone)]
pub(super) enum Raw {
    /// Text in a file.
    Text(String),
    /// An integer in a file.
    Whole(String),
    /// A decimal number in a file.
    Real(String),
    /// A list of texts in a file.
    List(Vec<String>),
    /// Another value in a file: its type.
    Other(&'static str),
    /// The value of an environment variable, which may be any of these.
    Variable(String),
}

/// The place of a value.
#[derive(Clone)]
pub(super) enum SettingSource {
    /// A line of a file, and the folder of the file.
    File { file: String, line: usize, folder: PathBuf },
    /// An environment variable.
    Variable(String),
}

impl fmt::Display for SettingSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { file, line, .. } => write!(f, "{file}, line {line}"),
            Self::Variable(name) => f.write_str(name),
        }
    }
}

/// One value.
#[derive(Clone)]
pub(super) struct Setting {
    /// `heartbeat`.
    pub(super) name: String,
    /// `connection.heartbeat`.
    pub(super) key: String,
    pub(super) place: SettingSource,
    pub(super) raw: Raw,
}

impl Setting {
    /// Returns an error about it.
    pub(super) fn wrong(&self, problem: impl Into<String>) -> ConfigError {
        ConfigError::new(&self.key, problem).at(&self.place)
    }

    /// Converts an error from code that does not know files; `within` means that the culprit is a part of the value.
    pub(super) fn blame(&self, error: &ConfigError) -> ConfigError {
        match error.key() == self.name || error.key().is_empty() {
            true => self.wrong(error.problem()),
            false => self.wrong(error.to_string()),
        }
    }

    /// Returns a text; errors do not show it, because it may be a secret.
    pub(super) fn text(&self) -> Result<&str, ConfigError> {
        match &self.raw {
            Raw::Text(text) | Raw::Variable(text) => Ok(text),
            _ => Err(self.wrong(format!("text is expected, in quotes, not {}", self.what()))),
        }
    }

    /// Returns a path; a relative one in a file is relative to the folder of the file.
    pub(super) fn path(&self) -> Result<PathBuf, ConfigError> {
        let path = Path::new(self.text()?);
        Ok(match &self.place {
            SettingSource::File { folder, .. } => folder.join(path),
            SettingSource::Variable(_) => path.to_owned(),
        })
    }

    /// Returns a whole number in the range of `N`.
    pub(super) fn number<N: FromStr>(&self) -> Result<N, ConfigError> {
        let digits = match &self.raw {
            Raw::Whole(digits) | Raw::Variable(digits) => digits.parse().map_err(|_| digits.as_str()),
            Raw::Real(digits) => Err(digits.as_str()),
            _ => Err(self.what()),
        };
        let bits = size_of::<N>() * 8;
        digits
            .map_err(|digits| self.wrong(format!("a whole number of {bits} bits is expected, not {digits}")))
    }

    /// Returns a duration, given in seconds.
    pub(super) fn seconds(&self) -> Result<Duration, ConfigError> {
        let digits = match &self.raw {
            Raw::Whole(digits) | Raw::Real(digits) | Raw::Variable(digits) => digits.as_str(),
            _ => self.what(),
        };
        let length = digits.parse().ok().and_then(seconds);
        length
            .ok_or_else(|| self.wrong(format!("a number of seconds is expected, such as 0.5, not {digits}")))
    }

    /// Returns a list of texts; in a variable it is separated by commas.
    pub(super) fn list(&self) -> Result<Vec<String>, ConfigError> {
        match &self.raw {
            Raw::List(list) => Ok(list.clone()),
            Raw::Variable(text) => Ok(text.split(',').map(|part| part.trim().to_owned()).collect()),
            _ => Err(self
                .wrong(format!("a list of texts is expected, such as [\"a\", \"b\"], not {}", self.what()))),
        }
    }

    fn what(&self) -> &'static str {
        match &self.raw {
            Raw::Text(_) | Raw::Variable(_) => "a text",
            Raw::Whole(_) | Raw::Real(_) => "a number",
            Raw::List(_) => "a list",
            Raw::Other(what) => what,
        }
    }
}
