//! The events of a failed run that matter, as lines.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::time::Duration;

use tavrida::message::MessageKind;

use crate::fault::Point;
use crate::schedule::{Choice, Deviations, decision_of};
use crate::trace::names::Names;
use crate::trace::text::payload;
use crate::trace::{Ending, Event, MessageId, Outcome, Trace, What};
use crate::waits::{Waits, time};

/// How many events are shown.
const SHOWN: usize = 40;
/// How many of them before and after each fault and decision.
const AROUND: usize = 2;
/// How many of them at the end.
const LAST: usize = 8;
/// Longer payloads are cut.
const LONGEST: usize = 80;

/// Returns the events of a run that matter, one line each: faults and decisions with what is around them, the chain that failed, and the
/// end. Short runs are shown whole.
pub(super) fn events(trace: &Trace, chain: Option<&str>, schedule: &Deviations) -> String {
    let decided = decisions(trace, schedule);
    let is_told =
        |at: &usize| !matches!(trace.events()[*at].what, What::Connected) || *at > first_said(trace);
    let told: Vec<usize> = (0..trace.events().len()).filter(is_told).collect();
    let shown = chosen(trace, chain, &decided, &told);
    let names = Names::of(trace);
    let mut text = String::new();
    let mut left_out = 0;
    for (at, _) in told.iter().zip(shown).filter(|(_, shown)| {
        left_out += usize::from(!shown);
        *shown
    }) {
        line(&mut text, trace, &names, *at, decided.get(at));
    }
    if left_out > 0 {
        writeln!(text, "  {left_out} other events are left out").expect("a string takes all text");
    }
    text
}

/// Returns the index of the first event about a message: before it, the graph connects.
fn first_said(trace: &Trace) -> usize {
    trace.events().iter().position(|event| event.message.is_some()).unwrap_or(usize::MAX)
}

/// Returns which of the told events are shown.
fn chosen(
    trace: &Trace,
    chain: Option<&str>,
    decided: &BTreeMap<usize, Choice>,
    told: &[usize],
) -> Vec<bool> {
    if told.len() <= SHOWN {
        return vec![true; told.len()];
    }
    // How much each event matters: at the end, in the chain, around a fault or a decision.
    let mut weights = vec![0_u8; told.len()];
    let end = told.len().saturating_sub(LAST);
    weights[end..].fill(2);
    for (place, at) in told.iter().enumerate() {
        let event = &trace.events()[*at];
        if chain.is_some_and(|chain| is_of(trace, event, chain)) {
            weights[place] = weights[place].max(1);
        }
        if decided.contains_key(at) || is_trouble(&event.what) {
            let around = place.saturating_sub(AROUND)..told.len().min(place + AROUND + 1);
            weights[around].iter_mut().for_each(|weight| *weight = (*weight).max(3));
            weights[place] = 4;
        }
    }
    let mut best: Vec<usize> = (0..told.len()).filter(|place| weights[*place] > 0).collect();
    // Of those that matter equally, the later ones.
    best.sort_by_key(|place| (weights[*place], *place));
    let mut shown = vec![false; told.len()];
    best.iter().rev().take(SHOWN).for_each(|place| shown[*place] = true);
    shown
}

fn is_of(trace: &Trace, event: &Event, chain: &str) -> bool {
    event.message.is_some_and(|message| trace.message(message).correlation_id() == chain)
}

/// Returns whether something went wrong.
fn is_trouble(what: &What) -> bool {
    match what {
        What::Published(outcome) => !matches!(outcome, Outcome::Routed | Outcome::Unroutable),
        What::Delivered { redelivered } => *redelivered,
        What::Ended(ending) => !matches!(ending, Ending::Quiet | Ending::Answered),
        What::Rejected
        | What::Requeued
        | What::AckLost
        | What::Zombie
        | What::Disconnected(_)
        | What::Crashed
        | What::Restarted
        | What::Fault(_)
        | What::TimedOut { .. } => true,
        _ => false,
    }
}

/// Returns what a schedule decides, by the indices of the events. Faults are events of their own.
fn decisions(trace: &Trace, schedule: &Deviations) -> BTreeMap<usize, Choice> {
    let mut counts = BTreeMap::new();
    let mut decided = BTreeMap::new();
    for (at, event) in trace.events().iter().enumerate() {
        let Some((site, key)) = decision_of(trace, event) else { continue };
        let count: &mut u32 = counts.entry((site, key)).or_default();
        *count += 1;
        let nth = if let What::TookTurn { nth } = event.what { nth } else { *count };
        let of_it =
            |(point, choice): &(Point, Choice)| *point == Point { site, key, nth } && !choice.is_fault();
        if let Some((_, choice)) = schedule.iter().find(of_it) {
            decided.insert(at, choice);
        }
    }
    decided
}

/// Writes the line of an event: time, actor, what happened, the message with its payload, and what was decided about it.
fn line(text: &mut String, trace: &Trace, names: &Names<'_>, at: usize, decided: Option<&Choice>) {
    let event = &trace.events()[at];
    let (actor, what) = (trace.actor(event.actor), names.rename(&event.what.to_string()).into_owned());
    let mut line = format!("  {:>8}  {actor:<14} {what:<20}", time(event.at));
    if let Some(message) = event.message {
        write!(line, " {}", label(trace, names, message)).expect("a string takes all text");
        if matches!(event.what, What::Published(_) | What::Delivered { .. }) {
            line += &payload(trace.message(message), LONGEST);
        }
    }
    if event.delivery > 1 {
        write!(line, ", delivery {}", event.delivery).expect("a string takes all text");
    }
    match decided {
        Some(Choice::Passed(times)) => {
            let is_arrival = matches!(event.what, What::Delivered { .. });
            let messages = match (times, is_arrival) {
                (1, false) => "step of others",
                (_, false) => "steps of others",
                (1, true) => "later message",
                (_, true) => "later messages",
            };
            write!(line, "  <- decided: {times} {messages} came first").expect("a string takes all text");
        }
        Some(Choice::Delayed(by)) => {
            write!(line, "  <- decided: {} late", time(*by)).expect("a string takes all text");
        }
        Some(Choice::Fault(_)) | None => {}
    }
    writeln!(text, "{}", line.trim_end()).expect("a string takes all text");
}

/// Returns the name and kind of a message: `m3 billing.charge`, `m4 reply billing.charge`, `m3 retry of billing.charge`.
fn label(trace: &Trace, names: &Names<'_>, message: MessageId) -> String {
    let sent = trace.message(message);
    let kind = match sent.kind() {
        _ if sent.is_dead_letter() => "dead letter ",
        _ if sent.is_retry() => "retry of ",
        Some(MessageKind::Response) => "reply ",
        Some(MessageKind::Error) => "error ",
        Some(MessageKind::Notification) => "event ",
        Some(MessageKind::Request) | None => "",
    };
    format!("{} {kind}{}", names.message(message), sent.topic())
}

/// Returns who waited for whom when the first ask timed out, as lines below a heading. Empty if none did before a moment.
pub(super) fn waiting(trace: &Trace, before: Duration) -> String {
    let is_timeout = |event: &Event| matches!(event.what, What::TimedOut { .. }) && event.at <= before;
    let Some(place) = trace.events().iter().position(is_timeout) else { return String::new() };
    let event = &trace.events()[place];
    let (asker, asked) = (trace.actor(event.actor), event.message.map(|message| trace.message(message)));
    let asked = asked.map_or("nothing", |asked| asked.topic());
    let (at, waits) = (time(event.at), Waits::of(trace, place, event.at));
    format!("\nwho waited at {at}, when {asker} gave up {asked}:\n{waits}")
}
