//! Time in a queue: expiring messages and queues (A2 of the broker semantics).

use std::time::Duration;

use super::{Armed, Message, Queue};
use crate::core::Broker;
use crate::core::dead_letter::Reason;
use crate::core::effect::Effects;
use crate::core::keys::QueueKey;

impl Broker {
    /// Removes expired messages from the head, up to the first that has not expired.
    pub(crate) fn sweep(&mut self, queue: QueueKey) {
        loop {
            let state = &mut self.topology.queues[queue];
            if !state.ready.head().is_some_and(|head| head.is_expired(self.node.now.elapsed)) {
                return;
            }
            let Some(message) = state.ready.pop() else { return };
            self.dead_letter(queue, &message, Reason::Expired);
        }
    }

    /// Adds the next deadlines of a queue to the calendar.
    pub(crate) fn arm(&mut self, queue: QueueKey) {
        let state = &mut self.topology.queues[queue];
        let due = Armed {
            head: state.ready.head().and_then(|head: &Message| head.expires_at),
            queue: state.expiry(),
            round: state.owed.next_round(),
        };
        if due != state.armed {
            let old = std::mem::replace(&mut state.armed, due);
            self.disarm(queue, old);
            self.topology.calendar.extend(due.times().map(|at| (at, queue)));
        }
    }

    /// Removes deadlines from the calendar.
    pub(crate) fn disarm(&mut self, queue: QueueKey, armed: Armed) {
        for at in armed.times() {
            self.topology.calendar.remove(&(at, queue));
        }
    }

    /// Records a use of the queue (declare, get, or the loss of its last consumer): `x-expires` counts from here.
    pub(crate) fn touch(&mut self, queue: QueueKey) {
        let state = &mut self.topology.queues[queue];
        if state.settings.expires.is_some() {
            state.last_used = self.node.now.elapsed;
            self.arm(queue);
        }
    }

    /// Handles what is due in a queue.
    pub(crate) fn on_deadline(&mut self, queue: QueueKey, effects: &mut Effects) {
        let expired = self.topology.queues[queue].expiry().is_some_and(|at| at <= self.node.now.elapsed);
        if expired {
            self.delete_queue(queue, effects);
        } else {
            self.sweep(queue);
            self.pay_again(queue, effects);
            self.arm(queue);
        }
    }
}

impl Armed {
    fn times(self) -> impl Iterator<Item = Duration> {
        [self.head, self.queue, self.round].into_iter().flatten()
    }
}

impl Queue {
    /// Returns when the queue expires if it is not used until then.
    fn expiry(&self) -> Option<Duration> {
        self.settings.expires.filter(|_| self.consumers.is_empty()).map(|expires| self.last_used + expires)
    }
}
