//! Wall time, from one injected clock. Monotonic time is tokio's, which a paused runtime controls.

use std::fmt;
use std::time::{Duration, SystemTime};

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

/// The longest time to live of a message or queue that every version of RabbitMQ accepts: its timers count milliseconds in 32 bits.
pub(crate) const LONGEST_TIME_TO_LIVE: Duration = Duration::from_millis(0xffff_ffff);

/// How far away a deadline is that never comes. tokio's timers have no longer one.
const FAR_FUTURE: Duration = Duration::from_secs(30 * 365 * 86_400);

/// Returns the instant this much later, and the far future if the clock does not reach that far: [`Duration::MAX`] is never.
///
/// ```
/// use std::time::Duration;
/// use tavrida::time::later;
/// use tokio::time::Instant;
///
/// let now = Instant::now();
/// assert_eq!(later(now, Duration::from_secs(1)), now + Duration::from_secs(1));
/// assert!(later(now, Duration::MAX) > now + Duration::from_secs(1_000_000));
/// ```
pub fn later(at: Instant, by: Duration) -> Instant {
    at.checked_add(by).unwrap_or_else(|| at + FAR_FUTURE)
}

/// Returns a duration times a factor, and at most [`Duration::MAX`].
pub(crate) fn scaled(duration: Duration, factor: f64) -> Duration {
    Duration::try_from_secs_f64(duration.as_secs_f64() * factor).unwrap_or(Duration::MAX)
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
