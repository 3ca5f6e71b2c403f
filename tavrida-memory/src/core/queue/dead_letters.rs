//! At-least-once dead letters: the queue keeps each until all its targets have it, and retries (R136).

use std::collections::VecDeque;
use std::time::Duration;

use tavrida::field::ShortString;

use super::message::Message;
use crate::core::message::container::Container;
use crate::core::message::deaths::Reason;

/// How long RabbitMQ waits before it retries (`dead_letter_worker_publisher_confirm_timeout`).
pub(crate) const RETRY_AFTER: Duration = Duration::from_secs(3 * 60);

/// How many RabbitMQ sends at a time (`dead_letter_worker_consumer_prefetch`).
const PREFETCH: usize = 32;

/// The dead letters that a queue keeps.
#[derive(Debug, Clone, Default)]
pub(crate) struct DeadLetters {
    /// Not sent yet.
    pub(crate) waiting: VecDeque<(Message, Reason)>,
    /// Sent, and not accepted by all targets.
    pub(crate) unconfirmed: Vec<DeadLetter>,
    /// The time of the next retry, if there is something to retry.
    pub(crate) retry: Duration,
    /// Whether a retry could succeed: a target exists now, or a full one may have space by then.
    pub(crate) can_succeed: bool,
    pub(crate) bytes: u64,
}

/// A dead letter in transit.
#[derive(Debug, Clone)]
pub(crate) struct DeadLetter {
    /// The dead-lettered message: a node that restarts begins with it again.
    pub(crate) message: Message,
    pub(crate) reason: Reason,
    pub(crate) container: Container,
    /// The queues that have it.
    pub(crate) confirmed_by: Vec<ShortString>,
    /// When a target refused it.
    pub(crate) refused: Option<Duration>,
}

impl DeadLetters {
    pub(crate) fn push(&mut self, message: Message, reason: Reason) {
        self.bytes += message.bytes();
        self.waiting.push_back((message, reason));
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub(crate) fn len(&self) -> usize {
        self.unconfirmed.len() + self.waiting.len()
    }

    /// Returns the bytes of all bodies.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Returns the messages as they were in the queue.
    pub(crate) fn messages(&self) -> impl Iterator<Item = &Message> {
        let unconfirmed = self.unconfirmed.iter().map(|letter| &letter.message);
        unconfirmed.chain(self.waiting.iter().map(|(message, _)| message))
    }

    /// Returns the time of the next useful retry.
    pub(crate) fn next_retry(&self) -> Option<Duration> {
        self.can_succeed.then_some(self.retry)
    }

    /// Returns the same dead letters after a restart: all targets get them again.
    pub(crate) fn unsent(self) -> Self {
        let unconfirmed = self.unconfirmed.into_iter().map(|letter| (letter.message, letter.reason));
        Self { waiting: unconfirmed.chain(self.waiting).collect(), bytes: self.bytes, ..Self::default() }
    }

    pub(crate) fn next(&mut self) -> Option<(Message, Reason)> {
        if self.unconfirmed.len() < PREFETCH { self.waiting.pop_front() } else { None }
    }

    pub(crate) fn keep(&mut self, letter: DeadLetter, now: Duration) {
        if self.unconfirmed.is_empty() {
            self.retry = now + RETRY_AFTER;
        }
        self.can_succeed |= letter.refused.is_some();
        self.unconfirmed.push(letter);
    }
}
