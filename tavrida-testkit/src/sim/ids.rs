//! [`CausalIds`]: ids that come of their causes, so that steps that do not depend on each other do not number each other.

use std::sync::{Arc, Mutex, PoisonError};

use rustc_hash::{FxHashMap, FxHashSet};
use tavrida::id::{Cause, IdSource, Purpose, RandomIds, SmolStr};

use crate::random::{hash, hash_on, join};

/// The ids of one actor.
pub(crate) struct CausalIds {
    /// Tells the actors apart.
    pub(crate) actor: u64,
    pub(crate) book: Arc<IdBook>,
    /// On a live broker, where others send too: ids are random, and their causes known all the same.
    pub(crate) random: bool,
}

/// What the ids of a run came of.
pub(crate) struct IdBook(Mutex<Pages>);

struct Pages {
    /// How often one cause was asked for an id: a message that is handled twice makes other ids the second time.
    asked: FxHashMap<u64, u64>,
    /// The message that a message came of, both by the hashes of their ids.
    parents: FxHashMap<u64, u64>,
    /// The ids that were made for chains, by their hashes.
    chains: FxHashSet<u64>,
}

impl Default for IdBook {
    fn default() -> Self {
        let room = || FxHashMap::with_capacity_and_hasher(super::world::MANY, Default::default());
        Self(Mutex::new(Pages { asked: room(), parents: room(), chains: FxHashSet::default() }))
    }
}

impl IdBook {
    /// The hash of the id of the message that a message came of.
    pub(crate) fn parent(&self, id: u64) -> Option<u64> {
        self.pages().parents.get(&id).copied()
    }

    /// Whether an id of a chain was made here, and not given.
    pub(crate) fn made_chain(&self, id: &str) -> bool {
        self.pages().chains.contains(&hash(id.as_bytes()))
    }

    fn pages(&self) -> std::sync::MutexGuard<'_, Pages> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pages {
    /// Notes what an id came of.
    fn note(&mut self, purpose: Purpose, id: &str, parent: u64) {
        match purpose {
            Purpose::Message => drop(self.parents.insert(hash(id.as_bytes()), parent)),
            Purpose::Correlation => drop(self.chains.insert(hash(id.as_bytes()))),
            _ => {}
        }
    }
}

impl IdSource for CausalIds {
    fn id(&self, purpose: Purpose, cause: Cause<'_>) -> SmolStr {
        // A message that several services of a server handle is a cause for each: their names stand behind a slash.
        let handled = cause.parent.bytes().position(|byte| byte == b'/').unwrap_or(cause.parent.len());
        let (handled, handler) = cause.parent.as_bytes().split_at(handled);
        let parent = hash(handled);
        let mut pages = self.book.pages();
        let id = if self.random {
            RandomIds.id(purpose, cause)
        } else {
            let what = match purpose {
                Purpose::Correlation => 1,
                Purpose::Request => 2,
                Purpose::Message => 3,
                Purpose::Instance => 4,
                _ => 5,
            };
            let origin = join(join(self.actor, hash_on(parent, handler)), cause.ordinal << 3 | what);
            let asked = pages.asked.entry(origin).or_default();
            *asked += 1;
            hex(join(origin, *asked))
        };
        pages.note(purpose, &id, parent);
        id
    }
}

fn hex(number: u64) -> SmolStr {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digits: [u8; 16] = std::array::from_fn(|at| DIGITS[(number >> ((15 - at) * 4) & 15) as usize]);
    std::str::from_utf8(&digits).expect("digits are ASCII").into()
}
