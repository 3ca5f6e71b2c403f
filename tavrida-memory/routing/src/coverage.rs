//! [`Coverage`]: which bindings the messages of a test used.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::broker_error::BrokerError;
use crate::message::Message;
use crate::routing::Routing;
use crate::topology::{Binding, Topology};

/// Counts how often the messages of a test used each binding of a topology. It can be shared between threads.
///
/// ```
/// use tavrida_routing::{Coverage, Exchange, Message, Queue, Topology};
///
/// let topology = Topology::builder()
///     .exchange(Exchange::topic("orders"))
///     .queue(Queue::new("billing"))
///     .bind_queue("billing", "orders", "order.*.paid")
///     .bind_queue("billing", "orders", "refund.#")
///     .build()?;
///
/// let coverage = Coverage::of(&topology);
/// coverage.route(&Message::new("orders", "order.7.paid"))?;
/// assert_eq!(coverage.to_string(), "1 of 2 bindings used\n  never: orders --'refund.#'--> queue 'billing'\n");
/// # Ok::<(), tavrida_routing::BrokerError>(())
/// ```
#[derive(Debug)]
pub struct Coverage<'t> {
    topology: &'t Topology,
    counts: Vec<AtomicU64>,
}

impl<'t> Coverage<'t> {
    /// Returns counters for a topology, all zero.
    pub fn of(topology: &'t Topology) -> Self {
        let counts = topology.bindings().iter().map(|_| AtomicU64::new(0)).collect();
        Self { topology, counts }
    }

    /// Routes a message as [`Topology::route`] does, and counts the bindings that match it.
    ///
    /// # Errors
    ///
    /// As [`Topology::route`].
    pub fn route(&self, message: &Message) -> Result<Routing<'t>, BrokerError> {
        let routing = self.topology.route(message)?;
        self.record(&routing);
        Ok(routing)
    }

    /// Counts the bindings that a message or a dead letter used.
    pub fn record(&self, routing: &Routing<'_>) {
        let used: Vec<&Binding> = routing.bindings().collect();
        for (binding, count) in self.topology.bindings().iter().zip(&self.counts) {
            if used.contains(&binding) {
                count.fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    /// Returns each binding with the number of messages that used it.
    pub fn counts(&self) -> impl Iterator<Item = (&'t Binding, u64)> {
        let counts = self.counts.iter().map(|count| count.load(Ordering::Relaxed));
        self.topology.bindings().iter().zip(counts)
    }

    /// Returns the bindings that no message used.
    pub fn unused(&self) -> Vec<&'t Binding> {
        self.counts().filter(|(_, count)| *count == 0).map(|(binding, _)| binding).collect()
    }

    /// Asserts that every binding was used.
    ///
    /// # Panics
    ///
    /// Panics with the list of unused bindings.
    #[track_caller]
    pub fn assert_complete(&self) {
        assert!(self.unused().is_empty(), "{self}");
    }
}

impl fmt::Display for Coverage<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unused = self.unused();
        writeln!(f, "{} of {} bindings used", self.counts.len() - unused.len(), self.counts.len())?;
        unused.iter().try_for_each(|binding| writeln!(f, "  never: {binding}"))
    }
}
