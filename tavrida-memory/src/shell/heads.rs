//! [`Heads`]: the next arrival of each channel, for a caller that decides which one arrives.

use std::fmt;

use tavrida::field::ShortString;

use super::broker::MemoryBroker;
use super::handle::SessionId;
use super::network::NetworkSession;
use super::state::{Entry, State};
use crate::core::{Arrival, Broker, ChannelId, Delivered, Eviction, Pending};

/// What a broker with a [`Network`](super::Network) has sent and what has not arrived: the oldest of each channel. The broker is locked
/// while this value exists.
pub struct Heads<'a>(&'a State);

/// The head of an outbox: the next arrival on a channel.
pub struct Head<'a> {
    /// The session of the channel.
    pub session: NetworkSession,
    /// The channel.
    pub channel: ChannelId,
    /// Its number: the broker numbers what it sends.
    pub number: u64,
    /// The arrival.
    pub arrival: &'a Arrival,
    broker: &'a Broker,
    /// Its unsettled delivery.
    pending: Option<&'a Pending>,
}

impl<'a> Heads<'a> {
    /// Returns whether nothing waits to arrive.
    pub fn is_empty(&self) -> bool {
        self.0.sending.is_empty()
    }

    /// Returns whether a session waits for the [late](super::PublishFate::ConfirmLate) outcome of this number.
    pub fn awaits_confirm(&self, session: u32, number: u64) -> bool {
        let awaits = |entry: &Entry| {
            entry.late.iter().any(|(known, waiting, _)| *known == number && !waiting.outcome.is_closed())
        };
        self.0.sessions.get(&SessionId(session)).is_some_and(awaits)
    }

    /// Returns all heads, the oldest first.
    pub fn iter(&self) -> impl Iterator<Item = Head<'a>> {
        let state = self.0;
        state.sending.iter().filter_map(|(_, channel)| state.head(*channel))
    }
}

impl<'a> Head<'a> {
    /// Returns the message. `None` for the cancel of a consumer.
    pub fn delivered(&self) -> Option<&'a Delivered> {
        match self.arrival {
            Arrival::Delivery(delivered) => Some(delivered),
            Arrival::Cancel { .. } => None,
        }
    }

    /// Returns whether the broker waits for its settlement.
    pub fn is_unsettled(&self) -> bool {
        self.pending.is_some()
    }

    /// Returns its queue if its settlement matters to others: several consumers share the queue, it has a limit, or it is not first in,
    /// first out.
    pub fn contended(&self) -> Option<&'a ShortString> {
        self.broker.contended(self.pending?)
    }

    /// Returns whether it could leave its queue instead: see [`Broker::can_evict`].
    pub fn can_evict(&self, why: Eviction) -> bool {
        self.pending.is_some_and(|pending| self.broker.is_evictable(pending, why))
    }
}

impl MemoryBroker {
    /// Calls `look` with what waits to arrive. The broker is locked meanwhile: `look` must not call it. Without a
    /// [`Network`](super::Network) nothing waits.
    pub fn heads<T>(&self, look: impl FnOnce(&Heads<'_>) -> T) -> T {
        let mut state = self.shared.lock();
        state.sort_heads();
        look(&Heads(&state))
    }

    /// Picks one of the heads that [`heads`](MemoryBroker::heads) shows, and lets it arrive. Returns whether a task waited for it, and
    /// wakes that task.
    ///
    /// # Errors
    ///
    /// `pick` picks none; the error is the value it returns instead.
    pub fn arrive_one<T>(&self, pick: impl FnOnce(&Heads<'_>) -> Result<ChannelId, T>) -> Result<bool, T> {
        let mut state = self.shared.lock();
        state.sort_heads();
        let channel = pick(&Heads(&state))?;
        Ok(state.arrive(channel))
    }

    /// Lets the head of a channel arrive. Returns whether a task waited for it, and wakes that task.
    pub fn arrive(&self, channel: ChannelId) -> bool {
        self.shared.lock().arrive(channel)
    }
}

impl State {
    /// Records that something was sent on a channel whose outbox was empty.
    pub(super) fn hold_arrival(&mut self, channel: ChannelId) {
        // It may have become empty since the heads were last inspected.
        if !self.sending.iter().any(|(_, known)| *known == channel) {
            self.sending.push((0, channel));
        }
    }

    /// Sorts the heads by the order in which they were sent, and removes channels without one.
    fn sort_heads(&mut self) {
        let Self { sending, broker, .. } = self;
        sending.retain_mut(|(known, channel)| {
            let number = broker.number_of_head(*channel);
            number.inspect(|number| *known = *number).is_some()
        });
        sending.sort_unstable();
    }

    fn head(&self, channel: ChannelId) -> Option<Head<'_>> {
        let (sent, pending) = self.broker.head(channel)?;
        Some(Head {
            session: self.network_session(SessionId::of(channel.connection)),
            channel,
            number: sent.number,
            arrival: &sent.arrival,
            broker: &self.broker,
            pending,
        })
    }

    fn arrive(&mut self, channel: ChannelId) -> bool {
        let Some(arrival) = self.broker.take(channel) else { return false };
        self.deliver(channel, arrival)
    }
}

impl fmt::Debug for Heads<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

impl fmt::Debug for Head<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { session, channel, number, arrival, .. } = self;
        f.debug_struct("Head")
            .field("session", session)
            .field("channel", channel)
            .field("number", number)
            .field("arrival", arrival)
            .finish_non_exhaustive()
    }
}
