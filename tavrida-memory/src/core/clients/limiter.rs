//! [`Limiter`]: the prefetch limit that all consumers of a channel share (`basic.qos` with `global`).

use crate::core::keys::QueueKey;

/// The shared limit of a channel.
#[derive(Debug, Clone, Default)]
pub(crate) struct Limiter {
    /// The maximum number of unsettled deliveries; 0 is no limit.
    limit: u16,
    /// How many count. Messages of `basic.get` count from the moment when the limit is set, and their settlement does not reduce the count,
    /// as in RabbitMQ.
    volume: i64,
    /// Queues that found the limit reached and wait for room, in order.
    waiting: Vec<QueueKey>,
}

impl Limiter {
    /// Sets the limit, or removes it with 0. Returns the queues that can continue.
    pub(crate) fn set(&mut self, limit: u16, unacked: usize) -> Vec<QueueKey> {
        let was_reached = self.is_reached();
        if limit == 0 {
            self.volume = 0;
        } else if self.limit == 0 {
            self.volume = unacked as i64;
        }
        self.limit = limit;
        if limit == 0 { std::mem::take(&mut self.waiting) } else { self.woken(was_reached) }
    }

    pub(crate) fn is_set(&self) -> bool {
        self.limit != 0
    }

    /// Returns whether deliveries of this queue to this channel wait for the limit.
    pub(crate) fn holds(&self, queue: QueueKey) -> bool {
        !self.waiting.is_empty() && self.waiting.contains(&queue)
    }

    /// Returns whether one more delivery is allowed, and counts it; otherwise makes the queue wait.
    pub(crate) fn admit(&mut self, queue: QueueKey, no_ack: bool) -> bool {
        if self.is_reached() {
            self.waiting.push(queue);
            return false;
        }
        if self.is_set() && !no_ack {
            self.volume += 1;
        }
        true
    }

    /// Counts settled deliveries of consumers. Returns the queues that can continue.
    pub(crate) fn settled(&mut self, count: usize) -> Vec<QueueKey> {
        if !self.is_set() || count == 0 || self.volume == 0 {
            return Vec::new();
        }
        let was_reached = self.is_reached();
        self.volume -= count as i64;
        self.woken(was_reached)
    }

    pub(crate) fn forget(&mut self, queue: QueueKey) {
        self.waiting.retain(|other| *other != queue);
    }

    fn is_reached(&self) -> bool {
        self.limit != 0 && self.volume >= i64::from(self.limit)
    }

    fn woken(&mut self, was_reached: bool) -> Vec<QueueKey> {
        if was_reached && !self.is_reached() { std::mem::take(&mut self.waiting) } else { Vec::new() }
    }
}
