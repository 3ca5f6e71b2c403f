//! A message to publish, and its properties.

use std::fmt;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::field::{ShortString, Table, serial};
use crate::message::Masked;

/// The properties of an AMQP basic message. `None` is absent on the wire; a broker adds nothing.
///
/// Source: AMQP 0-9-1, class basic (<https://www.rabbitmq.com/resources/specs/amqp0-9-1.pdf>, section 1.8).
///
/// Its `Debug` output shows the properties that are present, and masks the values of secret headers as [`Headers`](crate::message::Headers)
/// do.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Properties {
    /// MIME type of the body.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content_type: Option<ShortString>,
    /// MIME encoding of the body.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content_encoding: Option<ShortString>,
    /// Application headers. An empty table is present; see [`headers`](Properties::headers) for reading.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub headers: Option<Table>,
    /// 1: transient; 2: persistent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delivery_mode: Option<u8>,
    /// 0 to 9 by the standard, up to 255 on RabbitMQ.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub priority: Option<u8>,
    /// The id of what the message belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub correlation_id: Option<ShortString>,
    /// The reply queue.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reply_to: Option<ShortString>,
    /// Time to live: milliseconds as decimal text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expiration: Option<ShortString>,
    /// The id of the message.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message_id: Option<ShortString>,
    /// Seconds since 1970-01-01 00:00 UTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timestamp: Option<u64>,
    /// The message's type (`type` on the wire).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<ShortString>,
    /// The publishing user; RabbitMQ compares it with the login.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_id: Option<ShortString>,
    /// The publishing application.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub app_id: Option<ShortString>,
    /// Deprecated, carried for completeness.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cluster_id: Option<ShortString>,
}

impl Properties {
    /// The delivery mode of a message that is lost when the broker restarts.
    pub const TRANSIENT: u8 = 1;
    /// The delivery mode of a message that survives a restart of the broker in a durable queue.
    pub const PERSISTENT: u8 = 2;

    /// Returns the headers; empty if there are none.
    pub fn headers(&self) -> &Table {
        static NONE: Table = Table::new();
        self.headers.as_ref().unwrap_or(&NONE)
    }
}

/// One message to publish, or as it was published. Clones share body and texts.
///
/// Its `Debug` output shows the size of the body, not the body.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Publication {
    /// The exchange that routes it; empty is the default exchange, which routes to the queue named by the routing key.
    pub exchange: ShortString,
    /// The routing key.
    pub routing_key: ShortString,
    /// Whether a message without a queue is returned as unroutable. Otherwise it is dropped.
    pub mandatory: bool,
    /// Properties and headers.
    pub properties: Properties,
    /// The body.
    #[serde(with = "serial")]
    pub body: Bytes,
}

impl Publication {
    /// Creates a mandatory message without properties.
    pub fn new(
        exchange: impl Into<ShortString>,
        routing_key: impl Into<ShortString>,
        body: impl Into<Bytes>,
    ) -> Self {
        Self {
            exchange: exchange.into(),
            routing_key: routing_key.into(),
            mandatory: true,
            properties: Properties::default(),
            body: body.into(),
        }
    }
}

impl fmt::Debug for Properties {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("Properties");
        let mut show = |name, value: Option<&dyn fmt::Debug>| {
            if let Some(value) = value {
                shown.field(name, value);
            }
        };
        show("content_type", of(&self.content_type));
        show("content_encoding", of(&self.content_encoding));
        show("headers", of(&self.headers.as_ref().map(Masked)));
        show("delivery_mode", of(&self.delivery_mode));
        show("priority", of(&self.priority));
        show("correlation_id", of(&self.correlation_id));
        show("reply_to", of(&self.reply_to));
        show("expiration", of(&self.expiration));
        show("message_id", of(&self.message_id));
        show("timestamp", of(&self.timestamp));
        show("kind", of(&self.kind));
        show("user_id", of(&self.user_id));
        show("app_id", of(&self.app_id));
        show("cluster_id", of(&self.cluster_id));
        shown.finish()
    }
}

fn of(value: &Option<impl fmt::Debug>) -> Option<&dyn fmt::Debug> {
    value.as_ref().map(|value| value as &dyn fmt::Debug)
}

impl fmt::Debug for Publication {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Publication")
            .field("exchange", &self.exchange)
            .field("routing_key", &self.routing_key)
            .field("mandatory", &self.mandatory)
            .field("properties", &self.properties)
            .field("body", &format_args!("{} bytes", self.body.len()))
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::field::{Decimal, Value};

    #[test]
    fn debug_shows_sizes_and_masks() {
        let name = ShortString::from_static;
        let mut message = Publication::new(name("ex"), name("key"), "4711-0815");
        message.properties.headers =
            Some(Table::new().with(name("Authorization"), "Bearer abc").with(name("x-trace"), "t-1"));
        message.properties.priority = Some(3);
        let expected = r#"Publication { exchange: "ex", routing_key: "key", mandatory: true, properties: Properties { headers: {"Authorization": "<masked>", "x-trace": "t-1"}, priority: 3 }, body: 9 bytes }"#;
        assert_eq!(format!("{message:?}"), expected);
    }

    #[test]
    fn a_message_is_what_it_was_when_it_is_read_back() {
        let name = ShortString::from_static;
        let headers = Table::new()
            .with(name("z"), vec![Value::Void, Value::I8(-1), Value::U32(7), Value::Timestamp(3)])
            .with(name("a"), Value::Decimal(Decimal { scale: 2, value: 314 }))
            .with(name("text"), "déjà")
            .with(name("bytes"), Value::Bytes(b"\x00\xff".into()))
            .with(name("inner"), Table::new().with(name("x"), 1.5));
        let publication = Publication {
            properties: Properties { headers: Some(headers), priority: Some(0), ..Properties::default() },
            ..Publication::new(name("x"), name("k"), Bytes::from_static(b"\xff"))
        };
        let written = serde_json::to_string(&publication).unwrap();
        let read: Publication = serde_json::from_str(&written).unwrap();
        assert_eq!(read, publication, "{written}");
        let order: Vec<_> = read.properties.headers().iter().map(|(name, _)| name.to_string()).collect();
        assert_eq!(order, ["z", "a", "text", "bytes", "inner"]);
    }

    #[test]
    fn text_is_written_as_text_and_absent_properties_not_at_all() {
        let publication = Publication::new(ShortString::default(), ShortString::from_static("q"), "hello");
        let written = serde_json::to_string(&publication).unwrap();
        assert_eq!(
            written,
            r#"{"exchange":"","routing_key":"q","mandatory":true,"properties":{},"body":"hello"}"#
        );
    }

    #[test]
    fn a_name_that_is_too_long_and_odd_hex_digits_are_refused() {
        let long = format!("\"{}\"", "x".repeat(256));
        assert!(serde_json::from_str::<ShortString>(&long).is_err());
        let error = serde_json::from_str::<Value>(r#"{"Bytes": {"hex": "0"}}"#).unwrap_err();
        assert!(error.to_string().contains("'0' is not written in hex digits"), "{error}");
    }
}
