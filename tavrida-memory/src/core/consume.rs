//! `basic.qos`, `basic.consume`, `basic.cancel`, `basic.get` (A8, A9 of the broker semantics).

use std::fmt::Display;

use tavrida::field::{ShortString, Table, Value};
use tavrida_behaviour::Behaviour;

use super::clients::consumer::Consumer;
use super::clients::unacked::Pending;
use super::effect::{Effects, Got, MethodReply};
use super::errors::{Code, Fault};
use super::keys::{ChannelKey, ConsumerKey, QueueKey};
use super::method::BasicConsume;
use super::queue::settings::{QueueKind, check_bool_argument, check_integer};
use super::{Broker, reply_to};

/// What a quorum queue uses as no limit.
const QUORUM_PREFETCH: u32 = 2000;

impl Broker {
    pub(crate) fn qos(
        &mut self,
        channel: ChannelKey,
        prefetch_size: u32,
        count: u16,
        global: bool,
        effects: &mut Effects,
    ) -> Result<(), Fault> {
        if prefetch_size != 0 {
            return Err(Fault::not_implemented(format!("prefetch_size!=0 ({prefetch_size})")));
        }
        let state = &mut self.clients.channels[channel];
        let unacked = state.unacked.len();
        // The limit of each consumer disables the shared one (R108).
        let limit = if global { count } else { 0 };
        let waiting = state.limiter.set(limit, unacked);
        if !global {
            state.prefetch = count;
        }
        effects.reply(state.id, MethodReply::BasicQosOk);
        self.resume(channel, waiting, effects);
        Ok(())
    }

    pub(crate) fn consume(
        &mut self,
        channel: ChannelKey,
        consume: BasicConsume,
        effects: &mut Effects,
    ) -> Result<(), Fault> {
        // The name of the queue is completed before all else (R102).
        let name = self.expanded(channel, &consume.queue)?;
        let state = &self.clients.channels[channel];
        if state.consumers.contains_key(&*consume.consumer_tag) {
            let text = format!("attempt to reuse consumer tag '{}'", consume.consumer_tag);
            return Err(Fault::new(Code::NotAllowed, text));
        }
        if consume.queue == reply_to::QUEUE {
            return self.consume_replies(channel, consume, effects);
        }
        let queue = self.queue(&name)?;
        self.check_access(channel, queue)?;
        self.check_consume(channel, queue, &consume)?;
        let tag = self.consumer_tag(consume.consumer_tag);
        let credit = self.first_credit(channel, queue, &tag, consume.no_ack);
        self.clients.subscriptions += 1;
        let earlier = self.earlier_consumer(channel, queue, &tag);
        let number =
            earlier.map_or(self.clients.subscriptions, |earlier| self.clients.consumers[earlier].number);
        let state = &mut self.clients.channels[channel];
        let consumer = self.clients.consumers.insert(Consumer {
            number,
            tag: tag.clone(),
            channel,
            queue,
            no_ack: consume.no_ack,
            exclusive: consume.exclusive,
            priority: consume.arguments.get("x-priority").and_then(Value::as_i64).unwrap_or(0),
            credit,
            blocked: false,
            alive: true,
            unsettled: 0,
        });
        state.consumers.insert(tag.clone(), consumer);
        if !state.consumed.contains(&queue) {
            state.consumed.push(queue);
        }
        if !consume.nowait {
            effects.reply(state.id, MethodReply::BasicConsumeOk { consumer_tag: tag });
        }
        self.add_consumer(queue, consumer, earlier);
        self.run(queue, effects);
        Ok(())
    }

    /// Returns the cancelled consumer that a new one of a quorum queue continues: with its tag, and with unsettled messages (R141).
    fn earlier_consumer(
        &self,
        channel: ChannelKey,
        queue: QueueKey,
        tag: &ShortString,
    ) -> Option<ConsumerKey> {
        if !self.topology.queues[queue].is_quorum() {
            return None;
        }
        let held = self.clients.channels[channel].unsettled().filter(|pending| pending.queue == queue);
        let mut earlier = held.filter_map(|pending| pending.consumer);
        earlier.find(|consumer| self.clients.consumers[*consumer].tag == *tag)
    }

    /// Returns the initial credit of a new consumer.
    fn first_credit(
        &self,
        channel: ChannelKey,
        queue: QueueKey,
        tag: &ShortString,
        no_ack: bool,
    ) -> Option<u32> {
        let state = &self.clients.channels[channel];
        let prefetch = u32::from(state.prefetch);
        match self.topology.queues[queue].settings.kind {
            QueueKind::Classic => (prefetch > 0 && !no_ack).then_some(prefetch),
            // Unsettled deliveries of an earlier consumer with this tag count (not in a classic queue, R109).
            QueueKind::Quorum => {
                let prefetch = if prefetch == 0 { QUORUM_PREFETCH } else { prefetch };
                let same = |consumer: ConsumerKey| self.clients.consumers[consumer].tag == *tag;
                let held = state
                    .unacked
                    .iter()
                    .filter(|(_, pending)| pending.queue == queue && pending.consumer.is_some_and(same));
                Some(prefetch.saturating_sub(u32::try_from(held.count()).unwrap_or(u32::MAX)))
            }
        }
    }

    pub(crate) fn consumer_tag(&mut self, asked: ShortString) -> ShortString {
        if asked.is_empty() { self.node.names.consumer_tag() } else { asked }
    }

    fn add_consumer(&mut self, queue: QueueKey, consumer: ConsumerKey, earlier: Option<ConsumerKey>) {
        let Consumer { priority, exclusive, .. } = self.clients.consumers[consumer];
        let state = &mut self.topology.queues[queue];
        state.had_consumers = true;
        state.consumers.push(consumer);
        if !earlier.is_some_and(|earlier| state.line.replace(earlier, consumer)) {
            state.line.push(priority, consumer);
        }
        let holds = exclusive && state.settings.kind == QueueKind::Classic;
        if holds || (state.settings.single_active && state.active.is_none()) {
            state.active = Some(consumer);
        }
        self.hand_on(queue);
    }

    fn check_consume(
        &self,
        channel: ChannelKey,
        queue: QueueKey,
        consume: &BasicConsume,
    ) -> Result<(), Fault> {
        let state = &self.topology.queues[queue];
        let what = || self.queue_text(&state.name);
        if state.settings.kind == QueueKind::Quorum && self.clients.channels[channel].limiter.is_set() {
            return Err(Fault::not_implemented(format!("{} does not support global qos", what())));
        }
        if !consume.arguments.is_empty() {
            check_arguments(&consume.arguments, state.settings.kind, &what(), &self.node.behaviour)?;
        }
        let taken = match (state.settings.single_active, state.active) {
            // A quorum queue only records exclusiveness (R133).
            _ if state.settings.kind == QueueKind::Quorum => false,
            (true, _) => consume.exclusive,
            (false, Some(_)) => true,
            (false, None) => consume.exclusive && !state.consumers.is_empty(),
        };
        if taken { Err(Fault::access_refused(format!("{} in exclusive use", what()))) } else { Ok(()) }
    }

    /// `basic.cancel`; an unknown tag is fine.
    pub(crate) fn cancel(
        &mut self,
        channel: ChannelKey,
        tag: ShortString,
        nowait: bool,
        effects: &mut Effects,
    ) {
        let state = &mut self.clients.channels[channel];
        let id = state.id;
        let consumer = state.consumers.remove(&tag);
        state.reply_consumer.take_if(|consumer| consumer.tag == tag);
        if !nowait {
            effects.reply(id, MethodReply::BasicCancelOk { consumer_tag: tag });
        }
        if let Some(consumer) = consumer {
            let queue = self.clients.consumers[consumer].queue;
            self.remove_consumer(consumer);
            if self.delete_if_abandoned(queue, effects) {
                return;
            }
            self.touch(queue);
            // A new active consumer gets ready messages (not in RabbitMQ, whose issue 5460 is not copied).
            self.run(queue, effects);
        }
    }

    /// Removes a consumer from its queue, which activates another one if it has a single active consumer. It is already removed from the
    /// channel.
    pub(crate) fn remove_consumer(&mut self, consumer: ConsumerKey) {
        let record = &mut self.clients.consumers[consumer];
        record.alive = false;
        let (queue, unsettled) = (record.queue, record.unsettled);
        if let Some(state) = self.topology.queues.get_mut(queue) {
            state.consumers.retain(|other| *other != consumer);
            // A quorum queue keeps the place of one with unsettled messages, for the next with its tag (R141).
            if unsettled == 0 || !state.is_quorum() {
                state.line.remove(consumer);
            }
            state.blocked.retain(|other| *other != consumer);
            if state.active == Some(consumer) {
                state.quiescing = false;
                state.active = match (state.settings.single_active, state.settings.kind) {
                    (false, _) => None,
                    (true, QueueKind::Classic) => state.line.first(),
                    (true, QueueKind::Quorum) if self.node.behaviour.quorum_priority_takes_over => None,
                    (true, QueueKind::Quorum) => state.consumers.first().copied(),
                };
            }
            self.hand_on(queue);
        }
        if unsettled == 0 {
            self.clients.consumers.remove(consumer);
        }
    }

    /// Deletes an auto-delete queue without consumers. Returns whether it did (R61).
    pub(crate) fn delete_if_abandoned(&mut self, queue: QueueKey, effects: &mut Effects) -> bool {
        let state = &self.topology.queues[queue];
        let goes = state.auto_delete && state.had_consumers && state.consumers.is_empty();
        if goes {
            self.delete_queue(queue, effects);
        }
        goes
    }

    pub(crate) fn get(
        &mut self,
        channel: ChannelKey,
        queue: &ShortString,
        no_ack: bool,
        effects: &mut Effects,
    ) -> Result<(), Fault> {
        let queue = self.named_queue(channel, queue)?;
        self.check_access(channel, queue)?;
        let state = &self.topology.queues[queue];
        if state.settings.kind == QueueKind::Quorum && state.settings.single_active {
            let what = self.queue_text(&state.name);
            return Err(Fault::new(
                Code::ResourceLocked,
                format!(
                    "cannot obtain access to locked {what}. basic.get operations are not supported by \
                     quorum queues with single active consumer"
                ),
            ));
        }
        self.touch(queue);
        let id = self.clients.channels[channel].id;
        let Some(message) = self.fetch(queue) else {
            self.arm(queue);
            effects.reply(id, MethodReply::BasicGetEmpty);
            return Ok(());
        };
        if no_ack {
            // A quorum queue settles it at once, and looks for expired messages when it does (R69).
            self.sweep(queue);
        }
        let state = &mut self.topology.queues[queue];
        let channel = &mut self.clients.channels[channel];
        let got = Got {
            delivery_tag: channel.take_tag(),
            redelivered: message.redelivered,
            message_count: state.counts().0,
            publication: state.outgoing(&message, !self.node.behaviour.counts_only_returns),
        };
        if !no_ack {
            state.unacked += 1;
            channel.unacked.push(got.delivery_tag, Pending { queue, consumer: None, message });
        }
        effects.reply(id, MethodReply::BasicGetOk(got));
        self.sweep(queue);
        self.arm(queue);
        Ok(())
    }
}

/// Checks the arguments of a consumer (R105).
fn check_arguments(
    arguments: &Table,
    kind: QueueKind,
    what: &dyn Display,
    behaviour: &Behaviour,
) -> Result<(), Fault> {
    let failover = !behaviour.ignores_ha_failover;
    let invalid = |name: &str, reason: &str| {
        Fault::precondition_failed(format!("invalid arg '{name}' for {what}{reason}"))
    };
    let foreign = |name: &str| invalid(name, &format!(" of queue type {}", kind.module()));
    if let Some(value) = arguments.get("x-priority") {
        check_integer(value, arguments).map_err(|reason| invalid("x-priority", &format!(": {reason}")))?;
    }
    if let Some(value) =
        arguments.get("x-cancel-on-ha-failover").filter(|_| failover && kind == QueueKind::Classic)
    {
        check_bool_argument(value, arguments)
            .map_err(|reason| invalid("x-cancel-on-ha-failover", &format!(": {reason}")))?;
    }
    for (name, _) in arguments.iter() {
        match name.as_str() {
            "x-priority" => {}
            "x-cancel-on-ha-failover" if failover && kind == QueueKind::Classic => {}
            "x-cancel-on-ha-failover" if failover => return Err(foreign(name)),
            "x-stream-offset" => return Err(foreign(name)),
            "x-stream-filter" | "x-stream-match-unfiltered" if behaviour.knows_stream_filters => {
                return Err(foreign(name));
            }
            "x-credit" => {
                return Err(Fault::not_implemented(
                    "the consumer argument x-credit is not modelled by this broker",
                ));
            }
            other => tracing::warn!(
                argument = other,
                queue = %what,
                "ignored: RabbitMQ does not know this argument"
            ),
        }
    }
    Ok(())
}
