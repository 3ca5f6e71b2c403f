//! [`SimClock`]: the wall clock of a run.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime};

use tavrida::time::{Clock, SystemClock};
use tokio::time::Instant;

/// The wall time at which a run begins: 2026-01-01 00:00 UTC.
const DAWN: Duration = Duration::from_secs(1_767_225_600);

/// The wall clock of a run: it follows virtual time, and jumps when a fault says so. On a live broker it is the system's clock. Clones are
/// the same clock.
#[derive(Debug, Clone)]
pub struct SimClock {
    /// `None` if the time is the system's.
    began: Option<Instant>,
    /// In seconds.
    jumped: Arc<AtomicI64>,
    /// In seconds: of this clock alone.
    skew: i32,
}

impl SimClock {
    pub(crate) fn new(began: Instant) -> Self {
        Self { began: Some(began), jumped: Arc::default(), skew: 0 }
    }

    #[cfg(feature = "live")]
    pub(crate) fn system() -> Self {
        Self { began: None, jumped: Arc::default(), skew: 0 }
    }

    /// Returns a clock that is fast by this many seconds, or slow if it is negative.
    #[must_use]
    pub fn skewed(&self, seconds: i32) -> Self {
        Self { skew: self.skew.saturating_add(seconds), ..self.clone() }
    }

    pub(crate) fn jump(&self, seconds: i64) {
        self.jumped.fetch_add(seconds, Ordering::Relaxed);
    }
}

impl Clock for SimClock {
    fn now(&self) -> SystemTime {
        let time = match self.began {
            Some(began) => SystemTime::UNIX_EPOCH + DAWN + began.elapsed(),
            None => SystemClock.now(),
        };
        let fast = self.jumped.load(Ordering::Relaxed).saturating_add(self.skew.into());
        let by = Duration::from_secs(fast.unsigned_abs());
        if fast < 0 { time - by } else { time + by }
    }
}
