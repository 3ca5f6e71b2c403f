//! [`Channel`]: the channel on which messages reach an actor.

use super::ActorId;

/// The number of a channel in its [`Trace`](super::Trace).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ChannelNumber(u32);

impl ChannelNumber {
    pub(crate) fn new(index: usize) -> Self {
        Self(u32::try_from(index).expect("a run has fewer than four billion channels"))
    }

    /// Returns its index in [`Trace::channels`](super::Trace::channels).
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// The channel on which messages reach an actor: a consumer of a queue, until its session ends.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Channel {
    /// The actor that it belongs to.
    pub actor: ActorId,
    /// The queue that it consumes; empty if it only fetched a message.
    pub queue: String,
    /// The maximum number of unacknowledged deliveries; 0 for no limit.
    pub prefetch: u16,
    /// Whether deliveries need no acknowledgement.
    pub no_ack: bool,
}
