//! [`CallError`]: an error reply as a contract sees it.

use super::{Rpc, Wire};
use crate::message::{ErrorReply, Failure};

/// The error that answers a call, as the caller's handler receives it: one that the contract declares, or any other.
#[derive(Debug, Clone, PartialEq)]
pub enum CallError<E> {
    /// An error that the contract declares.
    Declared(E),
    /// Any other error: a bug or an outage of the other service, a missing parameter, an unroutable request, ...
    Other(Failure),
}

impl<E> CallError<E> {
    /// Converts an error reply.
    pub fn of<C: Rpc<Error = E>>(reply: &ErrorReply) -> Self {
        declared::<C>(reply).map_or_else(|| Self::Other(reply.failure()), Self::Declared)
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
