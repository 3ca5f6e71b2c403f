//! [`CausalIds`]: ids derived from their causes, so that independent steps do not affect each other's ids.

use parking_lot::Mutex;
use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHashSet};
use tavrida::id::{Cause, IdSource, Purpose, RandomIds, SmolStr};

use crate::random::{hash, hash_on, join};

/// The ids of one actor.
pub(crate) struct CausalIds {
    /// Identifies the actor.
    pub(crate) actor: u64,
    pub(crate) book: Arc<IdBook>,
    /// On a live broker, which others use too, ids are random; their causes are still recorded.
    pub(crate) random: bool,
}

/// The causes of the ids of a run.
pub(crate) struct IdBook(Mutex<Pages>);

struct Pages {
    /// How many ids each cause produced: a message that is handled twice produces other ids the second time.
    asked: FxHashMap<u64, u64>,
    /// The message that caused a message, both by the hashes of their ids.
    parents: FxHashMap<u64, u64>,
    /// The hashes of the generated correlation ids.
    chains: FxHashSet<u64>,
}

impl Default for IdBook {
    fn default() -> Self {
        let room = || FxHashMap::with_capacity_and_hasher(super::world::MANY, Default::default());
        Self(Mutex::new(Pages { asked: room(), parents: room(), chains: FxHashSet::default() }))
    }
}

impl IdBook {
    /// Returns the hash of the id of the message that caused a message.
    pub(crate) fn parent(&self, id: u64) -> Option<u64> {
        self.0.lock().parents.get(&id).copied()
    }

    /// Returns whether a correlation id was generated here, and not given.
    pub(crate) fn made_chain(&self, id: &str) -> bool {
        self.0.lock().chains.contains(&hash(id.as_bytes()))
    }
}

impl Pages {
    /// Records the cause of an id.
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
        // A message that several services of a server handle is a separate cause for each: their names follow a slash.
        let handled = cause.parent.bytes().position(|byte| byte == b'/').unwrap_or(cause.parent.len());
        let (handled, handler) = cause.parent.as_bytes().split_at(handled);
        let parent = hash(handled);
        let mut pages = self.book.0.lock();
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

/// Formats a number as 16 hexadecimal digits.
fn hex(number: u64) -> SmolStr {
    // Aligned, so that the check for valid text works word by word.
    #[repr(align(16))]
    struct Digits([u8; 16]);
    let mut digits = Digits([0; 16]);
    digits.0[..8].copy_from_slice(&eight_digits(number >> 32).to_be_bytes());
    digits.0[8..].copy_from_slice(&eight_digits(number & u64::from(u32::MAX)).to_be_bytes());
    std::str::from_utf8(&digits.0).expect("digits are ASCII").into()
}

/// Returns the eight hexadecimal digits of a 32-bit number, each in a byte. They are computed in parallel, since every message needs
/// several ids.
const fn eight_digits(number: u64) -> u64 {
    const ONES: u64 = 0x0101_0101_0101_0101;
    let pairs = (number | number << 16) & 0x0000_ffff_0000_ffff;
    let bytes = (pairs | pairs << 8) & 0x00ff_00ff_00ff_00ff;
    let digits = (bytes | bytes << 4) & 0x0f0f_0f0f_0f0f_0f0f;
    // A digit above 9 plus 6 reaches 16: the carry bit marks a letter.
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
