//! Schedules as text: one line, stable, the same for people and for [`FromStr`].
//!
//! A decision is a word: `deliver:9f3a52c01b7d88e4#1:+40ms`. It has the site, the key of the message, which occurrence it is, and the
//! decision. A label for people, up to the last `@`, may precede it and is ignored.

use std::fmt;
use std::str::FromStr;

use super::{Choice, Deviations};
use crate::fault::{Fault, Point, Site, milliseconds};

/// The text of the default schedule.
const NONE: &str = "none";

impl fmt::Display for Choice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Passed(times) => write!(f, "passed({times})"),
            Self::Delayed(delay) => write!(f, "+{}ms", delay.as_millis()),
            Self::Fault(fault) => fault.fmt(f),
        }
    }
}

impl fmt::Display for Deviations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_empty() {
            return f.write_str(NONE);
        }
        for (index, (point, choice)) in self.iter().enumerate() {
            let space = if index == 0 { "" } else { " " };
            write!(f, "{space}{point}:{choice}")?;
        }
        Ok(())
    }
}

/// A word of a schedule cannot be parsed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScheduleError {
    word: String,
    expected: &'static str,
}

impl ScheduleError {
    pub(super) fn new(word: &str, expected: &'static str) -> Self {
        Self { word: word.to_owned(), expected }
    }

    /// Returns the wrong word.
    pub fn word(&self) -> &str {
        &self.word
    }
}

impl fmt::Display for ScheduleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "'{}' is no part of a schedule: expected {}", self.word, self.expected)
    }
}

impl std::error::Error for ScheduleError {}

impl FromStr for Choice {
    type Err = ScheduleError;

    fn from_str(text: &str) -> Result<Self, ScheduleError> {
        let expected = "'passed(2)', '+40ms' or a fault such as 'crash(0ms)'";
        let passed = text.strip_prefix("passed(").and_then(|rest| rest.strip_suffix(')'));
        let read = match (passed, text.strip_prefix('+')) {
            (Some(times), _) => times.parse().ok().map(Self::Passed),
            (None, Some(delay)) => milliseconds(delay).map(Self::Delayed),
            (None, None) => text.parse::<Fault>().ok().map(Self::Fault),
        };
        read.ok_or_else(|| ScheduleError::new(text, expected))
    }
}

impl FromStr for Deviations {
    type Err = ScheduleError;

    fn from_str(text: &str) -> Result<Self, ScheduleError> {
        let words = text.split_whitespace().filter(|word| *word != NONE);
        let mut all = Self::none();
        for word in words {
            let (point, choice) = decision(word)?;
            all.insert(point, choice);
        }
        Ok(all)
    }
}

/// Parses one word, with or without a label.
fn decision(word: &str) -> Result<(Point, Choice), ScheduleError> {
    let wrong = |expected| ScheduleError::new(word, expected);
    let (_, bare) = word.rsplit_once('@').unwrap_or(("", word));
    let (site, rest) = bare.split_once(':').ok_or_else(|| wrong("site:message#time:decision"))?;
    let (message, rest) = rest.split_once('#').ok_or_else(|| wrong("a '#' after the message"))?;
    let (nth, choice) = rest.split_once(':').ok_or_else(|| wrong("a ':' before the decision"))?;
    let site = Site::ALL.into_iter().find(|known| known.as_str() == site);
    let point = Point {
        site: site.ok_or_else(|| {
            wrong("boot, publish, deliver, start, wait, ack, done or yield before the first ':'")
        })?,
        key: hexadecimal(message).ok_or_else(|| wrong("16 hexadecimal digits between ':' and '#'"))?,
        nth: nth.parse().ok().filter(|nth| *nth > 0).ok_or_else(|| wrong("a number from 1 after '#'"))?,
    };
    let choice = choice.parse().map_err(|error: ScheduleError| wrong(error.expected))?;
    Ok((point, choice))
}

fn hexadecimal(digits: &str) -> Option<u64> {
    let right = digits.len() == 16 && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    right.then(|| u64::from_str_radix(digits, 16).ok())?
}
