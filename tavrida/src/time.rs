//! Wall time, from one injected clock. Monotonic time is tokio's, which a paused runtime moves.

use std::fmt;
use std::time::SystemTime;

use tokio::time::Instant;

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

/// Measures how long something takes, for the log: it reads no clock where nobody listens.
pub(crate) struct Stopwatch(Option<Instant>);

impl Stopwatch {
    pub(crate) fn start() -> Self {
        Self(tracing::enabled!(tracing::Level::DEBUG).then(Instant::now))
    }
}

impl fmt::Debug for Stopwatch {
    /// The time since the start.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(started) => started.elapsed().fmt(f),
            None => f.write_str("not measured"),
        }
    }
}
