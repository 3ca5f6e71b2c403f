//! At-least-once dead letters: the queue keeps each until all its targets have it, and retries (R136).

use std::collections::VecDeque;
use std::time::Duration;

use tavrida::field::ShortString;

use super::Broker;
use super::dead_letter::Reason;
use super::effect::Effects;
use super::keys::QueueKey;
use super::parcel::Parcel;
use super::queue::{Message, Origin};

/// How long RabbitMQ waits before it retries (`dead_letter_worker_publisher_confirm_timeout`).
const AGAIN: Duration = Duration::from_secs(3 * 60);

/// How many RabbitMQ sends at a time (`dead_letter_worker_consumer_prefetch`).
const AT_A_TIME: usize = 32;

/// The dead letters that a queue keeps.
#[derive(Debug, Clone, Default)]
pub(crate) struct Owed {
    /// Not sent yet.
    waiting: VecDeque<(Message, Reason)>,
    /// Sent, and not accepted by all targets.
    tried: Vec<Letter>,
    /// The time of the next round, if there is something to retry.
    round: Duration,
    /// Whether a round could succeed: a target exists now, or a full one may have space by then.
    hopeful: bool,
    bytes: u64,
}

/// A dead letter in transit.
#[derive(Debug, Clone)]
struct Letter {
    /// The dead-lettered message: a node that restarts begins with it again.
    message: Message,
    reason: Reason,
    parcel: Parcel,
    /// The queues that have it.
    holders: Vec<ShortString>,
    /// When a target refused it.
    refused: Option<Duration>,
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

    fn next(&mut self) -> Option<(Message, Reason)> {
        if self.tried.len() < AT_A_TIME { self.waiting.pop_front() } else { None }
    }

    fn keep(&mut self, letter: Letter, now: Duration) {
        if self.tried.is_empty() {
            self.round = now + AGAIN;
        }
        self.hopeful |= letter.refused.is_some();
        self.tried.push(letter);
    }
}

impl Broker {
    /// Sends the dead letters of a queue that were not sent yet.
    pub(crate) fn pay(&mut self, queue: QueueKey, effects: &mut Effects) {
        while let Some((message, reason)) =
            self.topology.queues.get_mut(queue).and_then(|state| state.owed.next())
        {
            let parcel = self.letter(queue, &message, reason);
            let letter = Letter { message, reason, parcel, holders: Vec::new(), refused: None };
            if let Some(letter) = self.send_letter(queue, letter, effects) {
                self.topology.queues[queue].owed.keep(letter, self.node.now.elapsed);
                self.topology.debtors.insert(queue);
            }
        }
        self.arm(queue);
    }

    /// Runs a round if it is due: retries what no target accepted, and what was refused long enough ago.
    pub(crate) fn pay_again(&mut self, queue: QueueKey, effects: &mut Effects) {
        let now = self.node.now.elapsed;
        let owed = &mut self.topology.queues[queue].owed;
        if owed.next_round().is_none_or(|at| at > now) {
            return;
        }
        let mut letters = std::mem::take(&mut owed.tried);
        letters = letters
            .into_iter()
            .filter_map(|letter| match letter.refused {
                Some(at) if at + AGAIN > now => Some(letter),
                _ => self.send_letter(queue, letter, effects),
            })
            .collect();
        self.topology.queues[queue].owed.tried = letters;
        self.look_ahead(queue);
        self.pay(queue, effects);
    }

    /// Records that an exchange, a queue or a binding is new: dead letters without a target may have one in the next round.
    pub(crate) fn topology_grew(&mut self) {
        for queue in std::mem::take(&mut self.topology.debtors) {
            if self.topology.queues.get(queue).is_some_and(|state| !state.owed.tried.is_empty()) {
                self.look_ahead(queue);
                self.arm(queue);
                self.topology.debtors.insert(queue);
            }
        }
    }

    /// Sends a letter to all targets that do not have it. Returns it if that did not complete.
    fn send_letter(&mut self, queue: QueueKey, mut letter: Letter, effects: &mut Effects) -> Option<Letter> {
        letter.refused = None;
        for target in self.targets_of(queue, &letter.parcel, letter.reason) {
            let name = self.topology.queues[target].name.clone();
            if letter.holders.contains(&name) {
                continue;
            }
            if self.bury(target, &letter.parcel, Origin::Debt, effects) {
                letter.holders.push(name);
            } else {
                letter.refused = Some(self.node.now.elapsed);
            }
        }
        // RabbitMQ does not send by `BCC` keys again.
        letter.parcel.hidden = None;
        if letter.refused.is_some() || letter.holders.is_empty() {
            return Some(letter);
        }
        self.topology.queues[queue].owed.bytes -= letter.message.bytes();
        None
    }

    /// Computes when the next round is, and whether it could succeed.
    fn look_ahead(&mut self, queue: QueueKey) {
        let now = self.node.now.elapsed;
        let letters = std::mem::take(&mut self.topology.queues[queue].owed.tried);
        let hopeful = letters.iter().any(|letter| {
            letter.refused.is_some() || !self.targets_of(queue, &letter.parcel, letter.reason).is_empty()
        });
        let owed = &mut self.topology.queues[queue].owed;
        // Rounds that could not succeed were skipped.
        while owed.round <= now {
            owed.round += AGAIN;
        }
        owed.tried = letters;
        owed.hopeful = hopeful;
    }
}
