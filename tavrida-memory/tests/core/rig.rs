//! A broker in the hands of a test: short words for what clients do, and what they see in the notation of the broker
//! semantics (`t:3:b*` is a delivery to consumer t with tag 3 and body b, redelivered).

use std::fmt::Display;
use std::sync::Arc;

use tavrida::field::{ShortString, Table, Value};
use tavrida::transport::{Properties, Publication};
use tavrida_memory::core::{
    Arrival, BasicConsume, Broker, ChannelId, CloseReason, Command, Config, ConnectionId, ConnectionOptions,
    Delivered, Effect, Effects, ExchangeBind, ExchangeDeclare, Got, Method, Now, Operator, QueueBind, QueueDeclare,
    Reply,
};

pub(crate) struct Rig {
    pub(crate) broker: Broker,
    millis: u64,
    effects: Effects,
    connections: u32,
}

/// What a method came to.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Answer {
    Reply(Reply),
    Nothing,
    ChannelClosed(CloseReason),
    ConnectionClosed(CloseReason),
}

/// What became of a publish in confirm mode.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Outcome {
    pub(crate) returned: bool,
    pub(crate) ack: bool,
}

pub(crate) const ACK: Outcome = Outcome { returned: false, ack: true };
pub(crate) const NACK: Outcome = Outcome { returned: false, ack: false };
pub(crate) const RETURNED: Outcome = Outcome { returned: true, ack: true };

pub(crate) fn short(text: impl AsRef<str>) -> ShortString {
    ShortString::try_from(text.as_ref()).expect("test names are short")
}

/// Arguments from pairs.
pub(crate) fn args<V: Into<Value> + Clone>(entries: &[(&str, V)]) -> Table {
    entries.iter().map(|(name, value)| (short(name), value.clone().into())).collect()
}

/// Arguments of several types.
pub(crate) fn table(entries: &[(&str, Value)]) -> Table {
    args(entries)
}

/// A message in the making; `"body"` alone is one too.
#[derive(Debug, Clone)]
pub(crate) struct Message(pub(crate) Publication);

impl<T: AsRef<str>> From<T> for Message {
    fn from(body: T) -> Self {
        let mut publication =
            Publication::new(ShortString::default(), ShortString::default(), body.as_ref().to_owned());
        publication.mandatory = false;
        Self(publication)
    }
}

impl Message {
    pub(crate) fn mandatory(mut self) -> Self {
        self.0.mandatory = true;
        self
    }

    pub(crate) fn properties(mut self, properties: Properties) -> Self {
        self.0.properties = properties;
        self
    }

    pub(crate) fn headers(mut self, headers: Table) -> Self {
        self.0.properties.headers = Some(headers);
        self
    }

    pub(crate) fn expiration(mut self, text: &str) -> Self {
        self.0.properties.expiration = Some(short(text));
        self
    }

    pub(crate) fn priority(mut self, priority: u8) -> Self {
        self.0.properties.priority = Some(priority);
        self
    }

    pub(crate) fn persistent(mut self) -> Self {
        self.0.properties.delivery_mode = Some(Properties::PERSISTENT);
        self
    }
}

impl Rig {
    pub(crate) fn new() -> Self {
        Self { broker: Broker::new(Config::default()), millis: 0, effects: Effects::new(), connections: 0 }
    }

    /// A rig with one connection and one channel in confirm mode.
    pub(crate) fn with_channel() -> (Self, ChannelId) {
        let mut rig = Self::new();
        let channel = rig.client();
        (rig, channel)
    }

    // -- Time --

    pub(crate) fn now(&self) -> Now {
        // The wall clock began at second 1,000.
        Now { wall: 1000 + self.millis / 1000, ..Now::millis(self.millis) }
    }

    pub(crate) fn wait(&mut self, millis: u64) {
        self.millis += millis;
        self.apply(Command::Tick);
    }

    // -- Connections and channels --

    pub(crate) fn apply(&mut self, command: Command) -> Vec<Effect> {
        self.effects.clear();
        let now = self.now();
        self.broker.apply(now, command, &mut self.effects);
        self.effects.as_slice().to_vec()
    }

    pub(crate) fn connect(&mut self) -> ConnectionId {
        self.connect_with(ConnectionOptions::default())
    }

    pub(crate) fn connect_with(&mut self, options: ConnectionOptions) -> ConnectionId {
        self.connections += 1;
        let connection = ConnectionId(self.connections);
        self.apply(Command::Connect { connection, options });
        connection
    }

    /// A connection of its own with a channel in confirm mode.
    pub(crate) fn client(&mut self) -> ChannelId {
        let connection = self.connect();
        self.channel(connection, 1)
    }

    /// A channel in confirm mode.
    pub(crate) fn channel(&mut self, connection: ConnectionId, number: u16) -> ChannelId {
        let channel = self.plain_channel(connection, number);
        self.ok(channel, Method::ConfirmSelect { nowait: false });
        channel
    }

    pub(crate) fn plain_channel(&mut self, connection: ConnectionId, number: u16) -> ChannelId {
        let channel = connection.channel(number);
        assert_eq!(self.call(channel, Method::ChannelOpen), Answer::Reply(Reply::ChannelOpenOk));
        channel
    }

    pub(crate) fn reopen(&mut self, channel: ChannelId) {
        self.call(channel, Method::ChannelCloseOk);
        self.channel(channel.connection, channel.number);
    }

    pub(crate) fn operate(&mut self, operator: Operator) -> Vec<Effect> {
        self.apply(Command::Operator(operator))
    }

    /// Calls a method; what it is answered.
    pub(crate) fn call(&mut self, channel: ChannelId, method: Method) -> Answer {
        let effects = self.apply(Command::Method { channel, method });
        let mut answers = effects.into_iter().filter_map(|effect| match effect {
            Effect::Reply { channel: to, reply } if to == channel => Some(Answer::Reply(reply)),
            Effect::ChannelClosed { channel: of, reason } if of == channel => Some(Answer::ChannelClosed(reason)),
            Effect::ConnectionClosed { reason: Some(reason), .. } => Some(Answer::ConnectionClosed(reason)),
            _ => None,
        });
        let answer = answers.next().unwrap_or(Answer::Nothing);
        assert_eq!(answers.next(), None, "a method has one answer");
        answer
    }

    /// Calls a method that must succeed.
    #[track_caller]
    pub(crate) fn ok(&mut self, channel: ChannelId, method: Method) -> Option<Reply> {
        match self.call(channel, method.clone()) {
            Answer::Reply(reply) => Some(reply),
            Answer::Nothing => None,
            refused => panic!("{method:?} was refused: {refused:?}\n{}", self.broker.snapshot()),
        }
    }

    /// Calls a method that must close the channel with this code and text; the channel is opened again.
    #[track_caller]
    pub(crate) fn refused(&mut self, channel: ChannelId, method: Method, code: u16, text: &str) {
        let id = method.id();
        match self.call(channel, method.clone()) {
            Answer::ChannelClosed(reason) => {
                assert_eq!((reason.code, reason.text.as_str()), (code, text));
                assert_eq!((reason.class, reason.method), id);
            }
            other => panic!("{method:?} was not refused: {other:?}"),
        }
        self.reopen(channel);
    }

    /// Calls a method that must close the connection.
    #[track_caller]
    pub(crate) fn fatal(&mut self, channel: ChannelId, method: Method, code: u16, text: &str) {
        match self.call(channel, method.clone()) {
            Answer::ConnectionClosed(reason) => assert_eq!((reason.code, reason.text.as_str()), (code, text)),
            other => panic!("{method:?} did not end the connection: {other:?}"),
        }
    }

    // -- Declaring --

    #[track_caller]
    pub(crate) fn queue(&mut self, channel: ChannelId, name: &str) {
        self.queue_with(channel, name, Table::new());
    }

    #[track_caller]
    pub(crate) fn queue_with(&mut self, channel: ChannelId, name: &str, arguments: Table) {
        self.declare(channel, QueueDeclare { queue: short(name), arguments, ..Default::default() });
    }

    #[track_caller]
    pub(crate) fn declare(&mut self, channel: ChannelId, declare: QueueDeclare) -> ShortString {
        match self.ok(channel, Method::QueueDeclare(declare)) {
            Some(Reply::QueueDeclareOk { queue, .. }) => queue,
            other => panic!("queue.declare was answered with {other:?}"),
        }
    }

    #[track_caller]
    pub(crate) fn exchange(&mut self, channel: ChannelId, name: &str, kind: &str) {
        self.exchange_with(channel, name, kind, |_| {});
    }

    #[track_caller]
    pub(crate) fn exchange_with(
        &mut self,
        channel: ChannelId,
        name: &str,
        kind: &str,
        edit: impl FnOnce(&mut ExchangeDeclare),
    ) {
        let mut declare =
            ExchangeDeclare { exchange: short(name), kind: short(kind), ..Default::default() };
        edit(&mut declare);
        self.ok(channel, Method::ExchangeDeclare(declare));
    }

    #[track_caller]
    pub(crate) fn bind(&mut self, channel: ChannelId, queue: &str, exchange: &str, key: &str) {
        self.bind_with(channel, queue, exchange, key, Table::new());
    }

    #[track_caller]
    pub(crate) fn bind_with(&mut self, channel: ChannelId, queue: &str, exchange: &str, key: &str, arguments: Table) {
        self.ok(channel, Method::QueueBind(queue_bind(queue, exchange, key, arguments)));
    }

    #[track_caller]
    pub(crate) fn bind_exchange(&mut self, channel: ChannelId, destination: &str, source: &str, key: &str) {
        self.ok(channel, Method::ExchangeBind(exchange_bind(destination, source, key)));
    }

    // -- Looking --

    /// The ready messages and the consumers that a passive declare tells of a queue; none where it is missing.
    pub(crate) fn counts(&mut self, queue: &str) -> Option<(u32, u32)> {
        let looker = self.client();
        let counts = match self.call(looker, passive_queue(queue)) {
            Answer::Reply(Reply::QueueDeclareOk { message_count, consumer_count, .. }) => {
                Some((message_count, consumer_count))
            }
            Answer::ChannelClosed(reason) => {
                assert_eq!(reason.code, 404, "{reason}");
                None
            }
            other => panic!("a passive declare was answered with {other:?}"),
        };
        self.apply(Command::Close { connection: looker.connection });
        counts
    }

    pub(crate) fn ready(&mut self, queue: &str) -> u32 {
        self.counts(queue).unwrap_or_else(|| panic!("there is no queue {queue}")).0
    }

    pub(crate) fn has_exchange(&mut self, exchange: &str) -> bool {
        let looker = self.client();
        let declare = ExchangeDeclare { exchange: short(exchange), passive: true, ..Default::default() };
        let answer = self.call(looker, Method::ExchangeDeclare(declare));
        self.apply(Command::Close { connection: looker.connection });
        answer == Answer::Reply(Reply::ExchangeDeclareOk)
    }

    // -- Publishing --

    /// Publishes on a channel in confirm mode.
    #[track_caller]
    pub(crate) fn publish(
        &mut self,
        channel: ChannelId,
        exchange: &str,
        key: &str,
        message: impl Into<Message>,
    ) -> Outcome {
        let effects = self.apply(Command::Method { channel, method: publish(exchange, key, message) });
        let returned = effects.iter().any(|effect| matches!(effect, Effect::Return { .. }));
        let confirm = effects.iter().find_map(|effect| match effect {
            Effect::Confirm { ack, .. } => Some(*ack),
            _ => None,
        });
        let ack = confirm.unwrap_or_else(|| panic!("the publish was not confirmed: {effects:?}"));
        Outcome { returned, ack }
    }

    /// Publishes bodies to a queue.
    #[track_caller]
    pub(crate) fn fill(&mut self, channel: ChannelId, queue: &str, bodies: impl IntoIterator<Item = impl Display>) {
        for body in bodies {
            assert_eq!(self.publish(channel, "", queue, body.to_string()), ACK);
        }
    }

    // -- Consuming --

    #[track_caller]
    pub(crate) fn consume(&mut self, channel: ChannelId, queue: &str, tag: &str) {
        self.consume_with(channel, queue, tag, |_| {});
    }

    #[track_caller]
    pub(crate) fn consume_with(
        &mut self,
        channel: ChannelId,
        queue: &str,
        tag: &str,
        edit: impl FnOnce(&mut BasicConsume),
    ) {
        let mut consume = BasicConsume { queue: short(queue), consumer_tag: short(tag), ..Default::default() };
        edit(&mut consume);
        self.ok(channel, Method::BasicConsume(consume));
    }

    #[track_caller]
    pub(crate) fn qos(&mut self, channel: ChannelId, prefetch_count: u16, global: bool) {
        self.ok(channel, Method::BasicQos { prefetch_size: 0, prefetch_count, global });
    }

    #[track_caller]
    pub(crate) fn cancel(&mut self, channel: ChannelId, tag: &str) {
        self.ok(channel, Method::BasicCancel { consumer_tag: short(tag), nowait: false });
    }

    /// What has arrived on a channel, in the notation: `t:3:b*`, `cancel t`.
    pub(crate) fn arrived(&mut self, channel: ChannelId) -> Vec<String> {
        std::iter::from_fn(|| self.broker.take(channel)).map(|arrival| told(&arrival)).collect()
    }

    /// The next delivery on a channel.
    #[track_caller]
    pub(crate) fn delivery(&mut self, channel: ChannelId) -> Delivered {
        match self.broker.take(channel) {
            Some(Arrival::Delivery(delivered)) => delivered,
            other => panic!("no delivery, but {other:?}"),
        }
    }

    /// Gets a message with acknowledgement.
    #[track_caller]
    pub(crate) fn get(&mut self, channel: ChannelId, queue: &str) -> Option<Got> {
        match self.ok(channel, Method::BasicGet { queue: short(queue), no_ack: false }) {
            Some(Reply::BasicGetOk(got)) => Some(got),
            Some(Reply::BasicGetEmpty) => None,
            other => panic!("basic.get was answered with {other:?}"),
        }
    }

    /// Gets so many messages with acknowledgement: `b*`.
    #[track_caller]
    pub(crate) fn gets(&mut self, channel: ChannelId, queue: &str, count: usize) -> Vec<String> {
        (0..count).map_while(|_| self.get(channel, queue)).map(|got| told_got(&got)).collect()
    }

    /// Gets everything without acknowledgement, on a connection of its own.
    #[track_caller]
    pub(crate) fn drain(&mut self, queue: &str) -> Vec<String> {
        self.drain_whole(queue).iter().map(told_got).collect()
    }

    #[track_caller]
    pub(crate) fn drain_whole(&mut self, queue: &str) -> Vec<Got> {
        let drainer = self.client();
        let mut drained = Vec::new();
        loop {
            match self.ok(drainer, Method::BasicGet { queue: short(queue), no_ack: true }) {
                Some(Reply::BasicGetOk(got)) => drained.push(got),
                _ => break,
            }
        }
        self.apply(Command::Close { connection: drainer.connection });
        drained
    }

    #[track_caller]
    pub(crate) fn ack(&mut self, channel: ChannelId, tag: u64) {
        self.ok(channel, ack(tag, false));
    }

    #[track_caller]
    pub(crate) fn requeue(&mut self, channel: ChannelId, tag: u64) {
        self.ok(channel, nack(tag, false, true));
    }

    #[track_caller]
    pub(crate) fn discard(&mut self, channel: ChannelId, tag: u64) {
        self.ok(channel, nack(tag, false, false));
    }
}

fn told(arrival: &Arrival) -> String {
    match arrival {
        Arrival::Cancel { consumer_tag } => format!("cancel {consumer_tag}"),
        Arrival::Delivery(Delivered { consumer_tag, delivery_tag, redelivered, publication }) => {
            let star = if *redelivered { "*" } else { "" };
            format!("{consumer_tag}:{delivery_tag}:{}{star}", String::from_utf8_lossy(&publication.body))
        }
    }
}

fn told_got(got: &Got) -> String {
    let star = if got.redelivered { "*" } else { "" };
    format!("{}{star}", String::from_utf8_lossy(&got.publication.body))
}

// -- Methods --

pub(crate) fn publish(exchange: &str, key: &str, message: impl Into<Message>) -> Method {
    let Message(mut publication) = message.into();
    publication.exchange = short(exchange);
    publication.routing_key = short(key);
    Method::BasicPublish { publication: Arc::new(publication), immediate: false }
}

pub(crate) fn ack(delivery_tag: u64, multiple: bool) -> Method {
    Method::BasicAck { delivery_tag, multiple }
}

pub(crate) fn nack(delivery_tag: u64, multiple: bool, requeue: bool) -> Method {
    Method::BasicNack { delivery_tag, multiple, requeue }
}

pub(crate) fn get(queue: &str) -> Method {
    Method::BasicGet { queue: short(queue), no_ack: false }
}

pub(crate) fn consume(queue: &str, tag: &str) -> Method {
    Method::BasicConsume(BasicConsume { queue: short(queue), consumer_tag: short(tag), ..Default::default() })
}

pub(crate) fn purge(queue: &str) -> Method {
    Method::QueuePurge { queue: short(queue), nowait: false }
}

pub(crate) fn delete_queue(queue: &str) -> Method {
    Method::QueueDelete { queue: short(queue), if_unused: false, if_empty: false, nowait: false }
}

pub(crate) fn delete_exchange(exchange: &str) -> Method {
    Method::ExchangeDelete { exchange: short(exchange), if_unused: false, nowait: false }
}

pub(crate) fn passive_queue(queue: &str) -> Method {
    Method::QueueDeclare(QueueDeclare { queue: short(queue), passive: true, ..Default::default() })
}

pub(crate) fn declare_queue(queue: &str, arguments: Table) -> Method {
    Method::QueueDeclare(QueueDeclare { queue: short(queue), arguments, ..Default::default() })
}

pub(crate) fn queue_bind(queue: &str, exchange: &str, key: &str, arguments: Table) -> QueueBind {
    QueueBind {
        queue: short(queue),
        exchange: short(exchange),
        routing_key: short(key),
        nowait: false,
        arguments,
    }
}

pub(crate) fn exchange_bind(destination: &str, source: &str, key: &str) -> ExchangeBind {
    ExchangeBind {
        destination: short(destination),
        source: short(source),
        routing_key: short(key),
        ..Default::default()
    }
}
