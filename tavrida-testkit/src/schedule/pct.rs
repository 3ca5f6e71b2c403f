//! [`Pct`]: priorities that change a few times in a run.

use super::Candidate;
use crate::random::{hash, join, scale};

/// After this multiple of the usual length of a run, any consumer may be next: a consumer of low priority must not wait forever for others
/// that send to each other without end.
const FAIR_AFTER: u32 = 8;

/// Priorities of consumers, and when they change.
pub(super) struct Pct {
    seed: u64,
    /// When the highest priority becomes the lowest: the number of the arrival.
    changes: Vec<u32>,
    /// Lowered consumers, each with its change; of two, the one lowered by the earlier change in the list is lower.
    lowered: Vec<(u64, usize)>,
    arrivals: u32,
    fair_after: u32,
}

impl Pct {
    /// For a run with about `length` arrivals.
    pub(super) fn new(seed: u64, depth: u8, length: u32) -> Self {
        let length = length.max(1);
        let change = |nth: u8| {
            let bits = join(join(seed, hash(b"change")), nth.into());
            1 + u32::try_from(scale(bits, length.into())).expect("it is below a u32")
        };
        Self {
            seed,
            changes: (1..depth).map(change).collect(),
            lowered: Vec::new(),
            arrivals: 0,
            fair_after: length.saturating_mul(FAIR_AFTER),
        }
    }

    /// Picks the candidate of the highest priority. `None` once priorities no longer count.
    pub(super) fn pick(&mut self, candidates: &[Candidate]) -> Option<usize> {
        self.arrivals += 1;
        for change in 0..self.changes.len() {
            if self.changes[change] == self.arrivals {
                let highest = candidates[self.highest(candidates)].consumer;
                self.lowered.retain(|(consumer, _)| *consumer != highest);
                self.lowered.push((highest, change));
            }
        }
        (self.arrivals <= self.fair_after).then(|| self.highest(candidates))
    }

    fn highest(&self, candidates: &[Candidate]) -> usize {
        let priority = |index: &usize| self.priority(candidates[*index].consumer);
        (0..candidates.len()).max_by_key(priority).expect("something can arrive")
    }

    /// Returns the priority of a consumer. Lowered consumers rank below all others.
    fn priority(&self, consumer: u64) -> (bool, u64) {
        let lowered = self.lowered.iter().find(|(low, _)| *low == consumer);
        match lowered {
            Some((_, change)) => (false, *change as u64),
            None => (true, join(join(self.seed, hash(b"priority")), consumer)),
        }
    }
}
