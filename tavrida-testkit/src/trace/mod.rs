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
pub(crate) use event::{CONFIRM_CAME, CONSUMER_CANCELLED};
pub use event::{Ending, Event, Outcome, What};
pub use message::{MessageId, SentMessage};

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::random::{hash, join};

/// Everything that happened in a run: the actors, the messages, and the events in their order.
#[derive(Debug, Clone, Default)]
pub struct Trace {
    actors: Vec<Actor>,
    messages: Vec<SentMessage>,
    channels: Vec<Channel>,
    /// For each channel, the number of events before it was opened.
    opened: Vec<usize>,
    /// The keys of their consumers.
    consumers: Vec<u64>,
    queues: Vec<String>,
    marks: BTreeMap<String, bool>,
    /// What the run does not show, for people.
    notes: BTreeSet<String>,
    /// Whether the scenario ended all faults before any message arrived.
    healed_early: bool,
    /// Whether the test looked at dead letters; clones share it.
    looked: Arc<AtomicBool>,
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

    /// Returns the key of the consumer of a channel: of the names of its actor and its queue.
    pub(crate) fn consumer_key(&self, channel: ChannelNumber) -> u64 {
        self.consumers[channel.index()]
    }

    /// Returns the names of the queues that a message was routed to, one for each copy.
    pub fn queues_of(&self, id: MessageId) -> impl Iterator<Item = &str> {
        self.message(id).queues().iter().map(|queue| &*self.queues[*queue as usize])
    }

    /// Returns the names given to [`Sim::sometimes`](crate::sim::Sim::sometimes) and to [marks](tavrida::mark) of services, with whether
    /// the condition ever held.
    pub fn marks(&self) -> &BTreeMap<String, bool> {
        &self.marks
    }

    /// Returns what the run could not show, as a sentence each: a task that it neither waited for nor ended.
    pub fn notes(&self) -> impl Iterator<Item = &str> {
        self.notes.iter().map(String::as_str)
    }

    /// Returns the channels, each with the number of events before it was opened.
    pub(crate) fn openings(&self) -> impl Iterator<Item = (&Channel, usize)> {
        self.channels.iter().zip(self.opened.iter().copied())
    }

    /// Records that the scenario ends all faults.
    pub(crate) fn heal(&mut self) {
        self.healed_early |= !self.events.iter().any(|event| matches!(event.what, What::Delivered { .. }));
    }

    /// Returns whether the scenario ended all faults before any message arrived.
    pub(crate) fn is_healed_early(&self) -> bool {
        self.healed_early
    }

    /// Returns the faults that happened.
    pub(crate) fn faults(&self) -> impl Iterator<Item = &str> {
        self.events.iter().filter_map(|event| match &event.what {
            What::Fault(fault) => Some(&**fault),
            _ => None,
        })
    }

    /// Records that the test looks at dead letters.
    pub(crate) fn look_at_dead_letters(&self) {
        self.looked.store(true, Ordering::Relaxed);
    }

    /// Returns whether the test looked at dead letters.
    pub(crate) fn dead_letters_are_seen(&self) -> bool {
        self.looked.load(Ordering::Relaxed)
    }

    /// Returns the ends of handlers that were dropped by their deadlines, by the indices of their events.
    pub(crate) fn overdue(&self) -> impl Iterator<Item = usize> {
        let mut killed = BTreeSet::new();
        let overdue = move |event: &Event| {
            match &event.what {
                What::Crashed => drop(killed.insert(event.actor)),
                What::Restarted => drop(killed.remove(&event.actor)),
                _ => {}
            }
            event.what == What::Ended(Ending::Dropped) && !killed.contains(&event.actor)
        };
        let ends: Vec<bool> = self.events.iter().map(overdue).collect();
        ends.into_iter().enumerate().filter(|(_, overdue)| *overdue).map(|(at, _)| at)
    }

    pub(crate) fn add_channel(&mut self, channel: Channel) -> ChannelNumber {
        // By names and not by numbers, so that another service in the graph changes no schedule. Those of private queues are random.
        let queue = if channel.queue.starts_with("amq.") { "" } else { &channel.queue };
        let actor = hash(self.actor(channel.actor).name().as_bytes());
        self.consumers.push(join(actor, hash(queue.as_bytes())));
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

    pub(crate) fn note(&mut self, note: String) {
        self.notes.insert(note);
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
