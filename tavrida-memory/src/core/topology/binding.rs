//! [`Bindings`]: the bindings of one source exchange, each with an index.

use std::hash::{Hash, Hasher};

use rustc_hash::{FxHashMap, FxHasher};
use tavrida::field::{ShortString, Table};

use crate::core::keys::{ExchangeKey, QueueKey};
use crate::core::{erlang, hashing};

/// The destination of a binding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Target {
    Queue(QueueKey),
    Exchange(ExchangeKey),
}

/// A binding of an exchange.
#[derive(Debug, Clone)]
pub(crate) struct Binding {
    pub(crate) target: Target,
    pub(crate) key: ShortString,
    pub(crate) arguments: Table,
}

impl PartialEq for Binding {
    /// The order of arguments does not matter, the order within a nested table does (R43).
    fn eq(&self, other: &Self) -> bool {
        let same = |(name, value): (&ShortString, _)| {
            other.arguments.get(name).is_some_and(|theirs| erlang::same(value, theirs, true))
        };
        self.target == other.target
            && self.key == other.key
            && self.arguments.len() == other.arguments.len()
            && self.arguments.iter().all(same)
    }
}

/// The bindings whose source is one exchange. Equal ones are one (R43).
#[derive(Debug, Clone, Default)]
pub(crate) struct Bindings {
    slots: Vec<Option<Binding>>,
    free: Vec<u32>,
    /// Indices by the hash of the binding; different bindings may share one.
    places: FxHashMap<u64, Vec<u32>>,
}

impl Bindings {
    /// Adds a binding. Returns its index, or `None` if it already exists.
    pub(crate) fn insert(&mut self, binding: Binding) -> Option<u32> {
        if self.find(&binding).is_some() {
            return None;
        }
        let hash = hash(&binding);
        let place = match self.free.pop() {
            Some(place) => {
                self.slots[place as usize] = Some(binding);
                place
            }
            None => {
                self.slots.push(Some(binding));
                u32::try_from(self.slots.len() - 1).expect("fewer than 2^32 bindings of one exchange")
            }
        };
        self.places.entry(hash).or_default().push(place);
        Some(place)
    }

    /// Returns the index of a binding.
    pub(crate) fn find(&self, binding: &Binding) -> Option<u32> {
        let places = self.places.get(&hash(binding))?;
        places.iter().copied().find(|place| self.slots[*place as usize].as_ref() == Some(binding))
    }

    /// Removes the binding at an index.
    pub(crate) fn remove(&mut self, place: u32) -> Option<Binding> {
        let binding = self.slots.get_mut(place as usize)?.take()?;
        self.free.push(place);
        let hash = hash(&binding);
        if let Some(places) = self.places.get_mut(&hash) {
            places.retain(|other| *other != place);
            if places.is_empty() {
                self.places.remove(&hash);
            }
        }
        Some(binding)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// Returns the bindings with their indices.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (u32, &Binding)> {
        (0..).zip(&self.slots).filter_map(|(place, slot)| Some((place, slot.as_ref()?)))
    }
}

/// Hashes a binding. Equal bindings have equal hashes; the order of their arguments does not matter.
fn hash(binding: &Binding) -> u64 {
    let mut hasher = FxHasher::default();
    binding.target.hash(&mut hasher);
    binding.key.hash(&mut hasher);
    hashing::table(&binding.arguments, &mut hasher);
    hasher.finish()
}
