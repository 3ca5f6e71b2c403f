//! How messages come in: publishes, returns, and the limits of a queue (A1, A7 of the broker semantics).

use std::time::Duration;

use super::settings::{Overflow, QueueKind};
use super::{Message, Queue};
use crate::core::Broker;
use crate::core::arena::Key;
use crate::core::dead_letter::Reason;
use crate::core::effect::Effects;
use crate::core::expiration;
use crate::core::parcel::Parcel;
use crate::core::settle::Verdict;

/// Where a message comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    /// A client, who learns of a refusal.
    Publish,
    /// Another queue that gave it up.
    DeadLetter,
    /// Another queue that gave it up, and keeps it if it is refused.
    Debt,
}

impl Broker {
    /// Puts a message into a queue, or straight into a consumer's hands; false where the queue refuses it (A1).
    pub(crate) fn enqueue(
        &mut self,
        queue: Key<Queue>,
        parcel: &Parcel,
        origin: Origin,
        effects: &mut Effects,
    ) -> bool {
        let state = &mut self.queues[queue];
        let mut message = state.message(parcel, self.now.elapsed);
        if state.refuses(&message, origin) {
            if state.settings.overflow == Overflow::RejectPublishDlx {
                self.dead_letter(queue, &message, Reason::MaxLength);
            }
            return false;
        }
        message.seq = state.take_seq();
        if state.ready.is_empty()
            && let Some(consumer) = self.next_consumer(queue)
        {
            self.deliver(queue, consumer, message, effects);
            return true;
        }
        self.queues[queue].ready.insert(message);
        self.drop_over_limit(queue);
        self.sweep(queue);
        self.arm(queue);
        true
    }

    /// Puts messages back, and delivers (A7).
    pub(crate) fn requeue(
        &mut self,
        queue: Key<Queue>,
        messages: impl IntoIterator<Item = Message>,
        verdict: Verdict,
        effects: &mut Effects,
    ) {
        match self.queues[queue].settings.kind {
            QueueKind::Classic => {
                let ready = &mut self.queues[queue].ready;
                for message in messages {
                    ready.insert(Message { redelivered: true, ..message });
                }
                self.drop_over_limit(queue);
                self.sweep(queue);
                self.run(queue, effects);
            }
            QueueKind::Quorum => {
                self.return_to_quorum(queue, messages, verdict);
                self.sweep(queue);
                self.run(queue, effects);
                self.drop_over_limit(queue);
                self.arm(queue);
            }
        }
    }

    /// A quorum queue counts returns, and serves what was returned before all else, in the order of its return (R132,
    /// R133). Without a delivery limit it enters what a client requeues anew instead, behind all that is ready.
    fn return_to_quorum(
        &mut self,
        queue: Key<Queue>,
        messages: impl IntoIterator<Item = Message>,
        verdict: Verdict,
    ) {
        for message in messages {
            let message = Message { redelivered: true, returns: message.returns + 1, ..message };
            let state = &mut self.queues[queue];
            if state.settings.delivery_limit.is_some_and(|limit| u64::from(message.returns) > limit) {
                self.dead_letter(queue, &message, Reason::DeliveryLimit);
            } else if verdict == Verdict::Requeue && state.settings.delivery_limit.is_none() {
                let seq = state.take_seq();
                state.ready.insert(Message { seq, ..message });
            } else {
                state.ready.insert_returned(message);
            }
        }
    }

    /// Drops from the head while the queue is over its limits. A quorum queue sends what it drops at one time to the dead-letter
    /// exchange in the opposite order (R133).
    fn drop_over_limit(&mut self, queue: Key<Queue>) {
        let mut dropped = Vec::new();
        loop {
            let state = &mut self.queues[queue];
            if state.settings.overflow != Overflow::DropHead || !state.is_over_limit(0, 0) {
                break;
            }
            let Some(message) = state.ready.pop() else { break };
            dropped.push(message);
        }
        if self.queues[queue].settings.kind == QueueKind::Quorum {
            dropped.reverse();
        }
        for message in dropped {
            self.dead_letter(queue, &message, Reason::MaxLength);
        }
    }
}

impl Queue {
    fn message(&self, parcel: &Parcel, now: Duration) -> Message {
        let properties = &parcel.publication.properties;
        let own = properties.expiration.as_ref().and_then(|text| expiration::parse(text).ok());
        let ttl = match (self.settings.ttl, own) {
            (Some(queue), Some(own)) => Some(queue.min(own)),
            (queue, own) => queue.or(own),
        };
        // A quorum queue gives every message a millisecond.
        let least = match self.settings.kind {
            QueueKind::Classic => Duration::ZERO,
            QueueKind::Quorum => Duration::from_millis(1),
        };
        Message {
            parcel: parcel.clone(),
            seq: 0,
            expires_at: ttl.map(|ttl| now + ttl.max(least)),
            returns: 0,
            priority: properties.priority.unwrap_or(0).min(self.settings.max_priority),
            redelivered: false,
        }
    }

    /// Order of first arrival, also of what a consumer took at once: it may come back.
    fn take_seq(&mut self) -> u64 {
        let seq = self.next_seq;
        self.next_seq += 1;
        seq
    }

    fn refuses(&mut self, message: &Message, origin: Origin) -> bool {
        match (self.settings.overflow, self.settings.kind) {
            (Overflow::DropHead, _) => false,
            (_, QueueKind::Classic) => self.is_over_limit(1, message.bytes()),
            // Dead letters come from nobody who could be told to stop.
            (_, QueueKind::Quorum) => origin != Origin::DeadLetter && self.is_refusing(),
        }
    }

    /// A quorum queue tells publishers to stop when it is over its limit, and to go on when it is down to four fifths.
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

    /// Whether the messages and so many more are over a limit.
    fn is_over_limit(&self, messages: u64, bytes: u64) -> bool {
        let over = |limit: Option<u64>, count| limit.is_some_and(|limit| count > limit);
        over(self.settings.max_length, self.length() + messages)
            || over(self.settings.max_bytes, self.bytes() + bytes)
    }

    /// How many messages count towards a limit.
    fn length(&self) -> u64 {
        (self.ready.len() + self.owed.len()) as u64
    }

    /// How many bytes count towards a limit.
    fn bytes(&self) -> u64 {
        self.ready.bytes() + self.owed.bytes()
    }
}
