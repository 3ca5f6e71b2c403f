//! [`Received`]: when a connection last received something, and what the broker reported of itself.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tavrida::transport::Broker;
use tokio::time::Instant;

/// When a connection last received something, and from which broker; its stream records both.
#[derive(Debug)]
pub(crate) struct Received {
    opened: Instant,
    /// In milliseconds after that.
    last: AtomicU64,
    broker: OnceLock<Broker>,
    small_frames: OnceLock<u32>,
}

impl Received {
    pub(super) fn note(&self) {
        self.last.store(self.elapsed(), Ordering::Relaxed);
    }

    pub(super) fn note_broker(&self, broker: Broker) {
        // It says so once in a connection.
        let _ = self.broker.set(broker);
    }

    /// Returns what the broker reported at the beginning of the connection.
    pub(crate) fn broker(&self) -> Option<Broker> {
        self.broker.get().cloned()
    }

    pub(super) fn note_small_frames(&self, bytes: u32) {
        let _ = self.small_frames.set(bytes);
    }

    /// Returns the frame size to ask for, if the connection was given up because the broker offers less than was asked for.
    pub(crate) fn small_frames(&self) -> Option<u32> {
        self.small_frames.get().copied()
    }

    /// Returns how long nothing has been received.
    pub(crate) fn silent_for(&self) -> Duration {
        Duration::from_millis(self.elapsed().saturating_sub(self.last.load(Ordering::Relaxed)))
    }

    fn elapsed(&self) -> u64 {
        u64::try_from(self.opened.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}

impl Default for Received {
    fn default() -> Self {
        Self {
            opened: Instant::now(),
            last: AtomicU64::new(0),
            broker: OnceLock::new(),
            small_frames: OnceLock::new(),
        }
    }
}
