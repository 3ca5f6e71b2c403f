//! [`State`]: the core, and the shell's records of sessions and channels.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, OnceLock};
use std::task::Waker;

use rustc_hash::FxHashMap;
use tavrida::transport::{BrokerError, ConnectionLost, Scope};

use super::aftermath::{Aftermath, PublishResult};
use super::clock::ShellClock;
use super::handle::{Liveness, SessionId};
use super::network::{Network, NetworkSession};
use super::publish::Waiting;
use super::timer::Timer;
use crate::core::{
    Arrival, Broker, ChannelId, CloseReason, Command, ConnectionOptions, Effect, Effects, Method, Sent,
};

/// Everything behind the lock.
pub(super) struct State {
    pub(super) broker: Broker,
    pub(super) clock: ShellClock,
    pub(super) timer: Timer,
    pub(super) sessions: BTreeMap<SessionId, Entry>,
    pub(super) next_session: u32,
    ports: FxHashMap<ChannelId, ShellChannel>,
    /// The effects of the last command.
    effects: Effects,
    pub(super) aftermath: Aftermath,
    pub(super) network: Option<Arc<dyn Network>>,
    /// The broker is not inspected any more: what ends needs no cleanup.
    pub(super) retired: bool,
    /// The largest frame of a session, in bytes; 0 for no limit.
    pub(super) frame_max: usize,
    /// Whether outcomes of publishes come only after other tasks had turns.
    pub(super) late_confirms: bool,
    /// With a network: the channels on which something waits to arrive, with the numbers of their heads at the last inspection.
    pub(super) sending: Vec<(u64, ChannelId)>,
    /// The connections of ports.
    #[cfg(feature = "port")]
    pub(super) remotes: super::remote::Remotes,
}

/// The shell's record of a session that is alive.
pub(super) struct Entry {
    pub(super) life: Arc<Liveness>,
    pub(super) peer: u32,
    /// Settlements delayed by a network, and what was sent on their channels after them.
    pub(super) verdicts: Vec<(ChannelId, Method)>,
    numbers: Numbers,
    /// The channel for declaring, binding and the like; opened when it is first needed, and again after an error.
    pub(super) manager: Option<ChannelId>,
    /// The reason why its publishes wait, from the first that had to.
    pub(super) blocked: Option<String>,
    pub(super) waiting: VecDeque<Waiting>,
    /// Publishes delayed by a network.
    pub(super) held: Vec<Waiting>,
    /// Publishes that the broker has processed, with outcomes delayed by a network.
    pub(super) unconfirmed: Vec<(Waiting, PublishResult)>,
    /// As these, each delayed by itself, with its number.
    pub(super) late: Vec<(u64, Waiting, PublishResult)>,
}

/// The shell's end of an open channel.
struct ShellChannel {
    waker: Option<Waker>,
    /// Set when the broker closes the channel.
    end: Arc<OnceLock<BrokerError>>,
    /// With a network: the arrivals that it let through.
    arrived: VecDeque<Arrival>,
}

/// Channel numbers of a connection.
#[derive(Default)]
struct Numbers {
    used: u16,
    free: Vec<u16>,
}

impl State {
    pub(super) fn new(broker: Broker, clock: ShellClock, network: Option<Arc<dyn Network>>) -> Self {
        Self {
            broker,
            clock,
            timer: Timer::default(),
            sessions: BTreeMap::new(),
            next_session: 0,
            ports: FxHashMap::default(),
            effects: Effects::new(),
            aftermath: Aftermath::default(),
            network,
            retired: false,
            frame_max: 0,
            late_confirms: false,
            sending: Vec::new(),
            #[cfg(feature = "port")]
            remotes: Default::default(),
        }
    }

    /// Executes a command, and handles its effects.
    pub(super) fn apply(&mut self, command: Command) {
        let effects = self.execute(command);
        self.keep(effects);
    }

    /// Executes a command. Returns its effects, which the caller sorts: effects for others go to [`note`](State::note). The buffer is
    /// returned with [`keep`](State::keep).
    pub(super) fn execute(&mut self, command: Command) -> Effects {
        let mut effects = std::mem::take(&mut self.effects);
        effects.clear();
        let now = self.clock.now(&command, self.network.as_deref());
        self.broker.apply(now, command, &mut effects);
        effects
    }

    /// Handles the remaining effects, and keeps the buffer for the next command.
    pub(super) fn keep(&mut self, mut effects: Effects) {
        if !effects.as_slice().is_empty() {
            effects.drain().for_each(|effect| self.note(effect));
        }
        self.effects = effects;
    }

    /// Notifies or wakes the session that the effect concerns.
    pub(super) fn note(&mut self, effect: Effect) {
        #[cfg(feature = "port")]
        let Some(effect) = self.post(effect) else { return };
        match effect {
            Effect::Arrived { channel } if self.network.is_some() => self.hold_arrival(channel),
            Effect::Arrived { channel } => self.wake(channel),
            Effect::ChannelClosed { channel, reason } => {
                let refusal = refusal(reason, Scope::Channel);
                if let Some(port) = self.ports.get_mut(&channel) {
                    // Only the first end is reported.
                    let _ = port.end.set(refusal.clone());
                }
                self.wake(channel);
                self.apply(Command::Method { channel, method: Method::ChannelCloseOk });
                self.ignore_held(channel);
                self.replace_publisher(channel, &refusal);
            }
            Effect::ConnectionClosed { connection, reason } => {
                let loss = match reason {
                    Some(reason) => ConnectionLost::closed_by_broker(refusal(reason, Scope::Connection)),
                    None => ConnectionLost::broken("the broker was killed"),
                };
                self.end_session(SessionId::of(connection), loss);
            }
            Effect::Reply { .. }
            | Effect::Return { .. }
            | Effect::Confirm { .. }
            | Effect::ConnectionCloseOk { .. }
            | Effect::Blocked { .. }
            | Effect::Unblocked { .. } => {}
        }
    }

    /// Creates the two connections of a new session: one to publish, one for the rest.
    ///
    /// # Errors
    ///
    /// The network does not let the peer connect.
    pub(super) fn open_session(&mut self, peer: u32) -> Result<Arc<Liveness>, ConnectionLost> {
        if let Some(network) = &self.network {
            network.connecting(peer)?;
        }
        let id = SessionId(self.next_session);
        self.next_session += 1;
        for connection in [id.control(), id.publisher()] {
            self.apply(Command::Connect { connection, options: ConnectionOptions::default() });
        }
        let life = Arc::new(Liveness::new(id));
        let entry = Entry {
            life: life.clone(),
            peer,
            verdicts: Vec::new(),
            numbers: Numbers::default(),
            manager: None,
            blocked: None,
            waiting: VecDeque::new(),
            held: Vec::new(),
            unconfirmed: Vec::new(),
            late: Vec::new(),
        };
        self.sessions.insert(id, entry);
        self.open_publisher(id);
        if let Some(network) = &self.network {
            network.connected(NetworkSession { peer, number: id.0 });
        }
        Ok(life)
    }

    /// Ends a session: drops what is left of its connections, and wakes the tasks that wait for it.
    pub(super) fn end_session(&mut self, id: SessionId, loss: ConnectionLost) {
        let Some(entry) = self.sessions.remove(&id) else { return };
        if let Some(network) = &self.network {
            network.disconnected(NetworkSession { peer: entry.peer, number: id.0 }, &loss);
        }
        for waiting in entry.waiting {
            waiting.give_up(&loss, &mut self.aftermath);
        }
        let late = entry.late.into_iter().map(|(_, waiting, _)| waiting);
        let unconfirmed = entry.unconfirmed.into_iter().map(|(waiting, _)| waiting).chain(late);
        for waiting in entry.held.into_iter().chain(unconfirmed) {
            waiting.lose(&loss, &mut self.aftermath);
        }
        entry.life.end(loss);
        self.aftermath.end(entry.life);
        if self.retired {
            return;
        }
        for connection in [id.control(), id.publisher()] {
            self.apply(Command::Abort { connection });
        }
        let mut ports: Vec<ChannelId> =
            self.ports.keys().copied().filter(|channel| SessionId::of(channel.connection) == id).collect();
        // The order in which tasks are woken must not depend on hashes.
        ports.sort_unstable();
        for channel in ports {
            self.wake(channel);
            self.ports.remove(&channel);
        }
    }

    /// Opens a channel of a session. `None` if the broker ended the session over it.
    pub(super) fn open_channel(&mut self, id: SessionId) -> Option<ChannelId> {
        let number = self.sessions.get_mut(&id)?.numbers.take();
        let channel = id.control().channel(number);
        self.apply(Command::Method { channel, method: Method::ChannelOpen });
        self.sessions.contains_key(&id).then_some(channel)
    }

    /// Returns the channel of a session for methods with immediate replies, and opens it if needed. `None` if the broker ended the session
    /// over it.
    pub(super) fn manager(&mut self, id: SessionId) -> Option<ChannelId> {
        // An operator may have closed it.
        if let Some(manager) = self.sessions.get(&id)?.manager.filter(|manager| self.broker.is_open(*manager))
        {
            return Some(manager);
        }
        let manager = self.open_channel(id)?;
        self.sessions.get_mut(&id)?.manager = Some(manager);
        Some(manager)
    }

    /// Closes a channel, even if it is already closed.
    pub(super) fn close_channel(&mut self, channel: ChannelId) {
        if self.retired {
            return;
        }
        if let Some(waker) = self.ports.remove(&channel).and_then(|port| port.waker) {
            self.aftermath.discard(waker);
        }
        let id = SessionId::of(channel.connection);
        if !self.sessions.contains_key(&id) {
            return;
        }
        if self.is_holding(id, channel) {
            self.hold(id, channel, Method::ChannelClose);
            return;
        }
        if self.broker.is_open(channel) {
            self.apply(Command::Method { channel, method: Method::ChannelClose });
        }
        self.give_number(channel);
    }

    /// Makes the number of a closed channel available again.
    fn give_number(&mut self, channel: ChannelId) {
        let id = SessionId::of(channel.connection);
        if channel.connection == id.control()
            && let Some(entry) = self.sessions.get_mut(&id)
        {
            entry.numbers.give(channel.number);
        }
    }

    /// Returns whether the network delays something on a channel, so that nothing sent later may overtake it.
    fn is_holding(&self, id: SessionId, channel: ChannelId) -> bool {
        self.sessions.get(&id).is_some_and(|entry| entry.verdicts.iter().any(|(held, _)| *held == channel))
    }

    /// Delays a method on a channel until the network lets it through.
    pub(super) fn hold(&mut self, id: SessionId, channel: ChannelId, method: Method) {
        if let Some(entry) = self.sessions.get_mut(&id) {
            entry.verdicts.push((channel, method));
        }
    }

    /// Executes a method that the network delayed.
    pub(super) fn apply_held(&mut self, channel: ChannelId, method: Method) {
        let closes = method == Method::ChannelClose;
        self.apply(Command::Method { channel, method });
        if closes {
            self.give_number(channel);
        }
    }

    /// Drops what the network delays on a channel that the broker closed: the broker ignores it.
    fn ignore_held(&mut self, channel: ChannelId) {
        let Some(entry) = self.sessions.get_mut(&SessionId::of(channel.connection)) else { return };
        let is_closed = entry.verdicts.contains(&(channel, Method::ChannelClose));
        entry.verdicts.retain(|(held, _)| *held != channel);
        if is_closed {
            self.give_number(channel);
        }
    }

    /// Follows a channel. Returns the cell that its end is stored in.
    pub(super) fn follow(&mut self, channel: ChannelId) -> Arc<OnceLock<BrokerError>> {
        let end = Arc::new(OnceLock::new());
        self.ports.insert(channel, ShellChannel { waker: None, end: end.clone(), arrived: VecDeque::new() });
        end
    }

    /// Stores an arrival for its consumer. Returns whether the consumer waited.
    pub(super) fn deliver(&mut self, channel: ChannelId, arrival: Arrival) -> bool {
        let Some(port) = self.ports.get_mut(&channel) else { return false };
        port.arrived.push_back(arrival);
        match port.waker.take() {
            Some(waker) => {
                self.aftermath.wake(waker);
                true
            }
            None => false,
        }
    }

    /// Takes an arrival of a channel: with a network one that it let through, without one all that was sent, stored here until it is
    /// polled.
    pub(super) fn receive(&mut self, channel: ChannelId, kept: &mut VecDeque<Sent>) -> Option<Arrival> {
        if self.network.is_some() {
            return self.ports.get_mut(&channel)?.arrived.pop_front();
        }
        self.broker.take_all(channel, kept);
        Some(kept.pop_front()?.arrival)
    }

    /// Returns whether a consumer's cancel has arrived on a channel, behind earlier arrivals.
    pub(super) fn has_received_a_cancel(&self, channel: ChannelId) -> bool {
        let is_cancel = |arrival: &Arrival| matches!(arrival, Arrival::Cancel { .. });
        if self.network.is_some() {
            return self.ports.get(&channel).is_some_and(|port| port.arrived.back().is_some_and(is_cancel));
        }
        self.broker.peek_last(channel).is_some_and(is_cancel)
    }

    /// Takes all that was sent on a channel and not received, arrived or not. Returns the delivery tags.
    pub(super) fn take_unreceived(&mut self, channel: ChannelId, kept: &mut VecDeque<Sent>) -> Vec<u64> {
        let arrived = self.ports.get_mut(&channel).map(|port| std::mem::take(&mut port.arrived));
        self.broker.take_all(channel, kept);
        let sent = kept.drain(..).map(|sent| sent.arrival);
        let tag = |arrival| match arrival {
            Arrival::Delivery(delivered) => Some(delivered.delivery_tag),
            Arrival::Cancel { .. } => None,
        };
        arrived.into_iter().flatten().chain(sent).filter_map(tag).collect()
    }

    /// Wakes this task when something arrives on a channel, or when the channel ends.
    pub(super) fn wait(&mut self, channel: ChannelId, waker: &Waker) {
        if let Some(port) = self.ports.get_mut(&channel) {
            if port.waker.as_ref().is_some_and(|known| known.will_wake(waker)) {
                return;
            }
            if let Some(old) = port.waker.replace(waker.clone()) {
                self.aftermath.discard(old);
            }
        }
    }

    fn wake(&mut self, channel: ChannelId) {
        if let Some(waker) = self.ports.get_mut(&channel).and_then(|port| port.waker.take()) {
            self.aftermath.wake(waker);
        }
    }
}

impl Numbers {
    fn take(&mut self) -> u16 {
        self.free.pop().unwrap_or_else(|| {
            // The broker allows fewer channels than there are numbers: it refuses before they run out.
            self.used = self.used.saturating_add(1);
            self.used
        })
    }

    fn give(&mut self, number: u16) {
        self.free.push(number);
    }
}

/// Converts the broker's error to the transport's.
pub(super) fn refusal(reason: CloseReason, scope: Scope) -> BrokerError {
    BrokerError { code: reason.code, text: reason.text, scope }
}
