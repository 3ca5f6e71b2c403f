//! [`Channel`]: through which messages reach an actor.

use super::ActorId;

/// The number of a channel in its [`Trace`](super::Trace).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ChannelNumber(u32);

impl ChannelNumber {
    pub(crate) fn new(index: usize) -> Self {
        Self(u32::try_from(index).expect("a run has fewer than four billion channels"))
    }

    /// Its place in [`Trace::channels`](super::Trace::channels).
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// Through which messages reach an actor: a consumer of a queue, as long as its session lives.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Channel {
    /// Whose it is.
    pub actor: ActorId,
    /// The queue that it consumes; empty where it only fetched a message.
    pub queue: String,
    /// How many deliveries may wait for their verdict at a time; 0 for any number.
    pub prefetch: u16,
    /// Whether what arrives needs no verdict.
    pub no_ack: bool,
}
