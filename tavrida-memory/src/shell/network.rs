//! [`Network`]: what lies between sessions and broker, where somebody wants to steer it.
//!
//! Without one everything arrives at once. With one the broker still dispatches as RabbitMQ does, but what it sends waits in
//! the outboxes until [`MemoryBroker::arrive`] lets a head through, and whatever a session sends is first shown
//! to the network, which says what becomes of it. A simulation is such a network.

use std::sync::Arc;
use std::time::Duration;

use tavrida::field::ShortString;
use tavrida::transport::{AckKind, ConnectionLost, Consume, Publication, PublishErrorKind};

use super::aftermath::Outcome;
use super::broker::MemoryBroker;
use super::channel::method_of;
use super::handle::SessionId;
use super::publish::{Sent, Waiting, unpublished};
use super::state::State;
use crate::core::{Broker, ChannelId, Command, Got, Method};

/// One session, as a network sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Line {
    /// Who connected: the number of the [transport](MemoryBroker::transport_of).
    pub peer: u32,
    /// The number of the session, from 0, in the order in which they were opened.
    pub session: u32,
}

/// Decides what becomes of what sessions send, and is told of it.
///
/// Its methods are called while the broker is locked: they must not call the broker, nor block.
pub trait Network: Send + Sync + 'static {
    /// How long it has been there, where it keeps time itself; else the broker reads tokio's clock. It is asked on the runtime that
    /// uses the broker, and must never go back.
    fn elapsed(&self) -> Option<Duration> {
        None
    }

    /// A peer wants to connect.
    ///
    /// # Errors
    ///
    /// It cannot, and is told this loss.
    fn connecting(&self, peer: u32) -> Result<(), ConnectionLost>;

    /// A session is open.
    fn connected(&self, line: Line);

    /// A session is over.
    fn disconnected(&self, line: Line, loss: &ConnectionLost);

    /// A message leaves a session.
    fn publishing(&self, line: Line, publication: &Arc<Publication>) -> PublishFate;

    /// The broker has done with a message, and these queues have it now. What the session learns may differ, see
    /// [`PublishFate::ConfirmLost`].
    fn published(
        &self,
        line: Line,
        publication: &Arc<Publication>,
        outcome: &Result<(), PublishErrorKind>,
        queues: &mut dyn Iterator<Item = &str>,
    );

    /// A verdict leaves a session, for the delivery that [`arrived`](MemoryBroker::arrive) on this channel under this tag.
    fn settling(&self, line: Line, channel: ChannelId, delivery_tag: u64, verdict: AckKind) -> SettleFate;

    /// A consumer was added: what arrives on this channel from now on is for it.
    fn consuming(&self, line: Line, channel: ChannelId, consume: &Consume) {
        let _ = (line, channel, consume);
    }

    /// A message was fetched from a queue. The broker waits for a verdict on it, on this channel under this tag.
    fn fetched(&self, line: Line, channel: ChannelId, fetched: &Got) {
        let _ = (line, channel, fetched);
    }
}

/// What becomes of a message that a session sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PublishFate {
    /// The broker has it, and confirms it.
    Taken,
    /// The broker gets it twice, as from a publisher that saw no confirm and tried again.
    TakenTwice,
    /// The broker refuses it with a nack; no queue has it.
    Nacked,
    /// The session breaks before the broker has it: the sender cannot know.
    Lost,
    /// The broker has it, and the session breaks before it is confirmed: the sender cannot know.
    ConfirmLost,
    /// Its sender is gone before the broker has it, and learns nothing.
    Vanished,
    /// The broker has it, and its sender is gone before it is confirmed, and learns nothing.
    Unseen,
    /// It is on its way until [`MemoryBroker::release`]; so is all that the session sends after it.
    Held,
    /// The broker has it; what it says about it is on its way until [`MemoryBroker::confirm`].
    ConfirmHeld,
}

/// What becomes of a verdict that a session sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SettleFate {
    /// The broker has it.
    Taken,
    /// The broker gets a requeue in its place, and so delivers the message again.
    Requeued,
    /// It is gone, and the session stays: its sender is gone, and the session will be soon.
    Vanished,
    /// The session breaks before the broker has it, and so delivers the message again.
    Lost,
    /// It is on its way until [`MemoryBroker::release`].
    Held,
}

impl MemoryBroker {
    /// Puts another core in the place of this one, whose sessions end. It should have no connections.
    pub fn replace(&self, core: Broker) {
        let mut state = self.shared.lock();
        for id in state.sessions.keys().copied().collect::<Vec<_>>() {
            state.end_session(id, ConnectionLost::broken("the broker was replaced"));
        }
        state.clock.learn(&core);
        state.broker = core;
    }

    /// What is in the queues and with nobody, by their names: what is ready, in the order in which it would be delivered, and the
    /// dead letters that a queue owes.
    pub fn queued(&self) -> Vec<(ShortString, Arc<Publication>)> {
        self.shared.lock().broker.queued().map(|(queue, message)| (queue.clone(), message.clone())).collect()
    }

    /// Whether the broker has something to do by itself at a later time (an expiry).
    pub fn is_waiting(&self) -> bool {
        self.shared.lock().broker.next_timeout().is_some()
    }

    /// Nobody is going to look into the broker any more, and its sessions may be dropped without clearing up after them: for whoever
    /// makes many brokers, one after the other.
    pub fn retire(&self) {
        self.shared.lock().retired = true;
    }

    /// Breaks a session, as the loss of its connection does. Gives whether it was there.
    pub fn cut(&self, session: u32, why: &str) -> bool {
        let mut state = self.shared.lock();
        let id = SessionId(session);
        let there = state.sessions.contains_key(&id);
        state.end_session(id, ConnectionLost::broken(why));
        there
    }

    /// Lets everything arrive at the broker that was [held](PublishFate::Held) on its way from a peer.
    pub fn release(&self, peer: u32) {
        self.shared.lock().release(peer);
    }

    /// Tells a peer what the broker said about its messages and what was [held](PublishFate::ConfirmHeld) since.
    pub fn confirm(&self, peer: u32) {
        self.shared.lock().confirm(peer);
    }

    /// The queue of what is next to arrive on a channel, and how many consumers it has; nothing where the broker awaits no
    /// verdict on it.
    pub fn audience(&self, channel: ChannelId) -> Option<(ShortString, usize)> {
        let state = self.shared.lock();
        let queue = state.broker.queue_of_head(channel)?;
        Some((queue.clone(), state.broker.consumers(queue)?))
    }

    /// How many consumers a queue has; none where there is no such queue.
    pub fn consumers(&self, queue: &str) -> Option<usize> {
        self.shared.lock().broker.consumers(queue)
    }
}

impl State {
    pub(super) fn line(&self, id: SessionId) -> Line {
        Line { peer: self.sessions.get(&id).map_or(0, |entry| entry.peer), session: id.0 }
    }

    fn release(&mut self, peer: u32) {
        for id in self.sessions_of(peer) {
            let Some(entry) = self.sessions.get_mut(&id) else { continue };
            let held = std::mem::take(&mut entry.held);
            for (channel, method) in std::mem::take(&mut entry.verdicts) {
                self.apply(Command::Method { channel, method });
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

    fn sessions_of(&self, peer: u32) -> Vec<SessionId> {
        self.sessions.iter().filter(|(_, entry)| entry.peer == peer).map(|(id, _)| *id).collect()
    }

    /// Tells the network what the broker did with a message.
    pub(super) fn tell_published(
        &self,
        id: SessionId,
        publication: &Arc<Publication>,
        outcome: &Result<(), PublishErrorKind>,
    ) {
        let Some(network) = &self.network else { return };
        let mut queues = self.broker.last_routed().filter(|_| outcome.is_ok());
        network.published(self.line(id), publication, outcome, &mut queues);
    }

    /// Tells the network of a consumer.
    pub(super) fn tell_consuming(&self, id: SessionId, channel: ChannelId, consume: &Consume) {
        if let Some(network) = &self.network {
            network.consuming(self.line(id), channel, consume);
        }
    }

    /// Tells the network of a message that was fetched.
    pub(super) fn tell_fetched(&self, id: SessionId, channel: ChannelId, fetched: &Got) {
        if let Some(network) = &self.network {
            network.fetched(self.line(id), channel, fetched);
        }
    }

    /// Does with a message what the network says.
    pub(super) fn send(&mut self, id: SessionId, publication: Arc<Publication>) -> Sent {
        let fate = match &self.network {
            Some(network) => network.publishing(self.line(id), &publication),
            None => PublishFate::Taken,
        };
        match fate {
            PublishFate::Taken => Sent::Known(self.publish(id, publication)),
            PublishFate::TakenTwice => {
                // The first copy's outcome is the one that nobody learned of.
                let _unseen = self.publish(id, publication.clone());
                Sent::Known(self.publish(id, publication))
            }
            PublishFate::Nacked => Sent::Known(Err(unpublished(PublishErrorKind::Nacked, publication))),
            PublishFate::Lost => Sent::Known(self.break_off(id, publication)),
            PublishFate::ConfirmLost => {
                let _unseen = self.publish(id, publication.clone());
                Sent::Known(self.break_off(id, publication))
            }
            PublishFate::Vanished => Sent::Unknown,
            PublishFate::Unseen => {
                let _unseen = self.publish(id, publication);
                Sent::Unknown
            }
            PublishFate::Held => Sent::Held(publication),
            PublishFate::ConfirmHeld => Sent::Unconfirmed(self.publish(id, publication.clone()), publication),
        }
    }

    /// The session breaks while it publishes.
    fn break_off(&mut self, id: SessionId, publication: Arc<Publication>) -> Outcome {
        let loss = broken();
        self.end_session(id, loss.clone());
        Err(unpublished(PublishErrorKind::Ambiguous(loss), publication))
    }

    /// Does with a verdict what the network says.
    pub(super) fn settle(
        &mut self,
        channel: ChannelId,
        delivery_tag: u64,
        verdict: AckKind,
    ) -> Result<(), ConnectionLost> {
        let id = SessionId::of(channel.connection);
        let method = method_of(delivery_tag, verdict);
        let fate = match &self.network {
            Some(network) => network.settling(self.line(id), channel, delivery_tag, verdict),
            None => SettleFate::Taken,
        };
        match fate {
            SettleFate::Taken => self.apply(Command::Method { channel, method }),
            SettleFate::Requeued => {
                let method = Method::BasicReject { delivery_tag, requeue: true };
                self.apply(Command::Method { channel, method });
            }
            SettleFate::Lost => {
                let loss = broken();
                self.end_session(id, loss.clone());
                return Err(loss);
            }
            SettleFate::Vanished => {}
            SettleFate::Held => {
                if let Some(entry) = self.sessions.get_mut(&id) {
                    entry.verdicts.push((channel, method));
                }
            }
        }
        Ok(())
    }
}

fn broken() -> ConnectionLost {
    ConnectionLost::broken("the connection broke")
}
