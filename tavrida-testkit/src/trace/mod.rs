//! [`Trace`]: everything that happened in a run, as data.
//!
//! A run only records small values; expensive work (reading messages, building chains, writing text) happens on request.

mod actor;
mod channel;
mod event;
mod json;
mod message;
pub(crate) mod names;
pub(crate) mod text;
mod timeouts;

pub use actor::{Actor, ActorId, ActorKind};
pub use channel::{Channel, ChannelNumber};
pub(crate) use event::CONSUMER_CANCELLED;
pub use event::{Ending, Event, Outcome, What};
pub use message::{MessageId, SentMessage};

use std::collections::BTreeMap;

/// Everything that happened in a run: the actors, the messages, and the events in their order.
#[derive(Debug, Clone, Default)]
pub struct Trace {
    actors: Vec<Actor>,
    messages: Vec<SentMessage>,
    channels: Vec<Channel>,
    /// For each channel, the number of events before it was opened.
    opened: Vec<usize>,
    queues: Vec<String>,
    marks: BTreeMap<String, bool>,
    events: Vec<Event>,
}

impl Trace {
    /// Returns an empty trace, with capacity for this many messages and their events.
    pub(crate) fn with_room_for(messages: usize) -> Self {
        let (messages, events) = (Vec::with_capacity(messages), Vec::with_capacity(messages * 4));
        Self { messages, events, ..Self::default() }
    }

    /// Returns the actors, in the order in which they were set up.
    pub fn actors(&self) -> &[Actor] {
        &self.actors
    }

    /// Returns an actor.
    pub fn actor(&self, id: ActorId) -> &Actor {
        &self.actors[id.index()]
    }

    /// Returns the messages, in the order in which they were first sent.
    pub fn messages(&self) -> &[SentMessage] {
        &self.messages
    }

    /// Returns a message.
    pub fn message(&self, id: MessageId) -> &SentMessage {
        &self.messages[id.index()]
    }

    /// Returns the events, in the order in which they happened.
    pub fn events(&self) -> &[Event] {
        &self.events
    }

    /// Returns the channels on which messages could arrive, in the order in which they were opened.
    pub fn channels(&self) -> &[Channel] {
        &self.channels
    }

    /// Returns the names of the queues that a message was routed to, one for each copy.
    pub fn queues_of(&self, id: MessageId) -> impl Iterator<Item = &str> {
        self.message(id).queues().iter().map(|queue| &*self.queues[*queue as usize])
    }

    /// Returns the names given to [`Sim::sometimes`](crate::sim::Sim::sometimes), with whether the condition ever held.
    pub fn marks(&self) -> &BTreeMap<String, bool> {
        &self.marks
    }

    /// Returns the channels, each with the number of events before it was opened.
    pub(crate) fn openings(&self) -> impl Iterator<Item = (&Channel, usize)> {
        self.channels.iter().zip(self.opened.iter().copied())
    }

    pub(crate) fn add_channel(&mut self, channel: Channel) -> ChannelNumber {
        self.channels.push(channel);
        self.opened.push(self.events.len());
        ChannelNumber::new(self.channels.len() - 1)
    }

    /// Records that a queue has a copy of a message.
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
