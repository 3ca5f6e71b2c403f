//! Short names for what clients do and see.

use std::fmt::Display;

use tavrida::field::{ShortString, Table};
use tavrida_memory::core::{
    Arrival, BasicConsume, ChannelId, Command, Delivered, Effect, ExchangeDeclare, Got, Method, MethodReply,
    QueueDeclare,
};

use super::*;

impl Rig {
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
            Some(MethodReply::QueueDeclareOk { queue, .. }) => queue,
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
        let mut declare = ExchangeDeclare { exchange: short(name), kind: short(kind), ..Default::default() };
        edit(&mut declare);
        self.ok(channel, Method::ExchangeDeclare(declare));
    }

    #[track_caller]
    pub(crate) fn bind(&mut self, channel: ChannelId, queue: &str, exchange: &str, key: &str) {
        self.bind_with(channel, queue, exchange, key, Table::new());
    }

    #[track_caller]
    pub(crate) fn bind_with(
        &mut self,
        channel: ChannelId,
        queue: &str,
        exchange: &str,
        key: &str,
        arguments: Table,
    ) {
        self.ok(channel, Method::QueueBind(queue_bind(queue, exchange, key, arguments)));
    }

    #[track_caller]
    pub(crate) fn bind_exchange(&mut self, channel: ChannelId, destination: &str, source: &str, key: &str) {
        self.ok(channel, Method::ExchangeBind(exchange_bind(destination, source, key)));
    }

    // -- Looking --

    /// Returns the ready messages and the consumers of a queue by a passive declare. `None` if it does not exist.
    pub(crate) fn counts(&mut self, queue: &str) -> Option<(u32, u32)> {
        let looker = self.client();
        let counts = match self.call(looker, passive_queue(queue)) {
            Answer::Reply(MethodReply::QueueDeclareOk { message_count, consumer_count, .. }) => {
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
        answer == Answer::Reply(MethodReply::ExchangeDeclareOk)
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

    /// Publishes messages with these bodies to a queue.
    #[track_caller]
    pub(crate) fn fill(
        &mut self,
        channel: ChannelId,
        queue: &str,
        bodies: impl IntoIterator<Item = impl Display>,
    ) {
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
        let mut consume =
            BasicConsume { queue: short(queue), consumer_tag: short(tag), ..Default::default() };
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

    /// Returns what has arrived on a channel, in the notation: `t:3:b*`, `cancel t`.
    pub(crate) fn arrived(&mut self, channel: ChannelId) -> Vec<String> {
        std::iter::from_fn(|| self.broker.take(channel)).map(|arrival| told(&arrival)).collect()
    }

    /// Returns the next delivery on a channel.
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
            Some(MethodReply::BasicGetOk(got)) => Some(got),
            Some(MethodReply::BasicGetEmpty) => None,
            other => panic!("basic.get was answered with {other:?}"),
        }
    }

    /// Gets this many messages with acknowledgement: `b*`.
    #[track_caller]
    pub(crate) fn gets(&mut self, channel: ChannelId, queue: &str, count: usize) -> Vec<String> {
        (0..count).map_while(|_| self.get(channel, queue)).map(|got| told_got(&got)).collect()
    }

    /// Gets everything without acknowledgement, on a separate connection.
    #[track_caller]
    pub(crate) fn drain(&mut self, queue: &str) -> Vec<String> {
        self.drain_whole(queue).iter().map(told_got).collect()
    }

    #[track_caller]
    pub(crate) fn drain_whole(&mut self, queue: &str) -> Vec<Got> {
        let drainer = self.client();
        let mut drained = Vec::new();
        let get = Method::BasicGet { queue: short(queue), no_ack: true };
        while let Some(MethodReply::BasicGetOk(got)) = self.ok(drainer, get.clone()) {
            drained.push(got);
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
