//! How consumers begin and end (A8 of the broker semantics).

use std::fmt::Display;

use tavrida::field::{ShortString, Table, Value};
use tavrida_behaviour::Behaviour;

use super::Clients;
use super::consumer::Consumer;
use crate::core::errors::Fault;
use crate::core::keys::{ChannelKey, ConsumerKey, QueueKey};
use crate::core::method::BasicConsume;
use crate::core::queue::Queue;
use crate::core::queue::settings::{QueueKind, check_bool, check_integer};

/// What a quorum queue uses as no limit.
const QUORUM_PREFETCH: u32 = 2000;

impl Clients {
    /// Checks whether a channel may consume a queue.
    pub(crate) fn check_consume(
        &self,
        channel: ChannelKey,
        queue: &Queue,
        consume: &BasicConsume,
        what: &dyn Display,
        behaviour: &Behaviour,
    ) -> Result<(), Fault> {
        if queue.is_quorum() && self.channels[channel].limiter.is_set() {
            return Err(Fault::not_implemented(format!("{what} does not support global qos")));
        }
        if !consume.arguments.is_empty() {
            check_arguments(&consume.arguments, queue.settings.kind, what, behaviour)?;
        }
        let taken = match (queue.settings.single_active, queue.active) {
            // A quorum queue only records exclusiveness (R133).
            _ if queue.is_quorum() => false,
            (true, _) => consume.exclusive,
            (false, Some(_)) => true,
            (false, None) => consume.exclusive && !queue.consumers.is_empty(),
        };
        if taken { Err(Fault::access_refused(format!("{what} in exclusive use"))) } else { Ok(()) }
    }

    /// Adds a consumer to a channel and to its queue.
    pub(crate) fn add_consumer(
        &mut self,
        channel: ChannelKey,
        key: QueueKey,
        queue: &mut Queue,
        consume: &BasicConsume,
        tag: ShortString,
        behaviour: &Behaviour,
    ) {
        let credit = self.first_credit(channel, key, queue, &tag, consume.no_ack);
        self.subscriptions += 1;
        let earlier = self.earlier_consumer(channel, key, queue, &tag);
        let number = earlier.map_or(self.subscriptions, |earlier| self.consumers[earlier].number);
        let priority = consume.arguments.get("x-priority").and_then(Value::as_i64).unwrap_or(0);
        let consumer = self.consumers.insert(Consumer {
            number,
            tag: tag.clone(),
            channel,
            queue: key,
            no_ack: consume.no_ack,
            priority,
            credit,
            blocked: false,
            alive: true,
            unsettled: 0,
        });
        let state = &mut self.channels[channel];
        state.consumers.insert(tag, consumer);
        if !state.consumed.contains(&key) {
            state.consumed.push(key);
        }
        queue.had_consumers = true;
        queue.consumers.push(consumer);
        if !earlier.is_some_and(|earlier| queue.service_queue.replace(earlier, consumer)) {
            queue.service_queue.push(priority, consumer);
        }
        let holds = consume.exclusive && queue.settings.kind == QueueKind::Classic;
        if holds || (queue.settings.single_active && queue.active.is_none()) {
            queue.active = Some(consumer);
        }
        self.activate_next(queue, behaviour);
    }

    /// Returns the cancelled consumer that a new one of a quorum queue continues: with its tag, and with unsettled messages (R141).
    fn earlier_consumer(
        &self,
        channel: ChannelKey,
        key: QueueKey,
        queue: &Queue,
        tag: &ShortString,
    ) -> Option<ConsumerKey> {
        if !queue.is_quorum() {
            return None;
        }
        let held = self.channels[channel].unsettled().filter(|pending| pending.queue == key);
        let mut earlier = held.filter_map(|pending| pending.consumer);
        earlier.find(|consumer| self.consumers[*consumer].tag == *tag)
    }

    /// Returns the initial credit of a new consumer.
    fn first_credit(
        &self,
        channel: ChannelKey,
        key: QueueKey,
        queue: &Queue,
        tag: &ShortString,
        no_ack: bool,
    ) -> Option<u32> {
        let state = &self.channels[channel];
        let prefetch = u32::from(state.prefetch);
        match queue.settings.kind {
            QueueKind::Classic => (prefetch > 0 && !no_ack).then_some(prefetch),
            // Unsettled deliveries of an earlier consumer with this tag count (not in a classic queue, R109).
            QueueKind::Quorum => {
                let prefetch = if prefetch == 0 { QUORUM_PREFETCH } else { prefetch };
                let same = |consumer: ConsumerKey| self.consumers[consumer].tag == *tag;
                let held = state
                    .unacked
                    .iter()
                    .filter(|(_, pending)| pending.queue == key && pending.consumer.is_some_and(same));
                Some(prefetch.saturating_sub(u32::try_from(held.count()).unwrap_or(u32::MAX)))
            }
        }
    }

    /// Removes a consumer from its queue, if that exists; a single active consumer is followed by another. It is already removed from the
    /// channel.
    pub(crate) fn remove_consumer(
        &mut self,
        consumer: ConsumerKey,
        queue: Option<&mut Queue>,
        behaviour: &Behaviour,
    ) {
        let record = &mut self.consumers[consumer];
        record.alive = false;
        let unsettled = record.unsettled;
        if let Some(queue) = queue {
            queue.consumers.retain(|other| *other != consumer);
            // A quorum queue keeps the place of one with unsettled messages, for the next with its tag (R141).
            if unsettled == 0 || !queue.is_quorum() {
                queue.service_queue.remove(consumer);
            }
            queue.blocked.retain(|other| *other != consumer);
            if queue.active == Some(consumer) {
                queue.quiescing = false;
                queue.active = match (queue.settings.single_active, queue.settings.kind) {
                    (false, _) => None,
                    (true, QueueKind::Classic) => queue.service_queue.first(),
                    (true, QueueKind::Quorum) if behaviour.quorum_priority_takes_over => None,
                    (true, QueueKind::Quorum) => queue.consumers.first().copied(),
                };
            }
            self.activate_next(queue, behaviour);
        }
        if unsettled == 0 {
            self.consumers.remove(consumer);
        }
    }

    /// Returns the counts of ready messages and consumers that `queue.declare-ok` shows. For a quorum queue an unsettled `basic.get` is a
    /// consumer, and so is a cancelled one with unsettled messages.
    pub(crate) fn counts(&self, key: QueueKey, queue: &Queue) -> (u32, u32) {
        let (ready, mut consumers) = queue.counts();
        if !queue.is_quorum() {
            return (ready, consumers);
        }
        if queue.settings.single_active {
            // Those that wait for their turn do not count.
            consumers = consumers.min(1);
        }
        if queue.unacked == 0 {
            return (ready, consumers);
        }
        let unsettled = self.channels.values().flat_map(|channel| channel.unsettled());
        let mut cancelled = Vec::new();
        let mut got = 0;
        for pending in unsettled.filter(|pending| pending.queue == key) {
            match pending.consumer {
                None => got += 1,
                Some(consumer) if !self.consumers[consumer].alive => cancelled.push(consumer),
                Some(_) => {}
            }
        }
        cancelled.sort_unstable();
        cancelled.dedup();
        (ready, consumers + u32::try_from(got + cancelled.len()).unwrap_or(u32::MAX))
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
        check_bool(value, arguments)
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
