//! [`Shutdown`]: the signal that a port shuts down.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::Notify;

/// A signal that is given once. Clones are the same signal.
#[derive(Debug, Clone, Default)]
pub(super) struct Shutdown(Arc<Signal>);

#[derive(Debug, Default)]
struct Signal {
    given: AtomicBool,
    changed: Notify,
}

impl Shutdown {
    pub(super) fn request(&self) {
        self.0.given.store(true, Ordering::Release);
        self.0.changed.notify_waiters();
    }

    /// Waits for the signal. Cancel safe.
    pub(super) async fn requested(&self) {
        let mut changed = std::pin::pin!(self.0.changed.notified());
        changed.as_mut().enable();
        if !self.0.given.load(Ordering::Acquire) {
            changed.await;
        }
    }
}
