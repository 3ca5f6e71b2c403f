//! A stream of deliveries.

use std::fmt;
use std::future::poll_fn;
use std::task::{Context, Poll};

use async_trait::async_trait;

use super::{BrokerError, ConnectionLost, Delivery, SessionError};
use crate::error::Kind;
use crate::field::{ShortString, Table};

/// The name that requests a direct reply address (RabbitMQ's direct reply-to), in a [`Consume`] and in
/// [`Properties::reply_to`](super::Properties::reply_to). See [`Session::consume`](super::Session::consume).
pub const DIRECT_REPLY_TO: &str = "amq.rabbitmq.reply-to";

/// The options of a consumer.
#[derive(Debug, Clone, PartialEq)]
pub struct Consume {
    /// The queue.
    pub queue: ShortString,
    /// The maximum number of unacknowledged deliveries; 0 is no limit.
    pub prefetch: u16,
    /// Whether deliveries are automatically acknowledged when they are sent. Those in flight are then lost with the session.
    pub no_ack: bool,
    /// Whether this is an exclusive consumer of the queue.
    pub exclusive: bool,
    /// Further arguments, such as `x-priority`.
    pub arguments: Table,
}

impl Consume {
    /// Consumes a queue with acknowledgements and this prefetch.
    pub fn new(queue: impl Into<ShortString>, prefetch: u16) -> Self {
        Self { queue: queue.into(), prefetch, no_ack: false, exclusive: false, arguments: Table::new() }
    }
}

/// A running consumer. Dropping it cancels it; deliveries that were not taken are requeued.
pub struct Consumer(Box<dyn DeliveryStream>);

impl Consumer {
    /// Wraps a transport's own stream.
    pub fn new(deliveries: impl DeliveryStream) -> Self {
        Self(Box::new(deliveries))
    }

    /// Waits for the next delivery, in queue order.
    ///
    /// # Errors
    ///
    /// The consumer has ended; each call returns the same end.
    ///
    /// # Cancel safety
    ///
    /// Safe: a delivery is taken only by the poll that returns it.
    pub async fn next(&mut self) -> Result<Delivery, ConsumerError> {
        poll_fn(|cx| self.poll_next(cx)).await
    }

    /// Polls [`next`](Consumer::next).
    pub fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Result<Delivery, ConsumerError>> {
        self.0.poll_next(cx)
    }

    /// Waits until the consumer has ended, even if earlier deliveries were not taken yet: [`next`](Consumer::next) then returns those, and
    /// then the end, without waiting.
    ///
    /// # Cancel safety
    ///
    /// Safe: nothing is taken.
    pub async fn ended(&mut self) {
        poll_fn(|cx| self.0.poll_ended(cx)).await;
    }

    /// Polls [`ended`](Consumer::ended).
    pub fn poll_ended(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.0.poll_ended(cx)
    }

    /// Cancels the consumer at the broker. Deliveries already sent still come out of [`next`](Consumer::next), which then ends with
    /// [`ConsumerError::Cancelled`]; deliveries that were taken can still be settled.
    ///
    /// # Errors
    ///
    /// [`SessionError::Lost`] if the session or the consumer's channel has ended: then there are no more deliveries in any case.
    ///
    /// # Cancel safety
    ///
    /// Once polled, the consumer is or will be cancelled.
    pub async fn cancel(&mut self) -> Result<(), SessionError> {
        self.0.cancel().await
    }
}

impl fmt::Debug for Consumer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Consumer").finish_non_exhaustive()
    }
}

/// The stream of a [`Consumer`]; a transport implements it.
///
/// Dropping it cancels the consumer and requeues what was not taken.
#[async_trait]
pub trait DeliveryStream: Send + 'static {
    /// Returns the next delivery, or the end, which each later call returns again.
    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Result<Delivery, ConsumerError>>;

    /// Is ready once the consumer has ended and [`poll_next`](DeliveryStream::poll_next) returns the remaining deliveries without waiting;
    /// see [`Consumer::ended`].
    fn poll_ended(&mut self, cx: &mut Context<'_>) -> Poll<()>;

    /// Cancels the consumer; see [`Consumer::cancel`].
    async fn cancel(&mut self) -> Result<(), SessionError>;
}

/// Why a consumer ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ConsumerError {
    /// This side cancelled it.
    Cancelled,
    /// The broker cancelled it: its queue was deleted, or moved. The session is alive.
    CancelledByBroker,
    /// The broker closed the consumer's channel; its unsettled deliveries were requeued. The session is alive.
    Refused(BrokerError),
    /// The session was lost.
    Lost(ConnectionLost),
}

impl fmt::Display for ConsumerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cancelled => f.write_str("the consumer was cancelled on this side"),
            Self::CancelledByBroker => {
                f.write_str("the broker cancelled the consumer (was its queue deleted?)")
            }
            Self::Refused(refusal) => refusal.fmt(f),
            Self::Lost(loss) => loss.fmt(f),
        }
    }
}

impl std::error::Error for ConsumerError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Cancelled | Self::CancelledByBroker => Some(Kind::Closed.source()),
            Self::Refused(refusal) => Some(refusal),
            Self::Lost(loss) => Some(loss),
        }
    }
}
