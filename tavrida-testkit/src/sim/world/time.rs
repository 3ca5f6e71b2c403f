//! [`Time`]: the age of a run, read from the clock once for each step.
//!
//! Reading tokio's clock takes locks, and every event and every message needs the time. In a simulation it stands still while any task can
//! continue.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::Instant;

/// The age of a run.
pub(crate) struct Time {
    began: Instant,
    /// In nanoseconds; [`UNKNOWN`] if the clock must be read.
    known: AtomicU64,
    /// Whether it stands still while any task can continue: not on a live broker.
    stands: bool,
}

const UNKNOWN: u64 = u64::MAX;

impl Time {
    /// Starts the time of a simulation.
    pub(crate) fn standing() -> Self {
        Self { began: Instant::now(), known: AtomicU64::new(0), stands: true }
    }

    /// Starts the time of a run on a live broker.
    #[cfg(feature = "live")]
    pub(crate) fn flowing() -> Self {
        Self { began: Instant::now(), known: AtomicU64::new(UNKNOWN), stands: false }
    }

    /// Returns the age of the run.
    pub(crate) fn elapsed(&self) -> Duration {
        Duration::from_nanos(self.nanoseconds())
    }

    /// Returns the age of the run in nanoseconds.
    pub(crate) fn nanoseconds(&self) -> u64 {
        match self.known.load(Ordering::Relaxed) {
            UNKNOWN => self.read(),
            known => known,
        }
    }

    fn read(&self) -> u64 {
        let read = u64::try_from(self.began.elapsed().as_nanos()).unwrap_or(UNKNOWN - 1);
        if self.stands {
            self.known.store(read, Ordering::Relaxed);
        }
        read
    }

    /// Returns the time of the clock.
    pub(crate) fn now(&self) -> Instant {
        self.began + self.elapsed()
    }

    /// Discards the cached time: time may have passed.
    pub(crate) fn forget(&self) {
        self.known.store(UNKNOWN, Ordering::Relaxed);
    }
}
