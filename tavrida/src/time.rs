//! Wall time, from one injected clock. Monotonic time is tokio's, which a paused runtime moves.

use std::time::SystemTime;

/// Tells the time of day: for timestamps that people and other systems read, never for measuring how long something took.
pub trait Clock: Send + Sync + 'static {
    /// The time of day.
    fn now(&self) -> SystemTime;
}

/// The operating system's clock: the default.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> SystemTime {
        #[expect(
            clippy::disallowed_methods,
            reason = "this is the injected clock that everybody else must use"
        )]
        SystemTime::now()
    }
}

/// Whole seconds since 1970-01-01 00:00 UTC, as AMQP's timestamps count; 0 for times before.
pub fn unix_seconds(time: SystemTime) -> u64 {
    time.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
