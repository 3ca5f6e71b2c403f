//! [`Ask`]: a request whose answer is awaited in place.

use std::fmt;
use std::marker::PhantomData;
use std::pin::{Pin, pin};
use std::task::{self, Poll, ready};
use std::time::Duration;

use futures_util::future::BoxFuture;
use serde::Serialize;
use tokio::time::Instant;

use super::{RequestBuilder, Sender, Untyped};
use crate::asks::Waiting;
use crate::contract::Rpc;
use crate::entry_point::EntryPoint;
use crate::error::{Error, Kind};
use crate::field::{ShortString, Value};
use crate::id::Purpose;
use crate::message::{
    Addresses, CorrelationId, ErrorReply, Failure, IntoFailure, Message, ReservedHeaderError, Response,
};
use crate::outbound::{SendError, SendOptions};
use crate::time::later;
use crate::transport::{ConnectionLost, SessionError};

/// A request whose answer is awaited in place: a future, which sends the request when it is first polled.
///
/// It gives the [`Response`] or an [`AskError`]; one of a [contract](crate::contract) `C` gives the contract's reply or an
/// [`RpcError`](super::RpcError). It never hangs: it has a [deadline](Ask::timeout), which travels with the request, as its expiration and
/// as a time of day. No handler begins a request whose asker waits no longer; a server counts it as
/// [expired](crate::counters::Counters::expired).
///
/// A handler that waits for an answer makes room for another: see [`concurrency`](crate::server::ServerBuilder::concurrency).
///
/// ```no_run
/// # use std::time::Duration;
/// # use tavrida::prelude::*;
/// # async fn handler(proxy: Proxy) -> Result<()> {
/// let ask = |id: u64| proxy.to("billing.price").param("id", id).ask();
/// let (one, two) = tokio::join!(ask(1), ask(2));
/// let all = futures_util::future::join_all((3..10).map(ask)).await;
///
/// let mut slow = ask(11).timeout(Duration::from_secs(600));
/// let answer = loop {
///     tokio::select! {
///         answer = &mut slow => break answer?, // the same ask, sent once
///         () = tokio::time::sleep(Duration::from_secs(10)) => println!("no answer yet"),
///     }
/// };
/// # Ok(())
/// # }
/// ```
///
/// # Panics
///
/// Its setters panic after it was polled, and so does polling it after it gave its answer.
///
/// # Cancel safety
///
/// Dropped before its first poll, it sends nothing. Dropping it later stops waiting; the request may have been sent and handled, and its
/// answer is dropped and counted. Polling it through `&mut` (in a `select!`) loses nothing: the next poll continues to wait.
#[must_use = "an ask does nothing until it is awaited"]
pub struct Ask<C = Untyped> {
    state: State,
    contract: PhantomData<fn() -> C>,
}

enum State {
    Unsent(Unsent),
    Waiting(BoxFuture<'static, Result<Response, AskError>>),
    Ended,
}

/// An ask before its first poll.
struct Unsent {
    /// Boxed: it would enlarge the future of every ask.
    request: Box<RequestBuilder>,
    timeout: Duration,
    transient: bool,
}

impl Ask {
    /// The default limit of the wait for an answer.
    pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(30);

    /// Reads the answer as a [contract](crate::contract)'s reply or error.
    pub fn of<C: Rpc>(self) -> Ask<C> {
        Ask { state: self.state, contract: PhantomData }
    }
}

impl<C> RequestBuilder<C> {
    /// Asks: awaiting it returns the answer, or the reply of the contract. See [`Ask`] for the deadline.
    pub fn ask(self) -> Ask<C> {
        Ask::new(self)
    }
}

impl<C> Ask<C> {
    pub(crate) fn new(request: RequestBuilder<C>) -> Self {
        let (request, timeout) = (Box::new(request.retyped()), Ask::DEFAULT_TIMEOUT);
        Self { state: State::Unsent(Unsent { request, timeout, transient: false }), contract: PhantomData }
    }

    /// Limits the wait, including the send. The default is 30 s; [`Duration::MAX`] waits without end.
    ///
    /// A request whose timeout exceeds the 49 days (2^32 ms) that RabbitMQ allows everywhere is sent without an expiration.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.unsent().timeout = timeout;
        self
    }

    /// Avoids writing the request to the broker's disk, which is a large part of the cost of an ask.
    ///
    /// A request that waits in its queue is then lost when the broker, or the queue's node in a cluster, restarts: it is not handled
    /// afterwards, and the ask ends as [`Lost`](AskError::Lost), or at its deadline. Use it for requests that can be repeated or dropped in
    /// that case. A quorum queue keeps them in any case.
    pub fn transient(mut self) -> Self {
        self.unsent().transient = true;
        self
    }

    /// Adds a custom header to the request, as [`RequestBuilder::header`] does.
    pub fn header(
        mut self,
        name: impl TryInto<ShortString, Error = impl Into<ReservedHeaderError>>,
        value: impl Into<Value>,
    ) -> Self {
        self.unsent().request.draft().header(name, value);
        self
    }

    /// Sets another correlation id than the chain's.
    pub fn correlation_id(mut self, correlation_id: impl Into<CorrelationId>) -> Self {
        self.unsent().request.draft().correlation_id = Some(correlation_id.into());
        self
    }

    /// Sets another context than the chain's: a value that serialises to an object.
    pub fn context(mut self, context: &(impl Serialize + ?Sized)) -> Self {
        self.unsent().request.draft().context(context);
        self
    }

    fn unsent(&mut self) -> &mut Unsent {
        match &mut self.state {
            State::Unsent(unsent) => unsent,
            _ => panic!("an ask is changed after it was polled, when its request is on its way"),
        }
    }

    /// Sends the request at the first poll, and waits for the answer.
    pub(super) fn poll_answer(
        &mut self,
        context: &mut task::Context<'_>,
    ) -> Poll<Result<Response, AskError>> {
        self.state = match std::mem::replace(&mut self.state, State::Ended) {
            State::Unsent(unsent) => State::Waiting(Box::pin(unsent.answer())),
            later => later,
        };
        let State::Waiting(waiting) = &mut self.state else { panic!("an ask is polled after its answer") };
        let answer = ready!(waiting.as_mut().poll(context));
        self.state = State::Ended;
        Poll::Ready(answer)
    }
}

impl Future for Ask {
    type Output = Result<Response, AskError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut task::Context<'_>) -> Poll<Self::Output> {
        self.poll_answer(context)
    }
}

impl Unsent {
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
        let options = SendOptions { expires_in, transient, ..SendOptions::default() };
        let mut sending = pin!(sender.send_on(&epoch, message, options));
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

/// Why an ask has no answer.
///
/// A handler that passes it on with `?` answers its own caller with the class and code of what happened:
///
/// | it is | the caller's error reply has |
/// |---|---|
/// | [`Failed`](AskError::Failed) | class, message, code and detail of the other service's error |
/// | [`Timeout`](AskError::Timeout) | `tavrida.exceptions.Timeout`, code 1000 |
/// | [`Lost`](AskError::Lost) | `tavrida.exceptions.Closed`, code 1000 |
/// | [`NotSent`](AskError::NotSent) | the class and code of the [`SendError`], such as `tavrida.exceptions.UnableToDiscover`, 1007 |
///
/// The other service's error is passed on unchanged because its code is what a caller can act upon, and its class names the service that
/// failed, however many services are in between. A handler that must not show it maps it:
/// `.map_err(|error| Failure::new("orders.NotPriced", error.to_string()))`.
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
