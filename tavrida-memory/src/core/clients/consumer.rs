//! [`Consumer`]: one consumer of a channel on a queue.

use tavrida::field::ShortString;

use crate::core::keys::{ChannelKey, QueueKey};

/// A consumer. Its record outlives it while it has unsettled deliveries, which refer to it.
#[derive(Debug, Clone)]
pub(crate) struct Consumer {
    /// Its number in the order of subscriptions.
    pub(crate) number: u64,
    pub(crate) tag: ShortString,
    pub(crate) channel: ChannelKey,
    pub(crate) queue: QueueKey,
    pub(crate) no_ack: bool,
    pub(crate) priority: i64,
    /// How many more deliveries it takes. `None` if there is no limit.
    pub(crate) credit: Option<u32>,
    /// Whether it was found without credit and waits for some, outside the service queue.
    pub(crate) blocked: bool,
    /// Whether it still consumes.
    pub(crate) alive: bool,
    /// How many of its deliveries are unsettled.
    pub(crate) unsettled: u32,
}

impl Consumer {
    #[cfg(test)]
    pub(crate) fn for_tests() -> Self {
        Self {
            number: 0,
            tag: ShortString::default(),
            channel: ChannelKey::default(),
            queue: QueueKey::default(),
            no_ack: false,
            priority: 0,
            credit: None,
            blocked: false,
            alive: true,
            unsettled: 0,
        }
    }
}
