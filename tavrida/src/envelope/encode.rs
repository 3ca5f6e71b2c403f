//! Encodes a [`Message`] as a [`Publication`].

use super::body::Body;
use super::names;
use crate::field::{ShortString, Table, Value};
use crate::message::{Message, MessageKind, Parts};
use crate::transport::{Properties, Publication};

/// Encodes a message for an exchange; the routing key is the destination, or the source of a notification.
///
/// All seven headers are present, as text, empty for "none" (a correlation id keeps its type); the custom ones follow. These AMQP
/// properties are set: `content_type` (JSON), `delivery_mode` (persistent), `type` (the header `message_type`), `correlation_id` and
/// `message_id` if they are text of 1 to 255 bytes, and `reply_to` of a request with a reply queue. The caller may add others, such as an
/// `expiration`, and may change these.
///
/// The publication is mandatory, also for notifications: whether there is a subscriber is worth knowing.
pub fn encode(message: &Message, exchange: ShortString) -> Publication {
    let routing_key = match message.kind() {
        MessageKind::Notification => message.source().routing_key(),
        _ => message.destination().routing_key(),
    };
    Publication {
        exchange,
        routing_key,
        mandatory: true,
        properties: properties(message),
        body: Body::write(message.payload().object(), &message.context().object()),
    }
}

/// Encodes a message for one queue, through the default exchange: the answer to a request whose AMQP property `reply_to` names that queue.
///
/// It is mandatory, except for a queue of RabbitMQ's direct reply-to, which returns even delivered messages.
pub fn encode_to_queue(message: &Message, queue: ShortString) -> Publication {
    Publication {
        mandatory: !queue.starts_with(DIRECT_REPLY_TO),
        routing_key: queue,
        ..encode(message, ShortString::default())
    }
}

/// The prefix of the pseudo-queues of direct reply-to (<https://www.rabbitmq.com/docs/direct-reply-to>).
const DIRECT_REPLY_TO: &str = "amq.rabbitmq.reply-to.";

const JSON: ShortString = ShortString::from_static("application/json");

fn properties(message: &Message) -> Properties {
    Properties {
        content_type: Some(JSON),
        headers: Some(headers(message)),
        delivery_mode: Some(Properties::PERSISTENT),
        correlation_id: message.correlation_id().as_property(),
        reply_to: match message.kind() {
            MessageKind::Request => message.parts().addresses.reply_queue.clone(),
            _ => None,
        },
        message_id: ShortString::try_from(message.parts().message_id.clone())
            .ok()
            .filter(|id| !id.is_empty()),
        kind: Some(ShortString::from_static(message.kind().as_str())),
        ..Properties::default()
    }
}

/// Returns the headers. The texts are shared with the message: nothing is copied.
fn headers(message: &Message) -> Table {
    let Parts { kind, correlation_id, request_id, message_id, addresses, deadline, headers, .. } =
        message.parts();
    let mut table =
        Table::with_capacity(names::RESERVED.len() + usize::from(deadline.is_some()) + headers.wire_len());
    let mut put = |name, value| table.push_new(ShortString::from_static(name), value);
    put(names::MESSAGE_TYPE, Value::from_static(kind.as_str()));
    put(names::CORRELATION_ID, correlation_id.as_value().clone());
    put(names::REQUEST_ID, request_id.clone().into());
    put(names::MESSAGE_ID, message_id.clone().into());
    put(names::SOURCE, addresses.source.routing_key().into());
    put(names::DESTINATION, addresses.destination.routing_key().into());
    put(names::REPLY_TO, addresses.reply_to.routing_key().into());
    if let Some(deadline) = deadline.and_then(|deadline| i64::try_from(deadline).ok()) {
        table.push_new(ShortString::from_static(names::DEADLINE), Value::I64(deadline));
    }
    for (name, value) in headers.wire() {
        table.push_new(name.clone(), value.clone());
    }
    table
}
