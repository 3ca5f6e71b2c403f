//! [`Stop`]: a shutdown signal.

use std::sync::Arc;

use tokio::sync::SetOnce;

/// A shutdown signal. Clones share it.
#[derive(Clone, Default)]
pub(crate) struct Stop(Arc<StopSignals>);

#[derive(Default)]
struct StopSignals {
    stop: SetOnce<()>,
    at_once: SetOnce<()>,
}

impl Stop {
    /// Triggers the signal; further calls have no effect.
    pub(crate) fn trigger(&self) {
        // Already set by an earlier call.
        let _ = self.0.stop.set(());
    }

    /// Triggers the signal, and requests to drop running handlers.
    pub(crate) fn trigger_at_once(&self) {
        let _ = self.0.at_once.set(());
        self.trigger();
    }

    pub(crate) fn is_triggered(&self) -> bool {
        self.0.stop.initialized()
    }

    /// Waits until the signal is triggered. Callers that poll often keep the future: it registers once.
    ///
    /// Cancel safe.
    pub(crate) async fn triggered(&self) {
        self.0.stop.wait().await;
    }

    /// Waits until an immediate stop is requested.
    ///
    /// Cancel safe.
    pub(crate) async fn wished_at_once(&self) {
        self.0.at_once.wait().await;
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
            async move { stop.triggered().await }
        });
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished());
        stop.trigger();
        stop.trigger();
        waiting.await.expect("it was told");
        stop.triggered().await;
    }
}
