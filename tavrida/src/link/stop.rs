//! [`Stop`]: the wish that a client or server ends.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::Notify;

/// The wish that a client or server ends. A clone is the same wish.
#[derive(Clone, Default)]
pub(crate) struct Stop(Arc<Inner>);

#[derive(Default)]
struct Inner {
    wished: AtomicBool,
    told: Notify,
}

impl Stop {
    /// Wishes it; once is enough.
    pub(crate) fn wish(&self) {
        self.0.wished.store(true, Ordering::SeqCst);
        self.0.told.notify_waiters();
    }

    pub(crate) fn is_wished(&self) -> bool {
        self.0.wished.load(Ordering::SeqCst)
    }

    /// Waits until it is wished. Whoever looks often keeps the future: it registers once.
    ///
    /// Cancel safe.
    pub(crate) async fn wished(&self) {
        // Made before looking, so that no wish falls between the two.
        let told = self.0.told.notified();
        if !self.is_wished() {
            told.await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_wish_is_heard_by_those_who_wait_and_those_who_come_later() {
        let stop = Stop::default();
        let waiting = tokio::spawn({
            let stop = stop.clone();
            async move { stop.wished().await }
        });
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished());
        stop.wish();
        stop.wish();
        waiting.await.expect("it was told");
        stop.wished().await;
    }
}
