//! [`Unacked`]: the unsettled deliveries of a channel, by delivery tag.

use std::collections::VecDeque;

use crate::core::keys::{ConsumerKey, QueueKey};
use crate::core::queue::Message;

/// An unsettled delivery.
#[derive(Debug, Clone)]
pub(crate) struct Pending {
    pub(crate) queue: QueueKey,
    /// Its consumer. `None` for `basic.get`.
    pub(crate) consumer: Option<ConsumerKey>,
    pub(crate) message: Message,
}

/// The unsettled deliveries of a channel, by ascending tag.
///
/// A ring: new tags are added at the end, and old ones are mostly removed at the front. A tag removed in the middle leaves a gap; if gaps
/// are the larger part, they are closed.
#[derive(Debug, Clone, Default)]
pub(crate) struct Unacked {
    ring: VecDeque<(u64, Option<Pending>)>,
    len: usize,
}

impl Unacked {
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Adds a delivery, whose tag is above all others.
    pub(crate) fn push(&mut self, tag: u64, pending: Pending) {
        self.ring.push_back((tag, Some(pending)));
        self.len += 1;
    }

    /// Removes one delivery.
    pub(crate) fn take(&mut self, tag: u64) -> Option<Pending> {
        let index = self.find(tag)?;
        // Usually it is the first, which leaves no gap.
        let pending = if index == 0 { self.ring.pop_front()?.1? } else { self.ring[index].1.take()? };
        self.len -= 1;
        while matches!(self.ring.front(), Some((_, None))) {
            self.ring.pop_front();
        }
        if self.ring.len() > 64 && self.ring.len() / 2 > self.len {
            self.ring.retain(|(_, pending)| pending.is_some());
        }
        Some(pending)
    }

    /// Returns the delivery with a tag.
    pub(crate) fn get(&self, tag: u64) -> Option<&Pending> {
        self.ring[self.find(tag)?].1.as_ref()
    }

    /// Returns whether a tag is unsettled.
    pub(crate) fn contains(&self, tag: u64) -> bool {
        self.find(tag).is_some_and(|index| self.ring[index].1.is_some())
    }

    /// Removes all deliveries up to a tag, by ascending tag.
    pub(crate) fn take_up_to(&mut self, tag: u64) -> Vec<(u64, Pending)> {
        let count = self.ring.partition_point(|(other, _)| *other <= tag);
        let taken: Vec<_> =
            self.ring.drain(..count).filter_map(|(tag, pending)| Some((tag, pending?))).collect();
        self.len -= taken.len();
        taken
    }

    /// Removes all deliveries, by ascending tag.
    pub(crate) fn take_all(&mut self) -> Vec<(u64, Pending)> {
        self.take_up_to(u64::MAX)
    }

    /// Puts back deliveries that were removed, in any order.
    pub(crate) fn put_back(&mut self, deliveries: impl IntoIterator<Item = (u64, Pending)>) {
        self.ring.extend(deliveries.into_iter().map(|(tag, pending)| (tag, Some(pending))));
        self.ring.retain(|(_, pending)| pending.is_some());
        self.ring.make_contiguous().sort_by_key(|(tag, _)| *tag);
        self.len = self.ring.len();
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (u64, &Pending)> {
        self.ring.iter().filter_map(|(tag, pending)| Some((*tag, pending.as_ref()?)))
    }

    fn find(&self, tag: u64) -> Option<usize> {
        let first = self.ring.front()?.0;
        let last = self.ring.len() - 1;
        // Without gaps in the numbers the index is exact; with gaps it is before that.
        let guess = usize::try_from(tag.checked_sub(first)?).unwrap_or(last).min(last);
        if self.ring[guess].0 == tag {
            return Some(guess);
        }
        self.ring.binary_search_by_key(&tag, |(other, _)| *other).ok()
    }
}
