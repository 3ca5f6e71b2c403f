//! [`Trace`]: everything that happened in a run, as values.
//!
//! While a run goes on only small values are put down; what costs time (reading messages, building chains, writing text) is done
//! when somebody asks.

mod actor;
mod event;
mod json;
mod message;
pub(crate) mod names;
pub(crate) mod text;

pub use actor::{Actor, ActorId, ActorKind};
pub use event::{Ending, Event, Outcome, What};
pub use message::{MessageId, SentMessage};

/// Everything that happened in a run: who was there, which messages were sent, and the events in their order.
#[derive(Debug, Clone, Default)]
pub struct Trace {
    actors: Vec<Actor>,
    messages: Vec<SentMessage>,
    events: Vec<Event>,
}

impl Trace {
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
