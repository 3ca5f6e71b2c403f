//! The queues of a server: its own, one for each retry delay, and one for dead letters.

use std::time::Duration;

use crate::field::{ShortString, TooLongError};
use crate::transport::Queue;

/// The type of queue that a server declares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum QueueType {
    /// On one node, without arguments: what the Python original declares.
    Classic,
    /// Replicated over the nodes of a cluster (RabbitMQ 3.10 and later): confirmed messages survive the loss of a minority of the nodes.
    Quorum {
        /// How often a message may be redelivered (its consumer was lost, or requeued it) before RabbitMQ dead-letters it: this stops
        /// messages that crash their consumer repeatedly. `None` is RabbitMQ's default: no limit before 4.0, 20 since.
        delivery_limit: Option<u32>,
    },
}

impl QueueType {
    /// Returns a quorum queue with RabbitMQ's default delivery limit.
    pub const fn quorum() -> Self {
        Self::Quorum { delivery_limit: None }
    }

    /// Returns a quorum queue that dead-letters a message after this many redeliveries.
    pub const fn quorum_with_limit(delivery_limit: u32) -> Self {
        Self::Quorum { delivery_limit: Some(delivery_limit) }
    }
}

/// The queues of one server, derived from the name of its main queue.
#[derive(Debug, Clone)]
pub(crate) struct Queues {
    pub(crate) name: ShortString,
    /// The type of its main queue and of the dead-letter queue.
    pub(crate) own: QueueType,
    /// The type of the retry queues.
    pub(crate) waiting: QueueType,
}

impl Queues {
    /// Returns the queue that the server consumes. RabbitMQ itself dead-letters only messages over the delivery limit.
    pub(crate) fn service(&self) -> Result<Queue, TooLongError> {
        let queue = Queue::durable(self.name.clone());
        match self.own {
            QueueType::Classic => Ok(queue),
            QueueType::Quorum { delivery_limit } => {
                let queue = dead_lettering(quorum(queue), self.dead_letters_name()?);
                Ok(match delivery_limit {
                    Some(limit) => {
                        queue.argument(ShortString::from_static("x-delivery-limit"), i64::from(limit))
                    }
                    None => queue,
                })
            }
        }
    }

    pub(crate) fn dead_letters(&self) -> Result<Queue, TooLongError> {
        let queue = Queue::durable(self.dead_letters_name()?);
        Ok(match self.own {
            QueueType::Classic => queue,
            QueueType::Quorum { .. } => quorum(queue),
        })
    }

    /// Returns the queue where copies wait for this delay, and are dead-lettered back to the server's queue.
    pub(crate) fn waiting(&self, delay: Duration) -> Result<Queue, TooLongError> {
        let milliseconds = i64::try_from(delay.as_millis()).unwrap_or(i64::MAX);
        let queue = Queue::durable(ShortString::try_from(format!("{}.retry.{milliseconds}", self.name))?)
            .argument(ShortString::from_static("x-message-ttl"), milliseconds);
        Ok(match self.waiting {
            QueueType::Classic => to_queue(queue, self.name.clone()),
            QueueType::Quorum { .. } => dead_lettering(quorum(queue), self.name.clone()),
        })
    }

    fn dead_letters_name(&self) -> Result<ShortString, TooLongError> {
        ShortString::joined(&[&self.name, ".dead"])
    }
}

fn quorum(queue: Queue) -> Queue {
    queue.argument(ShortString::from_static("x-queue-type"), "quorum")
}

/// Makes a queue dead-letter to another. RabbitMQ keeps the message until the other queue has confirmed it, but only if no limit drops
/// messages.
fn dead_lettering(queue: Queue, to: ShortString) -> Queue {
    to_queue(queue, to)
        .argument(ShortString::from_static("x-dead-letter-strategy"), "at-least-once")
        .argument(ShortString::from_static("x-overflow"), "reject-publish")
}

fn to_queue(queue: Queue, to: ShortString) -> Queue {
    queue
        .argument(ShortString::from_static("x-dead-letter-exchange"), "")
        .argument(ShortString::from_static("x-dead-letter-routing-key"), to)
}
