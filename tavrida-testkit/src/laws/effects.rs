//! The law of effects: handling a message twice has the effects of handling it once.

use rustc_hash::FxHashMap;

use super::{Broken, Facts};
use crate::trace::names::Names;
use crate::trace::{Ending, Event, MessageId, What, text};

/// What one handling of a message did.
#[derive(Default)]
struct Handling {
    /// The event with which it began.
    began: Option<usize>,
    whole: bool,
    /// What it sent, without ids.
    sent: Vec<(usize, String)>,
    effects: Vec<(usize, String)>,
}

/// See [`IDEMPOTENT`](super::IDEMPOTENT).
pub(super) fn idempotent(facts: &Facts<'_>) -> Option<Broken> {
    if !facts.twice {
        return None;
    }
    handlings(facts).iter().find_map(|(_, times)| {
        let (first, again) = times.split_first()?;
        again.iter().filter(|_| first.whole).find_map(|again| compare(facts, first, again))
    })
}

/// Returns all handlings of each message; messages with one key are one.
fn handlings(facts: &Facts<'_>) -> Vec<(u64, Vec<Handling>)> {
    let (trace, names) = (facts.trace, Names::of(facts.trace));
    let mut places: FxHashMap<u64, usize> = FxHashMap::default();
    let mut all: Vec<(u64, Vec<Handling>)> = Vec::new();
    let key_of = |id: MessageId| trace.message(id).key();
    for (place, event) in trace.events().iter().enumerate() {
        let Some(id) = event.message else { continue };
        let about = match event.what {
            What::Published(_) => trace.message(id).cause(),
            _ => Some(id),
        };
        let Some(key) = about.map(key_of) else { continue };
        let known = *places.entry(key).or_insert_with(|| {
            all.push((key, Vec::new()));
            all.len() - 1
        });
        let times = &mut all[known].1;
        match (&event.what, times.last_mut()) {
            (What::Delivered { .. }, _) => times.push(Handling::default()),
            (What::Started { .. }, Some(handling)) => drop(handling.began.get_or_insert(place)),
            (What::Ended(Ending::Quiet | Ending::Answered | Ending::Failed(_)), Some(handling)) => {
                handling.whole = true;
            }
            (What::Published(_), Some(handling)) => {
                handling.sent.push((place, text::said(trace.message(id), &names)));
            }
            (What::Effect { name, value }, Some(handling)) => {
                handling.effects.push((place, names.blank(&format!("{name} = {value}"))));
            }
            _ => {}
        }
    }
    all
}

fn compare(facts: &Facts<'_>, first: &Handling, again: &Handling) -> Option<Broken> {
    let began = &facts.trace.events()[again.began?];
    let topic = facts.trace.message(began.message?).topic();
    let handler = format!("the handler of {topic} at {}", facts.trace.actor(began.actor));
    if let Some((place, effect)) = again.effects.first() {
        let text = format!("{handler} worked a message a second time, and had an effect again: {effect}");
        return facts.broken(event(facts, *place), text);
    }
    let mut at_first: Vec<&String> = first.sent.iter().map(|(_, said)| said).collect();
    for (place, said) in &again.sent {
        match at_first.iter().position(|known| *known == said) {
            Some(known) => drop(at_first.remove(known)),
            None => {
                let instead = at_first.first().map_or("nothing more", |said| said);
                let text = format!(
                    "{handler} worked a message a second time, and sent {said}; at first it sent {instead}"
                );
                return facts.broken(event(facts, *place), text);
            }
        }
    }
    None
}

fn event<'t>(facts: &Facts<'t>, place: usize) -> &'t Event {
    &facts.trace.events()[place]
}
