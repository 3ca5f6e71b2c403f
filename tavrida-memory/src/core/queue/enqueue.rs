//! How messages enter a queue: publishes, requeues, and the limits of a queue (A1, A7 of the broker semantics).

use std::time::Duration;

use tavrida_behaviour::Behaviour;

use super::settings::{Overflow, QueueKind};
use super::{Message, Queue};
use crate::core::Broker;
use crate::core::dead_letter::Reason;
use crate::core::effect::Effects;
use crate::core::expiration;
use crate::core::keys::QueueKey;
use crate::core::parcel::Parcel;
use crate::core::settle::Verdict;

/// The origin of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    /// A client, which learns of a refusal.
    Publish,
    /// The dead letter of another queue.
    DeadLetter,
    /// The dead letter of another queue, which keeps it if it is refused.
    Debt,
}

impl Broker {
    /// Puts a message into a queue, or delivers it directly to a consumer. Returns `false` if the queue refuses it (A1).
    pub(crate) fn enqueue(
        &mut self,
        queue: QueueKey,
        parcel: &Parcel,
        origin: Origin,
        effects: &mut Effects,
    ) -> bool {
        let state = &mut self.topology.queues[queue];
        let mut message = state.message(parcel, self.node.now.elapsed, &self.node.behaviour);
        if state.refuses(&message, origin) {
            if state.settings.overflow == Overflow::RejectPublishDlx {
                self.dead_letter(queue, &message, Reason::MaxLength);
            }
            return false;
        }
        message.seq = state.take_seq();
        if state.is_quorum() {
            state.ready.insert(message);
            self.sweep(queue);
            self.run(queue, effects);
            self.drop_over_limit(queue);
            self.arm(queue);
            return true;
        }
        if state.ready.is_empty()
            && let Some(consumer) = self.next_consumer(queue)
        {
            self.deliver(queue, consumer, message, effects);
            return true;
        }
        self.topology.queues[queue].ready.insert(message);
        self.drop_over_limit(queue);
        self.sweep(queue);
        self.arm(queue);
        true
    }

    /// Requeues messages, and delivers (A7).
    pub(crate) fn requeue(
        &mut self,
        queue: QueueKey,
        messages: impl IntoIterator<Item = Message>,
        verdict: Verdict,
        effects: &mut Effects,
    ) {
        match self.topology.queues[queue].settings.kind {
            QueueKind::Classic => {
                let ready = &mut self.topology.queues[queue].ready;
                for message in messages {
                    ready.insert(Message { redelivered: true, ..message });
                }
                self.drop_over_limit(queue);
                self.sweep(queue);
                self.run(queue, effects);
            }
            QueueKind::Quorum => {
                let too_often = self.return_to_quorum(queue, messages, verdict);
                self.sweep(queue);
                self.run(queue, effects);
                // What does not fit is dead-lettered before what came back too often.
                self.drop_over_limit(queue);
                for message in too_often {
                    self.dead_letter(queue, &message, Reason::DeliveryLimit);
                }
                self.arm(queue);
            }
        }
    }

    /// A quorum queue counts returns, and delivers returned messages first, in the order of their return (R132, R133). Without a delivery
    /// limit it appends what a client requeues behind all ready messages instead. Returns the messages that came back too often.
    pub(crate) fn return_to_quorum(
        &mut self,
        queue: QueueKey,
        messages: impl IntoIterator<Item = Message>,
        verdict: Verdict,
    ) -> Vec<Message> {
        let mut too_often = Vec::new();
        for message in messages {
            let message = message.returned(verdict, &self.node.behaviour);
            let state = &mut self.topology.queues[queue];
            if state.is_over_delivery_limit(&message) {
                too_often.push(message);
            } else if verdict == Verdict::Requeue && state.settings.delivery_limit.is_none() {
                let seq = state.take_seq();
                state.ready.insert(Message { seq, priority: 0, ..message });
            } else {
                state.ready.insert_returned(message);
            }
        }
        too_often
    }

    /// Drops from the head while the queue exceeds its limits. A quorum queue dead-letters what it drops at one time in the opposite order
    /// (R133).
    pub(crate) fn drop_over_limit(&mut self, queue: QueueKey) {
        let mut dropped = Vec::new();
        loop {
            let state = &mut self.topology.queues[queue];
            if state.settings.overflow != Overflow::DropHead || !state.is_over_limit(0, 0) {
                break;
            }
            let Some(message) = state.ready.pop() else { break };
            dropped.push(message);
        }
        if self.topology.queues[queue].settings.kind == QueueKind::Quorum {
            dropped.reverse();
        }
        for message in dropped {
            self.dead_letter(queue, &message, Reason::MaxLength);
        }
    }
}

impl Message {
    /// Returns the message as it comes back to a quorum queue.
    pub(crate) fn returned(self, verdict: Verdict, behaviour: &Behaviour) -> Self {
        let failed = verdict == Verdict::GiveBack;
        let counts = failed || !behaviour.forgives_returns;
        Self {
            redelivered: true,
            returns: self.returns + 1,
            counted: self.counted + u32::from(counts),
            failures: self.failures + u32::from(failed),
            ..self
        }
    }
}

impl Queue {
    /// Returns whether a message was returned too often.
    pub(crate) fn is_over_delivery_limit(&self, message: &Message) -> bool {
        self.settings.delivery_limit.is_some_and(|limit| u64::from(message.counted) > limit)
    }

    fn message(&self, parcel: &Parcel, now: Duration, behaviour: &Behaviour) -> Message {
        let properties = &parcel.publication.properties;
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
            parcel.record.as_ref().filter(|_| self.is_quorum()).map_or(0, |record| record.failures);
        Message {
            parcel: parcel.clone(),
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
    fn take_seq(&mut self) -> u64 {
        let seq = self.next_seq;
        self.next_seq += 1;
        seq
    }

    fn refuses(&mut self, message: &Message, origin: Origin) -> bool {
        match (self.settings.overflow, self.settings.kind) {
            (Overflow::DropHead, _) => false,
            (_, QueueKind::Classic) => self.is_over_limit(1, message.bytes()),
            // Dead letters have no publisher that could be stopped.
            (_, QueueKind::Quorum) => origin != Origin::DeadLetter && self.is_refusing(),
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
    fn is_over_limit(&self, messages: u64, bytes: u64) -> bool {
        let over = |limit: Option<u64>, count| limit.is_some_and(|limit| count > limit);
        over(self.settings.max_length, self.length() + messages)
            || over(self.settings.max_bytes, self.bytes() + bytes)
    }

    /// Returns how many messages count towards a limit.
    fn length(&self) -> u64 {
        (self.ready.len() + self.owed.len()) as u64
    }

    /// Returns how many bytes count towards a limit.
    fn bytes(&self) -> u64 {
        self.ready.bytes() + self.owed.bytes()
    }
}
