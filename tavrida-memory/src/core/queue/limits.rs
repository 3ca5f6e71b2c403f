//! What a queue makes of a message that enters it, and the limits of the queue (A1, A7 of the broker semantics).

use std::time::Duration;

use tavrida_behaviour::Behaviour;

use super::settings::{Overflow, QueueKind};
use super::{Message, Origin, Queue};
use crate::core::message::container::Container;
use crate::core::message::expiration;
use crate::core::settlement::Settlement;

impl Queue {
    /// Returns whether a message was returned too often.
    pub(crate) fn is_over_delivery_limit(&self, message: &Message) -> bool {
        self.settings.delivery_limit.is_some_and(|limit| u64::from(message.counted) > limit)
    }

    /// A quorum queue counts returns, and delivers returned messages first, in the order of their return (R132, R133). Without a delivery
    /// limit it appends what a client requeues behind all ready messages instead. Returns the messages that came back too often.
    pub(crate) fn take_back(
        &mut self,
        messages: impl IntoIterator<Item = Message>,
        settlement: Settlement,
        behaviour: &Behaviour,
    ) -> Vec<Message> {
        let mut too_often = Vec::new();
        for message in messages {
            let message = message.returned(settlement, behaviour);
            if self.is_over_delivery_limit(&message) {
                too_often.push(message);
            } else if settlement == Settlement::Requeue && self.settings.delivery_limit.is_none() {
                let seq = self.take_seq();
                self.ready.insert(Message { seq, priority: 0, ..message });
            } else {
                self.ready.insert_returned(message);
            }
        }
        too_often
    }

    /// Returns a new message of this queue.
    pub(crate) fn message(&self, container: &Container, now: Duration, behaviour: &Behaviour) -> Message {
        let properties = &container.publication.properties;
        let own = properties.expiration.as_ref().and_then(|text| expiration::parse(text).ok());
        let ttl = match (self.settings.ttl, own) {
            (Some(queue), Some(own)) => Some(queue.min(own)),
            (queue, own) => queue.or(own),
        };
        // In a quorum queue every message lives at least one millisecond.
        let least = match self.settings.kind {
            QueueKind::Classic => Duration::ZERO,
            QueueKind::Quorum => Duration::from_millis(1),
        };
        let priority = properties.priority.unwrap_or(0);
        let failures =
            container.deaths.as_ref().filter(|_| self.is_quorum()).map_or(0, |record| record.failures);
        Message {
            container: container.clone(),
            seq: 0,
            expires_at: ttl.map(|ttl| now + ttl.max(least)),
            returns: 0,
            counted: 0,
            failures,
            priority: match self.settings.kind {
                QueueKind::Classic => priority.min(self.settings.max_priority),
                QueueKind::Quorum => u8::from(behaviour.quorum_priorities && priority > 4),
            },
            redelivered: failures > 0,
        }
    }

    /// Returns the number in the order of first arrival, also for a message delivered at once: it may be requeued.
    pub(crate) fn take_seq(&mut self) -> u64 {
        let seq = self.next_seq;
        self.next_seq += 1;
        seq
    }

    pub(crate) fn refuses(&mut self, message: &Message, origin: Origin) -> bool {
        match (self.settings.overflow, self.settings.kind) {
            (Overflow::DropHead, _) => false,
            (_, QueueKind::Classic) => self.is_over_limit(1, message.bytes()),
            // Dead letters have no publisher that could be stopped.
            (_, QueueKind::Quorum) => origin != Origin::AtMostOnce && self.is_refusing(),
        }
    }

    /// A quorum queue makes publishers stop when it exceeds its limit, and continue when it is down to four fifths.
    fn is_refusing(&mut self) -> bool {
        let below = |limit: Option<u64>, count: u64| limit.is_none_or(|limit| count <= limit * 4 / 5);
        if self.is_over_limit(0, 0) {
            self.refusing = true;
        } else if below(self.settings.max_length, self.length())
            && below(self.settings.max_bytes, self.bytes())
        {
            self.refusing = false;
        }
        self.refusing
    }

    /// Returns whether the messages and this many more exceed a limit.
    pub(crate) fn is_over_limit(&self, messages: u64, bytes: u64) -> bool {
        let over = |limit: Option<u64>, count| limit.is_some_and(|limit| count > limit);
        over(self.settings.max_length, self.length() + messages)
            || over(self.settings.max_bytes, self.bytes() + bytes)
    }

    /// Returns how many messages count towards a limit.
    fn length(&self) -> u64 {
        (self.ready.len() + self.dead_letters.len()) as u64
    }

    /// Returns how many bytes count towards a limit.
    fn bytes(&self) -> u64 {
        self.ready.bytes() + self.dead_letters.bytes()
    }
}
