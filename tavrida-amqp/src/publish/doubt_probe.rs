//! A probe resolves doubts which would otherwise last: it is a message without a receiver.
//!
//! A publish whose ack carried another message's return is [in doubt](super::outstanding) until all older ones are confirmed, or until a
//! later one is. If an older one is never confirmed (for example because its quorum queue has lost its majority) and nothing is published
//! later, it would stay in doubt forever.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tavrida::field::ShortString;
use tavrida::transport::Publication;
use tokio::time::{Sleep, sleep};

use super::pending::PendingPublish;

/// How long a doubt may last without an answer.
const DELAY: Duration = Duration::from_millis(100);

/// A queue that cannot exist: RabbitMQ reserves the prefix.
const NO_QUEUE: &str = "amq.tavrida.fence";

/// When the next probe is due.
#[derive(Default)]
pub(super) struct DoubtProbe {
    due: Option<Pin<Box<Sleep>>>,
    forbidden: bool,
}

impl DoubtProbe {
    /// Is ready when something has been in doubt for long enough.
    pub(super) fn poll_due(&mut self, in_doubt: bool, cx: &mut Context<'_>) -> Poll<()> {
        if !in_doubt || self.forbidden {
            self.due = None;
            return Poll::Pending;
        }
        let due = self.due.get_or_insert_with(|| Box::pin(sleep(DELAY)));
        ready!(due.as_mut().poll(cx));
        self.due = None;
        Poll::Ready(())
    }

    /// Starts the delay again: an answer came, and others may follow without a probe.
    pub(super) fn postpone(&mut self) {
        self.due = None;
    }

    /// Sets whether the broker forbids this user to publish to the default exchange: then no probe is due.
    pub(super) fn set_forbidden(&mut self, forbidden: bool) {
        self.forbidden = forbidden;
    }
}

/// Returns a probe, whose outcome is ignored.
pub(super) fn probe() -> PendingPublish {
    let no_queue = ShortString::from_static(NO_QUEUE);
    let message = Publication::new(ShortString::default(), no_queue, "");
    PendingPublish::new(Publication { mandatory: false, ..message }).0
}
