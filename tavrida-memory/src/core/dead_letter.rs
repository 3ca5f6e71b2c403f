//! Dead-lettering: what becomes of a message that a queue gives up, and its `x-death` history.

use std::sync::Arc;

use tavrida::field::{Octets, ShortString, Table, Value};
use tavrida::transport::{Properties, Publication};

use super::Broker;
use super::arena::Key;
use super::effect::Effects;
use super::exchange::Keys;
use super::parcel::Parcel;
use super::publish::header_keys;
use super::queue::{Message, Origin, Queue};

/// Why a queue gives a message up.
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

/// A dead-lettered message on its way: it arrives after the step of the queue that gave it up (A11).
#[derive(Debug, Clone)]
pub(crate) struct Forward {
    parcel: Parcel,
    targets: Vec<Key<Queue>>,
}

const X_DEATH: ShortString = ShortString::from_static("x-death");
const COUNT: ShortString = ShortString::from_static("count");
const QUEUE: ShortString = ShortString::from_static("queue");
const REASON: ShortString = ShortString::from_static("reason");

impl Broker {
    /// Sends a message that left its queue to the queue's dead-letter exchange; where there is none it is gone.
    pub(crate) fn dead_letter(&mut self, queue: Key<Queue>, message: &Message, reason: Reason) {
        let state = &self.queues[queue];
        let Some(address) = &state.settings.dead_letter else { return };
        let exchange = if address.exchange.is_empty() {
            None
        } else {
            match self.exchange_names.get(&*address.exchange) {
                Some(exchange) => Some(*exchange),
                None => return,
            }
        };
        let old = &message.parcel.publication;
        let cc = header_keys(old.properties.headers(), &["CC"]);
        let event = Event { queue: &state.name, reason, wall: self.now.wall, publication: old, cc: &cc };
        let mut headers = event.write(old.properties.headers().clone());
        let (routing_key, more, hidden) = match &address.routing_key {
            Some(key) => {
                headers.remove("CC");
                (key.clone(), Vec::new(), None)
            }
            None => {
                let hidden = message.parcel.hidden.clone();
                let more = cc.iter().chain(hidden.iter().flat_map(|keys| keys.iter())).cloned().collect();
                (old.routing_key.clone(), more, hidden)
            }
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
        let headers = publication.properties.headers();
        let mut targets = Vec::new();
        let keys = Keys { primary: &publication.routing_key, more: &more };
        self.route(exchange, &keys, headers, &mut targets);
        if reason != Reason::Rejected {
            targets.retain(|target| !is_cycle(&self.queues[*target].name, headers));
        }
        if !targets.is_empty() {
            self.forwards.push_back(Forward { parcel: Parcel { publication, hidden }, targets });
        }
    }

    /// Delivers dead-lettered messages, and those that they make in turn.
    pub(crate) fn forward(&mut self, effects: &mut Effects) {
        while let Some(Forward { parcel, targets }) = self.forwards.pop_front() {
            for target in targets {
                if self.queues.contains(target) {
                    self.routed.push(target);
                    self.enqueue(target, &parcel, Origin::DeadLetter, effects);
                }
            }
        }
    }
}

/// One death of a message.
struct Event<'a> {
    queue: &'a ShortString,
    reason: Reason,
    wall: u64,
    publication: &'a Publication,
    cc: &'a [Octets],
}

impl Event<'_> {
    /// The headers with this death in front of the history (R80 to R84).
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

/// RabbitMQ merges entries for the same queue and reason, which a client may have made, and reverses the others when
/// there are two or more (R82).
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

/// The queue and the reason of an entry.
fn place_of(death: &Value) -> (Option<&[u8]>, Option<&[u8]>) {
    let Value::Table(entry) = death else { return (None, None) };
    let text = |name| match entry.get(name) {
        Some(Value::LongString(bytes)) => Some(&bytes[..]),
        _ => None,
    };
    (text("queue"), text("reason"))
}

/// Whether a message that died automatically comes back to a queue where it was, with no rejection since (R85).
fn is_cycle(queue: &str, headers: &Table) -> bool {
    let Some(Value::Array(deaths)) = headers.get("x-death") else { return false };
    let here = |death: &Value| place_of(death).0 == Some(queue.as_bytes());
    let Some(last) = deaths.iter().position(here) else { return false };
    deaths[..=last].iter().all(|death| place_of(death).1 != Some(b"rejected"))
}

/// RabbitMQ writes the headers again, by name.
fn sorted(table: Table) -> Table {
    let mut entries: Vec<_> = table.into_iter().collect();
    entries.sort_by(|(a, _), (b, _)| a.cmp(b));
    entries.into_iter().collect()
}
