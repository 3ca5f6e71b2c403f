//! [`Counters`]: the counters of a client or server.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

/// A snapshot of counters. All count from the start of the client or server, except [`in_flight`](Counters::in_flight).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counters {
    /// Deliveries that a handler finished, successfully or with an error that was answered.
    pub handled: u64,
    /// Deliveries that were scheduled for a retry.
    pub retried: u64,
    /// Deliveries that were published to the dead-letter queue.
    pub dead_lettered: u64,
    /// Failed deliveries that were dropped by the failure policy.
    pub discarded: u64,
    /// Answers that arrived, or were sent, when no ask waited for them any more.
    pub late: u64,
    /// Requests that no handler began, since their asker had waited long enough.
    pub expired: u64,
    /// Requests and replies that no queue was bound for.
    pub unroutable: u64,
    /// Notifications without a subscriber.
    pub unheard: u64,
    /// Publishes with unknown outcome, because the session was lost before their confirm.
    pub ambiguous: u64,
    /// Sessions that were lost.
    pub losses: u64,
    /// Consumers that the broker closed because a handler exceeded its consumer timeout.
    pub consumer_timeouts: u64,
    /// Exchanges that were found deleted, and were declared again.
    pub repaired: u64,
    /// Answers to asks that could not be decoded.
    pub unreadable: u64,
    /// Deliveries being handled now.
    pub in_flight: u64,
    /// Failed deliveries for which no copy can be made at this moment (the queue of the copy is full, or the broker refuses it): each
    /// occupies one place of the prefetch. The copy is tried again; a message whose copy the broker refuses repeatedly is rejected if its
    /// queue dead-letters, and otherwise stays until the session ends.
    pub stuck: u64,
}

/// The handled deliveries and those being handled, then each counter that is not zero: `handled 12, in flight 1, retried 3`.
impl fmt::Display for Counters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "handled {}, in flight {}", self.handled, self.in_flight)?;
        let rare = [
            ("retried", self.retried),
            ("dead-lettered", self.dead_lettered),
            ("discarded", self.discarded),
            ("late", self.late),
            ("expired", self.expired),
            ("unroutable", self.unroutable),
            ("unheard", self.unheard),
            ("ambiguous", self.ambiguous),
            ("losses", self.losses),
            ("consumer timeouts", self.consumer_timeouts),
            ("repaired", self.repaired),
            ("unreadable", self.unreadable),
            ("stuck", self.stuck),
        ];
        rare.into_iter()
            .filter(|(_, count)| *count > 0)
            .try_for_each(|(name, count)| write!(f, ", {name} {count}"))
    }
}

/// The counters as they are counted.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) handled: Count,
    pub(crate) retried: Count,
    pub(crate) dead_lettered: Count,
    pub(crate) discarded: Count,
    pub(crate) late: Count,
    pub(crate) expired: Count,
    pub(crate) unroutable: Count,
    pub(crate) unheard: Count,
    pub(crate) ambiguous: Count,
    pub(crate) losses: Count,
    pub(crate) consumer_timeouts: Count,
    pub(crate) repaired: Count,
    pub(crate) unreadable: Count,
    pub(crate) in_flight: Count,
    pub(crate) stuck: Count,
}

impl Tally {
    pub(crate) fn snapshot(&self) -> Counters {
        Counters {
            handled: self.handled.get(),
            retried: self.retried.get(),
            dead_lettered: self.dead_lettered.get(),
            discarded: self.discarded.get(),
            late: self.late.get(),
            expired: self.expired.get(),
            unroutable: self.unroutable.get(),
            unheard: self.unheard.get(),
            ambiguous: self.ambiguous.get(),
            losses: self.losses.get(),
            consumer_timeouts: self.consumer_timeouts.get(),
            repaired: self.repaired.get(),
            unreadable: self.unreadable.get(),
            in_flight: self.in_flight.get(),
            stuck: self.stuck.get(),
        }
    }
}

/// One counter. Relaxed ordering: each is read independently.
#[derive(Debug, Default)]
pub(crate) struct Count(AtomicU64);

impl Count {
    pub(crate) fn add_one(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts up until the guard is dropped.
    pub(crate) fn during(&self) -> During<'_> {
        self.add_one();
        During(self)
    }

    pub(crate) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

#[must_use = "it counts down when it is dropped"]
pub(crate) struct During<'a>(&'a Count);

impl Drop for During<'_> {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_are_shown_where_they_say_something() {
        assert_eq!(Counters::default().to_string(), "handled 0, in flight 0");
        let counters = Counters { handled: 12, in_flight: 1, retried: 3, stuck: 2, ..Counters::default() };
        assert_eq!(counters.to_string(), "handled 12, in flight 1, retried 3, stuck 2");
    }
}
