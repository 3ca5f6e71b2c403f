//! [`Settlement`]: how deliveries are settled.

use super::message::deaths::Reason;

/// How deliveries are settled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Settlement {
    Ack,
    /// The queue dead-letters or drops it, and why.
    Discard(Reason),
    Requeue,
    /// Its channel has ended: like requeued, but not by the client.
    ChannelEnded,
}

impl Settlement {
    pub(crate) fn of_reject(requeue: bool) -> Self {
        if requeue { Self::Requeue } else { Self::Discard(Reason::Rejected) }
    }
}
