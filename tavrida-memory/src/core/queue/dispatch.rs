//! Dispatch: the line of consumers and their credit (A3 to A5 of the broker semantics).

use tavrida::field::ShortString;

use super::Message;
use super::settings::QueueKind;
use crate::core::Broker;
use crate::core::clients::consumer::Consumer;
use crate::core::clients::unacked::Pending;
use crate::core::effect::{Arrival, Delivered, Effects};
use crate::core::keys::{ChannelKey, ConsumerKey, QueueKey};

impl Broker {
    /// Returns the consumer that takes the next message of a queue. Consumers without credit leave the line (A3).
    pub(crate) fn next_consumer(&mut self, queue: QueueKey) -> Option<ConsumerKey> {
        loop {
            let state = &self.topology.queues[queue];
            let candidate = if state.settings.single_active {
                state.active.filter(|active| !self.clients.consumers[*active].blocked && !state.quiescing)
            } else {
                state.line.first()
            }?;
            if self.clients.consumers.get(candidate).is_none_or(|candidate| !candidate.alive) {
                self.topology.queues[queue].line.remove(candidate);
                continue;
            }
            if self.admits(queue, candidate) {
                return Some(candidate);
            }
            self.clients.consumers[candidate].blocked = true;
            let state = &mut self.topology.queues[queue];
            state.line.remove(candidate);
            state.blocked.push(candidate);
        }
    }

    /// Returns whether a consumer may get one more message; counts it in the channel's shared limit.
    fn admits(&mut self, queue: QueueKey, consumer: ConsumerKey) -> bool {
        let Consumer { channel, credit, no_ack, .. } = self.clients.consumers[consumer];
        if self.topology.queues[queue].settings.kind == QueueKind::Quorum {
            // A quorum queue has its own count, and ignores the channel's shared limit.
            return credit != Some(0);
        }
        let limiter = &mut self.clients.channels[channel].limiter;
        !limiter.holds(queue) && credit != Some(0) && limiter.admit(queue, no_ack)
    }

    /// Delivers a message to the consumer that [`next_consumer`](Broker::next_consumer) returned (A4).
    pub(crate) fn deliver(
        &mut self,
        queue: QueueKey,
        consumer: ConsumerKey,
        message: Message,
        effects: &mut Effects,
    ) {
        self.assign(queue, consumer);
        self.hand_over(queue, consumer, message, effects);
    }

    /// Assigns one more message to a consumer: updates its credit and its position in the line.
    fn assign(&mut self, queue: QueueKey, consumer: ConsumerKey) {
        let state = &mut self.topology.queues[queue];
        let record = &mut self.clients.consumers[consumer];
        if let Some(credit) = &mut record.credit {
            *credit -= 1;
        }
        if state.settings.kind == QueueKind::Quorum && record.credit == Some(0) {
            // It leaves the line at once; in a classic queue this happens at the consumer's turn.
            record.blocked = true;
            state.line.remove(consumer);
            state.blocked.push(consumer);
        } else if !state.settings.single_active {
            state.line.rotate();
        }
    }

    /// Sends a message to the consumer that it was assigned to.
    fn hand_over(&mut self, queue: QueueKey, consumer: ConsumerKey, message: Message, effects: &mut Effects) {
        let number = self.next_number();
        let state = &mut self.topology.queues[queue];
        let record = &mut self.clients.consumers[consumer];
        let channel = &mut self.clients.channels[record.channel];
        let tag = channel.take_tag();
        let delivered = Delivered {
            consumer_tag: record.tag.clone(),
            delivery_tag: tag,
            redelivered: message.redelivered,
            publication: state.outgoing(&message, false),
        };
        if !record.no_ack {
            record.unsettled += 1;
            state.unacked += 1;
            channel.unacked.push(tag, Pending { queue, consumer: Some(consumer), message });
        }
        channel.send(number, Arrival::Delivery(delivered), effects);
    }

    /// Removes the head, and the expired messages behind it (A5). A quorum queue removes those before the head, and the others a moment
    /// later, which a `basic.get` that will be settled does not wait for (R69).
    pub(crate) fn fetch(&mut self, queue: QueueKey) -> Option<Message> {
        if self.topology.queues[queue].is_quorum() {
            self.sweep(queue);
            return self.topology.queues[queue].ready.pop();
        }
        let message = self.topology.queues[queue].ready.pop()?;
        self.sweep(queue);
        Some(message)
    }

    /// Delivers while there are a message and a consumer for it.
    pub(crate) fn run(&mut self, queue: QueueKey, effects: &mut Effects) {
        if self.topology.queues[queue].settings.kind == QueueKind::Quorum {
            self.run_together(queue, effects);
        } else {
            while let Some((consumer, message)) = self.next_pair(queue) {
                self.deliver(queue, consumer, message, effects);
            }
        }
        self.arm(queue);
    }

    fn run_together(&mut self, queue: QueueKey, effects: &mut Effects) {
        let sent = self.run_once(queue, effects);
        self.settle_sent(queue, sent, effects);
    }

    /// A quorum queue assigns all that it can, and then sends to one consumer after the other (A5). Returns to whom it sent.
    pub(crate) fn run_once(&mut self, queue: QueueKey, effects: &mut Effects) -> Vec<ConsumerKey> {
        let mut assigned = Vec::new();
        while let Some((consumer, message)) = self.next_pair(queue) {
            self.assign(queue, consumer);
            assigned.push((consumer, message));
        }
        assigned.sort_by_cached_key(|(consumer, _)| self.turn(*consumer));
        let hand_over = |(consumer, message)| {
            self.hand_over(queue, consumer, message, effects);
            consumer
        };
        assigned.into_iter().map(hand_over).collect()
    }

    /// Settles what was sent to consumers that need not ack, and goes on with their credit.
    pub(crate) fn settle_sent(&mut self, queue: QueueKey, mut sent: Vec<ConsumerKey>, effects: &mut Effects) {
        while sent.iter().fold(false, |rejoined, consumer| self.settle_at_once(queue, *consumer) || rejoined)
        {
            // Before those have credit again, the queue's limit counts what stayed.
            self.drop_over_limit(queue);
            sent = self.run_once(queue, effects);
        }
    }

    /// A consumer that need not ack has a prefetch in a quorum queue too: what it gets is settled when it was sent. Returns whether it
    /// rejoined the line.
    fn settle_at_once(&mut self, queue: QueueKey, consumer: ConsumerKey) -> bool {
        let Consumer { no_ack: true, channel, credit: Some(credit), .. } =
            &mut self.clients.consumers[consumer]
        else {
            return false;
        };
        *credit += 1;
        let (channel, first) = (*channel, *credit == 1);
        first && self.unblock(queue, channel)
    }

    /// Returns the place of a consumer among those of its quorum queue (R133).
    pub(crate) fn turn(&self, consumer: ConsumerKey) -> (u64, ShortString) {
        let Consumer { number, tag, .. } = &self.clients.consumers[consumer];
        if self.node.behaviour.quorum_consumers_by_age {
            (*number, ShortString::default())
        } else {
            (0, tag.clone())
        }
    }

    /// Returns the next message, with the consumer that takes it.
    fn next_pair(&mut self, queue: QueueKey) -> Option<(ConsumerKey, Message)> {
        if self.topology.queues[queue].ready.is_empty() {
            return None;
        }
        let consumer = self.next_consumer(queue)?;
        Some((consumer, self.fetch(queue)?))
    }

    /// Moves blocked consumers of a channel that have credit to the end of the line. Returns whether there were any.
    pub(crate) fn unblock(&mut self, queue: QueueKey, channel: ChannelKey) -> bool {
        let consumers = &mut self.clients.consumers;
        let state = &mut self.topology.queues[queue];
        let line = &mut state.line;
        let before = state.blocked.len();
        state.blocked.retain(|blocked| {
            let consumer = &mut consumers[*blocked];
            let stays = consumer.channel != channel || consumer.credit == Some(0);
            if !stays {
                consumer.blocked = false;
                line.push(consumer.priority, *blocked);
            }
            stays
        });
        state.blocked.len() < before
    }

    /// Continues the queues that waited for a channel's shared limit.
    pub(crate) fn resume(&mut self, channel: ChannelKey, waiting: Vec<QueueKey>, effects: &mut Effects) {
        for queue in waiting {
            if self.topology.queues.contains_key(queue) && self.unblock(queue, channel) {
                self.run(queue, effects);
            }
        }
    }
}
