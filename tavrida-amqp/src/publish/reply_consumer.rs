//! The consumer of direct replies, on the channel on which the requests are published.

use std::sync::{Arc, Weak};

use lapin::{Channel, Consumer};

/// A consumer of direct replies, on a channel that it must not close.
pub(crate) struct DirectReplies {
    pub(crate) channel: Arc<Channel>,
    pub(crate) source: Consumer,
    /// Held until the consumer is cancelled.
    pub(crate) lease: ReplyLease,
}

/// The right to be the only consumer of direct replies on a channel.
#[derive(Clone)]
pub(crate) struct ReplyLease(#[expect(dead_code, reason = "it is held, not looked at")] Arc<()>);

/// Whether a channel has a consumer of direct replies.
#[derive(Default)]
pub(super) struct ReplySlot(Weak<()>);

impl ReplySlot {
    pub(super) fn is_taken(&self) -> bool {
        self.0.strong_count() > 0
    }

    /// Takes it until the lease is dropped.
    pub(super) fn take(&mut self) -> ReplyLease {
        let lease = Arc::new(());
        self.0 = Arc::downgrade(&lease);
        ReplyLease(lease)
    }
}
