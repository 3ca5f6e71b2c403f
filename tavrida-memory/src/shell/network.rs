//! [`Network`]: an optional layer between sessions and broker that a caller controls.
//!
//! Without a network everything arrives at once. With one, the broker still dispatches as RabbitMQ does, but what it sends waits in the
//! outboxes until [`MemoryBroker::arrive`] lets a head through, and what a session sends is first shown to the network, which decides its
//! fate. A simulation is such a network.

use std::sync::Arc;
use std::time::Duration;

use tavrida::field::ShortString;
use tavrida::transport::{AckKind, ConnectionLost, Consume, Publication, PublishErrorKind};

use super::aftermath::PublishResult;
use super::broker::MemoryBroker;
use super::channel::method_of;
use super::handle::SessionId;
use super::publish::{SentState, Waiting, unpublished};
use super::state::State;
use crate::core::{Broker, ChannelId, Command, Got, Method};

/// A session, as a network sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NetworkSession {
    /// The peer: the number of the [transport](MemoryBroker::transport_of).
    pub peer: u32,
    /// The number of the session, from 0, in the order in which they were opened.
    pub number: u32,
}

/// Decides the fate of what sessions send, and observes it.
///
/// Its methods are called while the broker is locked: they must not call the broker and must not block.
pub trait Network: Send + Sync + 'static {
    /// Returns the age of the network, if it keeps time; otherwise the broker reads tokio's clock. It is called on the runtime that uses
    /// the broker, and must never go back.
    fn elapsed(&self) -> Option<Duration> {
        None
    }

    /// Decides whether a peer may connect.
    ///
    /// # Errors
    ///
    /// It may not; the peer gets this error.
    fn connecting(&self, peer: u32) -> Result<(), ConnectionLost>;

    /// Observes that a session is open.
    fn connected(&self, session: NetworkSession);

    /// Observes that a session ended.
    fn disconnected(&self, session: NetworkSession, loss: &ConnectionLost);

    /// Decides the fate of a message that a session sends.
    fn publishing(&self, session: NetworkSession, publication: &Arc<Publication>) -> PublishFate;

    /// Observes that the broker has processed a message, and which queues have it now. The session may learn something else, see
    /// [`PublishFate::ConfirmLost`].
    fn published(
        &self,
        session: NetworkSession,
        publication: &Arc<Publication>,
        outcome: &Result<(), PublishErrorKind>,
        queues: &mut dyn Iterator<Item = &str>,
    );

    /// Decides the fate of a settlement, for the delivery that [`arrived`](MemoryBroker::arrive) on this channel with this tag.
    fn settling(
        &self,
        session: NetworkSession,
        channel: ChannelId,
        delivery_tag: u64,
        verdict: AckKind,
    ) -> SettleFate;

    /// Observes a new consumer: further arrivals on this channel are for it.
    fn consuming(&self, session: NetworkSession, channel: ChannelId, consume: &Consume) {
        let _ = (session, channel, consume);
    }

    /// Observes a message fetched from a queue. The broker waits for its settlement on this channel with this tag.
    fn fetched(&self, session: NetworkSession, channel: ChannelId, fetched: &Got) {
        let _ = (session, channel, fetched);
    }
}

/// The fate of a message that a session sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PublishFate {
    /// The broker has it, and confirms it.
    Taken,
    /// The broker gets it twice, as from a publisher that got no confirm and tried again.
    TakenTwice,
    /// The broker refuses it with a nack; no queue has it.
    Nacked,
    /// The session breaks before the broker has it: the sender cannot know.
    Lost,
    /// The broker has it, and the session breaks before it is confirmed: the sender cannot know.
    ConfirmLost,
    /// The sender has ended before the broker has it, and gets no outcome.
    Vanished,
    /// The broker has it, and the session breaks before it is confirmed: the sender has ended, and gets no outcome.
    Unseen,
    /// It is delayed until [`MemoryBroker::release`], with all that the session sends after it.
    Held,
    /// The broker has it; its outcome is delayed until [`MemoryBroker::confirm`].
    ConfirmHeld,
    /// The broker has it; its outcome, which has this number, is delayed until [`MemoryBroker::confirm_late`].
    ConfirmLate(u64),
}

/// The fate of a settlement that a session sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SettleFate {
    /// The broker has it.
    Taken,
    /// The broker has it, and then the session breaks: the process of the sender has ended.
    TakenThenLost,
    /// The broker gets a requeue instead, and redelivers the message.
    Requeued,
    /// It is lost and the session stays open: the sender has ended, and the session will end soon.
    Vanished,
    /// The session breaks before the broker has it, so that the message is redelivered.
    Lost,
    /// It is delayed until [`MemoryBroker::release`], with what is sent on its channel after it.
    Held,
}

impl MemoryBroker {
    /// Replaces the core and ends its sessions. The new core must have no connections.
    pub fn replace(&self, core: Broker) {
        let mut state = self.shared.lock();
        for id in state.sessions.keys().copied().collect::<Vec<_>>() {
            state.end_session(id, ConnectionLost::broken("the broker was replaced"));
        }
        #[cfg(feature = "port")]
        state.break_remotes();
        state.clock.learn(&core);
        state.broker = core;
    }

    /// Returns the messages in the queues that are not delivered, with the names of the queues: ready messages, in the order of delivery,
    /// and dead letters that a queue still has to deliver.
    pub fn queued(&self) -> Vec<(ShortString, Arc<Publication>)> {
        self.shared.lock().broker.queued().map(|(queue, message)| (queue.clone(), message.clone())).collect()
    }

    /// Returns whether the broker has a future deadline (an expiry).
    pub fn is_waiting(&self) -> bool {
        self.shared.lock().broker.next_timeout().is_some()
    }

    /// Declares that the broker will not be inspected any more, so that its sessions can be dropped without cleanup: for callers that
    /// create many brokers in succession.
    pub fn retire(&self) {
        self.shared.lock().retired = true;
    }

    /// Breaks a session, like the loss of its connection. Returns whether it existed.
    pub fn cut(&self, session: u32, why: &str) -> bool {
        let mut state = self.shared.lock();
        let id = SessionId(session);
        let there = state.sessions.contains_key(&id);
        state.end_session(id, ConnectionLost::broken(why));
        there
    }

    /// Lets everything from a peer arrive at the broker that was [held](PublishFate::Held).
    pub fn release(&self, peer: u32) {
        self.shared.lock().release(peer);
    }

    /// Sends a peer the outcomes that were [held](PublishFate::ConfirmHeld).
    pub fn confirm(&self, peer: u32) {
        self.shared.lock().confirm(peer);
    }

    /// Sends a session the [late](PublishFate::ConfirmLate) outcome of this number. Returns whether the session still waited for it.
    pub fn confirm_late(&self, session: u32, number: u64) -> bool {
        self.shared.lock().confirm_late(SessionId(session), number)
    }

    /// Returns the queue of the next arrival on a channel, and its number of consumers. `None` if the broker awaits no settlement of it.
    pub fn audience(&self, channel: ChannelId) -> Option<(ShortString, usize)> {
        let state = self.shared.lock();
        let queue = state.broker.queue_of_head(channel)?;
        Some((queue.clone(), state.broker.consumers(queue)?))
    }

    /// Returns how many consumers a queue has. `None` if there is no such queue.
    pub fn consumers(&self, queue: &str) -> Option<usize> {
        self.shared.lock().broker.consumers(queue)
    }
}

impl State {
    pub(super) fn network_session(&self, id: SessionId) -> NetworkSession {
        NetworkSession { peer: self.sessions.get(&id).map_or(0, |entry| entry.peer), number: id.0 }
    }

    fn release(&mut self, peer: u32) {
        for id in self.sessions_of(peer) {
            let Some(entry) = self.sessions.get_mut(&id) else { continue };
            let held = std::mem::take(&mut entry.held);
            for (channel, method) in std::mem::take(&mut entry.verdicts) {
                self.apply_held(channel, method);
            }
            for Waiting { publication, outcome } in held {
                let became = self.publish(id, publication);
                self.aftermath.tell(outcome, became);
            }
        }
    }

    fn confirm(&mut self, peer: u32) {
        for id in self.sessions_of(peer) {
            let Some(entry) = self.sessions.get_mut(&id) else { continue };
            for (waiting, became) in std::mem::take(&mut entry.unconfirmed) {
                self.aftermath.tell(waiting.outcome, became);
            }
        }
    }

    fn confirm_late(&mut self, id: SessionId, number: u64) -> bool {
        let Some(entry) = self.sessions.get_mut(&id) else { return false };
        let Some(place) = entry.late.iter().position(|(known, ..)| *known == number) else { return false };
        let (_, waiting, became) = entry.late.remove(place);
        self.aftermath.tell(waiting.outcome, became);
        true
    }

    fn sessions_of(&self, peer: u32) -> Vec<SessionId> {
        self.sessions.iter().filter(|(_, entry)| entry.peer == peer).map(|(id, _)| *id).collect()
    }

    /// Reports the broker's outcome for a message to the network.
    pub(super) fn tell_published(
        &self,
        id: SessionId,
        publication: &Arc<Publication>,
        outcome: &Result<(), PublishErrorKind>,
    ) {
        let Some(network) = &self.network else { return };
        let mut queues = self.broker.last_routed().filter(|_| outcome.is_ok());
        network.published(self.network_session(id), publication, outcome, &mut queues);
    }

    /// Reports a consumer to the network.
    pub(super) fn tell_consuming(&self, id: SessionId, channel: ChannelId, consume: &Consume) {
        if let Some(network) = &self.network {
            network.consuming(self.network_session(id), channel, consume);
        }
    }

    /// Reports a fetched message to the network.
    pub(super) fn tell_fetched(&self, id: SessionId, channel: ChannelId, fetched: &Got) {
        if let Some(network) = &self.network {
            network.fetched(self.network_session(id), channel, fetched);
        }
    }

    /// Handles a message as the network decides.
    pub(super) fn send(&mut self, id: SessionId, publication: Arc<Publication>) -> SentState {
        let fate = match &self.network {
            Some(network) => network.publishing(self.network_session(id), &publication),
            None => PublishFate::Taken,
        };
        match fate {
            PublishFate::Taken => SentState::Known(self.publish(id, publication)),
            PublishFate::TakenTwice => {
                // The sender got no outcome of the first copy.
                let _unseen = self.publish(id, publication.clone());
                SentState::Known(self.publish(id, publication))
            }
            PublishFate::Nacked => SentState::Known(Err(unpublished(PublishErrorKind::Nacked, publication))),
            PublishFate::Lost => SentState::Known(self.break_off(id, publication)),
            PublishFate::ConfirmLost => {
                let _unseen = self.publish(id, publication.clone());
                SentState::Known(self.break_off(id, publication))
            }
            PublishFate::Vanished => SentState::Unknown,
            PublishFate::Unseen => {
                let _unseen = self.publish(id, publication);
                self.end_session(id, broken());
                SentState::Unknown
            }
            PublishFate::Held => SentState::Held(publication),
            PublishFate::ConfirmHeld => {
                SentState::Unconfirmed(self.publish(id, publication.clone()), publication)
            }
            PublishFate::ConfirmLate(number) => {
                SentState::Late(number, self.publish(id, publication.clone()), publication)
            }
        }
    }

    /// Breaks the session while it publishes.
    fn break_off(&mut self, id: SessionId, publication: Arc<Publication>) -> PublishResult {
        let loss = broken();
        self.end_session(id, loss.clone());
        Err(unpublished(PublishErrorKind::Ambiguous(loss), publication))
    }

    /// Handles a settlement as the network decides.
    pub(super) fn settle(
        &mut self,
        channel: ChannelId,
        delivery_tag: u64,
        verdict: AckKind,
    ) -> Result<(), ConnectionLost> {
        let id = SessionId::of(channel.connection);
        let method = method_of(delivery_tag, verdict);
        let fate = match &self.network {
            Some(network) => network.settling(self.network_session(id), channel, delivery_tag, verdict),
            None => SettleFate::Taken,
        };
        match fate {
            SettleFate::Taken => self.apply(Command::Method { channel, method }),
            SettleFate::Requeued => {
                let method = Method::BasicReject { delivery_tag, requeue: true };
                self.apply(Command::Method { channel, method });
            }
            SettleFate::TakenThenLost => {
                self.apply(Command::Method { channel, method });
                self.end_session(id, broken());
            }
            SettleFate::Lost => {
                let loss = broken();
                self.end_session(id, loss.clone());
                return Err(loss);
            }
            SettleFate::Vanished => {}
            SettleFate::Held => self.hold(id, channel, method),
        }
        Ok(())
    }
}

fn broken() -> ConnectionLost {
    ConnectionLost::broken("the connection broke")
}
