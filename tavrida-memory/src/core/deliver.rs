//! Deliveries and their settlement: ack, reject, nack, recover, and requeues by closing (A4 to A7, A13 of the broker semantics).

use super::broker::Broker;
use super::clients::channel::Mode;
use super::clients::unacked::Pending;
use super::effect::Effects;
use super::errors::Fault;
use super::keys::{ChannelKey, ConsumerKey, QueueKey};
use super::message::deaths::Reason;
use super::queue::Message;
use super::queue::settings::QueueKind;
use super::settlement::Settlement;

// -- Deliveries --

impl Broker {
    /// Delivers while there are a message and a consumer for it.
    pub(super) fn run(&mut self, queue: QueueKey, effects: &mut Effects) {
        if self.topology.queues[queue].is_quorum() {
            let sent = self.run_once(queue, effects);
            match &mut self.batch {
                Some(batch) => batch.extend(sent.into_iter().map(|consumer| (queue, consumer))),
                None => self.settle_sent(queue, sent, effects),
            }
        } else {
            while let Some((consumer, message)) = self.next_pair(queue) {
                let state = &mut self.topology.queues[queue];
                self.clients.assign(state, consumer);
                self.clients.send_delivery(queue, state, consumer, message, effects);
            }
        }
        self.topology.schedule(queue);
    }

    /// A quorum queue assigns all that it can, and then sends to one consumer after the other (A5). Returns to whom it sent.
    fn run_once(&mut self, queue: QueueKey, effects: &mut Effects) -> Vec<ConsumerKey> {
        let mut assigned = Vec::new();
        while let Some((consumer, message)) = self.next_pair(queue) {
            self.clients.assign(&mut self.topology.queues[queue], consumer);
            assigned.push((consumer, message));
        }
        assigned.sort_by_cached_key(|(consumer, _)| self.clients.turn(*consumer, &self.node.behaviour));
        let state = &mut self.topology.queues[queue];
        let send_delivery = |(consumer, message)| {
            self.clients.send_delivery(queue, state, consumer, message, effects);
            consumer
        };
        assigned.into_iter().map(send_delivery).collect()
    }

    /// Settles what was sent to consumers that need not ack, and goes on with their credit.
    fn settle_sent(&mut self, queue: QueueKey, mut sent: Vec<ConsumerKey>, effects: &mut Effects) {
        loop {
            let state = &mut self.topology.queues[queue];
            let mut rejoined = false;
            for consumer in sent {
                rejoined |= self.clients.settle_at_once(state, consumer);
            }
            if !rejoined {
                return;
            }
            // Before those have credit again, the queue's limit counts what stayed.
            self.topology.drop_over_limit(&self.node, queue);
            sent = self.run_once(queue, effects);
        }
    }

    /// Returns the next message, with the consumer that takes it.
    fn next_pair(&mut self, queue: QueueKey) -> Option<(ConsumerKey, Message)> {
        let state = &mut self.topology.queues[queue];
        if state.ready.is_empty() {
            return None;
        }
        let consumer = self.clients.next_consumer(queue, state)?;
        Some((consumer, self.topology.fetch(&self.node, queue)?))
    }

    /// Continues the queues that waited for a channel's shared limit.
    pub(super) fn resume(&mut self, channel: ChannelKey, waiting: Vec<QueueKey>, effects: &mut Effects) {
        for queue in waiting {
            let state = self.topology.queues.get_mut(queue);
            if state.is_some_and(|state| self.clients.unblock(state, channel)) {
                self.run(queue, effects);
            }
        }
    }

    /// Hands a queue on to its next single active consumer, which gets what is ready.
    fn activate_next_and_run(&mut self, queue: QueueKey, effects: &mut Effects) {
        let Some(state) = self.topology.queues.get_mut(queue) else { return };
        let before = state.active;
        self.clients.activate_next(state, &self.node.behaviour);
        if state.active != before {
            self.run(queue, effects);
        }
    }
}

// -- Settlements --

impl Broker {
    /// `basic.ack`, `basic.nack`, `basic.reject`.
    pub(super) fn settle(
        &mut self,
        channel: ChannelKey,
        tag: u64,
        multiple: bool,
        settlement: Settlement,
        effects: &mut Effects,
    ) -> Result<(), Fault> {
        let state = &mut self.clients.channels[channel];
        let unknown = || Fault::precondition_failed(format!("unknown delivery tag {tag}"));
        if multiple {
            if tag != 0 && !state.unacked.contains(tag) {
                return Err(unknown());
            }
            let taken = if tag == 0 { state.unacked.take_all() } else { state.unacked.take_up_to(tag) };
            match &mut state.mode {
                Mode::Transaction(transaction) => transaction.settle(settlement, taken),
                _ => self.settle_groups(channel, taken, settlement, effects),
            }
            return Ok(());
        }
        let pending = state.unacked.take(tag).ok_or_else(unknown)?;
        match &mut state.mode {
            Mode::Transaction(transaction) => transaction.settle(settlement, vec![(tag, pending)]),
            _ => self.settle_one(channel, pending, settlement, effects),
        }
        Ok(())
    }

    /// Settles one delivery that was removed from its channel, whatever the channel's mode.
    pub(super) fn settle_one(
        &mut self,
        channel: ChannelKey,
        pending: Pending,
        settlement: Settlement,
        effects: &mut Effects,
    ) {
        let Pending { queue, consumer, message } = pending;
        let waiting = self.clients.channels[channel].limiter.settled(usize::from(consumer.is_some()));
        self.settle_group(channel, queue, consumer, settlement, std::iter::once(message), effects);
        if let Some(consumer) = consumer {
            self.clients.forget_delivery(consumer);
            self.activate_next_and_run(queue, effects);
        }
        self.resume(channel, waiting, effects);
    }

    /// `basic.recover`: requeues everything, in a transaction too.
    pub(super) fn recover(&mut self, channel: ChannelKey, effects: &mut Effects) {
        let taken = self.clients.channels[channel].unacked.take_all();
        self.settle_groups(channel, taken, Settlement::Requeue, effects);
    }

    /// Settles deliveries in the order of their tags, group by group (R97): by queue, each message of `basic.get` separately before those
    /// of consumers, which are grouped by consumer tag.
    pub(super) fn settle_groups(
        &mut self,
        channel: ChannelKey,
        mut taken: Vec<(u64, Pending)>,
        settlement: Settlement,
        effects: &mut Effects,
    ) {
        let consumed = taken.iter().filter(|(_, pending)| pending.consumer.is_some()).count();
        // The channel-wide prefetch is released before the queues settle, as in RabbitMQ.
        let waiting = self.clients.channels[channel].limiter.settled(consumed);
        taken.retain(|(_, pending)| self.is_settleable(pending));
        taken.sort_by(|(tag_a, a), (tag_b, b)| {
            let queue = |pending: &Pending| &self.topology.queues[pending.queue].name;
            let consumer =
                |pending: &Pending| pending.consumer.map(|consumer| &self.clients.consumers[consumer].tag);
            // No consumer (`None`) sorts before any consumer.
            queue(a).cmp(queue(b)).then_with(|| consumer(a).cmp(&consumer(b))).then(tag_a.cmp(tag_b))
        });
        // Deliveries of an ended consumer and of another with its tag are one group; each counts for its own record.
        let consumers: Vec<(ConsumerKey, QueueKey)> =
            taken.iter().filter_map(|(_, pending)| Some((pending.consumer?, pending.queue))).collect();
        let mut rest = taken.into_iter().map(|(_, pending)| pending).peekable();
        self.batch = Some(Vec::new());
        while let Some(Pending { queue, consumer, message }) = rest.next() {
            let mut group = vec![message];
            while let Some(next) = rest.next_if(|next| self.is_same_group(next, queue, consumer)) {
                group.push(next.message);
            }
            self.settle_group(channel, queue, consumer, settlement, group, effects);
        }
        self.settle_batch(effects);
        for (consumer, queue) in consumers {
            self.clients.forget_delivery(consumer);
            self.activate_next_and_run(queue, effects);
        }
        self.resume(channel, waiting, effects);
    }

    /// Settles what was sent to consumers that need not ack while a call settled: RabbitMQ takes all groups of the call before it (R133).
    fn settle_batch(&mut self, effects: &mut Effects) {
        let mut batch = self.batch.take().unwrap_or_default();
        while let Some(&(queue, _)) = batch.first() {
            let (sent, rest) = batch.into_iter().partition::<Vec<_>, _>(|(of, _)| *of == queue);
            batch = rest;
            if self.topology.queues.contains_key(queue) {
                let sent = sent.into_iter().map(|(_, consumer)| consumer).collect();
                self.settle_sent(queue, sent, effects);
            }
        }
    }

    /// Returns whether a delivery needs a settlement: one of a deleted queue does not (R59).
    fn is_settleable(&mut self, pending: &Pending) -> bool {
        let exists = self.topology.queues.contains_key(pending.queue);
        if !exists && let Some(consumer) = pending.consumer {
            self.clients.forget_delivery(consumer);
        }
        exists
    }

    fn is_same_group(&self, next: &Pending, queue: QueueKey, consumer: Option<ConsumerKey>) -> bool {
        let tag = |consumer: ConsumerKey| &self.clients.consumers[consumer].tag;
        next.queue == queue
            && matches!((next.consumer, consumer), (Some(next), Some(group))
                if next == group || tag(next) == tag(group))
    }

    /// Settles one group, in one step of its queue (A6). The records of its consumers still count the deliveries.
    pub(super) fn settle_group(
        &mut self,
        channel: ChannelKey,
        queue: QueueKey,
        consumer: Option<ConsumerKey>,
        settlement: Settlement,
        messages: impl IntoIterator<Item = Message, IntoIter: ExactSizeIterator + Clone>,
        effects: &mut Effects,
    ) {
        let Some(state) = self.topology.queues.get_mut(queue) else { return };
        let messages = messages.into_iter();
        let enters_anew =
            settlement == Settlement::Requeue && state.is_quorum() && state.settings.delivery_limit.is_none();
        if messages.len() > 1 && enters_anew {
            self.requeue_anew(channel, queue, consumer, messages, effects);
            return;
        }
        let count = u32::try_from(messages.len()).expect("fewer than 2^32 deliveries are unsettled");
        state.unacked -= count;
        let mut credit = count;
        let behaviour = &self.node.behaviour;
        if settlement == Settlement::Requeue && state.is_quorum() && !behaviour.drops_give_one_credit {
            let returned = messages.clone().map(|message| message.returned(settlement, behaviour));
            credit += returned.map(|message| u32::from(state.is_over_delivery_limit(&message))).sum::<u32>();
        }
        let rejoined = consumer
            .is_some_and(|consumer| self.clients.give_credit(channel, queue, state, consumer, credit));
        match settlement {
            Settlement::Ack => drop(messages),
            Settlement::Discard(reason) => self.topology.discard(&self.node, queue, messages, reason),
            Settlement::Requeue | Settlement::ChannelEnded => {
                self.requeue(queue, messages, settlement, effects);
            }
        }
        if rejoined {
            self.run(queue, effects);
        }
    }

    /// Requeues messages of a quorum queue without a delivery limit: they enter it like new messages, one after the other (R133).
    fn requeue_anew(
        &mut self,
        channel: ChannelKey,
        queue: QueueKey,
        consumer: Option<ConsumerKey>,
        messages: impl Iterator<Item = Message>,
        effects: &mut Effects,
    ) {
        for message in messages {
            let state = &mut self.topology.queues[queue];
            state.unacked -= 1;
            if let Some(consumer) = consumer {
                self.clients.give_credit(channel, queue, state, consumer, 1);
            }
            state.take_back([message], Settlement::Requeue, &self.node.behaviour);
            self.topology.drop_expired(&self.node, queue);
            self.run(queue, effects);
            self.topology.drop_over_limit(&self.node, queue);
        }
    }

    /// Requeues messages, and delivers (A7).
    fn requeue(
        &mut self,
        queue: QueueKey,
        messages: impl IntoIterator<Item = Message>,
        settlement: Settlement,
        effects: &mut Effects,
    ) {
        let state = &mut self.topology.queues[queue];
        match state.settings.kind {
            QueueKind::Classic => {
                for message in messages {
                    state.ready.insert(Message { redelivered: true, ..message });
                }
                self.topology.drop_over_limit(&self.node, queue);
                self.topology.drop_expired(&self.node, queue);
                self.run(queue, effects);
            }
            QueueKind::Quorum => {
                let too_often = state.take_back(messages, settlement, &self.node.behaviour);
                self.topology.drop_expired(&self.node, queue);
                self.run(queue, effects);
                // What does not fit is dead-lettered before what came back too often.
                self.topology.drop_over_limit(&self.node, queue);
                for message in too_often {
                    self.topology.dead_letter(&self.node, queue, &message, Reason::DeliveryLimit);
                }
                self.topology.schedule(queue);
            }
        }
    }
}
