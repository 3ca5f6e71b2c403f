//! [`ServiceQueue`]: the consumers of a queue that wait for a message, by priority and then round-robin.

use std::collections::VecDeque;

use smallvec::SmallVec;

use crate::core::keys::ConsumerKey;

/// Consumers that can take a message, as far as known: the first of the highest level is next.
#[derive(Debug, Clone, Default)]
pub(crate) struct ServiceQueue {
    /// By descending priority.
    levels: SmallVec<[(i64, VecDeque<ConsumerKey>); 1]>,
}

impl ServiceQueue {
    /// Adds a consumer at the end of its level.
    pub(crate) fn push(&mut self, priority: i64, consumer: ConsumerKey) {
        let place = self.levels.partition_point(|(level, _)| *level > priority);
        match self.levels.get_mut(place) {
            Some((level, consumers)) if *level == priority => consumers.push_back(consumer),
            _ => self.levels.insert(place, (priority, VecDeque::from([consumer]))),
        }
    }

    /// Returns the next consumer.
    pub(crate) fn first(&self) -> Option<ConsumerKey> {
        self.levels.iter().find_map(|(_, consumers)| consumers.front().copied())
    }

    /// Moves the next consumer to the end of its level.
    pub(crate) fn rotate(&mut self) {
        if let Some((_, consumers)) = self.levels.iter_mut().find(|(_, consumers)| !consumers.is_empty()) {
            consumers.rotate_left(1);
        }
    }

    /// Puts a consumer in the place of another. Returns `false` if that one is not in it.
    pub(crate) fn replace(&mut self, old: ConsumerKey, new: ConsumerKey) -> bool {
        let mut places = self.levels.iter_mut().flat_map(|(_, consumers)| consumers);
        let place = places.find(|place| **place == old);
        place.map(|place| *place = new).is_some()
    }

    pub(crate) fn remove(&mut self, consumer: ConsumerKey) {
        for (_, consumers) in &mut self.levels {
            consumers.retain(|other| *other != consumer);
        }
        self.levels.retain(|(_, consumers)| !consumers.is_empty());
    }
}

#[cfg(test)]
mod tests {
    use slotmap::SlotMap;

    use super::*;
    use crate::core::clients::consumer::Consumer;

    #[test]
    fn r110_the_highest_priority_is_first_and_each_level_takes_turns() {
        let mut consumers = SlotMap::<ConsumerKey, Consumer>::with_key();
        let [low, a, b] = std::array::from_fn(|_| consumers.insert(Consumer::for_tests()));
        let mut service_queue = ServiceQueue::default();
        service_queue.push(0, low);
        service_queue.push(5, a);
        service_queue.push(5, b);
        assert_eq!(service_queue.first(), Some(a));
        service_queue.rotate();
        let mut order = Vec::new();
        while let Some(next) = service_queue.first() {
            order.push(next);
            service_queue.remove(next);
        }
        assert_eq!(order, [b, a, low]);
    }
}
