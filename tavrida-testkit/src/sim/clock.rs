//! [`SimClock`]: the wall clock of a run.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime};

use tavrida::time::Clock;
use tokio::time::Instant;

/// When a run begins, on its wall clock: 2026-01-01 00:00 UTC.
const DAWN: Duration = Duration::from_secs(1_767_225_600);

/// The wall clock of a run: it goes with virtual time, and jumps where a fault says so. A clone is the same clock.
#[derive(Debug, Clone)]
pub struct SimClock {
    began: Instant,
    /// In seconds.
    jumped: Arc<AtomicI64>,
}

impl SimClock {
    pub(crate) fn new(began: Instant) -> Self {
        Self { began, jumped: Arc::default() }
    }

    pub(crate) fn jump(&self, seconds: i64) {
        self.jumped.fetch_add(seconds, Ordering::Relaxed);
    }
}

impl Clock for SimClock {
    fn now(&self) -> SystemTime {
        let jumped = self.jumped.load(Ordering::Relaxed);
        let time = SystemTime::UNIX_EPOCH + DAWN + self.began.elapsed();
        let by = Duration::from_secs(jumped.unsigned_abs());
        if jumped < 0 { time - by } else { time + by }
    }
}
