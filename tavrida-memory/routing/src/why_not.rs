//! [`WhyNot`]: why a message did not reach a queue.

use std::collections::BTreeMap;
use std::fmt;

use crate::matching;
use crate::mismatch::Mismatch;
use crate::routing::Routing;
use crate::topology::{Binding, Destination};

/// Why a message did not reach a queue.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum WhyNot {
    /// The topology has no such queue.
    NoSuchQueue {
        /// The queue.
        queue: String,
    },
    /// The message was published to the default exchange with another key.
    OtherKey {
        /// The queue.
        queue: String,
        /// The key of the message.
        key: String,
    },
    /// No chain of bindings and alternate exchanges leads from the exchange to the queue.
    NoWay {
        /// The exchange.
        exchange: String,
        /// The queue.
        queue: String,
    },
    /// A chain leads there, and this is its first binding that did not match. Of several chains it is the one closest to a match.
    Binding {
        /// The binding.
        binding: Binding,
        /// Where it failed.
        mismatch: Mismatch,
    },
    /// A chain leads there through an alternate exchange, which was not used because this binding matched.
    AlternateUnused {
        /// The exchange whose alternate was not used.
        exchange: String,
        /// A binding that matched.
        matched: Binding,
    },
    /// The dead letter was there before, and was not rejected since.
    DeadLetterCycle {
        /// The queue.
        queue: String,
    },
}

impl fmt::Display for WhyNot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoSuchQueue { queue } => write!(f, "there is no queue '{queue}'"),
            Self::OtherKey { queue, key } => {
                write!(f, "the default exchange routes to the queue of the name '{key}', not to '{queue}'")
            }
            Self::NoWay { exchange, queue } => {
                write!(f, "no bindings lead from '{exchange}' to queue '{queue}'")
            }
            Self::Binding { binding, mismatch } => write!(f, "{binding}: {mismatch}"),
            Self::AlternateUnused { exchange, matched } => {
                write!(
                    f,
                    "the alternate exchange of '{exchange}' was not used, since a binding matched: {matched}"
                )
            }
            Self::DeadLetterCycle { queue } => {
                write!(f, "the message died in queue '{queue}' before, and was not rejected since")
            }
        }
    }
}

/// What prevents a chain: hops that fail, and how close its first failure is to a match.
type Distance = (usize, usize);

impl Routing<'_> {
    /// Returns why the message does not reach a queue. `None` if it does.
    pub fn why_not(&self, queue: &str) -> Option<WhyNot> {
        if self.reaches(queue) {
            return None;
        }
        let (queue, exchange) = (queue.to_owned(), self.message.exchange.clone());
        if self.dropped_in_cycle().any(|dropped| dropped == queue) {
            return Some(WhyNot::DeadLetterCycle { queue });
        }
        if self.topology.queue(&queue).is_none() {
            return Some(WhyNot::NoSuchQueue { queue });
        }
        if exchange.is_empty() {
            return Some(WhyNot::OtherKey { queue, key: self.message.key.clone() });
        }
        Some(self.first_failure(&queue).unwrap_or(WhyNot::NoWay { exchange, queue }))
    }

    /// Returns the first failure of the chain closest to a match, by Bellman and Ford: chains are short.
    fn first_failure(&self, queue: &str) -> Option<WhyNot> {
        let start = Destination::Exchange(self.message.exchange.clone());
        let mut best: BTreeMap<Destination, (Distance, Option<WhyNot>)> =
            BTreeMap::from([(start, ((0, 0), None))]);
        loop {
            let mut changed = false;
            for (exchange, (cost, failure)) in best.clone() {
                let Destination::Exchange(exchange) = exchange else { continue };
                for (next, fails) in self.ways_from(&exchange) {
                    let (next_cost, next_failure) = match (fails, &failure) {
                        (None, _) => (cost, failure.clone()),
                        (Some((near, why)), None) => ((1, near), Some(why)),
                        (Some(_), Some(_)) => ((cost.0 + 1, cost.1), failure.clone()),
                    };
                    if best.get(&next).is_none_or(|(known, _)| next_cost < *known) {
                        best.insert(next, (next_cost, next_failure));
                        changed = true;
                    }
                }
            }
            if !changed {
                return best.remove(&Destination::Queue(queue.to_owned()))?.1;
            }
        }
    }

    /// Returns where bindings and the alternate of an exchange lead, with what prevents it.
    fn ways_from(&self, exchange: &str) -> Vec<(Destination, Option<(usize, WhyNot)>)> {
        let Some(known) = self.topology.exchange(exchange) else { return Vec::new() };
        let keys = self.message.keys().unwrap_or_default();
        let mut ways = Vec::new();
        let mut matched = None;
        for binding in self.topology.bindings_from(exchange) {
            let headers = &self.message.headers;
            let check = matching::check(known.kind, binding, &keys, headers, self.topology.behaviour());
            let failure = check.err().map(|mismatch| {
                let near = distance(&mismatch);
                (near, WhyNot::Binding { binding: binding.clone(), mismatch })
            });
            if failure.is_none() {
                matched.get_or_insert(binding);
            }
            ways.push((binding.destination.clone(), failure));
        }
        if let Some(alternate) = known.alternate().filter(|name| self.topology.exchange(name).is_some()) {
            let failure = matched.map(|matched| {
                let exchange = exchange.to_owned();
                (usize::MAX, WhyNot::AlternateUnused { exchange, matched: matched.clone() })
            });
            ways.push((Destination::Exchange(alternate.to_owned()), failure));
        }
        ways
    }
}

/// Returns the distance of a mismatch from a match: less is closer.
fn distance(mismatch: &Mismatch) -> usize {
    const FAR: usize = 1000;
    match mismatch {
        // The longer the matching part of the key, the closer.
        Mismatch::Word { index, .. } => FAR - index.min(&FAR),
        Mismatch::Key { expected, found } => {
            let common = expected.bytes().zip(found.bytes()).take_while(|(a, b)| a == b).count();
            FAR - common.min(FAR)
        }
        Mismatch::Header { found: Some(_), .. } => 1,
        Mismatch::Header { found: None, .. } => 2,
        Mismatch::NoHeader { .. } => 3,
    }
}
