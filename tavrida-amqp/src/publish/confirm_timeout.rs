//! When to look for missing confirms.
//!
//! RabbitMQ may never answer: a publish to a quorum queue without a leader waits until there is one [M: 3.10.8: most of its nodes are down,
//! or its node was killed a moment after it was declared]. A channel on which a publish waits for too long is given up: what waits on it
//! becomes ambiguous, and later publishes use a new one; the session stays alive.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::time::{Sleep, sleep};

/// The minimum time for a confirm; the maximum is twice as long.
pub(super) const CONFIRM_TIMEOUT: Duration = Duration::from_secs(10);

/// The time of the next check.
#[derive(Default)]
pub(super) struct ConfirmTimeout(Option<Pin<Box<Sleep>>>);

impl ConfirmTimeout {
    /// Is ready when a check is due; the next one is due a timeout later.
    pub(super) fn poll_due(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let due = self.0.get_or_insert_with(|| Box::pin(sleep(CONFIRM_TIMEOUT)));
        ready!(due.as_mut().poll(cx));
        self.0 = None;
        Poll::Ready(())
    }
}
