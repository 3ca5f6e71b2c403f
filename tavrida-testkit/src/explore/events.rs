//! The last events of a run, as lines.

use std::fmt::Write;

use crate::trace::{Event, Trace, What};

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
