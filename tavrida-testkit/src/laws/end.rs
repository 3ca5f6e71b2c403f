//! Laws of the end of a run.

use super::channels::is_verdict;
use super::{Broken, Facts};
use crate::trace::{ActorKind, Event, Outcome, What};
use crate::waits::Waits;

/// See [`IDLE`](super::IDLE).
pub(super) fn idle(facts: &Facts<'_>) -> Option<Broken> {
    let mut open: Vec<&Event> = Vec::new();
    for event in facts.trace.events() {
        match event.what {
            What::Started { .. } | What::Delivered { .. } if !needs_no_verdict(facts, event) => {
                open.push(event)
            }
            What::Ended(_) => close(&mut open, event, |what| matches!(what, What::Started { .. })),
            // What was open ended with the session or the channel.
            What::Disconnected(_) | What::Fault(_) => {
                open.retain(|held| held.actor != event.actor || !matches!(held.what, What::Delivered { .. }));
            }
            _ if is_verdict(event) => close(&mut open, event, |what| matches!(what, What::Delivered { .. })),
            _ => {}
        }
    }
    let first = open.first()?;
    let what = match (&first.what, first.message) {
        (What::Started { .. }, Some(id)) => format!("a handler still works {}", facts.name(id)),
        (What::Started { .. }, None) => "a handler still works a message that nobody sent".to_owned(),
        (_, id) => format!("{} waits for its verdict", id.map_or_else(String::new, |id| facts.name(id))),
    };
    facts.broken(first, format!("at the end, {what}, at {}", facts.trace.actor(first.actor)))
}

/// See [`DEADLINES`](super::DEADLINES).
pub(super) fn deadlines(facts: &Facts<'_>) -> Option<Broken> {
    let events = facts.trace.events();
    let of_it = |one: &Event, other: &Event| {
        (one.actor, one.message, one.delivery) == (other.actor, other.message, other.delivery)
    };
    let at = facts.trace.overdue().find(|_| !is_disturbed(facts))?;
    let end = &events[at];
    let begun = events[..at]
        .iter()
        .rev()
        .find(|event| matches!(event.what, What::Started { .. }) && of_it(event, end));
    let worked = begun.map_or(end.at, |begun| end.at - begun.at);
    let what = end.message.map_or_else(|| "a message that nobody sent".to_owned(), |id| facts.name(id));
    let (actor, waits) = (facts.trace.actor(end.actor), Waits::of(facts.trace, at, end.at));
    let text =
        format!("{actor} dropped the handler of {what} after {worked:?}, its deadline\nunder way:\n{waits}");
    facts.broken(end, text.trim_end().to_owned())
}

/// See [`DEAD_LETTERS`](super::DEAD_LETTERS).
pub(super) fn dead_letters(facts: &Facts<'_>) -> Option<Broken> {
    let trace = facts.trace;
    if trace.dead_letters_are_seen() {
        return None;
    }
    if is_disturbed(facts) {
        return None;
    }
    let (event, id) = facts.events().find(|(event, id)| {
        let is_dead =
            matches!(event.what, What::Published(Outcome::Routed)) && trace.message(*id).is_dead_letter();
        is_dead && trace.actor(event.actor).kind() != ActorKind::Stub
    })?;
    let (actor, reason) = (trace.actor(event.actor), trace.message(id).header("x-tavrida-reason"));
    let (topic, reason) = (trace.message(id).topic(), reason.unwrap_or_default());
    let text = format!("{actor} gave up {topic}, and the test does not look at dead letters: {reason}");
    facts.broken(event, text)
}

/// Returns whether anything in a run failed other than its services: they may then fail as well.
fn is_disturbed(facts: &Facts<'_>) -> bool {
    facts.trace.events().iter().any(|event| match &event.what {
        What::Fault(_) | What::Crashed => true,
        What::Disconnected(_) => event.what.is_loss(),
        _ => false,
    })
}

fn needs_no_verdict(facts: &Facts<'_>, event: &Event) -> bool {
    let is_delivery = matches!(event.what, What::Delivered { .. });
    is_delivery && event.channel.is_none_or(|channel| facts.trace.channels()[channel.index()].no_ack)
}

/// Closes what this event ends.
fn close(open: &mut Vec<&Event>, by: &Event, is_it: fn(&What) -> bool) {
    let same = |event: &&Event| {
        is_it(&event.what)
            && (event.actor, event.message, event.delivery) == (by.actor, by.message, by.delivery)
    };
    if let Some(place) = open.iter().position(same) {
        open.remove(place);
    }
}
