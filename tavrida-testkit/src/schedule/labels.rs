//! Schedules with labels that name, for people, the message that a decision concerns.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::director::{arrival_key, yield_key};
use super::{Deviations, Replay};
use crate::fault::Site;
use crate::random::hash;
use crate::trace::{Event, SentMessage, Trace, What};

impl Deviations {
    /// Returns the schedule as text, each decision with the message that it concerns, if the run has it. The text parses like the text
    /// without labels.
    pub fn labelled(&self, trace: &Trace) -> String {
        let labels = labels(self, trace);
        let mut text = String::new();
        for (point, choice) in self.iter() {
            let space = if text.is_empty() { "" } else { " " };
            let label = labels.get(&point.key).map(|label| format!("{label}@")).unwrap_or_default();
            write!(text, "{space}{label}{point}:{choice}").expect("a string takes all text");
        }
        if text.is_empty() { self.to_string() } else { text }
    }
}

impl Replay {
    /// As [`Deviations::labelled`].
    pub fn labelled(&self, trace: &Trace) -> String {
        match self.schedule.is_empty() {
            true => self.to_string(),
            false => format!("seed:{:#x} {}", self.seed, self.schedule.labelled(trace)),
        }
    }
}

/// Returns the labels of the keys of a schedule.
fn labels(schedule: &Deviations, trace: &Trace) -> BTreeMap<u64, String> {
    let wanted: BTreeMap<u64, ()> = schedule.iter().map(|(point, _)| (point.key, ())).collect();
    let mut labels = BTreeMap::new();
    let mut add = |key: u64, label: &dyn Fn() -> String| {
        if wanted.contains_key(&key) {
            labels.entry(key).or_insert_with(label);
        }
    };
    for actor in trace.actors() {
        add(hash(actor.service().as_bytes()), &|| format!("server/{}", plain(actor.service())));
    }
    for message in trace.messages() {
        add(message.key(), &|| label(message));
    }
    for event in trace.events() {
        if let Some((_, key)) = decision_of(trace, event)
            && let Some(message) = event.message
        {
            add(key, &|| label(trace.message(message)));
        }
    }
    labels
}

/// Returns the site and the key of the decision about an event. `None` if a schedule has none about such an event.
pub(crate) fn decision_of(trace: &Trace, event: &Event) -> Option<(Site, u64)> {
    let message = event.message.map(|message| trace.message(message).key());
    match event.what {
        What::Delivered { .. } => {
            Some((Site::Deliver, arrival_key(message?, trace.consumer_key(event.channel?))))
        }
        What::TookTurn { .. } => Some((Site::Yield, yield_key(message, trace.actor(event.actor).name()))),
        _ if event.what.is_late_confirm() => Some((Site::Publish, message?)),
        _ => None,
    }
}

/// Returns the label of a message: `request/billing.charge`.
fn label(message: &SentMessage) -> String {
    let kind = message.kind().map_or("message", |kind| kind.as_str());
    format!("{kind}/{}", plain(message.topic()))
}

/// Removes characters that have a meaning in a schedule.
fn plain(name: &str) -> String {
    let plain = |c: char| if c.is_alphanumeric() || "._~-".contains(c) { c } else { '_' };
    name.chars().take(60).map(plain).collect()
}
