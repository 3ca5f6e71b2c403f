//! [`Progress`]: the progress of an exploration.

use std::fmt;
use std::time::Duration;

/// The progress of an exploration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Progress {
    /// How many schedules ran.
    pub schedules: u64,
    /// How many schedules there are.
    pub of: u64,
    /// How many schedules failed.
    pub failed: u64,
    /// The elapsed real time.
    pub elapsed: Duration,
}

impl fmt::Display for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { schedules, of, failed, elapsed } = self;
        let rate = *schedules as f64 / elapsed.as_secs_f64().max(1e-9);
        write!(f, "{schedules} of {of} schedules, {rate:.0} a second, {failed} failed")
    }
}
