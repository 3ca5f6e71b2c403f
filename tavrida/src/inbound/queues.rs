//! The queues of a server: its own, one for each delay of its retries, and one for dead letters.

use std::time::Duration;

use crate::field::{ShortString, TooLongError};
use crate::transport::Queue;

/// What kind of queue a server declares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum QueueType {
    /// On one node, without arguments: what the Python original declares.
    Classic,
    /// Replicated over the nodes of a cluster (RabbitMQ 3.10 and later): what is confirmed survives the loss of a minority
    /// of them.
    Quorum {
        /// How often a message may come back undone (its consumer was lost, or gave it back) before RabbitMQ dead-letters
        /// it: what kills its consumer again and again ends there. None is RabbitMQ's own default: no limit before 4.0, 20
        /// since.
        delivery_limit: Option<u32>,
    },
}

impl QueueType {
    /// A quorum queue with RabbitMQ's own delivery limit.
    pub const fn quorum() -> Self {
        Self::Quorum { delivery_limit: None }
    }

    /// A quorum queue that gives a message up when it came back more often than so.
    pub const fn quorum_with_limit(delivery_limit: u32) -> Self {
        Self::Quorum { delivery_limit: Some(delivery_limit) }
    }
}

/// The queues of one server, by its own one's name.
#[derive(Debug, Clone)]
pub(crate) struct Queues {
    pub(crate) name: ShortString,
    /// The type of its own queue and of the one for dead letters.
    pub(crate) own: QueueType,
    /// The type of those for retries.
    pub(crate) waiting: QueueType,
}

impl Queues {
    /// The queue that the server consumes. RabbitMQ itself dead-letters only what comes back too often.
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

    /// The queue for dead letters.
    pub(crate) fn dead_letters(&self) -> Result<Queue, TooLongError> {
        let queue = Queue::durable(self.dead_letters_name()?);
        Ok(match self.own {
            QueueType::Classic => queue,
            QueueType::Quorum { .. } => quorum(queue),
        })
    }

    /// The queue where copies wait for so long, and come back to the server's own.
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

/// RabbitMQ keeps the message until the other queue has confirmed it. It does so only where no limit drops messages.
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
