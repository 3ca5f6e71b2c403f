//! [`Reply`]: the result of a handler, before it becomes a message.

use super::{ErrorReply, Payload, Response};

/// The answer of a handler, or of a middleware instead of it.
///
/// Only calls are answered: the reply of a handler of a cast, a response, an error or a notification is dropped.
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub enum Reply {
    /// Nothing: a call gets no answer now (an ask gets an empty one, because it waits).
    #[default]
    Nothing,
    /// A response with this payload.
    Payload(Payload),
    /// A response built by hand, with its headers and context.
    Response(Response),
    /// An error built by hand.
    Error(ErrorReply),
}

impl From<Response> for Reply {
    fn from(response: Response) -> Self {
        Self::Response(response)
    }
}

impl From<ErrorReply> for Reply {
    fn from(error: ErrorReply) -> Self {
        Self::Error(error)
    }
}

impl From<Payload> for Reply {
    fn from(payload: Payload) -> Self {
        Self::Payload(payload)
    }
}
