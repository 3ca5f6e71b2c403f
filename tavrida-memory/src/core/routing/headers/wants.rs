//! [`Wants`]: the wants of all bindings of a table, each once, with a number.

use rustc_hash::FxHashMap;
use smallvec::SmallVec;
use tavrida::field::Table;

use super::criteria::{Want, name_alone, pair};
use super::equality::Comparison;

/// Numbers of wants: a binding has few.
pub(super) type WantNumbers = SmallVec<[u32; 4]>;

/// The wants of all bindings.
#[derive(Debug, Clone, Default)]
pub(super) struct Wants {
    /// By number, with the number of bindings.
    all: Vec<Option<(Want, u32)>>,
    free: Vec<u32>,
    by_hash: FxHashMap<u64, WantNumbers>,
}

impl Wants {
    pub(super) fn is_empty(&self) -> bool {
        self.by_hash.is_empty()
    }

    /// Returns one more than the largest number.
    pub(super) fn end(&self) -> usize {
        self.all.len()
    }

    /// Returns the number of a want, with one more binding.
    pub(super) fn number(&mut self, want: Want) -> u32 {
        if let Some(number) = self.find(&want) {
            let (_, times) = self.all[number as usize].as_mut().expect("numbers that are found are taken");
            *times += 1;
            return number;
        }
        let hash = want.hash;
        let number = self.free.pop().unwrap_or_else(|| {
            self.all.push(None);
            u32::try_from(self.all.len() - 1).expect("fewer than 2^32 wants")
        });
        self.all[number as usize] = Some((want, 1));
        self.by_hash.entry(hash).or_default().push(number);
        number
    }

    /// Returns the number of exactly this want, including its type.
    pub(super) fn find(&self, want: &Want) -> Option<u32> {
        let alike = self.by_hash.get(&want.hash)?;
        alike.iter().copied().find(|number| self.want(*number) == want)
    }

    /// Removes one binding from a want.
    pub(super) fn give_up(&mut self, number: u32) {
        let place = &mut self.all[number as usize];
        let Some((want, times)) = place else { return };
        *times -= 1;
        if *times > 0 {
            return;
        }
        let hash = want.hash;
        *place = None;
        self.free.push(number);
        if let Some(alike) = self.by_hash.get_mut(&hash) {
            alike.retain(|other| *other != number);
            if alike.is_empty() {
                self.by_hash.remove(&hash);
            }
        }
    }

    /// Returns the numbers of the wants that these headers satisfy.
    pub(super) fn satisfied_by(&self, headers: &Table, comparison: Comparison) -> SmallVec<[u32; 16]> {
        let mut satisfied = SmallVec::new();
        for (name, value) in headers.iter() {
            for hash in [pair(name, value, comparison), name_alone(name)] {
                let Some(numbers) = self.by_hash.get(&hash) else { continue };
                let holds =
                    numbers.iter().filter(|number| self.want(**number).holds_for(name, value, comparison));
                satisfied.extend(holds.copied());
            }
        }
        satisfied
    }

    fn want(&self, number: u32) -> &Want {
        let (want, _) = self.all[number as usize].as_ref().expect("numbers that are listed are taken");
        want
    }
}
