//! [`CallError`]: an error reply as a contract sees it.

use std::fmt;

use super::{Rpc, Wire};
use crate::message::{ErrorReply, Failure};

/// The error that answers a call of the contract `C`, as the caller's handler receives it: one that the contract declares, or any other.
pub enum CallError<C: Rpc> {
    /// An error that the contract declares.
    Declared(C::Error),
    /// Any other error: a bug or an outage of the other service, a missing parameter, an unroutable request, ...
    Other(Failure),
}

impl<C: Rpc> CallError<C> {
    /// Converts an error reply.
    pub fn of(reply: &ErrorReply) -> Self {
        declared::<C>(reply).map_or_else(|| Self::Other(reply.failure()), Self::Declared)
    }
}

// The derives would require the same of `C`.

impl<C: Rpc> fmt::Debug for CallError<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Declared(error) => f.debug_tuple("Declared").field(error).finish(),
            Self::Other(failure) => f.debug_tuple("Other").field(failure).finish(),
        }
    }
}

/// The text of the declared error, or the class, code and message of the other.
impl<C: Rpc> fmt::Display for CallError<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Declared(error) => error.fmt(f),
            Self::Other(failure) => failure.fmt(f),
        }
    }
}

impl<C: Rpc<Error: Clone>> Clone for CallError<C> {
    fn clone(&self) -> Self {
        match self {
            Self::Declared(error) => Self::Declared(error.clone()),
            Self::Other(failure) => Self::Other(failure.clone()),
        }
    }
}

impl<C: Rpc<Error: PartialEq>> PartialEq for CallError<C> {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Declared(a), Self::Declared(b)) => a == b,
            (Self::Other(a), Self::Other(b)) => a == b,
            _ => false,
        }
    }
}

/// Converts a contract's error to a failure: class, message, code, and the error itself as the detail.
pub fn failure_of<C: Rpc>(error: &C::Error) -> Failure {
    let failure = Failure::new(C::error_class(), error.to_string()).with_code(C::error_code(error));
    match error.to_json() {
        Ok(body) => failure.with_detail_json(&body),
        Err(error) => error.into(),
    }
}

/// Returns the contract's error if the error reply has its class and a detail that can be parsed.
pub fn declared<C: Rpc>(reply: &ErrorReply) -> Option<C::Error> {
    if reply.class() != C::error_class() {
        return None;
    }
    let members = reply.payload().members();
    C::Error::from_json(members.raw("detail")?).ok()
}
