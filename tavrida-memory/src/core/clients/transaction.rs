//! [`Transaction`]: publishes and settlements that wait for `tx.commit`.

use tavrida::field::ShortString;

use super::unacked::Pending;
use crate::core::keys::QueueKey;
use crate::core::message::container::Container;
use crate::core::settlement::Settlement;

/// What a channel did since `tx.select` or the last commit.
#[derive(Debug, Clone, Default)]
pub(crate) struct Transaction {
    /// Messages with where they were routed to when they were published (R117).
    pub(crate) published: Vec<(Container, Routed)>,
    /// Settlements in order; successive ones of one kind are merged.
    pub(crate) settled: Vec<(Settlement, Vec<(u64, Pending)>)>,
}

/// Where a message of a transaction goes.
#[derive(Debug, Clone)]
pub(crate) enum Routed {
    /// The queues that have these names at the commit. For the default exchange these are the routing keys, whether such a queue exists
    /// or not: it may be declared before the commit.
    Names(Vec<ShortString>),
    /// These queues. If one is deleted before the commit, its message is lost, and the commit fails.
    Queues(Vec<QueueKey>),
}

impl Transaction {
    pub(crate) fn publish(&mut self, container: Container, routed: Routed) {
        self.published.push((container, routed));
    }

    pub(crate) fn settle(&mut self, settlement: Settlement, deliveries: Vec<(u64, Pending)>) {
        match self.settled.last_mut() {
            Some((last, known)) if *last == settlement => known.extend(deliveries),
            _ => self.settled.push((settlement, deliveries)),
        }
    }

    pub(crate) fn unsettled(&self) -> impl Iterator<Item = &Pending> {
        self.settled.iter().flat_map(|(_, deliveries)| deliveries.iter().map(|(_, pending)| pending))
    }
}
