//! [`ActorState`]: what is known of an actor at the moment.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;

use super::{Action, State};
use crate::trace::{ActorId, ActorKind, What};

/// What is known of an actor at the moment.
#[derive(Default)]
pub(crate) struct ActorState {
    /// Its session, while it has one.
    pub(crate) session: Option<u32>,
    /// Its process was killed and not started again.
    pub(crate) down: bool,
    /// It ended its session itself, and needs none.
    pub(crate) retired: bool,
    /// The scenario is over, and whoever was its client need not be there any more.
    pub(crate) dismissed: bool,
    /// It hears nothing, for so many reasons.
    pub(crate) deaf: u32,
    /// Nothing that it sends gets through, for so many reasons.
    pub(crate) mute: u32,
    /// How long it stays down.
    pub(crate) down_for: Duration,
    /// Tells its keeper that it was killed.
    pub(crate) killed: Arc<Notify>,
}

impl ActorState {
    /// Whether all is as it should be: it has a session, or wants none.
    pub(crate) fn is_well(&self) -> bool {
        self.retired || self.dismissed || (self.session.is_some() && !self.is_cut_off())
    }

    /// Whether it cannot connect: that takes both ways.
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

    /// Whether somebody starts the process of an actor anew when it is killed.
    pub(crate) fn restarts(&self, id: ActorId) -> bool {
        matches!(self.trace.actor(id).kind(), ActorKind::Service | ActorKind::Stub)
    }

    /// The scenario is over: its clients may be gone, with a session or without.
    pub(crate) fn dismiss_clients(&mut self) {
        for (actor, of) in self.actors.iter_mut().zip(self.trace.actors()) {
            actor.dismissed = of.kind() == ActorKind::Client;
        }
    }

    /// Whether nobody was added yet but the simulation itself.
    pub(crate) fn is_fresh(&self) -> bool {
        self.actors.len() == 1
    }

    pub(crate) fn actor(&mut self, id: ActorId) -> &mut ActorState {
        &mut self.actors[id.index()]
    }

    /// The process of an actor, by its first actor: all clients live in that of the scenario.
    pub(crate) fn process_of(&self, id: ActorId) -> ActorId {
        match self.trace.actor(id).kind() {
            ActorKind::Client => ActorId::of_peer(0),
            _ => id,
        }
    }

    /// A session of a live broker is open; gives its number.
    #[cfg(feature = "live")]
    pub(crate) fn open_live_session(&mut self, id: ActorId) -> u32 {
        self.planned += 1;
        let number = u32::try_from(self.planned).expect("a run has fewer than four billion sessions");
        let actor = self.actor(id);
        actor.session = Some(number);
        actor.retired = false;
        number
    }

    /// A session of a live broker is over.
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

    /// Kills a process: nothing of it counts from now on. Its keeper drops what is left, and starts it anew.
    pub(crate) fn kill(&mut self, id: ActorId, down_for: Duration) {
        let actor = self.actor(id);
        if !std::mem::replace(&mut actor.down, true) {
            actor.down_for = down_for;
            actor.killed.notify_one();
            self.tell(id, What::Crashed);
        }
    }

    /// The process is started anew.
    pub(crate) fn revive(&mut self, id: ActorId) {
        self.actor(id).down = false;
        self.tell(id, What::Restarted);
    }

    /// Cuts an actor off for a time, one way or both.
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

    /// There is one reason less for an actor to be deaf; gives whether it hears.
    pub(crate) fn hear(&mut self, id: ActorId) -> bool {
        let actor = self.actor(id);
        actor.deaf -= 1;
        !actor.is_deaf()
    }

    /// There is one reason less for an actor to be mute; gives whether it gets through.
    pub(crate) fn release(&mut self, id: ActorId) -> bool {
        let actor = self.actor(id);
        actor.mute -= 1;
        !actor.is_mute()
    }
}
