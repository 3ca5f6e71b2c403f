//! [`Remote`]: a connection from outside this process, which a port serves.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use tavrida::field::ShortString;
use tokio::sync::Notify;

use super::broker::MemoryBroker;
use super::handle::SessionId;
use super::shared::{Locked, Shared};
use super::state::State;
use crate::core::{
    Arrival, Behaviour, Command, ConnectionId, ConnectionOptions, Effect, Method, Operator, Permissions, Sent,
};

/// The connections of ports.
pub(super) type Remotes = BTreeMap<ConnectionId, Mailbox>;

/// The effects that a connection has not taken yet.
pub(super) struct Mailbox {
    effects: VecDeque<Effect>,
    changed: Arc<Notify>,
    /// Its task holds the lock, and looks for itself.
    attended: bool,
}

/// A connection of a port. Dropping it drops the connection, like a closed socket.
pub(crate) struct Remote {
    shared: Arc<Shared>,
    id: ConnectionId,
    changed: Arc<Notify>,
}

/// A connection of a port while the broker is locked for it.
pub(crate) struct Attended<'a> {
    state: Locked<'a>,
    id: ConnectionId,
}

impl MemoryBroker {
    /// Connects from outside. Its number is one of those that sessions have.
    pub(crate) fn connect_remote(
        &self,
        options: ConnectionOptions,
        permissions: Option<Arc<Permissions>>,
    ) -> Remote {
        let mut state = self.shared.lock();
        let id = SessionId(state.next_session).control();
        state.next_session += 1;
        let changed = Arc::new(Notify::new());
        let mailbox = Mailbox { effects: VecDeque::new(), changed: changed.clone(), attended: false };
        state.remotes.insert(id, mailbox);
        state.apply(Command::Connect { connection: id, options });
        if let Some(permissions) = permissions {
            state.broker.restrict(id, permissions);
        }
        Remote { shared: self.shared.clone(), id, changed }
    }

    /// Returns the name of the virtual host, and how it behaves.
    pub(crate) fn description(&self) -> (ShortString, Behaviour) {
        let state = self.shared.lock();
        (state.broker.virtual_host().clone(), *state.broker.behaviour())
    }

    /// Returns whether a [`Network`](super::Network) decides what arrives.
    pub(crate) fn is_simulated(&self) -> bool {
        self.shared.lock().network.is_some()
    }
}

impl Remote {
    /// Locks the broker.
    pub(crate) fn attend(&self) -> Attended<'_> {
        let mut state = self.shared.lock();
        if let Some(mailbox) = state.remotes.get_mut(&self.id) {
            mailbox.attended = true;
        }
        Attended { state, id: self.id }
    }

    /// Waits until there are effects to take. Cancel safe.
    pub(crate) async fn changed(&self) {
        self.changed.notified().await;
    }
}

impl Drop for Remote {
    fn drop(&mut self) {
        let mut state = self.shared.lock();
        state.remotes.remove(&self.id);
        state.apply(Command::Abort { connection: self.id });
    }
}

impl Attended<'_> {
    pub(crate) fn call(&mut self, channel: u16, method: Method) {
        let channel = self.id.channel(channel);
        self.state.apply(Command::Method { channel, method });
    }

    /// Returns whether the broker refuses a publish, or ignores it, whatever its properties are.
    pub(crate) fn refuses(&self, channel: u16, method: &Method) -> bool {
        self.state.broker.refuses(self.id.channel(channel), method)
    }

    /// Closes the connection for its client.
    pub(crate) fn close(&mut self) {
        self.state.apply(Command::Close { connection: self.id });
    }

    pub(crate) fn abort(&mut self) {
        self.state.apply(Command::Abort { connection: self.id });
    }

    /// Closes the connection with 320, as an operator does.
    pub(crate) fn force_close(&mut self, reason: &str) {
        let operator = Operator::CloseConnection { connection: self.id, reason: reason.to_owned() };
        self.state.apply(Command::Operator(operator));
    }

    /// Takes the next effect.
    pub(crate) fn effect(&mut self) -> Option<Effect> {
        self.state.remotes.get_mut(&self.id)?.effects.pop_front()
    }

    /// Takes the next arrival of a channel.
    pub(crate) fn take(&mut self, channel: u16) -> Option<Arrival> {
        self.state.broker.take(self.id.channel(channel))
    }

    /// Takes all arrivals of a channel.
    pub(crate) fn take_all(&mut self, channel: u16) -> VecDeque<Sent> {
        let mut sent = VecDeque::new();
        self.state.broker.take_all(self.id.channel(channel), &mut sent);
        sent
    }
}

impl Drop for Attended<'_> {
    fn drop(&mut self) {
        if let Some(mailbox) = self.state.remotes.get_mut(&self.id) {
            mailbox.attended = false;
        }
    }
}

impl State {
    /// Stores an effect for the connection of a port. Returns it if it concerns a session.
    #[inline]
    pub(super) fn post(&mut self, effect: Effect) -> Option<Effect> {
        if self.remotes.is_empty() {
            return Some(effect);
        }
        let Some(mailbox) = self.remotes.get_mut(&effect.connection()) else { return Some(effect) };
        mailbox.effects.push_back(effect);
        if !mailbox.attended {
            self.aftermath.signal(mailbox.changed.clone());
        }
        None
    }

    /// Closes the connections of ports with 320.
    pub(super) fn close_remotes(&mut self, reason: &str) {
        for connection in self.remotes.keys().copied().collect::<Vec<_>>() {
            let operator = Operator::CloseConnection { connection, reason: reason.to_owned() };
            self.apply(Command::Operator(operator));
        }
    }

    /// Breaks the connections of ports without a close.
    pub(super) fn break_remotes(&mut self) {
        for connection in self.remotes.keys().copied().collect::<Vec<_>>() {
            self.note(Effect::ConnectionClosed { connection, reason: None });
        }
    }
}
