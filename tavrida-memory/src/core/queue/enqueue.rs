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

impl Broker {
    /// Puts a message into a queue, or straight into a consumer's hands; false where the queue refuses it (A1).
    pub(crate) fn enqueue(&mut self, queue: Key<Queue>, parcel: &Parcel, effects: &mut Effects) -> bool {
        let state = &mut self.queues[queue];
        let mut message = state.message(parcel, self.now.elapsed);
        if state.refuses(&message) {
            if state.settings.overflow == Overflow::RejectPublishDlx {
                self.dead_letter(queue, &message, Reason::MaxLength);
            }
            return false;
        }
        if state.ready.is_empty()
            && let Some(consumer) = self.next_consumer(queue)
        {
            message.seq = self.queues[queue].take_seq();
            self.deliver(queue, consumer, message, effects);
            return true;
        }
        let state = &mut self.queues[queue];
        message.seq = state.take_seq();
        state.ready.insert(message);
        self.drop_over_limit(queue);
        self.sweep(queue);
        self.arm(queue);
        true
    }

    /// Puts messages back to where they were, and delivers (A7).
    pub(crate) fn requeue(
        &mut self,
        queue: Key<Queue>,
        messages: impl IntoIterator<Item = Message>,
        effects: &mut Effects,
    ) {
        let state = &mut self.queues[queue];
        let mut over_limit = Vec::new();
        for mut message in messages {
            message.redelivered = true;
            message.returns += 1;
            match state.settings.kind {
                QueueKind::Classic => state.ready.insert(message),
                QueueKind::Quorum if state.has_had_enough(&message) => over_limit.push(message),
                QueueKind::Quorum => state.ready.insert_returned(message),
            }
        }
        for message in over_limit {
            self.dead_letter(queue, &message, Reason::DeliveryLimit);
        }
        self.drop_over_limit(queue);
        self.sweep(queue);
        self.run(queue, effects);
    }

    /// Drops from the head while the queue is over its limits.
    fn drop_over_limit(&mut self, queue: Key<Queue>) {
        loop {
            let state = &mut self.queues[queue];
            if state.settings.overflow != Overflow::DropHead || !state.is_over_limit(0, 0) {
                return;
            }
            let Some(message) = state.ready.pop() else { return };
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
        Message {
            parcel: parcel.clone(),
            seq: 0,
            expires_at: ttl.map(|ttl| now + ttl),
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

    fn refuses(&self, message: &Message) -> bool {
        match (self.settings.overflow, self.settings.kind) {
            (Overflow::DropHead, _) => false,
            // It notices that it is full only when it is over the limit.
            (_, QueueKind::Quorum) => self.is_over_limit(0, 0),
            (_, QueueKind::Classic) => self.is_over_limit(1, message.bytes()),
        }
    }

    /// Whether the ready messages and so many more are over a limit.
    fn is_over_limit(&self, messages: u64, bytes: u64) -> bool {
        let over = |limit: Option<u64>, count| limit.is_some_and(|limit| count > limit);
        over(self.settings.max_length, self.ready.len() as u64 + messages)
            || over(self.settings.max_bytes, self.ready.bytes() + bytes)
    }

    fn has_had_enough(&self, message: &Message) -> bool {
        self.settings.delivery_limit.is_some_and(|limit| u64::from(message.returns) > limit)
    }
}
