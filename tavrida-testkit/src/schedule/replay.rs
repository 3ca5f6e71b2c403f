//! [`Replay`]: everything needed to repeat a run.

use std::fmt;
use std::str::FromStr;

use super::{Deviations, ScheduleError};

/// Everything needed to repeat a run of a scenario: its decisions, and the seed, which the scenario may draw from.
///
/// ```
/// use tavrida_testkit::schedule::Replay;
///
/// let text = "seed:0x2a request/orders.create@deliver:9f3a52c01b7d88e4#1:+40ms ack:01b7d88e49f3a52c#2:crash(0ms)";
/// let replay: Replay = text.parse()?;
/// assert_eq!((replay.seed, replay.schedule.len()), (42, 2));
/// // The label is for people, and is not stored.
/// assert_eq!(replay.to_string(), text.replace("request/orders.create@", ""));
///
/// let error = "seed:0x2a deliver:9f3a52c01b7d88e4#1:late".parse::<Replay>().unwrap_err();
/// assert_eq!(
///     error.to_string(),
///     "'deliver:9f3a52c01b7d88e4#1:late' is no part of a schedule: \
///      expected 'passed(2)', '+40ms' or a fault such as 'crash(0ms)'"
/// );
/// # Ok::<(), tavrida_testkit::schedule::ScheduleError>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Replay {
    /// The seed of the scenario's random numbers.
    pub seed: u64,
    /// The decisions.
    pub schedule: Deviations,
}

impl fmt::Display for Replay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "seed:{:#x}", self.seed)?;
        if !self.schedule.is_empty() {
            write!(f, " {}", self.schedule)?;
        }
        Ok(())
    }
}

impl FromStr for Replay {
    type Err = ScheduleError;

    /// Parses a schedule whose first word is the seed; the seed is 0 if it is left out.
    fn from_str(text: &str) -> Result<Self, ScheduleError> {
        let text = text.trim();
        let Some(rest) = text.strip_prefix("seed:") else {
            return Ok(Self { seed: 0, schedule: text.parse()? });
        };
        let (seed, schedule) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
        let read = parse_seed(seed);
        let wrong = || ScheduleError::new(&format!("seed:{seed}"), "a seed such as 'seed:0x2a' or 'seed:42'");
        Ok(Self { seed: read.ok_or_else(wrong)?, schedule: schedule.parse()? })
    }
}

/// Parses a seed: decimal, or hexadecimal after `0x`.
pub(crate) fn parse_seed(text: &str) -> Option<u64> {
    match text.strip_prefix("0x") {
        Some(digits) if digits.starts_with('+') => None,
        Some(digits) => u64::from_str_radix(digits, 16).ok(),
        None => text.parse().ok(),
    }
}
