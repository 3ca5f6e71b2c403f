//! [`Progress`]: how far an exploration is.

use std::fmt;
use std::time::Duration;

/// How far an exploration is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Progress {
    /// How many schedules were tried.
    pub schedules: u64,
    /// Of how many.
    pub of: u64,
    /// How many of them failed.
    pub failed: u64,
    /// How long it took so far, in real time.
    pub elapsed: Duration,
}

impl fmt::Display for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { schedules, of, failed, elapsed } = self;
        let rate = *schedules as f64 / elapsed.as_secs_f64().max(1e-9);
        write!(f, "{schedules} of {of} schedules, {rate:.0} a second, {failed} failed")
    }
}
