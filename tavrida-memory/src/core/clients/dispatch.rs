//! Dispatch: the service queue of consumers and their credit (A3 to A5 of the broker semantics).

use tavrida::field::ShortString;
use tavrida_behaviour::Behaviour;

use super::Clients;
use super::consumer::Consumer;
use super::unacked::Pending;
use crate::core::effect::{Arrival, Delivered, Effects};
use crate::core::keys::{ChannelKey, ConsumerKey, QueueKey};
use crate::core::queue::settings::QueueKind;
use crate::core::queue::{Message, Queue};

impl Clients {
    /// Returns the consumer that takes the next message of a queue. Consumers without credit leave the service queue (A3).
    pub(crate) fn next_consumer(&mut self, key: QueueKey, queue: &mut Queue) -> Option<ConsumerKey> {
        loop {
            let candidate = if queue.settings.single_active {
                queue.active.filter(|active| !self.consumers[*active].blocked && !queue.quiescing)
            } else {
                queue.service_queue.first()
            }?;
            if self.consumers.get(candidate).is_none_or(|candidate| !candidate.alive) {
                queue.service_queue.remove(candidate);
                continue;
            }
            if self.admits(key, queue, candidate) {
                return Some(candidate);
            }
            self.consumers[candidate].blocked = true;
            queue.service_queue.remove(candidate);
            queue.blocked.push(candidate);
        }
    }

    /// Returns whether a consumer may get one more message; counts it in the channel's shared limit.
    fn admits(&mut self, key: QueueKey, queue: &Queue, consumer: ConsumerKey) -> bool {
        let Consumer { channel, credit, no_ack, .. } = self.consumers[consumer];
        if queue.is_quorum() {
            // A quorum queue has its own count, and ignores the channel's shared limit.
            return credit != Some(0);
        }
        let limiter = &mut self.channels[channel].limiter;
        !limiter.holds(key) && credit != Some(0) && limiter.admit(key, no_ack)
    }

    /// Assigns one more message to a consumer: updates its credit and its position in the service queue.
    pub(crate) fn assign(&mut self, queue: &mut Queue, consumer: ConsumerKey) {
        let record = &mut self.consumers[consumer];
        if let Some(credit) = &mut record.credit {
            *credit -= 1;
        }
        if queue.settings.kind == QueueKind::Quorum && record.credit == Some(0) {
            // It leaves the service queue at once; in a classic queue this happens at the consumer's turn.
            record.blocked = true;
            queue.service_queue.remove(consumer);
            queue.blocked.push(consumer);
        } else if !queue.settings.single_active {
            queue.service_queue.rotate();
        }
    }

    /// Sends a message to the consumer that it was assigned to.
    pub(crate) fn send_delivery(
        &mut self,
        key: QueueKey,
        queue: &mut Queue,
        consumer: ConsumerKey,
        message: Message,
        effects: &mut Effects,
    ) {
        let number = self.next_number();
        let record = &mut self.consumers[consumer];
        let channel = &mut self.channels[record.channel];
        let tag = channel.take_tag();
        let delivered = Delivered {
            consumer_tag: record.tag.clone(),
            delivery_tag: tag,
            redelivered: message.redelivered,
            publication: queue.outgoing(&message, false),
        };
        if !record.no_ack {
            record.unsettled += 1;
            queue.unacked += 1;
            channel.unacked.push(tag, Pending { queue: key, consumer: Some(consumer), message });
        }
        channel.send(number, Arrival::Delivery(delivered), effects);
    }

    /// A consumer that need not ack has a prefetch in a quorum queue too: what it gets is settled when it was sent. Returns whether it
    /// rejoined the service queue.
    pub(crate) fn settle_at_once(&mut self, queue: &mut Queue, consumer: ConsumerKey) -> bool {
        let Consumer { no_ack: true, channel, credit: Some(credit), .. } = &mut self.consumers[consumer]
        else {
            return false;
        };
        *credit += 1;
        let (channel, first) = (*channel, *credit == 1);
        first && self.unblock(queue, channel)
    }

    /// Returns the place of a consumer among those of its quorum queue (R133).
    pub(crate) fn turn(&self, consumer: ConsumerKey, behaviour: &Behaviour) -> (u64, ShortString) {
        let Consumer { number, tag, .. } = &self.consumers[consumer];
        if behaviour.quorum_consumers_by_age { (*number, ShortString::default()) } else { (0, tag.clone()) }
    }

    /// Moves blocked consumers of a channel that have credit to the end of the service queue. Returns whether there were any.
    pub(crate) fn unblock(&mut self, queue: &mut Queue, channel: ChannelKey) -> bool {
        let service_queue = &mut queue.service_queue;
        let before = queue.blocked.len();
        queue.blocked.retain(|blocked| {
            let consumer = &mut self.consumers[*blocked];
            let stays = consumer.channel != channel || consumer.credit == Some(0);
            if !stays {
                consumer.blocked = false;
                service_queue.push(consumer.priority, *blocked);
            }
            stays
        });
        queue.blocked.len() < before
    }

    /// Adds credit to a consumer. Returns whether consumers rejoined the service queue. The credit goes to the current consumer with the tag,
    /// whichever consumer got the delivery (R109).
    pub(crate) fn give_credit(
        &mut self,
        channel: ChannelKey,
        key: QueueKey,
        queue: &mut Queue,
        consumer: ConsumerKey,
        count: u32,
    ) -> bool {
        let credited = if self.consumers[consumer].alive {
            consumer
        } else {
            let tag = &self.consumers[consumer].tag;
            let same_tag = self.channels[channel].consumers.get(tag).copied();
            match same_tag.filter(|same| self.consumers[*same].queue == key) {
                Some(same_tag) => same_tag,
                None => return false,
            }
        };
        let Some(credit) = &mut self.consumers[credited].credit else { return false };
        *credit += count;
        // It had no credit, and so was, or would have been, found blocked.
        *credit == count && self.unblock(queue, channel)
    }

    /// Counts a settled delivery of a consumer: the record of an ended one is removed with its last.
    pub(crate) fn forget_delivery(&mut self, consumer: ConsumerKey) {
        let record = &mut self.consumers[consumer];
        record.unsettled -= 1;
        if !record.alive && record.unsettled == 0 {
            self.consumers.remove(consumer);
        }
    }
}
