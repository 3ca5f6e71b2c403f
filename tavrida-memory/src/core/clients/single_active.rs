//! The single active consumer of a quorum queue (R138).

use std::cmp::Reverse;

use tavrida_behaviour::Behaviour;

use super::Clients;
use super::consumer::Consumer;
use crate::core::keys::ConsumerKey;
use crate::core::queue::Queue;

impl Clients {
    /// Hands a queue on to the next consumer if none is active, or if that one has a higher priority. An active one with unsettled messages
    /// first settles these, and gets no more.
    pub(crate) fn activate_next(&self, queue: &mut Queue, behaviour: &Behaviour) {
        if !queue.settings.single_active || !queue.is_quorum() || !behaviour.quorum_priority_takes_over {
            return;
        }
        let idle = |consumer: ConsumerKey| self.consumers[consumer].unsettled == 0;
        // One that has settled all waits again.
        let active = queue.active.filter(|active| !(queue.quiescing && idle(*active)));
        let waiting = queue.consumers.iter().copied().filter(|consumer| Some(*consumer) != active);
        let next = waiting.min_by_key(|consumer| self.rank(*consumer));
        let priority = |consumer: ConsumerKey| self.consumers[consumer].priority;
        (queue.active, queue.quiescing) = match (active, next) {
            (Some(active), Some(next)) if priority(next) > priority(active) => {
                if idle(active) {
                    (Some(next), false)
                } else {
                    (Some(active), true)
                }
            }
            (Some(active), _) => (Some(active), queue.quiescing),
            (None, next) => (next, false),
        };
    }

    /// Returns the place of a waiting consumer: by priority, credit and age.
    fn rank(&self, consumer: ConsumerKey) -> (Reverse<i64>, Reverse<u32>, u64) {
        let Consumer { priority, credit, number, .. } = self.consumers[consumer];
        (Reverse(priority), Reverse(credit.unwrap_or(u32::MAX)), number)
    }
}
