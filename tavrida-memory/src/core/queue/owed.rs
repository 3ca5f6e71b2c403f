//! At-least-once dead letters: the queue keeps each until all its targets have it, and retries (R136).

use std::collections::VecDeque;
use std::time::Duration;

use tavrida::field::ShortString;

use super::message::Message;
use crate::core::message::deaths::Reason;
use crate::core::message::parcel::Parcel;

/// How long RabbitMQ waits before it retries (`dead_letter_worker_publisher_confirm_timeout`).
pub(crate) const AGAIN: Duration = Duration::from_secs(3 * 60);

/// How many RabbitMQ sends at a time (`dead_letter_worker_consumer_prefetch`).
const AT_A_TIME: usize = 32;

/// The dead letters that a queue keeps.
#[derive(Debug, Clone, Default)]
pub(crate) struct Owed {
    /// Not sent yet.
    pub(crate) waiting: VecDeque<(Message, Reason)>,
    /// Sent, and not accepted by all targets.
    pub(crate) tried: Vec<Letter>,
    /// The time of the next round, if there is something to retry.
    pub(crate) round: Duration,
    /// Whether a round could succeed: a target exists now, or a full one may have space by then.
    pub(crate) hopeful: bool,
    pub(crate) bytes: u64,
}

/// A dead letter in transit.
#[derive(Debug, Clone)]
pub(crate) struct Letter {
    /// The dead-lettered message: a node that restarts begins with it again.
    pub(crate) message: Message,
    pub(crate) reason: Reason,
    pub(crate) parcel: Parcel,
    /// The queues that have it.
    pub(crate) holders: Vec<ShortString>,
    /// When a target refused it.
    pub(crate) refused: Option<Duration>,
}

impl Owed {
    pub(crate) fn push(&mut self, message: Message, reason: Reason) {
        self.bytes += message.bytes();
        self.waiting.push_back((message, reason));
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub(crate) fn len(&self) -> usize {
        self.tried.len() + self.waiting.len()
    }

    /// Returns the bytes of all bodies.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Returns the messages as they were in the queue.
    pub(crate) fn messages(&self) -> impl Iterator<Item = &Message> {
        let tried = self.tried.iter().map(|letter| &letter.message);
        tried.chain(self.waiting.iter().map(|(message, _)| message))
    }

    /// Returns the time of the next useful retry.
    pub(crate) fn next_round(&self) -> Option<Duration> {
        self.hopeful.then_some(self.round)
    }

    /// Returns the same dead letters after a restart: all targets get them again.
    pub(crate) fn untried(self) -> Self {
        let tried = self.tried.into_iter().map(|letter| (letter.message, letter.reason));
        Self { waiting: tried.chain(self.waiting).collect(), bytes: self.bytes, ..Self::default() }
    }

    pub(crate) fn next(&mut self) -> Option<(Message, Reason)> {
        if self.tried.len() < AT_A_TIME { self.waiting.pop_front() } else { None }
    }

    pub(crate) fn keep(&mut self, letter: Letter, now: Duration) {
        if self.tried.is_empty() {
            self.round = now + AGAIN;
        }
        self.hopeful |= letter.refused.is_some();
        self.tried.push(letter);
    }
}
