//! [`TypedAsk`] and [`RpcError`]: asks whose answer is a type.

use std::fmt;
use std::future::IntoFuture;
use std::marker::PhantomData;
use std::ops::Deref;
use std::time::Duration;

use futures_util::future::BoxFuture;

use super::{Ask, AskError};
use crate::contract::{self, Rpc, Wire};
use crate::error::Error;
use crate::message::{CorrelationId, ErrorReply, Failure, Response};

/// A contract's request under way whose reply is awaited here: await it. See [`Ask`], which it is underneath.
///
/// # Cancel safety
///
/// As [`Ask`].
#[must_use = "an ask does nothing until it is awaited"]
pub struct TypedAsk<C> {
    ask: Ask,
    contract: PhantomData<fn() -> C>,
}

impl<C: Rpc> TypedAsk<C> {
    pub(crate) fn new(ask: Ask) -> Self {
        Self { ask, contract: PhantomData }
    }

    /// Waits at most so long, sending included. The default is 30 s.
    pub fn timeout(self, timeout: Duration) -> Self {
        Self::new(self.ask.timeout(timeout))
    }

    /// Spares the broker from writing the request to disk, at a price: see [`Ask::transient`].
    pub fn transient(self) -> Self {
        Self::new(self.ask.transient())
    }
}

impl<C: Rpc> TypedAsk<C> {
    /// Awaits the reply with the message that it came in.
    ///
    /// # Errors
    ///
    /// As awaiting the ask itself.
    ///
    /// # Cancel safety
    ///
    /// As of [`Ask`].
    pub async fn in_full(self) -> Result<Answer<C::Reply>, RpcError<C::Error>> {
        match self.ask.await {
            Ok(response) => match C::Reply::from_payload(response.payload()) {
                Ok(reply) => Ok(Answer { reply, response }),
                Err(error) => Err(RpcError::Misfit { response, error }),
            },
            Err(AskError::Failed(reply)) => match contract::declared::<C>(&reply) {
                Some(error) => Err(RpcError::Declared { error, reply }),
                None => Err(AskError::Failed(reply).into()),
            },
            Err(error) => Err(error.into()),
        }
    }
}

impl<C: Rpc> IntoFuture for TypedAsk<C> {
    type Output = Result<C::Reply, RpcError<C::Error>>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async { Ok(self.in_full().await?.reply) })
    }
}

/// A reply, and the message that it came in. It is used as the reply.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Answer<R> {
    /// The reply.
    pub reply: R,
    /// The message, with its context and headers.
    pub response: Response,
}

impl<R> Answer<R> {
    /// The id of the chain of calls that gave the answer.
    pub fn chain(&self) -> &CorrelationId {
        self.response.correlation_id()
    }
}

impl<R> Deref for Answer<R> {
    type Target = R;

    fn deref(&self) -> &R {
        &self.reply
    }
}

/// Why an ask for a contract's reply has none.
///
/// With `?` in a handler it travels on: an error of the other service as what it was there, and where the handler's own contract
/// declares the same error type, as its own declared error.
#[derive(Debug)]
pub enum RpcError<E> {
    /// The other service answered with the error that the contract declares.
    Declared {
        /// That error.
        error: E,
        /// The message that it came in.
        reply: ErrorReply,
    },
    /// The other service answered, but not with the contract's reply.
    Misfit {
        /// What it answered.
        response: Response,
        /// Where it does not fit.
        error: Error,
    },
    /// Another error of the other service, or no answer at all.
    Ask(AskError),
}

impl<E> RpcError<E> {
    /// The error that the contract declares, where it is that.
    pub fn declared(&self) -> Option<&E> {
        match self {
            Self::Declared { error, .. } => Some(error),
            _ => None,
        }
    }

    /// The error that the contract declares, or itself again.
    ///
    /// # Errors
    ///
    /// Itself, when it is something else.
    pub fn into_declared(self) -> Result<E, Self> {
        match self {
            Self::Declared { error, .. } => Ok(error),
            other => Err(other),
        }
    }

    /// The other service's error, where it answered with one, declared or not.
    pub fn failed(&self) -> Option<&ErrorReply> {
        match self {
            Self::Declared { reply, .. } => Some(reply),
            Self::Misfit { .. } => None,
            Self::Ask(error) => error.failed(),
        }
    }

    /// Whether no answer came in time.
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

/// A failure that was made with `?` of the contract's own error is that error.
pub(crate) fn recognised<C: Rpc>(failure: Failure) -> Failure {
    let asked = || failure.cause::<RpcError<C::Error>>().and_then(RpcError::declared);
    match failure.cause::<C::Error>().or_else(asked) {
        Some(error) => contract::failure_of::<C>(error).retryable_as(&failure),
        None => failure,
    }
}
