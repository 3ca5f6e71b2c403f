//! [`Answer`] and [`RpcError`]: what an ask of a contract gives.

use std::fmt;
use std::future::poll_fn;
use std::ops::Deref;
use std::pin::Pin;
use std::task::{self, Poll, ready};

use super::{Ask, AskError};
use crate::contract::{self, Rpc, Wire};
use crate::error::{Error, Kind};
use crate::message::{CorrelationId, ErrorReply, Failure, Response};

impl<C: Rpc> Ask<C> {
    /// Awaits the reply together with its message.
    ///
    /// # Errors
    ///
    /// As awaiting the ask itself.
    ///
    /// # Cancel safety
    ///
    /// As of [`Ask`].
    pub async fn in_full(mut self) -> Result<Answer<C>, RpcError<C::Error>> {
        poll_fn(|context| self.poll_answer(context)).await.map_or_else(error::<C>, reply)
    }
}

impl<C: Rpc> Future for Ask<C> {
    type Output = Result<C::Reply, RpcError<C::Error>>;

    fn poll(mut self: Pin<&mut Self>, context: &mut task::Context<'_>) -> Poll<Self::Output> {
        let answer = ready!(self.poll_answer(context));
        Poll::Ready(answer.map_or_else(error::<C>, reply::<C>).map(|answer| answer.reply))
    }
}

fn reply<C: Rpc>(response: Response) -> Result<Answer<C>, RpcError<C::Error>> {
    match C::Reply::from_payload(response.payload()) {
        Ok(reply) => Ok(Answer { reply, response }),
        Err(error) => {
            let error = Error::new(Kind::WrongResponse, error.to_string()).caused_by(error);
            Err(RpcError::Misfit { response, error })
        }
    }
}

fn error<C: Rpc>(error: AskError) -> Result<Answer<C>, RpcError<C::Error>> {
    match error {
        AskError::Failed(reply) => match contract::declared::<C>(&reply) {
            Some(error) => Err(RpcError::Declared { error, reply }),
            None => Err(AskError::Failed(reply).into()),
        },
        error => Err(error.into()),
    }
}

/// The reply to a request of the contract `C`, and its message. It dereferences to the reply.
#[non_exhaustive]
pub struct Answer<C: Rpc> {
    /// The reply.
    pub reply: C::Reply,
    /// The message, with its context and headers.
    pub response: Response,
}

impl<C: Rpc> Answer<C> {
    /// Returns the id of the chain of calls of the answer.
    pub fn chain(&self) -> &CorrelationId {
        self.response.correlation_id()
    }
}

impl<C: Rpc> Deref for Answer<C> {
    type Target = C::Reply;

    fn deref(&self) -> &C::Reply {
        &self.reply
    }
}

impl<C: Rpc<Reply: fmt::Debug>> fmt::Debug for Answer<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answer").field("reply", &self.reply).field("response", &self.response).finish()
    }
}

impl<C: Rpc<Reply: Clone>> Clone for Answer<C> {
    fn clone(&self) -> Self {
        Self { reply: self.reply.clone(), response: self.response.clone() }
    }
}

impl<C: Rpc<Reply: PartialEq>> PartialEq for Answer<C> {
    fn eq(&self, other: &Self) -> bool {
        self.reply == other.reply && self.response == other.response
    }
}

/// Why an ask for a contract's reply failed.
///
/// With `?` a handler passes it on as it does an [`AskError`]: an error of the other service unchanged or, if the handler's own contract
/// declares the same error type, as its own declared error; an answer that does not fit as `tavrida.exceptions.WrongResponse`, 1009.
#[derive(Debug)]
pub enum RpcError<E> {
    /// The other service answered with the error that the contract declares.
    Declared {
        /// That error.
        error: E,
        /// Its message.
        reply: ErrorReply,
    },
    /// The other service answered with something that is not the contract's reply.
    Misfit {
        /// The answer.
        response: Response,
        /// Where it does not fit.
        error: Error,
    },
    /// Another error of the other service, or no answer at all.
    Ask(AskError),
}

impl<E> RpcError<E> {
    /// Returns the error that the contract declares, if it is that.
    pub fn declared(&self) -> Option<&E> {
        match self {
            Self::Declared { error, .. } => Some(error),
            _ => None,
        }
    }

    /// Converts it to the error that the contract declares.
    ///
    /// # Errors
    ///
    /// The value itself, if it is something else.
    pub fn into_declared(self) -> Result<E, Self> {
        match self {
            Self::Declared { error, .. } => Ok(error),
            other => Err(other),
        }
    }

    /// Returns the other service's error, if it answered with one, declared or not.
    pub fn failed(&self) -> Option<&ErrorReply> {
        match self {
            Self::Declared { reply, .. } => Some(reply),
            Self::Misfit { .. } => None,
            Self::Ask(error) => error.failed(),
        }
    }

    /// Returns whether no answer came in time.
    pub fn is_timeout(&self) -> bool {
        matches!(self, Self::Ask(error) if error.is_timeout())
    }
}

impl<E: fmt::Display> fmt::Display for RpcError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Declared { error, .. } => error.fmt(f),
            Self::Misfit { response, .. } => {
                write!(f, "the answer of {} is not what its contract says", response.source())
            }
            Self::Ask(error) => error.fmt(f),
        }
    }
}

impl<E: fmt::Debug + fmt::Display> std::error::Error for RpcError<E> {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Declared { reply, .. } => Some(reply),
            Self::Misfit { error, .. } => Some(error),
            Self::Ask(error) => error.source(),
        }
    }
}

impl<E> From<AskError> for RpcError<E> {
    fn from(error: AskError) -> Self {
        Self::Ask(error)
    }
}

/// Converts a failure that was made with `?` from the contract's own error back to that error.
pub(crate) fn recognised<C: Rpc>(failure: Failure) -> Failure {
    let asked = || failure.cause::<RpcError<C::Error>>().and_then(RpcError::declared);
    match failure.cause::<C::Error>().or_else(asked) {
        Some(error) => contract::failure_of::<C>(error).marked_as(&failure),
        None => failure,
    }
}
