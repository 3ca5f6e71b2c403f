//! [`Environment`]: the environment variables of explorations.

use std::fmt;

use crate::schedule::{Replay, parse_seed};

const SEED: &str = "TAVRIDA_SEED";
const SCHEDULES: &str = "TAVRIDA_SCHEDULES";
pub(super) const REPLAY: &str = "TAVRIDA_REPLAY";
pub(super) const TRACE: &str = "TAVRIDA_TRACE";

/// The environment variables of explorations. An empty variable counts as unset.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Environment {
    /// `TAVRIDA_SEED`: this seed alone, unless `TAVRIDA_SCHEDULES` sets a count. Decimal, or hexadecimal after `0x`.
    pub seed: Option<u64>,
    /// `TAVRIDA_SCHEDULES`: the number of schedules, at least one.
    pub schedules: Option<u64>,
    /// `TAVRIDA_REPLAY`: only this run, in the form that a failure prints.
    pub replay: Option<Replay>,
    /// `TAVRIDA_TRACE`: prints the failed run, or the only run.
    pub trace: Option<TraceFormat>,
}

/// The formats of printed runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TraceFormat {
    /// `text`: one line for each event, as in [`Trace::text`](crate::trace::Trace::text).
    Text,
    /// `mermaid`: a sequence diagram, as in [`Picture::mermaid`](crate::picture::Picture::mermaid).
    Mermaid,
    /// `html`: a page, as in [`Picture::page`](crate::picture::Picture::page), in a file in the folder `tavrida` of cargo's target folder.
    Html,
}

/// An environment variable has an invalid value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VariableError {
    name: &'static str,
    value: String,
    expected: String,
}

impl fmt::Display for VariableError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}='{}' cannot be: {}", self.name, self.value, self.expected)
    }
}

impl std::error::Error for VariableError {}

impl Environment {
    /// Reads the variables of this process.
    ///
    /// # Errors
    ///
    /// A variable has an invalid value.
    pub fn read() -> Result<Self, VariableError> {
        Self::of(|name| std::env::var_os(name).map(|value| value.to_string_lossy().into_owned()))
    }

    /// Reads the variables through a function.
    ///
    /// # Errors
    ///
    /// A variable has an invalid value.
    pub fn of(variable: impl Fn(&str) -> Option<String>) -> Result<Self, VariableError> {
        let variable = |name| variable(name).filter(|value| !value.is_empty());
        Ok(Self {
            seed: read(SEED, variable(SEED), |value| {
                parse_seed(value).ok_or_else(|| "a seed is a number such as 42 or 0x2a".to_owned())
            })?,
            schedules: read(SCHEDULES, variable(SCHEDULES), |value| {
                let schedules = value.parse().ok().filter(|schedules| *schedules > 0);
                schedules.ok_or_else(|| "the number of schedules is a decimal from 1".to_owned())
            })?,
            replay: read(REPLAY, variable(REPLAY), |value| {
                value.parse().map_err(|error: crate::schedule::ScheduleError| error.to_string())
            })?,
            trace: read(TRACE, variable(TRACE), |value| match value {
                "text" => Ok(TraceFormat::Text),
                "mermaid" => Ok(TraceFormat::Mermaid),
                "html" => Ok(TraceFormat::Html),
                _ => Err("traces are printed as 'text', 'mermaid' or 'html'".to_owned()),
            })?,
        })
    }
}

fn read<T>(
    name: &'static str,
    value: Option<String>,
    parse: impl FnOnce(&str) -> Result<T, String>,
) -> Result<Option<T>, VariableError> {
    let Some(value) = value else { return Ok(None) };
    match parse(value.trim()) {
        Ok(read) => Ok(Some(read)),
        Err(expected) => Err(VariableError { name, value, expected }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(name: &str, value: &str) -> Result<Environment, VariableError> {
        Environment::of(|asked| (asked == name).then(|| value.to_owned()))
    }

    #[test]
    fn variables_are_read() {
        assert_eq!(Environment::of(|_| None), Ok(Environment::default()));
        assert_eq!(with(SEED, ""), Ok(Environment::default()));
        assert_eq!(with(SEED, "42").map(|read| read.seed), Ok(Some(42)));
        assert_eq!(with(SEED, "0xfFfFfFfFfFfFfFfF").map(|read| read.seed), Ok(Some(u64::MAX)));
        assert_eq!(with(SCHEDULES, "1").map(|read| read.schedules), Ok(Some(1)));
        assert_eq!(with(TRACE, "text").map(|read| read.trace), Ok(Some(TraceFormat::Text)));
        let replay = with(REPLAY, "seed:7 deliver:0000000000009f3a#1:+40ms").map(|read| read.replay);
        assert_eq!(replay.map(|replay| replay.map(|replay| replay.schedule.len())), Ok(Some(1)));
    }

    #[test]
    fn a_wrong_value_is_named_with_its_variable() {
        let cases = [
            (SEED, "x2a", "TAVRIDA_SEED='x2a' cannot be: a seed is a number such as 42 or 0x2a"),
            (SEED, "-1", "TAVRIDA_SEED='-1' cannot be: a seed is a number such as 42 or 0x2a"),
            (SCHEDULES, "0", "TAVRIDA_SCHEDULES='0' cannot be: the number of schedules is a decimal from 1"),
            (
                TRACE,
                "svg",
                "TAVRIDA_TRACE='svg' cannot be: traces are printed as 'text', 'mermaid' or 'html'",
            ),
            (
                REPLAY,
                "seed:7 later",
                "TAVRIDA_REPLAY='seed:7 later' cannot be: 'later' is no part of a schedule: \
                 expected site:message#time:decision",
            ),
        ];
        for (name, value, text) in cases {
            assert_eq!(with(name, value).map_err(|wrong| wrong.to_string()), Err(text.to_owned()));
        }
    }
}
