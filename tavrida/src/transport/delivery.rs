//! A message that a broker delivered, and its settlement.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;

use super::{ConnectionLost, Properties, Publication};

/// A delivery: the message as it was published, to be settled once.
///
/// [`ack`](Delivery::ack), [`reject`](Delivery::reject) and [`requeue`](Delivery::requeue) consume it. If it is dropped unsettled, it is
/// requeued, so that no code path loses a message by forgetting it.
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
    /// Creates a delivery that `settle` settles under `tag`.
    pub fn new(publication: Arc<Publication>, redelivered: bool, settle: Arc<dyn Acker>, tag: u64) -> Self {
        Self { publication, redelivered, settlement: Some(Settlement { settle, tag }) }
    }

    /// Creates a delivery that needs no settlement (consumed without acknowledgements).
    pub fn settled(publication: Arc<Publication>, redelivered: bool) -> Self {
        Self { publication, redelivered, settlement: None }
    }

    /// Returns the message as it was published: exchange, routing key, properties, body.
    pub fn publication(&self) -> &Arc<Publication> {
        &self.publication
    }

    /// Returns the properties of the message.
    pub fn properties(&self) -> &Properties {
        &self.publication.properties
    }

    /// Returns the body of the message.
    pub fn body(&self) -> &Bytes {
        &self.publication.body
    }

    /// Returns whether the message was delivered before, to this consumer or another.
    pub fn redelivered(&self) -> bool {
        self.redelivered
    }

    /// Acknowledges it: the broker deletes the message.
    ///
    /// # Errors
    ///
    /// The [`ConnectionLost`] of its session: the settlement cannot be sent any more, and the broker will redeliver the message.
    pub fn ack(self) -> Result<(), ConnectionLost> {
        self.settle(AckKind::Ack)
    }

    /// Rejects it: the queue dead-letters it if it has a dead-letter exchange, otherwise drops it.
    ///
    /// # Errors
    ///
    /// As [`ack`](Delivery::ack).
    pub fn reject(self) -> Result<(), ConnectionLost> {
        self.settle(AckKind::Reject)
    }

    /// Requeues it to its old position, to be redelivered at once.
    ///
    /// # Errors
    ///
    /// As [`ack`](Delivery::ack).
    pub fn requeue(self) -> Result<(), ConnectionLost> {
        self.settle(AckKind::Requeue)
    }

    /// Settles it in the given way.
    ///
    /// # Errors
    ///
    /// As [`ack`](Delivery::ack).
    pub fn settle(mut self, kind: AckKind) -> Result<(), ConnectionLost> {
        match self.settlement.take() {
            Some(Settlement { settle, tag }) => settle.settle(tag, kind),
            None => Ok(()),
        }
    }
}

impl Drop for Delivery {
    fn drop(&mut self) {
        if let Some(Settlement { settle, tag }) = self.settlement.take() {
            // A session that has ended has already requeued the message.
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

/// How to settle a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AckKind {
    /// Acknowledge it: the work is complete.
    Ack,
    /// Reject it: dead-letter it if the queue has a dead-letter exchange, otherwise drop it.
    Reject,
    /// Requeue it to its old position.
    Requeue,
}

/// Accepts settlements for a session; a transport implements it.
pub trait Acker: Send + Sync {
    /// Settles the delivery with this tag. Called at most once for each tag, from any thread; must not block.
    ///
    /// `Ok` means that the session is alive and the settlement will be sent in order; a transport may combine several into one.
    ///
    /// # Errors
    ///
    /// The loss of the session (or of the consumer's channel) that the delivery belongs to.
    fn settle(&self, tag: u64, kind: AckKind) -> Result<(), ConnectionLost>;
}

/// A message fetched with [`Session::get`](super::Session::get).
#[derive(Debug)]
pub struct GetMessage {
    /// The message.
    pub delivery: Delivery,
    /// The number of ready messages left in the queue.
    pub messages_left: u32,
}
