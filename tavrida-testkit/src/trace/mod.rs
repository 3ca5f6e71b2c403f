//! [`Trace`]: everything that happened in a run, as values.
//!
//! While a run goes on only small values are put down; what costs time (reading messages, building chains, writing text) is done
//! when somebody asks.

mod actor;
mod channel;
mod event;
mod json;
mod message;
pub(crate) mod names;
pub(crate) mod text;

pub use actor::{Actor, ActorId, ActorKind};
pub use channel::{Channel, ChannelNumber};
pub(crate) use event::CONSUMER_CANCELLED;
pub use event::{Ending, Event, Outcome, What};
pub use message::{MessageId, SentMessage};

use std::collections::BTreeMap;

/// Everything that happened in a run: who was there, which messages were sent, and the events in their order.
#[derive(Debug, Clone, Default)]
pub struct Trace {
    actors: Vec<Actor>,
    messages: Vec<SentMessage>,
    channels: Vec<Channel>,
    queues: Vec<String>,
    marks: BTreeMap<String, bool>,
    events: Vec<Event>,
}

impl Trace {
    /// An empty one, with room for so many messages and what happens with each.
    pub(crate) fn with_room_for(messages: usize) -> Self {
        let (messages, events) = (Vec::with_capacity(messages), Vec::with_capacity(messages * 4));
        Self { messages, events, ..Self::default() }
    }

    /// Who took part, in the order in which they were set up.
    pub fn actors(&self) -> &[Actor] {
        &self.actors
    }

    /// One of them.
    pub fn actor(&self, id: ActorId) -> &Actor {
        &self.actors[id.index()]
    }

    /// The messages, in the order in which they were first sent.
    pub fn messages(&self) -> &[SentMessage] {
        &self.messages
    }

    /// One of them.
    pub fn message(&self, id: MessageId) -> &SentMessage {
        &self.messages[id.index()]
    }

    /// The events, in the order in which they happened.
    pub fn events(&self) -> &[Event] {
        &self.events
    }

    /// The channels on which messages could arrive, in the order in which they were opened.
    pub fn channels(&self) -> &[Channel] {
        &self.channels
    }

    /// The names of the queues that a message was routed to, once for each time that a copy of it was.
    pub fn queues_of(&self, id: MessageId) -> impl Iterator<Item = &str> {
        self.message(id).queues().iter().map(|queue| &*self.queues[*queue as usize])
    }

    /// What [`Sim::sometimes`](crate::sim::Sim::sometimes) was told, by name: whether it was ever so.
    pub fn marks(&self) -> &BTreeMap<String, bool> {
        &self.marks
    }

    pub(crate) fn add_channel(&mut self, channel: Channel) -> ChannelNumber {
        self.channels.push(channel);
        ChannelNumber::new(self.channels.len() - 1)
    }

    /// Notes that a queue has a copy of a message.
    pub(crate) fn add_queue(&mut self, id: MessageId, queue: &str) {
        let place = self.queues.iter().position(|known| known == queue).unwrap_or_else(|| {
            self.queues.push(queue.to_owned());
            self.queues.len() - 1
        });
        self.messages[id.index()].add_queue(place);
    }

    pub(crate) fn mark(&mut self, name: &str, reached: bool) {
        match self.marks.get_mut(name) {
            Some(known) => *known |= reached,
            None => drop(self.marks.insert(name.to_owned(), reached)),
        }
    }

    pub(crate) fn add_actor(&mut self, name: &str, kind: ActorKind) -> ActorId {
        self.actors.push(Actor::new(name, kind));
        ActorId::new(self.actors.len() - 1)
    }

    pub(crate) fn add_message(&mut self, message: SentMessage) -> MessageId {
        self.messages.push(message);
        MessageId::new(self.messages.len() - 1)
    }

    pub(crate) fn add(&mut self, event: Event) {
        self.events.push(event);
    }
}
