//! The outcome of a publish.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use super::{BrokerError, ConnectionLost, Publication};
use crate::error::Kind;

/// A pending publish: a future of its outcome, returned by [`Session::publish`](super::Session::publish).
///
/// `Ok(())` means that the broker confirmed it: every queue that the message was routed to has it (if the publication was not mandatory,
/// there may be no such queue).
///
/// The first poll sends the message; many publishes may be pending at once. Publishes created in turn by one task, each polled before the
/// next is created, keep their order.
///
/// # Errors
///
/// [`PublishError`]: the reason, and the publication itself.
///
/// # Cancel safety
///
/// If it is dropped before its first poll, nothing is sent. If it is dropped later, the message is sent and the outcome is unknown.
#[must_use = "a publish does nothing until it is awaited, and its outcome may be a loss"]
pub struct PublishFuture<'a>(State<'a>);

enum State<'a> {
    Unsent(&'a dyn SendNow, Option<Arc<Publication>>),
    Ready(Option<Result<(), PublishError>>),
    Waiting(Pin<Box<dyn Future<Output = Result<(), PublishError>> + Send + 'a>>),
}

impl<'a> PublishFuture<'a> {
    /// Creates a publish whose outcome is known.
    pub fn ready(outcome: Result<(), PublishError>) -> Self {
        Self(State::Ready(Some(outcome)))
    }

    /// Creates a publish that is sent by the first poll, through `session`. Costs no allocation.
    pub fn unsent(session: &'a dyn SendNow, publication: Arc<Publication>) -> Self {
        Self(State::Unsent(session, Some(publication)))
    }

    /// Creates a publish whose outcome must be waited for.
    pub fn waiting(outcome: impl Future<Output = Result<(), PublishError>> + Send + 'a) -> Self {
        Self(State::Waiting(Box::pin(outcome)))
    }
}

impl Future for PublishFuture<'_> {
    type Output = Result<(), PublishError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        if let State::Unsent(session, publication) = &mut self.0 {
            let publication = publication.take().expect("a publish is sent by its first poll alone");
            self.0 = session.send_now(publication).0;
        }
        match &mut self.0 {
            State::Unsent(..) => unreachable!("sending is done when `send_now` returns"),
            State::Ready(outcome) => {
                Poll::Ready(outcome.take().expect("a publishing is polled until it is ready"))
            }
            State::Waiting(outcome) => outcome.as_mut().poll(cx),
        }
    }
}

/// A session that publishes without waiting: for transports that know most outcomes at once.
pub trait SendNow: Send + Sync {
    /// Sends the publication before it returns. Returns its outcome as far as it is known: [`ready`](PublishFuture::ready), or
    /// [`waiting`](PublishFuture::waiting).
    fn send_now(&self, publication: Arc<Publication>) -> PublishFuture<'static>;
}

impl fmt::Debug for PublishFuture<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PublishFuture").finish_non_exhaustive()
    }
}

/// A publication that the broker did not accept, or perhaps not, and why.
#[derive(Debug, Clone, PartialEq)]
pub struct PublishError {
    /// The reason, which also says whether sending it again may create a duplicate.
    pub reason: PublishErrorKind,
    /// The message, to be sent again or kept.
    pub publication: Box<Publication>,
}

impl PublishError {
    /// Creates an error from a reason and the publication.
    pub fn new(reason: PublishErrorKind, publication: Publication) -> Self {
        Self { reason, publication: Box::new(publication) }
    }
}

/// Why a publish failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PublishErrorKind {
    /// The message was mandatory, and no queue is bound for it: the broker returned it (312). No copy exists; bind a queue, or correct the
    /// address.
    Unroutable,
    /// A queue refused it (`basic.nack`), for example because it is full. Other queues that it was routed to may have it.
    Nacked,
    /// The broker refused it with an error: a missing or internal exchange, permissions, an invalid property.
    Refused(BrokerError),
    /// The session was lost between the send and the confirm: the broker may have it or not.
    Ambiguous(ConnectionLost),
    /// The session had ended before anything was sent: no copy exists, and sending again is safe.
    NotSent(ConnectionLost),
}

impl fmt::Display for PublishErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unroutable => f.write_str("unroutable: no queue is bound for it (312 NO_ROUTE)"),
            Self::Nacked => f.write_str("refused: a queue did not take it (basic.nack)"),
            Self::Refused(refusal) => refusal.fmt(f),
            Self::Ambiguous(loss) => write!(f, "ambiguous, for it was sent and not confirmed: {loss}"),
            Self::NotSent(loss) => write!(f, "not sent: {loss}"),
        }
    }
}

impl fmt::Display for PublishError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Publication { exchange, routing_key, .. } = &*self.publication;
        write!(
            f,
            "the message to exchange '{exchange}' with routing key '{routing_key}' was not published: {}",
            self.reason
        )
    }
}

impl std::error::Error for PublishError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.reason {
            PublishErrorKind::Unroutable => Some(Kind::Unroutable.source()),
            PublishErrorKind::Nacked => Some(Kind::Refused.source()),
            PublishErrorKind::Refused(refusal) => Some(refusal),
            PublishErrorKind::Ambiguous(_) => Some(Kind::Ambiguous.source()),
            PublishErrorKind::NotSent(loss) => Some(loss),
        }
    }
}
