//! Dead-lettering: the fate of a message that a queue drops, and its `x-death` history.

use std::sync::Arc;

use tavrida::field::{LongString, ShortString, Table, Value};
use tavrida::transport::{Properties, Publication};

use super::Broker;
use super::arena::Key;
use super::effect::Effects;
use super::exchange::{Exchange, Keys};
use super::parcel::Parcel;
use super::publish::header_keys;
use super::queue::{Message, Origin, Queue};

/// Why a queue dead-letters a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reason {
    Rejected,
    Expired,
    MaxLength,
    DeliveryLimit,
}

impl Reason {
    fn as_str(self) -> &'static str {
        match self {
            Self::Rejected => "rejected",
            Self::Expired => "expired",
            Self::MaxLength => "maxlen",
            Self::DeliveryLimit => "delivery_limit",
        }
    }
}

/// A dead letter in transit: it arrives after the step of its queue (A11).
#[derive(Debug, Clone)]
pub(crate) enum Forward {
    /// It is sent once, and lost for targets that are full.
    Once { letter: Parcel, targets: Vec<Key<Queue>> },
    /// This queue keeps its dead letters until they are accepted.
    Owed(Key<Queue>),
}

const X_DEATH: ShortString = ShortString::from_static("x-death");
const COUNT: ShortString = ShortString::from_static("count");
const QUEUE: ShortString = ShortString::from_static("queue");
const REASON: ShortString = ShortString::from_static("reason");

impl Broker {
    /// Sends a message that left its queue to the queue's dead-letter exchange. Without such an exchange it is dropped, unless the queue
    /// must keep it.
    pub(crate) fn dead_letter(&mut self, queue: Key<Queue>, message: &Message, reason: Reason) {
        let state = &mut self.queues[queue];
        if state.settings.owes_dead_letters {
            state.owed.push(message.clone(), reason);
            self.forwards.push_back(Forward::Owed(queue));
        } else if self.dead_letter_exchange(queue).is_some() {
            let letter = self.letter(queue, message, reason);
            let targets = self.targets_of(queue, &letter, reason);
            if !targets.is_empty() {
                self.forwards.push_back(Forward::Once { letter, targets });
            }
        }
    }

    /// Delivers dead-lettered messages, and those that they cause.
    pub(crate) fn forward(&mut self, effects: &mut Effects) {
        while let Some(forward) = self.forwards.pop_front() {
            match forward {
                Forward::Once { letter, targets } => {
                    for target in targets {
                        self.bury(target, &letter, Origin::DeadLetter, effects);
                    }
                }
                Forward::Owed(queue) => self.pay(queue, effects),
            }
        }
    }

    /// Publishes a dead letter to a queue. Returns `false` if the queue does not exist or refuses it.
    pub(super) fn bury(
        &mut self,
        target: Key<Queue>,
        letter: &Parcel,
        origin: Origin,
        effects: &mut Effects,
    ) -> bool {
        if !self.queues.contains(target) {
            return false;
        }
        self.routed.push(target);
        self.enqueue(target, letter, origin, effects)
    }

    /// Returns where a queue's dead letters go. `None` if there is no such exchange, `Some(None)` for the default exchange.
    fn dead_letter_exchange(&self, queue: Key<Queue>) -> Option<Option<Key<Exchange>>> {
        let address = self.queues[queue].settings.dead_letter.as_ref()?;
        if address.exchange.is_empty() {
            return Some(None);
        }
        self.exchange_names.get(&*address.exchange).map(|exchange| Some(*exchange))
    }

    /// Returns the dead letter of a message: to the queue's dead-letter address, with its history.
    pub(super) fn letter(&self, queue: Key<Queue>, message: &Message, reason: Reason) -> Parcel {
        let state = &self.queues[queue];
        let address = state.settings.dead_letter.as_ref().expect("what is dead-lettered has an address");
        let old = &message.parcel.publication;
        let cc = header_keys(old.properties.headers(), &["CC"]);
        let event = Event { queue: &state.name, reason, wall: self.now.wall, publication: old, cc: &cc };
        let mut headers = event.write(old.properties.headers().clone());
        let (routing_key, hidden) = match &address.routing_key {
            Some(key) => {
                headers.remove("CC");
                (key.clone(), None)
            }
            None => (old.routing_key.clone(), message.parcel.hidden.clone()),
        };
        let publication = Arc::new(Publication {
            exchange: address.exchange.clone(),
            routing_key,
            mandatory: false,
            properties: Properties {
                expiration: None,
                headers: Some(sorted(headers)),
                ..old.properties.clone()
            },
            body: old.body.clone(),
        });
        Parcel { publication, hidden }
    }

    /// Returns the queues that a dead letter of a queue goes to.
    pub(super) fn targets_of(
        &mut self,
        queue: Key<Queue>,
        letter: &Parcel,
        reason: Reason,
    ) -> Vec<Key<Queue>> {
        let mut targets = Vec::new();
        let Some(exchange) = self.dead_letter_exchange(queue) else { return targets };
        let headers = letter.publication.properties.headers();
        let mut more = header_keys(headers, &["CC"]);
        more.extend(letter.hidden.iter().flat_map(|keys| keys.iter()).cloned());
        let keys = Keys { primary: &letter.publication.routing_key, more: &more };
        self.route(exchange, &keys, headers, &mut targets);
        if reason != Reason::Rejected {
            targets.retain(|target| !is_cycle(&self.queues[*target].name, headers));
        }
        targets
    }
}

/// One death of a message.
struct Event<'a> {
    queue: &'a ShortString,
    reason: Reason,
    wall: u64,
    publication: &'a Publication,
    cc: &'a [LongString],
}

impl Event<'_> {
    /// Returns the headers with this death in front of the history (R80 to R84).
    fn write(&self, mut headers: Table) -> Table {
        let history = match headers.remove("x-death") {
            None => {
                let first = [
                    ("x-first-death-reason", Value::from_static(self.reason.as_str())),
                    ("x-first-death-queue", self.queue.clone().into()),
                    ("x-first-death-exchange", self.publication.exchange.clone().into()),
                ];
                headers.extend(first.map(|(name, value)| (ShortString::from_static(name), value)));
                vec![self.entry().into()]
            }
            Some(Value::Array(deaths)) => self.continued(deaths),
            Some(other) => {
                tracing::warn!(found = %other.type_letter(), "a message has an x-death header that is no array: replaced");
                vec![self.entry().into()]
            }
        };
        headers.insert(X_DEATH, history);
        headers
    }

    fn continued(&self, deaths: Vec<Value>) -> Vec<Value> {
        let mut deaths = grouped(deaths);
        let known = deaths.iter().position(|death| self.is_like(death));
        let mut entry = match known.map(|index| deaths.remove(index)) {
            Some(Value::Table(mut entry)) => {
                let count = entry.get("count").and_then(Value::as_i64).unwrap_or(0);
                entry.insert(COUNT, count + 1);
                entry
            }
            _ => self.entry(),
        };
        entry = sorted(entry);
        deaths.insert(0, entry.into());
        deaths
    }

    fn is_like(&self, death: &Value) -> bool {
        let (queue, reason) = place_of(death);
        queue.is_some_and(|queue| queue == self.queue.as_bytes())
            && reason.is_some_and(|reason| reason == self.reason.as_str().as_bytes())
    }

    fn entry(&self) -> Table {
        let primary = self.publication.routing_key.clone().into();
        let keys: Vec<Value> =
            std::iter::once(primary).chain(self.cc.iter().cloned().map(Value::LongString)).collect();
        let mut entry = Table::with_capacity(7)
            .with(COUNT, 1i64)
            .with(REASON, Value::from_static(self.reason.as_str()))
            .with(QUEUE, self.queue.clone())
            .with(ShortString::from_static("time"), Value::Timestamp(self.wall))
            .with(ShortString::from_static("exchange"), self.publication.exchange.clone())
            .with(ShortString::from_static("routing-keys"), keys);
        if let Some(expiration) = &self.publication.properties.expiration {
            entry.insert(ShortString::from_static("original-expiration"), expiration.clone());
        }
        entry
    }
}

/// RabbitMQ merges entries for the same queue and reason, which a client may have created, and reverses the others if there are two or more
/// (R82).
fn grouped(deaths: Vec<Value>) -> Vec<Value> {
    let deaths: Vec<Value> = deaths.into_iter().filter(|death| matches!(death, Value::Table(_))).collect();
    if deaths.len() < 2 {
        return deaths;
    }
    let mut merged: Vec<Value> = Vec::with_capacity(deaths.len());
    for death in &deaths {
        if merged.iter().any(|known| place_of(known) == place_of(death)) {
            continue;
        }
        let times = deaths.iter().filter(|other| place_of(other) == place_of(death)).count();
        let mut death = death.clone();
        if let Value::Table(entry) = &mut death
            && !entry.contains("count")
        {
            entry.insert(COUNT, i64::try_from(times).unwrap_or(i64::MAX));
        }
        merged.push(death);
    }
    merged.reverse();
    merged
}

/// Returns the queue and the reason of an entry.
fn place_of(death: &Value) -> (Option<&[u8]>, Option<&[u8]>) {
    let Value::Table(entry) = death else { return (None, None) };
    let text = |name| match entry.get(name) {
        Some(Value::LongString(bytes)) => Some(&bytes[..]),
        _ => None,
    };
    (text("queue"), text("reason"))
}

/// Returns whether a message that was dead-lettered automatically returns to a queue where it was, with no rejection since (R85).
fn is_cycle(queue: &str, headers: &Table) -> bool {
    let Some(Value::Array(deaths)) = headers.get("x-death") else { return false };
    let here = |death: &Value| place_of(death).0 == Some(queue.as_bytes());
    let Some(last) = deaths.iter().position(here) else { return false };
    deaths[..=last].iter().all(|death| place_of(death).1 != Some(b"rejected"))
}

/// Sorts headers by name, as RabbitMQ does.
fn sorted(table: Table) -> Table {
    let mut entries: Vec<_> = table.into_iter().collect();
    entries.sort_by(|(a, _), (b, _)| a.cmp(b));
    entries.into_iter().collect()
}
