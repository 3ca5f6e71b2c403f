//! [`Time`]: how long a run has lasted, read from the clock once for each step.
//!
//! tokio's clock takes locks to be read, and every event and every message asks for the time. In a simulation it stands still as
//! long as anybody can go on.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::Instant;

/// How long a run has lasted.
pub(crate) struct Time {
    began: Instant,
    /// In nanoseconds; [`UNKNOWN`] where the clock has to be read.
    known: AtomicU64,
    /// Whether it stands still as long as anybody can go on: not so on a live broker.
    stands: bool,
}

const UNKNOWN: u64 = u64::MAX;

impl Time {
    /// The time of a simulation that begins now.
    pub(crate) fn standing() -> Self {
        Self { began: Instant::now(), known: AtomicU64::new(0), stands: true }
    }

    /// The time of a run on a live broker that begins now.
    #[cfg(feature = "live")]
    pub(crate) fn flowing() -> Self {
        Self { began: Instant::now(), known: AtomicU64::new(UNKNOWN), stands: false }
    }

    /// How long the run has lasted.
    pub(crate) fn elapsed(&self) -> Duration {
        Duration::from_nanos(self.nanoseconds())
    }

    /// The same in nanoseconds.
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

    /// What the clock shows.
    pub(crate) fn now(&self) -> Instant {
        self.began + self.elapsed()
    }

    /// Time may have passed.
    pub(crate) fn forget(&self) {
        self.known.store(UNKNOWN, Ordering::Relaxed);
    }
}
