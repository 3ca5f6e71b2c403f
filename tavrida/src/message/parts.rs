//! [`Message`]: what all four kinds have in common.

use std::fmt;
use std::sync::Arc;

use smol_str::SmolStr;

use super::{Context, CorrelationId, ErrorReply, Headers, Notification, Payload, Request, Response};
use crate::entry_point::EntryPoint;
use crate::field::ShortString;

/// Which of the four messages it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MessageKind {
    /// A call or a cast.
    Request,
    /// The answer to a call.
    Response,
    /// The error that answers a call.
    Error,
    /// What a service tells whoever subscribed.
    Notification,
}

impl MessageKind {
    /// All four.
    pub const ALL: [Self; 4] = [Self::Request, Self::Response, Self::Error, Self::Notification];

    /// The word on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Request => "request",
            Self::Response => "response",
            Self::Error => "error",
            Self::Notification => "notification",
        }
    }
}

impl fmt::Display for MessageKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A message of any kind: what middleware sees, and what a [`Request`], [`Response`], [`ErrorReply`] or
/// [`Notification`] is underneath.
///
/// The properties are read-only; custom headers can be added, and the payload replaced. A clone shares everything until one of
/// the two is changed; the [context](Context) stays shared then too.
#[derive(Clone, PartialEq)]
pub struct Message(Arc<Parts>);

/// What a message is made of: in one place, since a message is handed on many times before it is done.
#[derive(Clone, PartialEq)]
pub(crate) struct Parts {
    pub(crate) kind: MessageKind,
    pub(crate) correlation_id: CorrelationId,
    /// Empty until the message goes out.
    pub(crate) request_id: SmolStr,
    /// Empty until the message goes out.
    pub(crate) message_id: SmolStr,
    pub(crate) addresses: Addresses,
    pub(crate) headers: Headers,
    pub(crate) context: Context,
    pub(crate) payload: Payload,
}

/// From where to where, and where the answer goes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Addresses {
    pub(crate) source: EntryPoint,
    pub(crate) destination: EntryPoint,
    pub(crate) reply_to: EntryPoint,
    /// AMQP's own `reply_to`: the queue that waits for the answer (of an ask), or takes it (of a reply).
    pub(crate) reply_queue: Option<ShortString>,
}

impl From<Parts> for Message {
    fn from(parts: Parts) -> Self {
        Self(Arc::new(parts))
    }
}

impl Message {
    /// One without ids, headers, context and payload.
    #[cfg(test)]
    pub(crate) fn new(kind: MessageKind, correlation_id: CorrelationId, addresses: Addresses) -> Self {
        Parts {
            kind,
            correlation_id,
            request_id: SmolStr::new_static(""),
            message_id: SmolStr::new_static(""),
            addresses,
            headers: Headers::new(),
            context: Context::default(),
            payload: Payload::EMPTY,
        }
        .into()
    }

    pub(crate) fn parts(&self) -> &Parts {
        &self.0
    }

    /// The parts, to change them; whoever shares them keeps them as they are.
    pub(crate) fn parts_mut(&mut self) -> &mut Parts {
        Arc::make_mut(&mut self.0)
    }

    /// Which of the four it is.
    pub fn kind(&self) -> MessageKind {
        self.0.kind
    }

    /// The id of the chain of calls.
    pub fn correlation_id(&self) -> &CorrelationId {
        &self.0.correlation_id
    }

    /// The id that a request and its answer share.
    pub fn request_id(&self) -> &str {
        &self.0.request_id
    }

    /// The id of this message alone.
    pub fn message_id(&self) -> &str {
        &self.0.message_id
    }

    /// Who sent it: a handler's entry point, or a client's name.
    pub fn source(&self) -> &EntryPoint {
        &self.0.addresses.source
    }

    /// To whom: none for a notification.
    pub fn destination(&self) -> &EntryPoint {
        &self.0.addresses.destination
    }

    /// Where the answer goes: none when nobody waits for one.
    pub fn reply_to(&self) -> &EntryPoint {
        &self.0.addresses.reply_to
    }

    /// The custom headers.
    pub fn headers(&self) -> &Headers {
        &self.0.headers
    }

    /// The custom headers, to add to them.
    pub fn headers_mut(&mut self) -> &mut Headers {
        &mut self.parts_mut().headers
    }

    /// What the chain has gathered. Inside a handler this message's payload is part of it.
    pub fn context(&self) -> &Context {
        &self.0.context
    }

    /// What the message is about.
    pub fn payload(&self) -> &Payload {
        &self.0.payload
    }

    /// Replaces the payload.
    pub fn set_payload(&mut self, payload: Payload) {
        self.parts_mut().payload = payload;
    }

    /// Whether somebody waits for an answer: a request with a reply address.
    pub fn is_call(&self) -> bool {
        self.0.kind == MessageKind::Request
            && (!self.reply_to().is_none() || self.0.addresses.reply_queue.is_some())
    }

    /// Whether the asker wants an answer in any case: it waits for one.
    pub(crate) fn is_ask(&self) -> bool {
        self.0.kind == MessageKind::Request && self.0.addresses.reply_queue.is_some()
    }

    /// The queue that this reply goes to directly, where the asker has one.
    pub(crate) fn reply_queue_of_reply(&self) -> Option<&ShortString> {
        match self.0.kind {
            MessageKind::Response | MessageKind::Error => self.0.addresses.reply_queue.as_ref(),
            _ => None,
        }
    }

    /// The entry point that a handler is registered under for this message: the destination of a request, the source of
    /// all others.
    pub fn topic(&self) -> &EntryPoint {
        match self.0.kind {
            MessageKind::Request => self.destination(),
            _ => self.source(),
        }
    }

    /// As a request, or itself again.
    ///
    /// # Errors
    ///
    /// The message, when it is of another kind.
    pub fn into_request(self) -> Result<Request, Message> {
        if self.0.kind == MessageKind::Request { Ok(Request(self)) } else { Err(self) }
    }

    /// As a response, or itself again.
    ///
    /// # Errors
    ///
    /// The message, when it is of another kind.
    pub fn into_response(self) -> Result<Response, Message> {
        if self.0.kind == MessageKind::Response { Ok(Response(self)) } else { Err(self) }
    }

    /// As an error reply, or itself again.
    ///
    /// # Errors
    ///
    /// The message, when it is of another kind.
    pub fn into_error(self) -> Result<ErrorReply, Message> {
        if self.0.kind == MessageKind::Error { Ok(ErrorReply(self)) } else { Err(self) }
    }

    /// As a notification, or itself again.
    ///
    /// # Errors
    ///
    /// The message, when it is of another kind.
    pub fn into_notification(self) -> Result<Notification, Message> {
        if self.0.kind == MessageKind::Notification { Ok(Notification(self)) } else { Err(self) }
    }
}

impl fmt::Display for Message {
    /// One line for people: kind, from, to. No payload.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.0.kind, self.source())?;
        match self.destination() {
            none if none.is_none() => Ok(()),
            destination => write!(f, " -> {destination}"),
        }
    }
}

impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Parts { kind, correlation_id, request_id, message_id, addresses, headers, context, payload } =
            &*self.0;
        f.debug_struct("Message")
            .field("kind", kind)
            .field("correlation_id", correlation_id)
            .field("request_id", request_id)
            .field("message_id", message_id)
            .field("addresses", addresses)
            .field("headers", headers)
            .field("context", context)
            .field("payload", payload)
            .finish()
    }
}
