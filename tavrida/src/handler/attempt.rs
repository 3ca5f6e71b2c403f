//! [`Attempt`] and [`Deadline`]: how often a message was tried, and how long its handler has.

use std::fmt;
use std::time::Duration;

use tokio::time::Instant;

/// The attempt number of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attempt {
    /// 1 for the first attempt; grows with each delayed retry of the failure policy.
    pub number: u32,
    /// Whether the broker delivered the message before, to any consumer: a redelivery after a lost session has the same number.
    pub redelivered: bool,
}

/// The deadline of the handler: it is dropped then, which counts as a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deadline(pub Instant);

impl Deadline {
    /// Returns the remaining time; zero if the deadline has passed.
    pub fn remaining(&self) -> Duration {
        self.0.saturating_duration_since(Instant::now())
    }
}

impl fmt::Display for Deadline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} left", self.remaining())
    }
}
