//! Laws of the fate of messages.

use std::time::Duration;

use rustc_hash::FxHashMap;
use tavrida::field::Value;
use tavrida::transport::{Properties, Publication};

use super::{Broken, Facts, Remains};
use crate::trace::{Event, MessageId, SentMessage, What};

/// How often a message is requeued within [`SHORT`] in a hot loop.
const OFTEN: usize = 10;
const SHORT: Duration = Duration::from_secs(1);

/// See [`HOT_LOOP`](super::HOT_LOOP).
pub(super) fn hot_loop(facts: &Facts<'_>) -> Option<Broken> {
    let mut given_back: Vec<(u64, Vec<&Event>)> = Vec::new();
    for (event, id) in facts.events().filter(|(event, _)| matches!(event.what, What::Requeued)) {
        let key = facts.trace.message(id).key();
        let known = given_back.iter().position(|(known, _)| *known == key).unwrap_or_else(|| {
            given_back.push((key, Vec::new()));
            given_back.len() - 1
        });
        let events = &mut given_back[known].1;
        events.push(event);
        if let Some(first) = events.len().checked_sub(OFTEN).map(|place| events[place])
            && event.at - first.at < SHORT
        {
            let by = facts.trace.actor(event.actor);
            let text = format!("{by} gave {} back {OFTEN} times within {SHORT:?}", facts.name(id));
            return facts.broken(event, text);
        }
    }
    None
}

/// The copies of a message; messages with one key are one.
struct Copies {
    first: MessageId,
    /// How many copies queues took, with a confirm to the sender.
    confirmed: usize,
    /// How many were acked, rejected, delivered without acknowledgement, or removed by a fault.
    settled: usize,
}

/// See [`SETTLED`](super::SETTLED).
pub(super) fn settled(facts: &Facts<'_>) -> Option<Broken> {
    let remains = facts.remains?;
    let all = copies(facts);
    if all.iter().all(|copies| copies.settled >= copies.confirmed) {
        return None;
    }
    let remains = remains();
    let lost =
        all.iter().find(|copies| copies.settled < copies.confirmed && is_lost(facts, copies, &remains))?;
    let queues: Vec<&str> = facts.trace.queues_of(lost.first).collect();
    let text = format!(
        "{} was confirmed, and is neither settled nor dead-lettered nor in a queue any more; it was in {queues:?}",
        facts.name(lost.first)
    );
    facts.broken_at_end(lost.first, text)
}

fn copies(facts: &Facts<'_>) -> Vec<Copies> {
    let trace = facts.trace;
    let many = trace.messages().len();
    let mut places: FxHashMap<u64, usize> = FxHashMap::with_capacity_and_hasher(many, Default::default());
    let mut all: Vec<Copies> = Vec::with_capacity(many);
    let of_message: Vec<usize> = facts
        .messages()
        .map(|(id, _)| {
            *places.entry(trace.message(id).key()).or_insert_with(|| {
                all.push(Copies { first: id, confirmed: 0, settled: 0 });
                all.len() - 1
            })
        })
        .collect();
    let mut counted = vec![false; of_message.len()];
    for (event, id) in facts.events() {
        let copies = &mut all[of_message[id.index()]];
        match &event.what {
            What::Published(outcome) => {
                let is_first = outcome.is_confirmed() && !std::mem::replace(&mut counted[id.index()], true);
                copies.confirmed += if is_first { trace.message(id).copies() } else { 0 };
            }
            What::Acked | What::Rejected => copies.settled += 1,
            What::Fault(what) if what.starts_with("expired") || what.starts_with("overflow") => {
                copies.settled += 1;
            }
            What::Delivered { .. } => {
                let no_ack = event.channel.is_some_and(|channel| trace.channels()[channel.index()].no_ack);
                copies.settled += usize::from(no_ack);
            }
            _ => {}
        }
    }
    all
}

/// Returns whether copies of a message are missing without an exempt reason.
fn is_lost(facts: &Facts<'_>, copies: &Copies, remains: &Remains) -> bool {
    let sent = facts.trace.message(copies.first);
    let is_there = |message: &Publication| SentMessage::key_of(message) == sent.key();
    let queued = remains.queued.iter().filter(|(_, message)| is_there(message)).count();
    // The first may have been refused, and only a later one taken.
    let all = || facts.messages().map(|(id, _)| id).filter(|id| facts.trace.message(*id).key() == sent.key());
    let queues: Vec<&str> = all().flat_map(|id| facts.trace.queues_of(id)).collect();
    let is_gone =
        |queue: &&&str| !remains.queues.iter().any(|there| there == **queue) || is_let_down(facts, queue);
    let gone = queues.iter().filter(is_gone).count();
    let died = |message: &Publication| is_same(message, sent.publication()) && died_in(message, &queues);
    let dead = remains.queued.iter().filter(|(_, message)| died(message)).count();
    let passed_on = facts.trace.messages().iter().filter(|other| died(other.publication())).count();
    copies.settled + queued + gone + dead + passed_on < copies.confirmed
        && !all().any(|id| has_expired(facts, id))
        && !was_in_memory(facts, copies.first)
}

/// Returns whether a consumer without acknowledgements of this queue was cut off: messages on the way to it are lost.
fn is_let_down(facts: &Facts<'_>, queue: &str) -> bool {
    let mut channels =
        facts.trace.channels().iter().filter(|channel| channel.no_ack && channel.queue == queue);
    channels.any(|channel| {
        facts.trace.events().iter().any(|event| {
            let is_cut = matches!(event.what, What::Disconnected(_) | What::Crashed | What::Fault(_));
            is_cut && event.actor == channel.actor
        })
    })
}

fn is_same(a: &Publication, b: &Publication) -> bool {
    a.properties.message_id == b.properties.message_id && a.body == b.body
}

/// Returns whether one of these queues dead-lettered a message.
fn died_in(message: &Publication, queues: &[&str]) -> bool {
    let Some(Value::Array(deaths)) = message.properties.headers().get("x-death") else { return false };
    deaths.iter().any(|death| match death {
        Value::Table(death) => {
            death.get("queue").and_then(Value::as_str).is_some_and(|queue| queues.contains(&queue))
        }
        _ => false,
    })
}

/// Returns whether the expiration of a message has passed.
fn has_expired(facts: &Facts<'_>, id: MessageId) -> bool {
    let expiration = facts.trace.message(id).publication().properties.expiration.as_deref();
    let Some(lives) = expiration.and_then(|text| text.parse().ok()).map(Duration::from_millis) else {
        return false;
    };
    let mut published = facts.events().filter(|(event, message)| {
        *message == id && matches!(&event.what, What::Published(outcome) if outcome.is_taken())
    });
    published.next_back().is_some_and(|(event, _)| event.at + lives <= facts.end)
}

/// Returns whether a message was transient and the broker was restarted.
fn was_in_memory(facts: &Facts<'_>, id: MessageId) -> bool {
    let is_restart = |event: &Event| matches!(&event.what, What::Fault(what) if what.starts_with("broker-"));
    facts.trace.message(id).publication().properties.delivery_mode != Some(Properties::PERSISTENT)
        && facts.trace.events().iter().any(is_restart)
}
