//! [`Lines`]: the lifelines, and the states of their actors.

use std::collections::BTreeMap;

use super::{LifelinePiece, State};
use crate::picture::story::Story;
use crate::trace::{ActorId, Event, What};

/// How far an arrow from an actor to itself extends.
pub(super) const LOOP: i32 = 34;

/// The lifelines so far.
pub(super) struct Lines {
    x: BTreeMap<ActorId, i32>,
    now: BTreeMap<ActorId, (State, i32)>,
    done: Vec<LifelinePiece>,
}

impl Lines {
    pub(super) fn new(story: &Story<'_>, x: BTreeMap<ActorId, i32>) -> Self {
        let mut now: BTreeMap<ActorId, (State, i32)> =
            x.keys().map(|actor| (*actor, (State::Up, 0))).collect();
        // Actors whose first event is a connect were not connected before.
        let mut silent: Vec<ActorId> = x.keys().copied().collect();
        for event in &story.events {
            if becomes(State::Up, event).is_some() && silent.contains(&event.actor) {
                silent.retain(|actor| *actor != event.actor);
                if matches!(event.what, What::Connected) {
                    now.insert(event.actor, (State::Off, 0));
                }
            }
        }
        Self { x, now, done: Vec::new() }
    }

    /// Adds an event at this height.
    pub(super) fn event(&mut self, event: &Event, y: i32) {
        let Some((state, since)) = self.now.get_mut(&event.actor) else { return };
        let Some(next) = becomes(*state, event) else { return };
        if next != *state {
            let (state, from) = (std::mem::replace(state, next), std::mem::replace(since, y));
            if from < y {
                self.done.push(LifelinePiece { x: self.x[&event.actor], from, to: y, state });
            }
        }
    }

    /// Returns all lines, which end at this height.
    pub(super) fn finish(mut self, y: i32) -> Vec<LifelinePiece> {
        for (actor, (state, from)) in self.now {
            self.done.push(LifelinePiece { x: self.x[&actor], from, to: y, state });
        }
        self.done
    }
}

/// Returns the state of an actor after an event.
fn becomes(state: State, event: &Event) -> Option<State> {
    match event.what {
        What::Connected => Some(State::Up),
        What::Disconnected(_) if state == State::Dead => Some(State::Dead),
        What::Disconnected(_) | What::Restarted => Some(State::Off),
        What::Crashed => Some(State::Dead),
        _ => None,
    }
}
