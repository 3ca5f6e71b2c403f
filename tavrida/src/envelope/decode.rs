//! Decodes a [`Publication`] into a [`Message`].

use smol_str::SmolStr;

use super::body::Body;
use super::error::Shown;
use super::{DecodeError, UndecodableError, names};
use crate::entry_point::EntryPoint;
use crate::field::{ShortString, Table, Value};
use crate::message::{Addresses, CorrelationId, Headers, Message, MessageKind, Parts, Payload, Request};
use crate::transport::{Publication, UNREADABLE, is_reply_queue};

/// Decodes a message.
///
/// The checks come in the order of [`DecodeError`]'s variants, which is the original's. What the original accepts is accepted:
///
/// - any exchange and routing key, properties or none, headers in any order;
/// - a correlation id of any AMQP type, void (`V`) for empty text;
/// - further members of the body, `NaN` and `Infinity` (read as `null`), a context that is `null` (read as `{}`), duplicate names (the last
///   counts), any depth of nesting.
///
/// An empty message id stays empty: the receiver assigns one.
///
/// All other headers are custom headers, with two exceptions: those that copies of a message collect on their way, RabbitMQ's (`x-death`,
/// `x-first-death-*`, `x-last-death-*`, `x-delivery-count`, `CC`, `BCC`) and this library's (`x-tavrida-*`; `x-tavrida-deadline` says
/// until when an asker waits); and those that this library only echoes from a request to its answer (`tavrida-*`).
///
/// # Errors
///
/// [`UndecodableError`], with the reason, and with the call if the message is one whose caller waits for an answer.
pub fn decode(publication: &Publication) -> Result<Message, UndecodableError> {
    let wire = WireHeaders::of(publication);
    wire.message().map_err(|error| UndecodableError { asker: wire.asker(), error })
}

/// A message's headers, located but not checked.
struct WireHeaders<'a> {
    publication: &'a Publication,
    message_type: Option<&'a Value>,
    correlation_id: Option<&'a Value>,
    request_id: Option<&'a Value>,
    message_id: Option<&'a Value>,
    source: Option<&'a Value>,
    destination: Option<&'a Value>,
    reply_to: Option<&'a Value>,
    deadline: Option<&'a Value>,
    /// What the transport could not read.
    unreadable: Option<&'a Value>,
    customs: usize,
}

impl<'a> WireHeaders<'a> {
    fn of(publication: &'a Publication) -> Self {
        let mut wire = Self {
            publication,
            message_type: None,
            correlation_id: None,
            request_id: None,
            message_id: None,
            source: None,
            destination: None,
            reply_to: None,
            deadline: None,
            unreadable: None,
            customs: 0,
        };
        for (name, value) in publication.properties.headers().iter() {
            match wire.place(name) {
                Some(place) => *place = Some(value),
                None => wire.customs += usize::from(names::is_senders(name)),
            }
        }
        wire
    }

    /// Returns the field of one of the headers that are not custom.
    fn place(&mut self, name: &str) -> Option<&mut Option<&'a Value>> {
        match name {
            names::MESSAGE_TYPE => Some(&mut self.message_type),
            names::CORRELATION_ID => Some(&mut self.correlation_id),
            names::REQUEST_ID => Some(&mut self.request_id),
            names::MESSAGE_ID => Some(&mut self.message_id),
            names::SOURCE => Some(&mut self.source),
            names::DESTINATION => Some(&mut self.destination),
            names::REPLY_TO => Some(&mut self.reply_to),
            names::DEADLINE => Some(&mut self.deadline),
            name if name == UNREADABLE.as_str() => Some(&mut self.unreadable),
            _ => None,
        }
    }

    fn message(&self) -> Result<Message, DecodeError> {
        if let Some(reason) = self.unreadable {
            return Err(DecodeError::Unreadable { reason: Shown::value(reason) });
        }
        if self.publication.properties.headers.is_none() {
            return Err(DecodeError::NoHeaders);
        }
        let correlation_id = required(names::CORRELATION_ID, self.correlation_id)?;
        let message_id = required(names::MESSAGE_ID, self.message_id)?;
        let request_id = required(names::REQUEST_ID, self.request_id)?;
        let kind = required(names::MESSAGE_TYPE, self.message_type)?;
        let source = required(names::SOURCE, self.source)?;
        let destination = required(names::DESTINATION, self.destination)?;
        let reply_to = required(names::REPLY_TO, self.reply_to)?;
        let kind = kind_of(kind)?;
        if is_empty(source) {
            return Err(DecodeError::EmptySource);
        }
        let reply_queue = match kind {
            MessageKind::Request => self.reply_queue()?,
            _ => None,
        };
        let body = Body::read(&self.publication.body)?;
        let addresses = Addresses {
            source: address(names::SOURCE, source)?,
            destination: address(names::DESTINATION, destination)?,
            reply_to: address(names::REPLY_TO, reply_to)?,
            reply_queue,
        };
        // A service of the original passes on all headers that it was sent: only where an asker waits the time is this request's.
        let deadline = self.deadline.filter(|_| addresses.reply_queue.is_some());
        Ok(Parts {
            kind,
            correlation_id: CorrelationId::from(correlation_id.clone()),
            request_id: text(names::REQUEST_ID, request_id)?,
            message_id: text(names::MESSAGE_ID, message_id)?,
            addresses,
            deadline: deadline.and_then(Value::as_i64).and_then(|deadline| u64::try_from(deadline).ok()),
            headers: self.custom_headers(),
            context: body.context.into(),
            payload: body.payload.into(),
        }
        .into())
    }

    /// Returns the call that this message is, if its type, its destination and its reply address say so, with whatever else can be read.
    fn asker(&self) -> Option<Request> {
        let kind = kind_of(self.message_type?).ok()?;
        let addresses = Addresses {
            source: readable_address(self.source),
            destination: readable_address(self.destination),
            reply_to: readable_address(self.reply_to),
            reply_queue: self.reply_queue().unwrap_or_default(),
        };
        let answerable = !addresses.reply_to.is_none() || addresses.reply_queue.is_some();
        if kind != MessageKind::Request || addresses.destination.is_none() || !answerable {
            return None;
        }
        let correlation_id = self.correlation_id.cloned().unwrap_or_else(|| Value::from_static(""));
        let asked = Parts {
            kind,
            correlation_id: CorrelationId::from(correlation_id),
            addresses,
            deadline: None,
            request_id: readable_text(self.request_id),
            message_id: readable_text(self.message_id),
            headers: self.custom_headers(),
            context: Body::read(&self.publication.body).map(|body| body.context).unwrap_or_default().into(),
            payload: Payload::EMPTY,
        };
        Some(Request(asked.into()))
    }

    fn reply_queue(&self) -> Result<Option<ShortString>, DecodeError> {
        match &self.publication.properties.reply_to {
            Some(queue) if queue.is_empty() => Ok(None),
            Some(queue) if is_reply_queue(queue) => Ok(Some(queue.clone())),
            Some(queue) => Err(DecodeError::NoReplyQueue { found: Shown::name(queue) }),
            None => Ok(None),
        }
    }

    fn custom_headers(&self) -> Headers {
        let (mut customs, mut echoed) = (Table::with_capacity(self.customs), Table::new());
        if self.customs > 0 {
            for (name, value) in self.publication.properties.headers().iter() {
                if names::is_custom(name) {
                    customs.push_new(name.clone(), value.clone());
                } else if names::is_echoed(name) {
                    echoed.push_new(name.clone(), value.clone());
                }
            }
        }
        Headers::from_wire(customs, echoed)
    }
}

fn required<'a>(header: &'static str, value: Option<&'a Value>) -> Result<&'a Value, DecodeError> {
    value.ok_or(DecodeError::MissingHeader { header })
}

fn kind_of(value: &Value) -> Result<MessageKind, DecodeError> {
    MessageKind::ALL
        .into_iter()
        .find(|kind| matches!(value, Value::LongString(word) if *word == *kind.as_str()))
        .ok_or_else(|| DecodeError::UnknownMessageType { found: Shown::value(value) })
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Void => true,
        Value::LongString(bytes) => bytes.is_empty(),
        _ => false,
    }
}

/// Returns the text of a header, which shares the header's bytes if it is long; void is empty.
fn text(header: &'static str, value: &Value) -> Result<SmolStr, DecodeError> {
    match value {
        Value::Void => Ok(SmolStr::default()),
        Value::LongString(octets) => {
            octets.to_text().ok_or_else(|| DecodeError::HeaderNotUtf8 { header, found: Shown::value(value) })
        }
        other => Err(DecodeError::HeaderNotText {
            header,
            letter: other.type_letter(),
            found: Shown::value(other),
        }),
    }
}

fn address(header: &'static str, value: &Value) -> Result<EntryPoint, DecodeError> {
    EntryPoint::parse(text(header, value)?).map_err(|flaw| DecodeError::BadAddress { header, flaw })
}

fn readable_text(value: Option<&Value>) -> SmolStr {
    value.and_then(|value| text("", value).ok()).unwrap_or_default()
}

fn readable_address(value: Option<&Value>) -> EntryPoint {
    value.and_then(|value| address("", value).ok()).unwrap_or_default()
}
