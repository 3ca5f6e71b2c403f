//! The single active consumer of a quorum queue (R138).

use std::cmp::Reverse;

use super::Queue;
use crate::core::Broker;
use crate::core::clients::consumer::Consumer;
use crate::core::effect::Effects;
use crate::core::keys::{ConsumerKey, QueueKey};

impl Broker {
    /// Hands a queue on to the next consumer if none is active, or if that one has a higher priority. An active one with unsettled messages
    /// first settles these, and gets no more.
    pub(crate) fn hand_on(&mut self, queue: QueueKey) {
        let Some(state) = self.topology.queues.get(queue).filter(|state| state.hands_on()) else {
            return;
        };
        if !self.node.behaviour.quorum_priority_takes_over {
            return;
        }
        let idle = |consumer: ConsumerKey| self.clients.consumers[consumer].unsettled == 0;
        // One that has settled all waits again.
        let active = state.active.filter(|active| !(state.quiescing && idle(*active)));
        let mut waiting = state.consumers.iter().copied().filter(|consumer| Some(*consumer) != active);
        let next = waiting.by_ref().min_by_key(|consumer| self.rank(*consumer));
        let priority = |consumer: ConsumerKey| self.clients.consumers[consumer].priority;
        let (active, quiescing) = match (active, next) {
            (Some(active), Some(next)) if priority(next) > priority(active) => {
                if idle(active) {
                    (Some(next), false)
                } else {
                    (Some(active), true)
                }
            }
            (Some(active), _) => (Some(active), state.quiescing),
            (None, next) => (next, false),
        };
        let state = &mut self.topology.queues[queue];
        (state.active, state.quiescing) = (active, quiescing);
    }

    /// As [`hand_on`](Broker::hand_on), and the next consumer gets what is ready.
    pub(crate) fn hand_on_and_run(&mut self, queue: QueueKey, effects: &mut Effects) {
        let before = self.topology.queues.get(queue).and_then(|state| state.active);
        self.hand_on(queue);
        if self.topology.queues.get(queue).is_some_and(|state| state.active != before) {
            self.run(queue, effects);
        }
    }

    /// Returns the place of a waiting consumer: by priority, credit and age.
    fn rank(&self, consumer: ConsumerKey) -> (Reverse<i64>, Reverse<u32>, u64) {
        let Consumer { priority, credit, number, .. } = self.clients.consumers[consumer];
        (Reverse(priority), Reverse(credit.unwrap_or(u32::MAX)), number)
    }
}

impl Queue {
    fn hands_on(&self) -> bool {
        self.settings.single_active && self.is_quorum()
    }
}
