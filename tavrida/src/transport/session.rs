//! The two traits that a transport implements.

use std::sync::Arc;

use async_trait::async_trait;
use futures_util::future::BoxFuture;

use super::{
    Admin, Backoff, Broker, ConnectionLost, Consume, Consumer, GetMessage, Publication, PublishFuture,
    SessionError,
};

/// Opens sessions: the address of a broker, and the settings of its connections.
#[async_trait]
pub trait Transport: Send + Sync + 'static {
    /// Opens one session.
    ///
    /// This is one attempt: the caller decides about further attempts.
    ///
    /// # Errors
    ///
    /// [`SessionError::Refused`] if the broker refused (credentials, virtual host), [`SessionError::Lost`] if it could not be reached or
    /// the connection broke during the attempt.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future abandons the attempt; an open connection is closed.
    async fn connect(&self) -> Result<Arc<dyn Session>, SessionError>;

    /// Returns the address of the broker, for logs and health, without secrets.
    fn endpoint(&self) -> String;

    /// Returns the retry schedule used unless the server or client sets its own. The default is `Backoff::default()`; a transport with a
    /// configuration should return the configured one.
    fn backoff(&self) -> Backoff {
        Backoff::default()
    }
}

/// A transport chosen at run time.
impl<T: Transport + ?Sized> Transport for Arc<T> {
    // Written out to return the inner transport's future, without another box.
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
/// Every `async` method but [`closed`](Session::closed) fails with [`SessionError::Lost`] once the session has ended, and with
/// [`SessionError::Refused`] if the broker refuses, with the broker's own code and text. Codes named below are those of RabbitMQ.
#[async_trait]
pub trait Session: Send + Sync + 'static {
    /// Returns what declares, deletes, binds and purges on this session.
    fn admin(&self) -> &dyn Admin;

    /// Publishes one message. See [`PublishFuture`] for the outcome, order, cancel safety and errors.
    ///
    /// Not an `async fn`, so that a transport that knows the outcome at once need not allocate a future.
    fn publish(&self, publication: Publication) -> PublishFuture<'_>;

    /// Gets one message from a queue, if there is one, to be settled like any delivery.
    ///
    /// # Errors
    ///
    /// Refused: 404 if the queue does not exist, 405 if it is exclusive to another session.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped, a message that was taken is requeued.
    async fn get(&self, queue: &str) -> Result<Option<GetMessage>, SessionError>;

    /// Starts a consumer.
    ///
    /// With [`DIRECT_REPLY_TO`](super::DIRECT_REPLY_TO) as the queue, it starts the session's only consumer of direct replies, which needs
    /// `no_ack`. From then on, a publication of the session whose property `reply_to` is that name is sent with a generated address
    /// instead, and messages published to that address, through the default exchange, go directly to this consumer. Such a reply should not
    /// be mandatory: a mandatory one is returned as unroutable although it is delivered.
    ///
    /// # Errors
    ///
    /// Refused: 404 if the queue does not exist, 403 if another consumer has exclusive access, 405 if the queue is exclusive to another
    /// session.
    async fn consume(&self, consume: &Consume) -> Result<Consumer, SessionError>;

    /// Closes the session in good order: pending settlements and publishes are flushed first, unsettled deliveries are requeued. Closing an
    /// ended session is fine.
    ///
    /// # Errors
    ///
    /// [`SessionError::Lost`] if the connection broke before the flush was certain.
    async fn close(&self) -> Result<(), SessionError>;

    /// Waits for the end of this session and returns its cause, at once if it has already ended.
    ///
    /// # Cancel safety
    ///
    /// Safe: any number of tasks may wait, and each gets the cause.
    async fn closed(&self) -> ConnectionLost;

    /// Returns why the broker currently blocks this session's publishes (an alarm), if it does.
    ///
    /// A transport that notices a silent connection before it gives it up reports that here too.
    fn blocked(&self) -> Option<String>;

    /// Returns what the broker reported at connect, if it reported anything. The default is nothing.
    fn broker(&self) -> Option<Broker> {
        None
    }
}
