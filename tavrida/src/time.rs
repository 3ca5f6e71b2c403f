//! Wall time, from one injected clock. Monotonic time is tokio's, which a paused runtime controls.

use std::fmt;
use std::time::SystemTime;

use tokio::time::Instant;

/// Returns the time of day: for timestamps that people and other systems read, not for measuring durations.
pub trait Clock: Send + Sync + 'static {
    /// Returns the time of day.
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

/// Returns the whole seconds since 1970-01-01 00:00 UTC, as in AMQP's timestamps; 0 for earlier times.
pub fn unix_seconds(time: SystemTime) -> u64 {
    time.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// Whole milliseconds since 1970-01-01 00:00 UTC; 0 for times before.
pub(crate) fn unix_millis(time: SystemTime) -> u64 {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// Measures a duration for the log: it reads no clock if the level is disabled.
pub(crate) struct Stopwatch(Option<Instant>);

impl Stopwatch {
    pub(crate) fn start() -> Self {
        Self(tracing::enabled!(tracing::Level::DEBUG).then(Instant::now))
    }
}

impl fmt::Debug for Stopwatch {
    /// Writes the time since the start.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(started) => started.elapsed().fmt(f),
            None => f.write_str("not measured"),
        }
    }
}
