//! The history of a message's deaths: in its `x-death` header, or in a record of the broker that the header only shows.

use tavrida::field::{LongString, ShortString, Table, Value};
use tavrida::transport::Publication;

use super::headers::sorted;

const X_DEATH: ShortString = ShortString::from_static("x-death");
const COUNT: ShortString = ShortString::from_static("count");
const QUEUE: ShortString = ShortString::from_static("queue");
const REASON: ShortString = ShortString::from_static("reason");

/// Why a queue dead-letters a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reason {
    Rejected,
    Expired,
    MaxLength,
    DeliveryLimit,
}

impl Reason {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Rejected => "rejected",
            Self::Expired => "expired",
            Self::MaxLength => "maxlen",
            Self::DeliveryLimit => "delivery_limit",
        }
    }
}

/// One death of a message.
pub(crate) struct Event<'a> {
    pub(crate) queue: &'a ShortString,
    pub(crate) reason: Reason,
    pub(crate) wall: u64,
    pub(crate) publication: &'a Publication,
    /// The keys that it was published with, without those of `BCC`.
    pub(crate) keys: &'a [LongString],
}

impl Event<'_> {
    /// Returns the headers with this death in front of the history (R80 to R84).
    pub(crate) fn write(&self, mut headers: Table) -> Table {
        let history = match headers.remove("x-death") {
            None => {
                let first = [
                    ("x-first-death-reason", Value::from_static(self.reason.as_str())),
                    ("x-first-death-queue", self.queue.clone().into()),
                    ("x-first-death-exchange", self.publication.exchange.clone().into()),
                ];
                headers.extend(first.map(|(name, value)| (ShortString::from_static(name), value)));
                vec![self.entry(false).into()]
            }
            Some(Value::Array(deaths)) => self.continued(deaths),
            Some(other) => {
                tracing::warn!(found = %other.type_letter(), "a message has an x-death header that is no array: replaced");
                vec![self.entry(false).into()]
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
            _ => self.entry(false),
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

    /// Returns the entry of a first death; what a record shows begins with the expiration.
    fn entry(&self, expiration_first: bool) -> Table {
        let keys: Vec<Value> = self.keys.iter().cloned().map(Value::LongString).collect();
        let expiration = self.publication.properties.expiration.clone();
        let expiration = expiration.map(|text| (ShortString::from_static("original-expiration"), text));
        let mut entry = Table::with_capacity(7);
        entry.extend(expiration.clone().filter(|_| expiration_first));
        let mut entry = entry
            .with(COUNT, 1i64)
            .with(REASON, Value::from_static(self.reason.as_str()))
            .with(QUEUE, self.queue.clone())
            .with(ShortString::from_static("time"), Value::Timestamp(self.wall))
            .with(ShortString::from_static("exchange"), self.publication.exchange.clone())
            .with(ShortString::from_static("routing-keys"), keys);
        entry.extend(expiration);
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
            let counted = Table::new().with(COUNT, i64::try_from(times).unwrap_or(i64::MAX));
            *entry = counted.into_iter().chain(std::mem::take(entry)).collect();
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
pub(crate) fn is_cycle(queue: &str, headers: &Table) -> bool {
    let Some(Value::Array(deaths)) = headers.get("x-death") else { return false };
    let here = |death: &Value| place_of(death).0 == Some(queue.as_bytes());
    let Some(last) = deaths.iter().position(here) else { return false };
    deaths[..=last].iter().all(|death| place_of(death).1 != Some(b"rejected"))
}

/// The broker's own record of what happened to a message (R84).
#[derive(Debug, Clone, Default)]
pub(crate) struct Deaths {
    /// The latest first.
    deaths: Vec<Death>,
    /// What a client published as `x-death`: routing by headers still sees it.
    published: Option<Value>,
    /// Whether a dead-letter routing key replaced all its keys.
    pub(crate) redirected: bool,
    /// How often a quorum queue failed to deliver it.
    pub(crate) failures: u32,
}

#[derive(Debug, Clone)]
struct Death {
    queue: ShortString,
    reason: Reason,
    /// Its place in `x-death`.
    entry: Table,
}

impl Deaths {
    /// Returns the record of a message that a client published with these headers.
    pub(crate) fn new(headers: &Table) -> Self {
        Self { published: headers.get("x-death").cloned(), ..Self::default() }
    }

    /// Adds a death (R81).
    pub(crate) fn add(&mut self, event: &Event<'_>) {
        let known =
            self.deaths.iter().position(|death| death.queue == *event.queue && death.reason == event.reason);
        let death = match known {
            Some(place) => {
                let mut death = self.deaths.remove(place);
                let count = death.entry.get("count").and_then(Value::as_i64).unwrap_or(0);
                death.entry.insert(COUNT, count + 1);
                death
            }
            None => Death { queue: event.queue.clone(), reason: event.reason, entry: event.entry(true) },
        };
        self.deaths.insert(0, death);
    }

    /// Writes the history into the headers that consumers see.
    pub(crate) fn write(&self, event: &Event<'_>, headers: &mut Table) {
        let place = [
            ("reason", Value::from_static(event.reason.as_str())),
            ("queue", event.queue.clone().into()),
            ("exchange", event.publication.exchange.clone().into()),
        ];
        let first =
            self.deaths.len() == 1 && self.deaths[0].entry.get("count").and_then(Value::as_i64) == Some(1);
        for (name, value) in place {
            let key = |which| ShortString::joined(&[which, name]).expect("two short names");
            if first {
                headers.insert(key("x-first-death-"), value.clone());
            }
            headers.insert(key("x-last-death-"), value);
        }
        let deaths: Vec<Value> = self.deaths.iter().map(|death| death.entry.clone().into()).collect();
        headers.insert(X_DEATH, deaths);
    }

    /// Returns the headers by which a headers exchange routes.
    pub(crate) fn routing_headers(&self, headers: &Table) -> Table {
        let mut headers = headers.clone();
        headers.remove("x-death");
        headers.extend(self.published.clone().map(|value| (X_DEATH, value)));
        headers
    }

    /// Returns whether a message that was dead-lettered automatically returns to a queue where it was, with no rejection since (R85).
    pub(crate) fn is_cycle(&self, queue: &str) -> bool {
        let Some(last) = self.deaths.iter().position(|death| death.queue == queue) else { return false };
        self.deaths[..=last].iter().all(|death| death.reason != Reason::Rejected)
    }
}
