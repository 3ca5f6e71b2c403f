//! [`Heard`]: when a connection last received something.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::Instant;

/// When a connection last received something; its stream records it.
#[derive(Debug)]
pub(crate) struct Heard {
    opened: Instant,
    /// In milliseconds after that.
    last: AtomicU64,
}

impl Heard {
    pub(super) fn note(&self) {
        self.last.store(self.elapsed(), Ordering::Relaxed);
    }

    /// Returns how long nothing has been received.
    pub(crate) fn silent_for(&self) -> Duration {
        Duration::from_millis(self.elapsed().saturating_sub(self.last.load(Ordering::Relaxed)))
    }

    fn elapsed(&self) -> u64 {
        u64::try_from(self.opened.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}

impl Default for Heard {
    fn default() -> Self {
        Self { opened: Instant::now(), last: AtomicU64::new(0) }
    }
}
