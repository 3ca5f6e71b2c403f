//! Dead letters: where a dead-lettered message goes.

use std::fmt;

use tavrida_behaviour::Behaviour;

use crate::message::{Death, Message};
use crate::routing::Routing;
use crate::value::{Table, Value};

/// Why a queue dead-letters a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DeathReason {
    /// A consumer rejected it without requeue.
    Rejected,
    /// Its time to live has passed.
    Expired,
    /// The queue was full.
    MaxLength,
    /// It was returned to a quorum queue more often than the delivery limit allows.
    DeliveryLimit,
}

impl DeathReason {
    /// All reasons.
    pub const ALL: [Self; 4] = [Self::Rejected, Self::Expired, Self::MaxLength, Self::DeliveryLimit];

    /// Returns the name in `x-death`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Rejected => "rejected",
            Self::Expired => "expired",
            Self::MaxLength => "maxlen",
            Self::DeliveryLimit => "delivery_limit",
        }
    }
}

impl fmt::Display for DeathReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl<'t> Routing<'t> {
    /// Returns where the message goes when a queue dead-letters it. `None` if the message is not in that queue, or the queue has no
    /// existing dead-letter exchange: it is dropped then.
    ///
    /// A dead letter that no consumer rejected, and that would return to a queue where it was, is dropped there; see
    /// [`dropped_in_cycle`](Routing::dropped_in_cycle). The dead letter has the headers by which a node routes it: an `x-death` without the
    /// time, but not where the broker keeps its own record (R84), which consumers see and headers exchanges do not.
    ///
    /// ```
    /// use tavrida_routing::{DeathReason, Message, Queue, Topology};
    ///
    /// let topology = Topology::builder()
    ///     .queue(Queue::new("work").dead_letter("", "retry"))
    ///     .queue(Queue::new("retry").dead_letter("", "work"))
    ///     .build()?;
    ///
    /// let work = topology.route(&Message::new("", "work"))?;
    /// let retry = work.after_death("work", DeathReason::Rejected).unwrap();
    /// let again = retry.after_death("retry", DeathReason::Expired).unwrap();
    /// assert!(again.reaches("work"));
    ///
    /// let retry = work.after_death("work", DeathReason::Expired).unwrap();
    /// let again = retry.after_death("retry", DeathReason::Expired).unwrap();
    /// assert_eq!(again.dropped_in_cycle().collect::<Vec<_>>(), ["work"]);
    /// # Ok::<(), tavrida_routing::BrokerError>(())
    /// ```
    pub fn after_death(&self, queue: &str, reason: DeathReason) -> Option<Routing<'t>> {
        if !self.reaches(queue) {
            return None;
        }
        let topology = self.topology;
        let state = topology.queue(queue)?;
        let exchange = state.dead_letter_exchange()?;
        if !exchange.is_empty() && topology.exchange(exchange).is_none() {
            return None;
        }
        let message = self.letter(queue, reason, exchange, state.dead_letter_routing_key());
        let mut routing = topology.routing(message.clone());
        let keys = message.keys().unwrap_or_else(|_| vec![message.key.as_str()]);
        routing.walk(exchange, &keys);
        if reason != DeathReason::Rejected {
            routing.leave_out(|target| is_cycle(&message.deaths, target));
        }
        Some(routing)
    }

    fn letter(&self, queue: &str, reason: DeathReason, exchange: &str, key: Option<&str>) -> Message {
        let behaviour = self.topology.behaviour();
        let mut letter = self.message.clone();
        letter.deaths = self.message.known_deaths(behaviour);
        bury(
            &mut letter.deaths,
            Death { queue: queue.to_owned(), reason: reason.as_str().to_owned() },
            behaviour,
        );
        let is_first = match behaviour.records_deaths {
            true => self.message.deaths.is_empty(),
            false => !self.message.headers.contains("x-death"),
        };
        if is_first {
            letter.headers.insert("x-first-death-queue", queue);
            letter.headers.insert("x-first-death-reason", reason.as_str());
            letter.headers.insert("x-first-death-exchange", self.message.exchange.as_str());
        }
        if behaviour.records_deaths {
            letter.headers.insert("x-last-death-queue", queue);
            letter.headers.insert("x-last-death-reason", reason.as_str());
            letter.headers.insert("x-last-death-exchange", self.message.exchange.as_str());
        } else {
            let entry = |death: &Death| {
                Value::from(Table::from([("queue", death.queue.as_str()), ("reason", death.reason.as_str())]))
            };
            letter.headers.insert("x-death", letter.deaths.iter().map(entry).collect::<Vec<_>>());
        }
        if let Some(key) = key {
            letter.key = key.to_owned();
            letter.cc_is_spent = true;
            if !behaviour.keeps_copies {
                letter.headers.remove("CC");
            }
        }
        letter.exchange = exchange.to_owned();
        letter
    }
}

/// Puts a death in front of the others (R81). Without a record of its own the broker first reverses the others if there are two or more (R82).
fn bury(deaths: &mut Vec<Death>, death: Death, behaviour: &Behaviour) {
    if deaths.len() > 1 && !behaviour.records_deaths {
        deaths.reverse();
    }
    deaths.retain(|known| *known != death);
    deaths.insert(0, death);
}

/// Returns whether a message that expired or was dropped returns to a queue where it was, with no rejection since (R85).
fn is_cycle(deaths: &[Death], queue: &str) -> bool {
    let Some(last) = deaths.iter().position(|death| death.queue == queue) else { return false };
    deaths[..=last].iter().all(|death| death.reason != DeathReason::Rejected.as_str())
}
