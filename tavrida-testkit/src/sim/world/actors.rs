//! [`ActorState`]: the current state of an actor.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;

use super::{Action, State};
use crate::trace::{ActorId, ActorKind, What};

/// The current state of an actor.
#[derive(Default)]
pub(crate) struct ActorState {
    /// Its session, if it has one.
    pub(crate) session: Option<u32>,
    /// Its process was killed and is not running.
    pub(crate) down: bool,
    /// It closed its session itself, and needs none.
    pub(crate) retired: bool,
    /// The scenario has ended, so that its clients need not be connected any more.
    pub(crate) dismissed: bool,
    /// The number of reasons why it receives nothing.
    pub(crate) deaf: u32,
    /// The number of reasons why nothing that it sends arrives.
    pub(crate) mute: u32,
    /// How long it stays down.
    pub(crate) down_for: Duration,
    /// Signals its keeper that it was killed.
    pub(crate) killed: Arc<Notify>,
}

impl ActorState {
    /// Returns whether its state is as intended: it has a session, or needs none.
    pub(crate) fn is_well(&self) -> bool {
        self.retired || self.dismissed || (self.session.is_some() && !self.is_cut_off())
    }

    /// Returns whether it cannot connect: connecting needs both directions.
    pub(crate) fn is_cut_off(&self) -> bool {
        self.down || self.is_deaf() || self.is_mute()
    }

    pub(crate) fn is_deaf(&self) -> bool {
        self.deaf > 0
    }

    pub(crate) fn is_mute(&self) -> bool {
        self.mute > 0
    }
}

impl State {
    pub(crate) fn add_actor(&mut self, name: &str, kind: ActorKind) -> ActorId {
        self.actors.push(ActorState::default());
        self.trace.add_actor(name, kind)
    }

    /// Returns whether the process of an actor is restarted when it is killed.
    pub(crate) fn restarts(&self, id: ActorId) -> bool {
        matches!(self.trace.actor(id).kind(), ActorKind::Service | ActorKind::Stub)
    }

    /// Marks the scenario as over: its clients may be connected or not.
    pub(crate) fn dismiss_clients(&mut self) {
        for (actor, of) in self.actors.iter_mut().zip(self.trace.actors()) {
            actor.dismissed = of.kind() == ActorKind::Client;
        }
    }

    /// Returns the names of the actors that should have a session and have none.
    pub(crate) fn disconnected(&self) -> Vec<String> {
        let actors = self.actors.iter().zip(self.trace.actors()).skip(1);
        actors.filter(|(state, _)| !state.is_well()).map(|(_, actor)| actor.name().to_owned()).collect()
    }

    /// Returns whether the simulation itself is the only actor.
    pub(crate) fn is_fresh(&self) -> bool {
        self.actors.len() == 1
    }

    pub(crate) fn actor(&mut self, id: ActorId) -> &mut ActorState {
        &mut self.actors[id.index()]
    }

    /// Returns the process of an actor, by its first actor: all clients are in the process of the scenario.
    pub(crate) fn process_of(&self, id: ActorId) -> ActorId {
        match self.trace.actor(id).kind() {
            ActorKind::Client => ActorId::of_peer(0),
            _ => id,
        }
    }

    /// Records an open session of a live broker. Returns its number.
    #[cfg(feature = "live")]
    pub(crate) fn open_live_session(&mut self, id: ActorId) -> u32 {
        self.planned += 1;
        let number = u32::try_from(self.planned).expect("a run has fewer than four billion sessions");
        let actor = self.actor(id);
        actor.session = Some(number);
        actor.retired = false;
        number
    }

    /// Records the end of a session of a live broker.
    #[cfg(feature = "live")]
    pub(crate) fn close_live_session(
        &mut self,
        id: ActorId,
        number: u32,
        loss: &tavrida::transport::ConnectionLost,
    ) {
        let actor = self.actor(id);
        if actor.session == Some(number) {
            actor.session = None;
            actor.retired = loss.is_closed_here();
            self.held.retain(|(channel, _), _| channel.connection.0 / 2 != number);
            self.tell(id, What::Disconnected(loss.to_string().into()));
        }
    }

    /// Kills a process: nothing of it counts from now on. Its keeper drops the rest and restarts it.
    pub(crate) fn kill(&mut self, id: ActorId, down_for: Duration) {
        let actor = self.actor(id);
        if !std::mem::replace(&mut actor.down, true) {
            actor.down_for = down_for;
            actor.killed.notify_one();
            self.tell(id, What::Crashed);
            self.end_tasks(id);
        }
    }

    /// Restarts a process.
    pub(crate) fn revive(&mut self, id: ActorId) {
        self.actor(id).down = false;
        self.tell(id, What::Restarted);
    }

    /// Cuts an actor off for a time, in one direction or both.
    pub(crate) fn isolate(&mut self, id: ActorId, deaf: bool, mute: bool, time: Duration) {
        let actor = self.actor(id);
        actor.deaf += u32::from(deaf);
        actor.mute += u32::from(mute);
        if deaf && mute {
            self.plan(time, Action::Cut(id));
        }
        if deaf {
            self.plan(time, Action::Hear(id));
        }
        if mute {
            self.plan(time, Action::Release(id));
        }
    }

    /// Removes one reason for an actor to be deaf. Returns whether it receives again.
    pub(crate) fn hear(&mut self, id: ActorId) -> bool {
        let actor = self.actor(id);
        actor.deaf -= 1;
        !actor.is_deaf()
    }

    /// Removes one reason for an actor to be mute. Returns whether what it sends arrives again.
    pub(crate) fn release(&mut self, id: ActorId) -> bool {
        let actor = self.actor(id);
        actor.mute -= 1;
        !actor.is_mute()
    }
}
