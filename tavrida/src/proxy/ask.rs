//! [`Ask`]: a request whose answer is awaited in place.

use std::fmt;
use std::future::IntoFuture;
use std::pin::pin;
use std::time::Duration;

use futures_util::future::BoxFuture;
use tokio::time::Instant;

use super::{RequestBuilder, Sender, TypedAsk};
use crate::asks::Waiting;
use crate::contract::Rpc;
use crate::entry_point::EntryPoint;
use crate::error::{Error, Kind};
use crate::field::ShortString;
use crate::id::Purpose;
use crate::message::{Addresses, ErrorReply, Failure, IntoFailure, Message, Response};
use crate::outbound::{SendError, Terms};
use crate::time::later;
use crate::transport::{ConnectionLost, SessionError};

/// A request whose answer is awaited in place.
///
/// It gives the [`Response`] or an [`AskError`], and never hangs: it has a [deadline](Ask::timeout), which travels with the request,
/// as its expiration and as a time of day. No handler begins a request whose asker waits no longer; a server counts it as
/// [expired](crate::counters::Counters::expired).
///
/// A handler that waits for an answer makes room for another: see [`concurrency`](crate::server::ServerBuilder::concurrency).
///
/// # Cancel safety
///
/// Dropping it stops waiting; the request may have been sent. A later answer is dropped and counted.
#[must_use = "an ask does nothing until it is awaited"]
pub struct Ask {
    /// Boxed: it would enlarge the future of every ask.
    request: Box<RequestBuilder>,
    timeout: Duration,
    transient: bool,
}

impl Ask {
    /// The default limit of the wait for an answer.
    pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(30);

    pub(crate) fn new(request: RequestBuilder) -> Self {
        Self { request: Box::new(request), timeout: Self::DEFAULT_TIMEOUT, transient: false }
    }

    /// Limits the wait, including the send. The default is 30 s; [`Duration::MAX`] waits without end.
    ///
    /// A request whose timeout exceeds the 49 days (2^32 ms) that RabbitMQ allows everywhere is sent without an expiration.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Avoids writing the request to the broker's disk, which is a large part of the cost of an ask.
    ///
    /// A request that waits in its queue is then lost when the broker, or the queue's node in a cluster, restarts: it is not handled
    /// afterwards, and the ask ends as [`Lost`](AskError::Lost), or at its deadline. Use it for requests that can be repeated or dropped in
    /// that case. A quorum queue keeps them in any case.
    pub fn transient(mut self) -> Self {
        self.transient = true;
        self
    }

    /// Reads the answer as a [contract](crate::contract)'s reply or error.
    pub fn of<C: Rpc>(self) -> TypedAsk<C> {
        TypedAsk::new(self)
    }

    async fn answer(self) -> Result<Response, AskError> {
        let (destination, timeout) = (self.request.destination().clone(), self.timeout);
        let deadline = later(Instant::now(), timeout);
        tokio::time::timeout_at(deadline, self.exchange(deadline))
            .await
            .unwrap_or(Err(AskError::Timeout { destination, after: timeout }))
    }

    async fn exchange(self, deadline: Instant) -> Result<Response, AskError> {
        let sender = self.request.sender().clone();
        let epoch = match sender.epoch().await {
            Ok(epoch) => epoch,
            Err(error) => return Err(AskError::NotSent(self.into_send_error(error))),
        };
        let queue = match sender.asks().queue(&epoch).await {
            Ok(queue) => queue,
            Err(SessionError::Lost(loss)) => {
                sender.lost(&epoch);
                return Err(AskError::Lost(loss));
            }
            Err(error) => {
                let error = Error::new(Kind::Refused, format!("no reply queue: {error}"));
                return Err(AskError::NotSent(self.into_send_error(error)));
            }
        };
        let (timeout, transient) = (self.timeout, self.transient);
        let (message, waiting) = self.begin(&sender, queue, epoch.number)?;
        if let Err(cycle) = sender.check_cycle(&epoch, &message).await {
            return Err(AskError::NotSent(SendError::new(cycle, message)));
        }
        let expires_in = (timeout < Duration::MAX).then(|| deadline - Instant::now());
        let terms = Terms { expires_in, transient, ..Terms::default() };
        let mut sending = pin!(sender.send_on(&epoch, message, terms));
        let mut answer = pin!(waiting.answer());
        // An answer proves that the request arrived: there is no need to wait for the confirm.
        tokio::select! {
            biased;
            sent = &mut sending => {
                sent.inspect_err(|_| sender.lost(&epoch))?;
                read(answer.await?)
            }
            answered = &mut answer => match answered {
                Ok(message) => read(message),
                Err(loss) => {
                    sending.await.inspect_err(|_| sender.lost(&epoch))?;
                    Err(loss.into())
                }
            }
        }
    }

    /// Returns the message, and the entry that waits for its answer.
    fn begin(self, sender: &Sender, queue: ShortString, epoch: u64) -> Result<(Message, Waiting), AskError> {
        let source = self.request.source_or_own();
        let reply_to = sender.asks().address(source.service().unwrap_or_default());
        let addresses = Addresses { source, reply_to, reply_queue: Some(queue), ..Addresses::default() };
        let (mut message, flaw) = self.request.into_message(addresses);
        if let Some(flaw) = flaw {
            return Err(AskError::NotSent(SendError::new(flaw, message)));
        }
        let request_id = sender.ids().next(Purpose::Request);
        message.parts_mut().request_id = request_id.clone();
        let open = sender.open_ask(message.destination());
        Ok((message, sender.asks().pending().wait(request_id, epoch, open)))
    }

    fn into_send_error(self, error: Error) -> SendError {
        let (message, flaw) = self.request.into_message(Addresses::default());
        SendError::new(flaw.unwrap_or(error), message)
    }
}

fn read(message: Message) -> Result<Response, AskError> {
    match message.into_response() {
        Ok(response) => Ok(response),
        Err(other) => match other.into_error() {
            Ok(error) => Err(AskError::Failed(error)),
            Err(other) => {
                let text = format!("the answer is a {}", other.kind());
                Err(AskError::NotSent(SendError::new(Error::new(Kind::IncorrectMessage, text), other)))
            }
        },
    }
}

impl IntoFuture for Ask {
    type Output = Result<Response, AskError>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.answer())
    }
}

/// Why an ask has no answer.
#[derive(Debug)]
pub enum AskError {
    /// The other service answered with an error.
    Failed(ErrorReply),
    /// No answer came in time. The request may have been handled.
    Timeout {
        /// The destination of the request.
        destination: EntryPoint,
        /// How long the ask waited.
        after: Duration,
    },
    /// The request was not sent, or perhaps not.
    NotSent(SendError),
    /// The session was lost while the ask waited. The request may have been handled.
    Lost(ConnectionLost),
}

impl AskError {
    /// Returns the other service's error, if it answered with one.
    pub fn failed(&self) -> Option<&ErrorReply> {
        match self {
            Self::Failed(error) => Some(error),
            _ => None,
        }
    }

    /// Whether handlers of this very server wait for each other, so that no answer could come: see
    /// [`Error::is_cycle`](crate::Error::is_cycle).
    pub fn is_cycle(&self) -> bool {
        matches!(self, Self::NotSent(error) if error.is_cycle())
    }

    /// Returns whether no answer came in time.
    pub fn is_timeout(&self) -> bool {
        match self {
            Self::Timeout { .. } => true,
            Self::NotSent(error) => error.is_timeout(),
            _ => false,
        }
    }
}

impl fmt::Display for AskError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failed(error) => error.fmt(f),
            Self::Timeout { destination, after } => {
                write!(f, "{destination} did not answer within {after:?}")
            }
            Self::NotSent(error) => error.fmt(f),
            Self::Lost(loss) => write!(f, "no answer: {loss}"),
        }
    }
}

impl std::error::Error for AskError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Failed(error) => Some(error),
            Self::NotSent(error) => Some(error),
            Self::Lost(loss) => Some(loss),
            Self::Timeout { .. } => Some(Kind::Timeout.source()),
        }
    }
}

impl From<SendError> for AskError {
    fn from(error: SendError) -> Self {
        Self::NotSent(error)
    }
}

impl From<ConnectionLost> for AskError {
    fn from(loss: ConnectionLost) -> Self {
        Self::Lost(loss)
    }
}

impl IntoFailure for AskError {
    fn into_failure(self) -> Failure {
        self.into()
    }
}
