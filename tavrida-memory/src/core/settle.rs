//! Settles deliveries: ack, reject, nack, recover, and requeues by closing (A6, A13 of the broker semantics).

use super::Broker;
use super::clients::channel::Mode;
use super::clients::unacked::Pending;
use super::dead_letter::Reason;
use super::effect::Effects;
use super::errors::Fault;
use super::keys::{ChannelKey, ConsumerKey, QueueKey};
use super::queue::Message;
use super::queue::settings::QueueKind;

/// How deliveries are settled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    Ack,
    /// The queue dead-letters or drops it, and why.
    Discard(Reason),
    Requeue,
    /// Its channel has ended: like requeued, but not by the client.
    GiveBack,
}

impl Verdict {
    pub(crate) fn of_reject(requeue: bool) -> Self {
        if requeue { Self::Requeue } else { Self::Discard(Reason::Rejected) }
    }
}

impl Broker {
    /// `basic.ack`, `basic.nack`, `basic.reject`.
    pub(crate) fn settle(
        &mut self,
        channel: ChannelKey,
        tag: u64,
        multiple: bool,
        verdict: Verdict,
        effects: &mut Effects,
    ) -> Result<(), Fault> {
        let unacked = &mut self.clients.channels[channel].unacked;
        if multiple {
            if tag != 0 && !unacked.contains(tag) {
                return Err(unknown_tag(tag));
            }
            let taken = if tag == 0 { unacked.take_all() } else { unacked.take_up_to(tag) };
            self.settle_taken(channel, taken, verdict, effects);
            return Ok(());
        }
        let pending = unacked.take(tag).ok_or_else(|| unknown_tag(tag))?;
        if let Mode::Transaction(transaction) = &mut self.clients.channels[channel].mode {
            transaction.settle(verdict, vec![(tag, pending)]);
            return Ok(());
        }
        self.settle_one(channel, pending, verdict, effects);
        Ok(())
    }

    /// Settles one delivery that was removed from its channel, whatever the channel's mode.
    pub(crate) fn settle_one(
        &mut self,
        channel: ChannelKey,
        pending: Pending,
        verdict: Verdict,
        effects: &mut Effects,
    ) {
        let Pending { queue, consumer, message } = pending;
        let waiting = self.release_limit(channel, usize::from(consumer.is_some()));
        self.settle_group(channel, queue, consumer, verdict, std::iter::once(message), effects);
        if let Some(consumer) = consumer {
            self.forget_delivery(consumer);
            self.hand_on_and_run(queue, effects);
        }
        self.resume(channel, waiting, effects);
    }

    /// `basic.recover`: requeues everything, in a transaction too.
    pub(crate) fn recover(&mut self, channel: ChannelKey, effects: &mut Effects) {
        let taken = self.clients.channels[channel].unacked.take_all();
        self.settle_groups(channel, taken, Verdict::Requeue, effects);
    }

    fn settle_taken(
        &mut self,
        channel: ChannelKey,
        taken: Vec<(u64, Pending)>,
        verdict: Verdict,
        effects: &mut Effects,
    ) {
        if let Mode::Transaction(transaction) = &mut self.clients.channels[channel].mode {
            transaction.settle(verdict, taken);
        } else {
            self.settle_groups(channel, taken, verdict, effects);
        }
    }

    /// Settles deliveries in the order of their tags, group by group (R97): by queue, each message of `basic.get` separately before those
    /// of consumers, which are grouped by consumer tag.
    pub(crate) fn settle_groups(
        &mut self,
        channel: ChannelKey,
        taken: Vec<(u64, Pending)>,
        verdict: Verdict,
        effects: &mut Effects,
    ) {
        let consumed = taken.iter().filter(|(_, pending)| pending.consumer.is_some()).count();
        let waiting = self.release_limit(channel, consumed);
        let mut taken: Vec<(u64, Pending)> =
            taken.into_iter().filter(|(_, pending)| self.settleable(pending)).collect();
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
        while let Some(Pending { queue, consumer, message }) = rest.next() {
            let mut group = vec![message];
            while let Some(next) = rest.next_if(|next| self.is_same_group(next, queue, consumer)) {
                group.push(next.message);
            }
            self.settle_group(channel, queue, consumer, verdict, group, effects);
        }
        for (consumer, queue) in consumers {
            self.forget_delivery(consumer);
            self.hand_on_and_run(queue, effects);
        }
        self.resume(channel, waiting, effects);
    }

    /// Returns whether a delivery needs a settlement: one of a deleted queue does not (R59).
    fn settleable(&mut self, pending: &Pending) -> bool {
        let alive = self.topology.queues.contains_key(pending.queue);
        if !alive && let Some(consumer) = pending.consumer {
            self.forget_delivery(consumer);
        }
        alive
    }

    fn is_same_group(&self, next: &Pending, queue: QueueKey, consumer: Option<ConsumerKey>) -> bool {
        let tag = |consumer: ConsumerKey| &self.clients.consumers[consumer].tag;
        next.queue == queue
            && matches!((next.consumer, consumer), (Some(next), Some(group))
                if next == group || tag(next) == tag(group))
    }

    /// Settles one group, in one step of its queue (A6). The records of its consumers still count the deliveries.
    pub(crate) fn settle_group(
        &mut self,
        channel: ChannelKey,
        queue: QueueKey,
        consumer: Option<ConsumerKey>,
        verdict: Verdict,
        messages: impl IntoIterator<Item = Message, IntoIter: ExactSizeIterator + Clone>,
        effects: &mut Effects,
    ) {
        let messages = messages.into_iter();
        if messages.len() > 1 && self.enters_anew(queue, verdict) {
            self.requeue_anew(channel, queue, consumer, messages, effects);
            return;
        }
        let count = u32::try_from(messages.len()).expect("fewer than 2^32 deliveries are unsettled");
        let Some(state) = self.topology.queues.get_mut(queue) else { return };
        state.unacked -= count;
        let mut credit = count;
        if verdict == Verdict::Requeue && state.is_quorum() && !self.node.behaviour.drops_give_one_credit {
            let returned = messages.clone().map(|message| message.returned(verdict, &self.node.behaviour));
            credit += returned.map(|message| u32::from(state.is_over_delivery_limit(&message))).sum::<u32>();
        }
        let rejoined = consumer.is_some_and(|consumer| self.give_credit(channel, queue, consumer, credit));
        match verdict {
            Verdict::Ack => drop(messages),
            Verdict::Discard(reason) => self.discard(queue, messages, reason),
            Verdict::Requeue | Verdict::GiveBack => self.requeue(queue, messages, verdict, effects),
        }
        if rejoined {
            self.run(queue, effects);
        }
    }

    /// Returns whether requeued messages enter the queue like new messages, one after the other (R133).
    fn enters_anew(&self, queue: QueueKey, verdict: Verdict) -> bool {
        verdict == Verdict::Requeue
            && self.topology.queues.get(queue).is_some_and(|state| {
                state.settings.kind == QueueKind::Quorum && state.settings.delivery_limit.is_none()
            })
    }

    /// Requeues messages one after the other. They are one batch of the queue: what it sends to consumers that need not ack is settled
    /// behind them.
    fn requeue_anew(
        &mut self,
        channel: ChannelKey,
        queue: QueueKey,
        consumer: Option<ConsumerKey>,
        messages: impl Iterator<Item = Message>,
        effects: &mut Effects,
    ) {
        let mut sent = Vec::new();
        for message in messages {
            self.topology.queues[queue].unacked -= 1;
            if let Some(consumer) = consumer {
                self.give_credit(channel, queue, consumer, 1);
            }
            self.return_to_quorum(queue, [message], Verdict::Requeue);
            self.sweep(queue);
            sent.extend(self.run_once(queue, effects));
            self.drop_over_limit(queue);
        }
        self.settle_sent(queue, sent, effects);
        self.arm(queue);
    }

    fn discard(&mut self, queue: QueueKey, messages: impl Iterator<Item = Message>, reason: Reason) {
        if self.topology.queues[queue].settings.dead_letter.is_none() {
            return;
        }
        let mut messages: Vec<Message> = messages.collect();
        messages.sort_by_key(|message| std::cmp::Reverse(message.priority));
        for message in messages {
            self.dead_letter(queue, &message, reason);
        }
    }

    /// Adds credit to a consumer. Returns whether consumers rejoined the line. The credit goes to the current consumer with the tag,
    /// whichever consumer got the delivery (R109).
    fn give_credit(
        &mut self,
        channel: ChannelKey,
        queue: QueueKey,
        consumer: ConsumerKey,
        count: u32,
    ) -> bool {
        let heir = if self.clients.consumers[consumer].alive {
            consumer
        } else {
            let tag = &self.clients.consumers[consumer].tag;
            let same_tag = self.clients.channels[channel].consumers.get(tag).copied();
            match same_tag.filter(|same| self.clients.consumers[*same].queue == queue) {
                Some(same_tag) => same_tag,
                None => return false,
            }
        };
        let Some(credit) = &mut self.clients.consumers[heir].credit else { return false };
        *credit += count;
        // It had no credit, and so was, or would have been, found blocked.
        *credit == count && self.unblock(queue, channel)
    }

    /// Counts a settled delivery of a consumer: the record of an ended one is removed with its last.
    pub(crate) fn forget_delivery(&mut self, consumer: ConsumerKey) {
        let record = &mut self.clients.consumers[consumer];
        record.unsettled -= 1;
        if !record.alive && record.unsettled == 0 {
            self.clients.consumers.remove(consumer);
        }
    }

    /// Releases the channel-wide prefetch before the queues settle, as RabbitMQ does. Returns the queues that wait for it.
    fn release_limit(&mut self, channel: ChannelKey, count: usize) -> Vec<QueueKey> {
        self.clients.channels[channel].limiter.settled(count)
    }
}

fn unknown_tag(tag: u64) -> Fault {
    Fault::precondition_failed(format!("unknown delivery tag {tag}"))
}
