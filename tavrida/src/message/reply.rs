//! [`Reply`]: what a handler gave, before it is a message on its way.

use super::{ErrorReply, Payload, Response};

/// What a handler, or a middleware in its place, answers with.
///
/// Only a call is answered: what a handler of a cast, a response, an error or a notification gives is dropped.
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub enum Reply {
    /// Nothing: a call gets no answer now (an ask gets an empty one, for somebody waits).
    #[default]
    Nothing,
    /// A response with this payload.
    Payload(Payload),
    /// A response that was made by hand, headers and context included.
    Response(Response),
    /// An error that was made by hand.
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
