//! Laws of the end of a run.

use super::channels::is_verdict;
use super::{Broken, Facts};
use crate::trace::{Event, What};

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
