//! Dead letters that a queue owes: it keeps each until all its targets have it, and tries again (R136).

use std::collections::VecDeque;
use std::time::Duration;

use tavrida::field::ShortString;

use super::Broker;
use super::arena::Key;
use super::dead_letter::Reason;
use super::effect::Effects;
use super::parcel::Parcel;
use super::queue::{Message, Origin, Queue};

/// How long RabbitMQ waits before it tries again (`dead_letter_worker_publisher_confirm_timeout`).
const AGAIN: Duration = Duration::from_secs(3 * 60);

/// How many RabbitMQ tries at a time (`dead_letter_worker_consumer_prefetch`).
const AT_A_TIME: usize = 32;

/// What a queue owes.
#[derive(Debug, Clone, Default)]
pub(crate) struct Owed {
    /// What was not tried yet.
    waiting: VecDeque<(Message, Reason)>,
    /// What was tried, and not taken by all who should have it.
    tried: Vec<Letter>,
    /// When the next round is, while something is to be tried again.
    round: Duration,
    /// Whether it could come to anything: a target is there now, or one that was full may have room by then.
    hopeful: bool,
    bytes: u64,
}

/// A dead letter on its way.
#[derive(Debug, Clone)]
struct Letter {
    /// What the queue gave up: a node that restarts begins with it anew.
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

    /// The bytes of all bodies.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The messages as they were in the queue.
    pub(crate) fn messages(&self) -> impl Iterator<Item = &Message> {
        let tried = self.tried.iter().map(|letter| &letter.message);
        tried.chain(self.waiting.iter().map(|(message, _)| message))
    }

    /// When it is worth while to try again.
    pub(crate) fn next_round(&self) -> Option<Duration> {
        self.hopeful.then_some(self.round)
    }

    /// The same debts after a restart: whoever had a letter gets it again.
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
    /// Tries what a queue owes and has not tried yet.
    pub(crate) fn pay(&mut self, queue: Key<Queue>, effects: &mut Effects) {
        while let Some((message, reason)) = self.queues.get_mut(queue).and_then(|state| state.owed.next()) {
            let parcel = self.letter(queue, &message, reason);
            let letter = Letter { message, reason, parcel, holders: Vec::new(), refused: None };
            if let Some(letter) = self.send_letter(queue, letter, effects) {
                self.queues[queue].owed.keep(letter, self.now.elapsed);
                self.debtors.insert(queue);
            }
        }
        self.arm(queue);
    }

    /// A round, if it is time for one: what no target took is tried again, and so is what was refused long enough ago.
    pub(crate) fn pay_again(&mut self, queue: Key<Queue>, effects: &mut Effects) {
        let now = self.now.elapsed;
        let owed = &mut self.queues[queue].owed;
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
        self.queues[queue].owed.tried = letters;
        self.look_ahead(queue);
        self.pay(queue, effects);
    }

    /// An exchange, a queue or a binding is new: dead letters that found nobody may find somebody in the next round.
    pub(crate) fn topology_grew(&mut self) {
        for queue in std::mem::take(&mut self.debtors) {
            if self.queues.get(queue).is_some_and(|state| !state.owed.tried.is_empty()) {
                self.look_ahead(queue);
                self.arm(queue);
                self.debtors.insert(queue);
            }
        }
    }

    /// Sends a letter to all who should have it and do not; gives it back if that was not done.
    fn send_letter(
        &mut self,
        queue: Key<Queue>,
        mut letter: Letter,
        effects: &mut Effects,
    ) -> Option<Letter> {
        letter.refused = None;
        for target in self.targets_of(queue, &letter.parcel, letter.reason) {
            let name = self.queues[target].name.clone();
            if letter.holders.contains(&name) {
                continue;
            }
            if self.bury(target, &letter.parcel, Origin::Debt, effects) {
                letter.holders.push(name);
            } else {
                letter.refused = Some(self.now.elapsed);
            }
        }
        // RabbitMQ does not send by hidden keys again.
        letter.parcel.hidden = None;
        if letter.refused.is_some() || letter.holders.is_empty() {
            return Some(letter);
        }
        self.queues[queue].owed.bytes -= letter.message.bytes();
        None
    }

    /// Finds out when the next round is, and whether it could come to anything.
    fn look_ahead(&mut self, queue: Key<Queue>) {
        let now = self.now.elapsed;
        let letters = std::mem::take(&mut self.queues[queue].owed.tried);
        let hopeful = letters.iter().any(|letter| {
            letter.refused.is_some() || !self.targets_of(queue, &letter.parcel, letter.reason).is_empty()
        });
        let owed = &mut self.queues[queue].owed;
        // Rounds that could not come to anything were left out.
        while owed.round <= now {
            owed.round += AGAIN;
        }
        owed.tried = letters;
        owed.hopeful = hopeful;
    }
}
