//! A peer without this library: lapin alone, with frames like the original's.

use futures_util::StreamExt;
use lapin::options::{
    BasicConsumeOptions, BasicPublishOptions, ExchangeDeclareOptions, QueueBindOptions, QueueDeclareOptions,
};
use lapin::types::{AMQPValue, FieldTable};
use lapin::{BasicProperties, Channel, Connection, ConnectionProperties, Consumer, ExchangeKind};
use serde_json::Value as Json;
use tavrida::field::{ShortString, Table, Value};
use tavrida::transport::{Properties, Publication};
use tavrida_rabbitmq::VirtualHost;

use super::capture::Row;
use crate::support::{name, soon};

/// A connection like the original's, and what its tap receives.
pub(super) struct Peer {
    channel: Channel,
    tap: Consumer,
    _connection: Connection,
}

/// A message as it was on the wire.
#[derive(Debug, Clone)]
pub(super) struct Seen {
    pub(super) exchange: String,
    pub(super) key: String,
    pub(super) headers: Table,
    pub(super) body: Json,
    pub(super) properties: BasicProperties,
}

impl Peer {
    pub(super) async fn connect(vhost: &VirtualHost) -> Self {
        let connection = Connection::connect(&vhost.uri(), ConnectionProperties::default()).await.unwrap();
        let channel = connection.create_channel().await.unwrap();
        let exclusive = QueueDeclareOptions { exclusive: true, ..QueueDeclareOptions::default() };
        channel.queue_declare("tap".into(), exclusive, FieldTable::default()).await.unwrap();
        let options = BasicConsumeOptions { no_ack: true, ..BasicConsumeOptions::default() };
        let tap =
            channel.basic_consume("tap".into(), "".into(), options, FieldTable::default()).await.unwrap();
        Self { channel, tap, _connection: connection }
    }

    /// Declares an exchange as the original does.
    pub(super) async fn exchange(&self, exchange: &str) -> lapin::Result<()> {
        let durable = ExchangeDeclareOptions { durable: true, ..ExchangeDeclareOptions::default() };
        self.channel
            .exchange_declare(exchange.into(), ExchangeKind::Topic, durable, FieldTable::default())
            .await
    }

    /// Declares a queue as the original does.
    pub(super) async fn queue(&self, queue: &str) -> lapin::Result<()> {
        let durable = QueueDeclareOptions { durable: true, ..QueueDeclareOptions::default() };
        self.channel.queue_declare(queue.into(), durable, FieldTable::default()).await.map(drop)
    }

    pub(super) async fn bind(&self, queue: &str, exchange: &str, key: &str) -> lapin::Result<()> {
        let options = QueueBindOptions::default();
        self.channel
            .queue_bind(queue.into(), exchange.into(), key.into(), options, FieldTable::default())
            .await
    }

    pub(super) async fn listen(&self, exchange: &str, key: &str) {
        self.bind("tap", exchange, key).await.unwrap();
    }

    /// Stops listening to an exchange.
    pub(super) async fn deaf_to(&self, exchange: &str) {
        let unbound =
            self.channel.queue_unbind("tap".into(), exchange.into(), "#".into(), FieldTable::default());
        unbound.await.unwrap();
    }

    /// Sends a message as the original does: without a confirm, and not mandatory.
    pub(super) async fn send(&self, message: &Publication) {
        let properties = properties_out(&message.properties);
        let (exchange, key) = (message.exchange.as_str().into(), message.routing_key.as_str().into());
        let options = BasicPublishOptions::default();
        self.channel.basic_publish(exchange, key, options, &message.body, properties).await.unwrap();
    }

    /// Returns the next message at the tap.
    pub(super) async fn next(&mut self) -> Seen {
        let delivery = soon(self.tap.next()).await.expect("the tap stays open").unwrap();
        Seen {
            exchange: delivery.exchange.to_string(),
            key: delivery.routing_key.to_string(),
            headers: table_in(delivery.properties.headers().as_ref().unwrap_or(&FieldTable::default())),
            body: serde_json::from_slice(&delivery.data).unwrap_or(Json::Null),
            properties: delivery.properties,
        }
    }

    /// Returns what the tap received, once these service queues are empty: nothing is in transit any more.
    ///
    /// A message is acked after what its handler sent is confirmed, so that a chain of three hops is in one of two queues whenever these
    /// are checked twice, one after the other.
    pub(super) async fn rest(&mut self, vhost: &VirtualHost, queues: [&str; 2]) -> Vec<Seen> {
        // The broker's answer on this channel: what was sent before it is in its queue.
        self.queue(queues[0]).await.unwrap();
        let twice = queues
            .iter()
            .chain(&queues)
            .map(|queue| format!("<<\"{queue}\">>"))
            .collect::<Vec<_>>()
            .join(",");
        let left = format!(
            "lists:sum([begin {{ok, Q}} = rabbit_amqqueue:lookup(rabbit_misc:r(<<\"{}\">>, queue, N)), \
             [{{messages, M}}] = rabbit_amqqueue:info(Q, [messages]), M end || N <- [{twice}]])",
            vhost.name()
        );
        soon(async { while vhost.node().eval(&left).await.unwrap() != "0" {} }).await;
        self.send(&Publication::new(name(""), name("tap"), "\"the end\"")).await;
        let mut seen = Vec::new();
        loop {
            match self.next().await {
                end if end.exchange.is_empty() => return seen,
                next => seen.push(next),
            }
        }
    }
}

impl From<&Row> for Seen {
    /// A message of the original, as if it had just arrived.
    fn from(row: &Row) -> Self {
        Self {
            exchange: row.publication().exchange.to_string(),
            key: row.routing_key().to_owned(),
            headers: row.headers(),
            body: row.body(),
            properties: BasicProperties::default(),
        }
    }
}

impl Seen {
    /// Returns the text of one of the seven headers.
    pub(super) fn text(&self, header: &str) -> &str {
        self.headers.get(header).and_then(Value::as_str).unwrap_or_default()
    }

    /// Returns the original's answer to this request: all headers of the request, six of the seven replaced, and no property.
    pub(super) fn answered(&self, kind: &str, exchange: &str, body: &Json) -> Publication {
        let mut headers = self.headers.clone();
        let mut set =
            |header: &'static str, value: &str| headers.insert(ShortString::from_static(header), value);
        set("message_type", kind);
        set("source", self.text("destination"));
        set("destination", self.text("reply_to"));
        set("reply_to", "");
        let mut answer = Publication::new(name(exchange), name(self.text("reply_to")), body.to_string());
        answer.properties = Properties { headers: Some(headers), ..Properties::default() };
        answer
    }
}

fn properties_out(properties: &Properties) -> BasicProperties {
    let mut out = BasicProperties::default();
    if let Some(headers) = &properties.headers {
        out = out.with_headers(table_out(headers));
    }
    let text = |text: &Option<ShortString>| text.as_ref().map(|text| text.as_str().into());
    if let Some(content_type) = text(&properties.content_type) {
        out = out.with_content_type(content_type);
    }
    if let Some(encoding) = text(&properties.content_encoding) {
        out = out.with_content_encoding(encoding);
    }
    if let Some(correlation_id) = text(&properties.correlation_id) {
        out = out.with_correlation_id(correlation_id);
    }
    if let Some(message_id) = text(&properties.message_id) {
        out = out.with_message_id(message_id);
    }
    if let Some(delivery_mode) = properties.delivery_mode {
        out = out.with_delivery_mode(delivery_mode);
    }
    out
}

fn table_out(table: &Table) -> FieldTable {
    let mut out = FieldTable::default();
    for (name, value) in table.iter() {
        out.insert(name.as_str().into(), value_out(value));
    }
    out
}

fn value_out(value: &Value) -> AMQPValue {
    match value {
        Value::LongString(text) => AMQPValue::LongString(text.to_vec().into()),
        Value::Bool(value) => AMQPValue::Boolean(*value),
        Value::I32(value) => AMQPValue::LongInt(*value),
        Value::I64(value) => AMQPValue::LongLongInt(*value),
        Value::F64(value) => AMQPValue::Double(*value),
        Value::Bytes(bytes) => AMQPValue::ByteArray(bytes.to_vec().into()),
        Value::Void => AMQPValue::Void,
        Value::Array(items) => AMQPValue::FieldArray(items.iter().map(value_out).collect::<Vec<_>>().into()),
        Value::Table(table) => AMQPValue::FieldTable(table_out(table)),
        other => panic!("no message of these tests has {other:?}"),
    }
}

fn table_in(table: &FieldTable) -> Table {
    table.inner().iter().map(|(key, value)| (name(key.as_str()), value_in(value))).collect()
}

/// What the original's client accepts without harm; other types must not reach it.
fn value_in(value: &AMQPValue) -> Value {
    match value {
        AMQPValue::LongString(text) => {
            let text =
                std::str::from_utf8(text.as_bytes()).expect("the original dies of text that is not UTF-8");
            Value::from(text)
        }
        AMQPValue::Boolean(value) => Value::Bool(*value),
        AMQPValue::LongInt(value) => Value::I32(*value),
        AMQPValue::LongLongInt(value) if *value >= 0 => Value::I64(*value),
        AMQPValue::Void => Value::Void,
        AMQPValue::FieldArray(items) => Value::Array(items.as_slice().iter().map(value_in).collect()),
        AMQPValue::FieldTable(table) => Value::Table(table_in(table)),
        harmful => panic!("the original cannot take {harmful:?}"),
    }
}
