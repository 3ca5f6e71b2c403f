//! [`SortedMap`]: a map for few entries.

use std::borrow::Borrow;

use smallvec::SmallVec;

/// A map sorted by key, for few entries or growing keys: a channel has a consumer or two, a connection a few channels. One entry, the usual
/// case, needs no allocation.
#[derive(Debug, Clone)]
pub(crate) struct SortedMap<K, V>(SmallVec<[(K, V); 1]>);

impl<K: Ord, V> SortedMap<K, V> {
    pub(crate) fn new() -> Self {
        Self(SmallVec::new())
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn get<Q: Ord + ?Sized>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
    {
        self.place(key).ok().map(|place| &self.0[place].1)
    }

    pub(crate) fn contains_key<Q: Ord + ?Sized>(&self, key: &Q) -> bool
    where
        K: Borrow<Q>,
    {
        self.place(key).is_ok()
    }

    pub(crate) fn insert(&mut self, key: K, value: V) {
        match self.place(&key) {
            Ok(place) => self.0[place].1 = value,
            Err(place) => self.0.insert(place, (key, value)),
        }
    }

    pub(crate) fn remove<Q: Ord + ?Sized>(&mut self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
    {
        self.place(key).ok().map(|place| self.0.remove(place).1)
    }

    pub(crate) fn values(&self) -> impl Iterator<Item = &V> {
        self.0.iter().map(|(_, value)| value)
    }

    pub(crate) fn into_values(self) -> impl Iterator<Item = V> {
        self.0.into_iter().map(|(_, value)| value)
    }

    fn place<Q: Ord + ?Sized>(&self, key: &Q) -> Result<usize, usize>
    where
        K: Borrow<Q>,
    {
        self.0.binary_search_by(|(known, _)| known.borrow().cmp(key))
    }
}

impl<K: Ord, V> Default for SortedMap<K, V> {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_in_the_order_of_their_keys_whatever_the_order_they_came_in() {
        let mut map = SortedMap::new();
        for key in [2, 3, 1, 2] {
            map.insert(key, key * 10);
        }
        assert_eq!(map.values().copied().collect::<Vec<_>>(), [10, 20, 30]);
        assert_eq!((map.get(&2), map.contains_key(&4), map.len()), (Some(&20), false, 3));
        assert_eq!((map.remove(&2), map.remove(&2)), (Some(20), None));
        assert_eq!(map.into_values().collect::<Vec<_>>(), [10, 30]);
    }
}
