//! A message that a broker handed over, and how it is settled.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;

use super::{ConnectionLost, Properties, Publication};

/// One delivery: the message as it was published, to be settled once.
///
/// [`ack`](Delivery::ack), [`reject`](Delivery::reject) and [`requeue`](Delivery::requeue) consume it. Dropped without
/// a verdict it goes back to its queue, so that no path loses a message by forgetting it.
#[must_use = "a delivery that is dropped goes back to its queue"]
pub struct Delivery {
    publication: Arc<Publication>,
    redelivered: bool,
    settlement: Option<Settlement>,
}

struct Settlement {
    settle: Arc<dyn Acker>,
    tag: u64,
}

impl Delivery {
    /// A delivery that `settle` wants settled under `tag`.
    pub fn new(publication: Arc<Publication>, redelivered: bool, settle: Arc<dyn Acker>, tag: u64) -> Self {
        Self { publication, redelivered, settlement: Some(Settlement { settle, tag }) }
    }

    /// A delivery that the broker counts as settled already (consumed without acknowledgements).
    pub fn settled(publication: Arc<Publication>, redelivered: bool) -> Self {
        Self { publication, redelivered, settlement: None }
    }

    /// The message as it was published: exchange, routing key, properties, body.
    pub fn publication(&self) -> &Arc<Publication> {
        &self.publication
    }

    /// The properties of the message.
    pub fn properties(&self) -> &Properties {
        &self.publication.properties
    }

    /// The body of the message.
    pub fn body(&self) -> &Bytes {
        &self.publication.body
    }

    /// Whether the message was handed out before, to this consumer or another.
    pub fn redelivered(&self) -> bool {
        self.redelivered
    }

    /// Done: the broker forgets the message.
    ///
    /// # Errors
    ///
    /// The [`ConnectionLost`] of its session: the settlement cannot be told any more, and the broker will deliver the message again.
    pub fn ack(self) -> Result<(), ConnectionLost> {
        self.settle(AckKind::Ack)
    }

    /// Refused for good: the queue dead-letters it where it was declared to, else it is gone.
    ///
    /// # Errors
    ///
    /// As [`ack`](Delivery::ack).
    pub fn reject(self) -> Result<(), ConnectionLost> {
        self.settle(AckKind::Reject)
    }

    /// Back to its place in the queue, to be delivered again at once, marked as redelivered.
    ///
    /// # Errors
    ///
    /// As [`ack`](Delivery::ack).
    pub fn requeue(self) -> Result<(), ConnectionLost> {
        self.settle(AckKind::Requeue)
    }

    /// Settles by a verdict that was computed.
    ///
    /// # Errors
    ///
    /// As [`ack`](Delivery::ack).
    pub fn settle(mut self, verdict: AckKind) -> Result<(), ConnectionLost> {
        match self.settlement.take() {
            Some(Settlement { settle, tag }) => settle.settle(tag, verdict),
            None => Ok(()),
        }
    }
}

impl Drop for Delivery {
    fn drop(&mut self) {
        if let Some(Settlement { settle, tag }) = self.settlement.take() {
            // A session that is over has given the message back already: nothing is left to say.
            let _ = settle.settle(tag, AckKind::Requeue);
        }
    }
}

impl fmt::Debug for Delivery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Delivery")
            .field("publication", &self.publication)
            .field("redelivered", &self.redelivered)
            .field("tag", &self.settlement.as_ref().map(|settlement| settlement.tag))
            .finish()
    }
}

/// What to do with a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AckKind {
    /// Forget it: the work is done.
    Ack,
    /// Dead-letter it where the queue was declared so, else drop it.
    Reject,
    /// Put it back where it was.
    Requeue,
}

/// The side of a session that takes settlements; a transport implements it.
pub trait Acker: Send + Sync {
    /// Settles the delivery with this tag. Called at most once for each tag, from any thread; it must not block.
    ///
    /// `Ok` says that the session is alive and the verdict is on its way in order; a transport may send several verdicts
    /// as one.
    ///
    /// # Errors
    ///
    /// The loss of the session (or of the consumer's channel) that the delivery belongs to.
    fn settle(&self, tag: u64, verdict: AckKind) -> Result<(), ConnectionLost>;
}

/// A message that was asked for with [`Session::get`](super::Session::get).
#[derive(Debug)]
pub struct GetMessage {
    /// The message.
    pub delivery: Delivery,
    /// How many ready messages the queue has left.
    pub messages_left: u32,
}
