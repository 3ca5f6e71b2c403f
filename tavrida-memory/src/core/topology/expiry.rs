//! Time in a queue: expiring messages and queues (A2 of the broker semantics).

use std::time::Duration;

use super::Topology;
use crate::core::keys::QueueKey;
use crate::core::message::deaths::Reason;
use crate::core::node::Node;
use crate::core::queue::{Deadlines, Message};

impl Topology {
    /// Removes expired messages from the head, up to the first that has not expired.
    pub(crate) fn drop_expired(&mut self, node: &Node, queue: QueueKey) {
        loop {
            let state = &mut self.queues[queue];
            if !state.ready.head().is_some_and(|head| head.is_expired(node.now.elapsed)) {
                return;
            }
            let Some(message) = state.ready.pop() else { return };
            self.dead_letter(node, queue, &message, Reason::Expired);
        }
    }

    /// Removes the head, and the expired messages behind it (A5). A quorum queue removes those before the head, and the others a moment
    /// later, which a `basic.get` that will be settled does not wait for (R69).
    pub(crate) fn fetch(&mut self, node: &Node, queue: QueueKey) -> Option<Message> {
        if self.queues[queue].is_quorum() {
            self.drop_expired(node, queue);
            return self.queues[queue].ready.pop();
        }
        let message = self.queues[queue].ready.pop()?;
        self.drop_expired(node, queue);
        Some(message)
    }

    /// Returns the next deadline, and its queue.
    pub(crate) fn first_deadline(&self) -> Option<(Duration, QueueKey)> {
        self.calendar.first().copied()
    }

    /// Adds the next deadlines of a queue to the calendar.
    pub(crate) fn schedule(&mut self, queue: QueueKey) {
        let state = &mut self.queues[queue];
        let due = Deadlines {
            head: state.ready.head().and_then(|head: &Message| head.expires_at),
            queue: state.expiry(),
            retry: state.dead_letters.next_retry(),
        };
        if due != state.deadlines {
            let old = std::mem::replace(&mut state.deadlines, due);
            self.unschedule(queue, old);
            self.calendar.extend(due.times().map(|at| (at, queue)));
        }
    }

    /// Removes deadlines from the calendar.
    pub(crate) fn unschedule(&mut self, queue: QueueKey, deadlines: Deadlines) {
        for at in deadlines.times() {
            self.calendar.remove(&(at, queue));
        }
    }

    /// Records a use of the queue (declare, get, or the loss of its last consumer): `x-expires` counts from here.
    pub(crate) fn touch(&mut self, node: &Node, queue: QueueKey) {
        let state = &mut self.queues[queue];
        if state.settings.expires.is_some() {
            state.last_used = node.now.elapsed;
            self.schedule(queue);
        }
    }
}
