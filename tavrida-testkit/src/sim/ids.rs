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

/// A number in 16 hexadecimal digits.
fn hex(number: u64) -> SmolStr {
    // Where they are aligned they are seen to be text by the word.
    #[repr(align(16))]
    struct Digits([u8; 16]);
    let mut digits = Digits([0; 16]);
    digits.0[..8].copy_from_slice(&eight_digits(number >> 32).to_be_bytes());
    digits.0[8..].copy_from_slice(&eight_digits(number & u64::from(u32::MAX)).to_be_bytes());
    std::str::from_utf8(&digits.0).expect("digits are ASCII").into()
}

/// The eight hexadecimal digits of a number of 32 bits, each in a byte: all at once, since every message needs several ids.
const fn eight_digits(number: u64) -> u64 {
    const ONES: u64 = 0x0101_0101_0101_0101;
    let pairs = (number | number << 16) & 0x0000_ffff_0000_ffff;
    let bytes = (pairs | pairs << 8) & 0x00ff_00ff_00ff_00ff;
    let digits = (bytes | bytes << 4) & 0x0f0f_0f0f_0f0f_0f0f;
    // 6 more than 9 is 16: the next bit says that it is a letter.
    let letters = (digits + 6 * ONES) >> 4 & ONES;
    digits + b'0' as u64 * ONES + letters * (b'a' - b'0' - 10) as u64
}

#[cfg(test)]
mod tests {
    use super::hex;

    #[test]
    fn ids_are_written_in_hexadecimal_digits() {
        for number in [0, 1, 0x0123_4567_89ab_cdef, 0xfedc_ba98_7654_3210, 0x9a9a_9a9a_a9a9_a9a9, u64::MAX] {
            assert_eq!(hex(number), format!("{number:016x}"));
        }
    }
}
