//! The two traits that a transport implements.

use std::sync::Arc;

use async_trait::async_trait;
use futures_util::future::BoxFuture;

use super::{
    Backoff, Binding, ConnectionLost, Consume, Consumer, Exchange, GetMessage, Publication, PublishFuture,
    Queue, QueueStatus, SessionError,
};

/// Makes sessions: the address of a broker, and how to connect to it.
#[async_trait]
pub trait Transport: Send + Sync + 'static {
    /// Opens one session.
    ///
    /// One attempt: waiting and trying again is the caller's, who knows how long it is worth it.
    ///
    /// # Errors
    ///
    /// [`SessionError::Refused`] when the broker refused (credentials, virtual host), [`SessionError::Lost`] when it
    /// could not be reached or the connection broke on the way.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future abandons the attempt; a connection that was already made is closed.
    async fn connect(&self) -> Result<Arc<dyn Session>, SessionError>;

    /// Where this connects to, for logs and health; never a secret.
    fn endpoint(&self) -> String;

    /// How to go on connecting, unless a server or client is told otherwise: a transport whose configuration says it
    /// passes that on.
    fn backoff(&self) -> Backoff {
        Backoff::default()
    }
}

/// A transport that is chosen while the program runs.
impl<T: Transport + ?Sized> Transport for Arc<T> {
    // Written out: the future is the other's own, and no box around it.
    fn connect<'a, 'f>(&'a self) -> BoxFuture<'f, Result<Arc<dyn Session>, SessionError>>
    where
        'a: 'f,
        Self: 'f,
    {
        (**self).connect()
    }

    fn endpoint(&self) -> String {
        (**self).endpoint()
    }

    fn backoff(&self) -> Backoff {
        (**self).backoff()
    }
}

/// One live connection to a broker, with publisher confirms on. See the [contract](super#the-contract).
///
/// Every method but [`closed`](Session::closed) and [`blocked`](Session::blocked) fails with [`SessionError::Lost`]
/// once the session is dead, and with [`SessionError::Refused`] when the broker refuses, whose code
/// and text are the broker's own. Codes named below are those of RabbitMQ.
#[async_trait]
pub trait Session: Send + Sync + 'static {
    /// Declares an exchange; one that is there with the same fields is fine.
    ///
    /// # Errors
    ///
    /// Refused: 406 when it is there with other fields, 403 for a reserved name, 503 (scope connection) for an unknown
    /// type.
    async fn declare_exchange(&self, exchange: &Exchange) -> Result<(), SessionError>;

    /// Looks whether an exchange is there (a passive declare); its type and fields are not compared.
    ///
    /// # Errors
    ///
    /// Refused: 404 when it is missing.
    async fn declare_exchange_passive(&self, name: &str) -> Result<(), SessionError>;

    /// Deletes an exchange with its bindings; a missing one is fine.
    ///
    /// # Errors
    ///
    /// Refused: 406 when `if_unused` and something is bound to it, 403 for a predeclared one.
    async fn delete_exchange(&self, name: &str, if_unused: bool) -> Result<(), SessionError>;

    /// Declares a queue; one that is there with the same fields is fine. An empty name asks the broker for one.
    ///
    /// # Errors
    ///
    /// Refused: 406 when it is there with other fields or an argument is invalid, 405 when it is exclusive to another
    /// session, 403 for a reserved name.
    async fn declare_queue(&self, queue: &Queue) -> Result<QueueStatus, SessionError>;

    /// Looks whether a queue is there (a passive declare), and how full it is.
    ///
    /// # Errors
    ///
    /// Refused: 404 when it is missing, 405 when it is exclusive to another session.
    async fn declare_queue_passive(&self, name: &str) -> Result<QueueStatus, SessionError>;

    /// Deletes a queue; gives how many ready messages went with it. A missing queue is fine: 0.
    ///
    /// # Errors
    ///
    /// Refused: 406 when `if_unused` and it has consumers, or `if_empty` and it has ready messages.
    async fn delete_queue(&self, name: &str, if_unused: bool, if_empty: bool) -> Result<u32, SessionError>;

    /// Removes the ready messages of a queue; gives how many. Unsettled ones stay.
    ///
    /// # Errors
    ///
    /// Refused: 404 when it is missing.
    async fn purge_queue(&self, name: &str) -> Result<u32, SessionError>;

    /// Binds a queue or an exchange to an exchange; an equal binding that is there is fine.
    ///
    /// # Errors
    ///
    /// Refused: 404 when either side is missing, 403 for the default exchange, 406 for an invalid `x-match`.
    async fn bind(&self, binding: &Binding) -> Result<(), SessionError>;

    /// Removes a binding; a missing one is fine.
    ///
    /// # Errors
    ///
    /// Refused: 403 for the default exchange.
    async fn unbind(&self, binding: &Binding) -> Result<(), SessionError>;

    /// Publishes one message and tells what became of it. See [`PublishFuture`] for order, cancel safety and errors.
    ///
    /// Not an `async fn`, so that a transport that knows the outcome at once need not allocate a future.
    fn publish(&self, publication: Publication) -> PublishFuture<'_>;

    /// Takes one message from a queue, if there is one, to be settled like any delivery.
    ///
    /// # Errors
    ///
    /// Refused: 404 when the queue is missing, 405 when it is exclusive to another session.
    ///
    /// # Cancel safety
    ///
    /// A message that was taken when the future is dropped goes back to its queue.
    async fn get(&self, queue: &str) -> Result<Option<GetMessage>, SessionError>;

    /// Starts a consumer.
    ///
    /// [`DIRECT_REPLY_TO`](super::DIRECT_REPLY_TO) as the queue makes the session's one consumer of direct replies, which needs
    /// `no_ack`: from then on a publication of the session whose property `reply_to` is that name goes out with an address
    /// in its place, and what is published to that address, through the default exchange, comes to this consumer, through no
    /// queue. Such a reply is best not mandatory: a mandatory one is told to be unroutable though it is delivered.
    ///
    /// # Errors
    ///
    /// Refused: 404 when the queue is missing, 403 when another consumer holds it exclusively, 405 when the queue is
    /// exclusive to another session.
    async fn consume(&self, consume: &Consume) -> Result<Consumer, SessionError>;

    /// Closes the session in good order: settlements and publishes already made are flushed first, unsettled
    /// deliveries go back to their queues. Closing a dead session is fine.
    ///
    /// # Errors
    ///
    /// [`SessionError::Lost`] when the connection broke before the flush was certain.
    async fn close(&self) -> Result<(), SessionError>;

    /// Waits for the end of this session and tells its cause; at once when it is over.
    ///
    /// # Cancel safety
    ///
    /// Safe: any number of tasks may wait, and each is told.
    async fn closed(&self) -> ConnectionLost;

    /// Why the broker has blocked this session's publishes at the moment (an alarm), if it has.
    fn blocked(&self) -> Option<String>;
}
