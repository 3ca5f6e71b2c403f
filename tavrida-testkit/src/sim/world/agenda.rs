//! [`Action`]: what happens at a time that is known before.

use std::time::Duration;

use tavrida::time::later;

use super::State;
use crate::trace::ActorId;

/// A timed action.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Action {
    /// The session of an actor breaks.
    Cut(ActorId),
    /// What an actor sends arrives again.
    Release(ActorId),
    /// An actor receives again.
    Hear(ActorId),
}

impl State {
    /// Plans an action after a delay.
    pub(crate) fn plan(&mut self, after: Duration, action: Action) {
        self.planned += 1;
        self.agenda.insert((later(self.time.now(), after), self.planned), action);
    }
}
