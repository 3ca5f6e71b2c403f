//! The last events of a run, as lines.

use std::fmt::Write;
use std::time::Duration;

use crate::trace::{Event, Trace, What};
use crate::waits::{Waits, time};

/// How many events a failure shows.
pub(super) const SHOWN: usize = 20;

/// Returns the last events of a chain, or of the whole run if there is no chain; faults belong to each chain.
pub(super) fn last_events(trace: &Trace, chain: Option<&str>, count: usize) -> String {
    let told: Vec<&Event> = trace.events().iter().filter(|event| belongs(trace, event, chain)).collect();
    let left_out = told.len().saturating_sub(count);
    let mut text = String::new();
    if left_out > 0 {
        writeln!(text, "  ... {left_out} events before").expect("a string takes all text");
    }
    told[left_out..].iter().for_each(|event| line(&mut text, trace, event));
    text
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

fn belongs(trace: &Trace, event: &Event, chain: Option<&str>) -> bool {
    let Some(chain) = chain else { return true };
    match event.message {
        Some(message) => trace.message(message).correlation_id() == chain,
        None => !matches!(event.what, What::Connected),
    }
}

fn line(text: &mut String, trace: &Trace, event: &Event) {
    let time = format!("{}ms", event.at.as_millis());
    let message = event.message.map(|message| trace.message(message).to_string()).unwrap_or_default();
    let nth = if event.delivery > 1 { format!(", delivery {}", event.delivery) } else { String::new() };
    let (actor, what) = (trace.actor(event.actor), event.what.to_string());
    let line = format!("  {time:>8}  {actor:<14} {what:<24} {message}{nth}");
    writeln!(text, "{}", line.trim_end()).expect("a string takes all text");
}
