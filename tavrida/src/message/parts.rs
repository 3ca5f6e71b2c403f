//! [`Message`]: the common part of all four kinds.

use std::fmt;
use std::sync::Arc;

use smol_str::SmolStr;

use super::{Context, CorrelationId, Headers, Payload};
use crate::entry_point::EntryPoint;
use crate::field::ShortString;

/// The kind of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MessageKind {
    /// A call or a cast.
    Request,
    /// The answer to a call.
    Response,
    /// The error that answers a call.
    Error,
    /// An event that a service publishes to its subscribers.
    Notification,
}

impl MessageKind {
    /// All four kinds.
    pub const ALL: [Self; 4] = [Self::Request, Self::Response, Self::Error, Self::Notification];

    /// Returns the word on the wire.
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

/// A message of any kind: for middleware, and as the base of [`Request`](super::Request), [`Response`](super::Response), [`ErrorReply`](super::ErrorReply)
/// and [`Notification`](super::Notification).
///
/// The properties are read-only; custom headers can be added, and the payload replaced. Clones share everything until one of them is
/// changed; the [context](Context) stays shared even then.
#[derive(Clone, PartialEq)]
pub struct Message(Arc<Parts>);

/// The parts of a message. Behind one `Arc`, because messages are moved often.
#[derive(Clone, PartialEq)]
pub(crate) struct Parts {
    pub(crate) kind: MessageKind,
    pub(crate) correlation_id: CorrelationId,
    /// Empty until the message is sent.
    pub(crate) request_id: SmolStr,
    /// Empty until the message is sent.
    pub(crate) message_id: SmolStr,
    pub(crate) addresses: Addresses,
    /// Until when the asker of a request waits, in milliseconds since 1970-01-01 00:00 UTC.
    pub(crate) deadline: Option<u64>,
    pub(crate) headers: Headers,
    pub(crate) context: Context,
    pub(crate) payload: Payload,
}

/// The source, the destination and the reply address.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Addresses {
    pub(crate) source: EntryPoint,
    pub(crate) destination: EntryPoint,
    pub(crate) reply_to: EntryPoint,
    /// AMQP's own `reply_to`: for an ask the queue that waits for the answer, for a reply the queue that it goes to.
    pub(crate) reply_queue: Option<ShortString>,
}

impl From<Parts> for Message {
    fn from(parts: Parts) -> Self {
        Self(Arc::new(parts))
    }
}

impl Message {
    /// Returns parts without ids, headers, context and payload.
    #[cfg(test)]
    pub(crate) fn new(kind: MessageKind, correlation_id: CorrelationId, addresses: Addresses) -> Self {
        Parts {
            kind,
            correlation_id,
            request_id: SmolStr::new_static(""),
            message_id: SmolStr::new_static(""),
            addresses,
            deadline: None,
            headers: Headers::new(),
            context: Context::default(),
            payload: Payload::EMPTY,
        }
        .into()
    }

    pub(crate) fn parts(&self) -> &Parts {
        &self.0
    }

    /// Returns the parts for changes; other owners keep the old ones.
    pub(crate) fn parts_mut(&mut self) -> &mut Parts {
        Arc::make_mut(&mut self.0)
    }

    /// Returns the kind.
    pub fn kind(&self) -> MessageKind {
        self.0.kind
    }

    /// Returns the id of the chain of calls.
    pub fn correlation_id(&self) -> &CorrelationId {
        &self.0.correlation_id
    }

    /// Returns the id that a request and its answer share.
    pub fn request_id(&self) -> &str {
        &self.0.request_id
    }

    /// Returns the id of this message.
    pub fn message_id(&self) -> &str {
        &self.0.message_id
    }

    /// Returns the sender: a handler's entry point, or a client's name.
    pub fn source(&self) -> &EntryPoint {
        &self.0.addresses.source
    }

    /// Returns the receiver; none for a notification.
    pub fn destination(&self) -> &EntryPoint {
        &self.0.addresses.destination
    }

    /// Returns the reply address; none if no answer is expected.
    pub fn reply_to(&self) -> &EntryPoint {
        &self.0.addresses.reply_to
    }

    /// Returns the custom headers.
    pub fn headers(&self) -> &Headers {
        &self.0.headers
    }

    /// Returns the custom headers, to add to them.
    pub fn headers_mut(&mut self) -> &mut Headers {
        &mut self.parts_mut().headers
    }

    /// Returns the context of the chain. Inside a handler this message's payload is part of it.
    pub fn context(&self) -> &Context {
        &self.0.context
    }

    /// Returns the payload.
    pub fn payload(&self) -> &Payload {
        &self.0.payload
    }

    /// Replaces the payload.
    pub fn set_payload(&mut self, payload: Payload) {
        self.parts_mut().payload = payload;
    }

    /// Returns whether the sender waits for an answer: a request with a reply address.
    pub fn is_call(&self) -> bool {
        self.0.kind == MessageKind::Request
            && (!self.reply_to().is_none() || self.0.addresses.reply_queue.is_some())
    }

    /// Whether it is the copy of an answer that a binding `service.#` makes: its asker gets it by another way.
    pub(crate) fn is_copy_of_an_answer(&self) -> bool {
        matches!(self.0.kind, MessageKind::Response | MessageKind::Error) && self.destination().is_reserved()
    }

    /// Whether a request is answered in any case, with nothing where its method returns nothing: an asker waits, or the answer
    /// brings a reply back that its caller owes.
    pub(crate) fn must_be_answered(&self) -> bool {
        let Parts { kind, addresses, headers, .. } = &*self.0;
        *kind == MessageKind::Request && (addresses.reply_queue.is_some() || headers.later().is_some())
    }

    /// Returns the queue that this reply goes to directly, if it answers an ask with a reply queue.
    pub(crate) fn reply_queue_of_reply(&self) -> Option<&ShortString> {
        match self.0.kind {
            MessageKind::Response | MessageKind::Error => self.0.addresses.reply_queue.as_ref(),
            _ => None,
        }
    }

    /// Returns the entry point that handles this message: the destination of a request, the source of all others.
    pub fn topic(&self) -> &EntryPoint {
        match self.0.kind {
            MessageKind::Request => self.destination(),
            _ => self.source(),
        }
    }
}

impl fmt::Display for Message {
    /// Writes one line for people: kind, source, destination. No payload.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.0.kind, self.source())?;
        match self.destination() {
            none if none.is_none() => Ok(()),
            destination => write!(f, " -> {destination}"),
        }
    }
}

/// Shows the sizes of payload and context, and masks the values of secret headers.
impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Parts {
            kind,
            correlation_id,
            request_id,
            message_id,
            addresses,
            deadline,
            headers,
            context,
            payload,
        } = &*self.0;
        f.debug_struct("Message")
            .field("kind", kind)
            .field("correlation_id", correlation_id)
            .field("request_id", request_id)
            .field("message_id", message_id)
            .field("addresses", addresses)
            .field("deadline", deadline)
            .field("headers", headers)
            .field("context", &format_args!("{} bytes", context.object().as_str().len()))
            .field("payload", &format_args!("{} bytes", payload.as_str().len()))
            .finish()
    }
}
