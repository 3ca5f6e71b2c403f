//! Direct and fanout exchanges: the whole key, or no key.

use bytes::Bytes;
use rustc_hash::FxHashMap;

/// Destinations with their numbers of bindings: bindings that differ only in their arguments count twice.
type Counted<D> = Vec<(D, u32)>;

/// The table of a direct exchange: a key matches itself, byte by byte.
#[derive(Debug, Clone)]
pub struct DirectTable<D> {
    keys: FxHashMap<Bytes, Counted<D>>,
}

impl<D: Copy + Eq> DirectTable<D> {
    /// Returns an empty table.
    pub fn new() -> Self {
        Self { keys: FxHashMap::default() }
    }

    /// Adds a binding.
    pub fn insert(&mut self, key: Bytes, destination: D) {
        count_in(self.keys.entry(key).or_default(), destination);
    }

    /// Removes one binding of this key to this destination; does nothing if there is none.
    pub fn remove(&mut self, key: &[u8], destination: D) {
        if let Some(bound) = self.keys.get_mut(key) {
            count_out(bound, destination);
            if bound.is_empty() {
                self.keys.remove(key);
            }
        }
    }

    /// Pushes the destinations of a routing key, without duplicates.
    pub fn route(&self, key: &[u8], into: &mut Vec<D>) {
        if let Some(bound) = self.keys.get(key) {
            into.extend(bound.iter().map(|(destination, _)| *destination));
        }
    }
}

impl<D: Copy + Eq> Default for DirectTable<D> {
    fn default() -> Self {
        Self::new()
    }
}

/// The table of a fanout exchange: everything matches.
#[derive(Debug, Clone)]
pub struct FanoutTable<D> {
    bound: Counted<D>,
}

impl<D: Copy + Eq> FanoutTable<D> {
    /// Returns an empty table.
    pub const fn new() -> Self {
        Self { bound: Vec::new() }
    }

    /// Adds a binding.
    pub fn insert(&mut self, destination: D) {
        count_in(&mut self.bound, destination);
    }

    /// Removes one binding to this destination; does nothing if there is none.
    pub fn remove(&mut self, destination: D) {
        count_out(&mut self.bound, destination);
    }

    /// Pushes all destinations, without duplicates.
    pub fn route(&self, into: &mut Vec<D>) {
        into.extend(self.bound.iter().map(|(destination, _)| *destination));
    }
}

impl<D: Copy + Eq> Default for FanoutTable<D> {
    fn default() -> Self {
        Self::new()
    }
}

fn count_in<D: Copy + Eq>(bound: &mut Counted<D>, destination: D) {
    match bound.iter_mut().find(|(known, _)| *known == destination) {
        Some((_, count)) => *count += 1,
        None => bound.push((destination, 1)),
    }
}

fn count_out<D: Copy + Eq>(bound: &mut Counted<D>, destination: D) {
    if let Some(index) = bound.iter().position(|(known, _)| *known == destination) {
        bound[index].1 -= 1;
        if bound[index].1 == 0 {
            bound.remove(index);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r30_direct_takes_every_byte_literally() {
        let mut table = DirectTable::new();
        table.insert(Bytes::from_static(b"#"), 1);
        table.insert(Bytes::new(), 2);
        let routed = |key: &[u8]| {
            let mut into = Vec::new();
            table.route(key, &mut into);
            into
        };
        assert_eq!(routed(b"#"), [1]);
        assert_eq!(routed(b""), [2]);
        assert!(routed(b"a").is_empty());
    }

    #[test]
    fn a_destination_stays_as_long_as_one_of_its_bindings_does() {
        let mut table = FanoutTable::new();
        table.insert(1);
        table.insert(1);
        table.remove(1);
        let mut into = Vec::new();
        table.route(&mut into);
        assert_eq!(into, [1]);
        table.remove(1);
        into.clear();
        table.route(&mut into);
        assert!(into.is_empty());
    }
}
