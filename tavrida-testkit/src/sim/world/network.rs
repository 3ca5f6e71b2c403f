//! The network between sessions and broker: the fate of what they send.

use std::sync::Arc;
use std::time::Duration;

use tavrida::transport::{AckKind, ConnectionLost, Consume, Publication, PublishErrorKind};
use tavrida_memory::core::{ChannelId, Got};
use tavrida_memory::{Network, NetworkSession, PublishFate, SettleFate};

use super::{Held, State, World};
use crate::fault::{Fault, Point, Site};
use crate::trace::{ActorId, Channel, Outcome, What};

impl Network for World {
    fn elapsed(&self) -> Option<Duration> {
        Some(self.time.elapsed())
    }

    fn connecting(&self, peer: u32) -> Result<(), ConnectionLost> {
        let mut state = self.state();
        match state.actor(ActorId::of_peer(peer)).is_cut_off() {
            true => Err(ConnectionLost::broken("the broker cannot be reached")),
            false => Ok(()),
        }
    }

    fn connected(&self, session: NetworkSession) {
        let mut state = self.state();
        let actor = ActorId::of_peer(session.peer);
        state.actor(actor).session = Some(session.number);
        state.tell(actor, What::Connected);
    }

    fn disconnected(&self, session: NetworkSession, loss: &ConnectionLost) {
        let mut state = self.state();
        if state.over {
            return;
        }
        let id = ActorId::of_peer(session.peer);
        let actor = state.actor(id);
        if actor.session == Some(session.number) {
            actor.session = None;
            actor.retired = loss.is_closed_here() && !actor.down;
        }
        // A consumer does not come back to a session that is over; a session that does has its consumers at once.
        state.bereft.retain(|bereft| bereft.session != session.number);
        state.held.retain(|(channel, _), _| channel.connection.0 / 2 != session.number);
        state.late.retain(|(channel, ..)| channel.connection.0 / 2 != session.number);
        state.tell(id, What::Disconnected(loss.to_string().into()));
    }

    fn publishing(&self, session: NetworkSession, publication: &Arc<Publication>) -> PublishFate {
        let mut state = self.state();
        let fate = state.fate_of_publish(self, session, publication);
        state.fate = fate;
        fate
    }

    fn published(
        &self,
        session: NetworkSession,
        publication: &Arc<Publication>,
        outcome: &Result<(), PublishErrorKind>,
        queues: &mut dyn Iterator<Item = &str>,
    ) {
        let mut state = self.state();
        let actor = ActorId::of_peer(session.peer);
        let message = state.message(self, publication, actor);
        let outcome = match (outcome, state.fate) {
            (Err(reason), _) => Outcome::of(reason),
            (Ok(()), PublishFate::ConfirmLost) => Outcome::ConfirmLost,
            (Ok(()), PublishFate::Unseen) => Outcome::Unseen,
            (Ok(()), PublishFate::ConfirmHeld) => Outcome::Unconfirmed,
            (Ok(()), _) => Outcome::Routed,
        };
        let process = state.process_of(actor);
        let State { director, trace, .. } = &mut *state;
        let mut queues = queues.inspect(|queue| trace.add_queue(message, queue));
        if let Some(guide) = director.guide() {
            guide.reached(process, &mut queues);
        }
        // Drains the queues that the guide did not read.
        queues.for_each(drop);
        state.published(actor, message, outcome);
    }

    fn settling(
        &self,
        session: NetworkSession,
        channel: ChannelId,
        delivery_tag: u64,
        verdict: AckKind,
    ) -> SettleFate {
        let mut state = self.state();
        let actor = ActorId::of_peer(session.peer);
        let Some(held) = state.held.remove(&(channel, delivery_tag)) else { return SettleFate::Taken };
        let (fate, what) = state.fate_of_verdict(actor, held, verdict);
        if state.endless {
            self.ruined.notify_one();
        }
        if fate == SettleFate::Held {
            state.late.push((channel, actor, held, what));
            return fate;
        }
        if let Some(queue) = held.contended
            && let Some(guide) = state.director.guide()
        {
            guide.touched(queue);
        }
        state.tell_held(actor, held, what);
        if fate == SettleFate::Taken
            && verdict == AckKind::Ack
            && let Some(Fault::Crash(down_for)) = state.fault(Site::Done, held.message, actor)
        {
            state.kill(actor, down_for);
            // Tasks that its handlers left behind must not keep its connection open.
            return SettleFate::TakenThenLost;
        }
        fate
    }

    fn consuming(&self, session: NetworkSession, channel: ChannelId, consume: &Consume) {
        let mut state = self.state();
        let number = state.trace.add_channel(Channel {
            actor: ActorId::of_peer(session.peer),
            queue: consume.queue.as_str().to_owned(),
            prefetch: consume.prefetch,
            no_ack: consume.no_ack,
        });
        state.channels.insert(channel, number);
    }

    fn fetched(&self, session: NetworkSession, channel: ChannelId, fetched: &Got) {
        let mut state = self.state();
        let actor = ActorId::of_peer(session.peer);
        let message = state.arriving_message(self, &fetched.publication);
        let delivery = state.messages.deliver(message);
        let queue = String::new();
        let number = state.trace.add_channel(Channel { actor, queue, prefetch: 0, no_ack: false });
        let held = Held { message, delivery, channel: Some(number), contended: None };
        state.held.insert((channel, fetched.delivery_tag), held);
        state.tell_held(actor, held, What::Delivered { redelivered: fetched.redelivered });
    }
}

impl State {
    fn fate_of_publish(
        &mut self,
        world: &World,
        session: NetworkSession,
        publication: &Arc<Publication>,
    ) -> PublishFate {
        let actor = ActorId::of_peer(session.peer);
        let message = self.message(world, publication, actor);
        if self.actor(actor).down {
            return PublishFate::Vanished;
        }
        if self.actor(actor).is_mute() {
            self.published(actor, message, Outcome::Held);
            return PublishFate::Held;
        }
        match self.fault(Site::Publish, message, actor) {
            Some(Fault::PublishLost) => {
                self.published(actor, message, Outcome::Lost);
                PublishFate::Lost
            }
            Some(Fault::ConfirmLost) => PublishFate::ConfirmLost,
            Some(Fault::Nacked) => {
                self.published(actor, message, Outcome::Nacked);
                PublishFate::Nacked
            }
            Some(Fault::PublishedTwice) => PublishFate::TakenTwice,
            Some(Fault::Crash(down_for)) => {
                self.kill(actor, down_for);
                PublishFate::Unseen
            }
            _ if self.actor(actor).is_deaf() => PublishFate::ConfirmHeld,
            fault => {
                let nth = self.messages.counted(Site::Publish, message);
                let point = Point { site: Site::Publish, key: self.trace.message(message).key(), nth };
                let by = match fault {
                    Some(Fault::ConfirmLate(by)) => by,
                    _ => self.director.delay(point),
                };
                // Who asks goes on when the answer comes, and not before.
                let is_awaited = publication.properties.reply_to.is_none();
                match !by.is_zero() || self.director.suspends(point, is_awaited) {
                    true => self.suspend_sender(point, by, session, message),
                    false => PublishFate::Taken,
                }
            }
        }
    }

    fn fate_of_verdict(&mut self, actor: ActorId, held: Held, verdict: AckKind) -> (SettleFate, What) {
        if self.actor(actor).down {
            return (SettleFate::Vanished, What::Zombie);
        }
        if self.actor(actor).is_mute() {
            let what = match verdict {
                AckKind::Ack => What::Acked,
                AckKind::Reject => What::Rejected,
                AckKind::Requeue => What::Requeued,
            };
            return (SettleFate::Held, what);
        }
        match verdict {
            AckKind::Reject => return (SettleFate::Taken, What::Rejected),
            AckKind::Requeue => {
                self.count_given_back(held);
                return (SettleFate::Taken, What::Requeued);
            }
            AckKind::Ack => {}
        }
        if self.twice && self.doubled.insert(self.trace.message(held.message).key()) {
            return (SettleFate::Requeued, What::AckLost);
        }
        match self.fault(Site::Ack, held.message, actor) {
            Some(Fault::ConnectionLost) => (SettleFate::Lost, What::AckLost),
            Some(Fault::Crash(down_for)) => {
                self.kill(actor, down_for);
                (SettleFate::Lost, What::AckLost)
            }
            Some(Fault::Redelivered) => (SettleFate::Requeued, What::AckLost),
            _ => (SettleFate::Taken, What::Acked),
        }
    }
}
