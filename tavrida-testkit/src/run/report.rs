//! The texts of failed assertions.

use std::fmt::Write;

use super::{Chain, Hit, Run};
use crate::trace::names::Names;
use crate::trace::text;

/// The most matches, and the most chains, that are shown.
const MOST: usize = 20;

/// Panics with the matches and their chains; `culprits` are the matches that violate the assertion, if any.
#[track_caller]
pub(super) fn fail(run: &Run, what: &str, expected: &str, found: &[Hit], culprits: &[Hit]) -> ! {
    let shown = if culprits.is_empty() { found } else { culprits };
    let count = match (found.len(), culprits.len()) {
        (found, 0) => found.to_string(),
        (found, bad) => format!("{bad} of {found} that are not so"),
    };
    panic!("{what}: expected {expected}, found {count}\n{}{}", events(run, shown), chains(run, shown))
}

/// Asserts that there are no matches.
#[track_caller]
pub(super) fn none(run: &Run, what: &str, found: &[Hit]) {
    if !found.is_empty() {
        fail(run, what, "none", found, &[]);
    }
}

fn events(run: &Run, hits: &[Hit]) -> String {
    let trace = run.trace();
    let names = Names::of(trace);
    let mut lines = String::new();
    for hit in hits.iter().take(MOST) {
        let event = &trace.events()[hit.event];
        let at = event.at.as_secs_f64();
        let _ = writeln!(lines, "    {at:.3} | {}", text::line(trace, &names, event));
    }
    more(&mut lines, hits.len());
    lines
}

/// Returns the chains of the matches, or all chains if there are no matches.
pub(super) fn chains(run: &Run, hits: &[Hit]) -> String {
    let all = run.chains();
    let is_shown = |chain: &&Chain<'_>| {
        hits.is_empty()
            || hits.iter().any(|hit| chain.id() == run.trace().message(hit.message).correlation_id())
    };
    let shown: Vec<_> = all.iter().filter(is_shown).collect();
    if shown.is_empty() {
        return "nothing was said in this run\n".to_owned();
    }
    let mut text = String::new();
    for chain in shown.iter().take(MOST) {
        let _ = writeln!(text, "in the chain '{}':", chain.id());
        chain.steps().iter().for_each(|step| {
            let _ = writeln!(text, "    {step}");
        });
    }
    more(&mut text, shown.len());
    text
}

fn more(text: &mut String, all: usize) {
    if all > MOST {
        let _ = writeln!(text, "    .. and {} more", all - MOST);
    }
}
