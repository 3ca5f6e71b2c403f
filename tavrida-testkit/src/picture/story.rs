//! [`Story`]: the events that a picture shows, and the names it uses.

use tavrida::message::MessageKind;

use crate::trace::{ActorId, Ending, Event, MessageId, Outcome, SentMessage, Trace, What};

/// The events that a picture shows, with names for random ids.
pub(super) struct Story<'a> {
    pub(super) trace: &'a Trace,
    /// The events, in their order.
    pub(super) events: Vec<&'a Event>,
    /// The correlation ids of the chains, in the order in which they first appear.
    pub(super) chains: Vec<String>,
    names: Vec<Option<MessageName>>,
    tally: Vec<u32>,
    /// The first event that says that a message was sent.
    sent: Vec<Option<&'a Event>>,
}

/// The name of a message.
#[derive(Clone, Copy)]
struct MessageName {
    number: usize,
    /// The index of its chain.
    chain: Option<usize>,
}

/// How an event is presented.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tone {
    /// A failure.
    Bad,
    /// Worth showing.
    Plain,
    /// An effect on the outside world.
    Effect,
    /// A note of the test.
    Note,
}

impl<'a> Story<'a> {
    /// Returns the story of a run, or of one of its chains.
    pub(super) fn of(trace: &'a Trace, chain: Option<&str>) -> Self {
        let ids: Vec<String> = trace.messages().iter().map(SentMessage::correlation_id).collect();
        let events = match chain {
            None => trace.events().iter().collect(),
            Some(chain) => events_of(trace, |message| ids[message.index()] == chain),
        };
        let mut story = Self {
            trace,
            events,
            chains: Vec::new(),
            names: vec![None; ids.len()],
            tally: vec![0; ids.len()],
            sent: vec![None; ids.len()],
        };
        let mut number = 0;
        for event in &story.events {
            let Some(message) = event.message else { continue };
            let name = &mut story.names[message.index()];
            if name.is_none() {
                number += 1;
                let id = &ids[message.index()];
                let known = story.chains.iter().position(|known| known == id);
                let chain = known.or_else(|| {
                    (!id.is_empty()).then(|| {
                        story.chains.push(id.clone());
                        story.chains.len() - 1
                    })
                });
                *name = Some(MessageName { number, chain });
            }
            match event.what {
                What::Delivered { .. } => story.tally[message.index()] += 1,
                What::Published(_) => {
                    story.sent[message.index()].get_or_insert(event);
                }
                _ => {}
            }
        }
        story
    }

    /// Returns the index of a message's chain. `None` if it has no chain.
    pub(super) fn chain(&self, message: MessageId) -> Option<usize> {
        self.names[message.index()].and_then(|name| name.chain)
    }

    /// Returns the name of a message: `m1`.
    pub(super) fn name(&self, message: MessageId) -> String {
        self.names[message.index()].map_or_else(String::new, |name| format!("m{}", name.number))
    }

    /// Returns the name and kind of a message: `m1 billing.charge`, `m2 reply billing.charge`.
    pub(super) fn label(&self, message: MessageId) -> String {
        let sent = self.trace.message(message);
        let kind = match sent.kind() {
            Some(MessageKind::Response) => "reply ",
            Some(MessageKind::Error) => "error ",
            Some(MessageKind::Notification) => "event ",
            Some(MessageKind::Request) | None => "",
        };
        format!("{} {kind}{}", self.name(message), sent.topic())
    }

    /// Returns the text of a publish: the name of the message, and its outcome if that is not obvious.
    pub(super) fn sent(&self, message: MessageId, outcome: &Outcome) -> String {
        let label = self.label(message);
        let sent = self.trace.message(message);
        let (publication, is_reply) = (sent.publication(), is_reply(sent));
        match trouble(outcome) {
            Some(trouble) => format!("{label}, {trouble}"),
            None if self.arrivals(message) > 0 => label,
            // Sent to a queue by its name: a copy that waits or stays there. Reply queues have random names.
            None if publication.exchange.is_empty() && !is_reply => {
                format!("{label}, kept in {}", publication.routing_key)
            }
            None => format!("{label}, not delivered"),
        }
    }

    /// Returns the text where a message made by the broker arrives: its name, and the message it was made from.
    pub(super) fn born(&self, message: MessageId) -> String {
        let label = self.label(message);
        match self.origin(message).map(|origin| self.name(origin)) {
            Some(name) if !name.is_empty() => format!("{label}, was {name}"),
            _ => label,
        }
    }

    /// Returns the message that the broker made this one from, when it expired or dead-lettered it.
    fn origin(&self, message: MessageId) -> Option<MessageId> {
        let sent = self.trace.message(message);
        let id =
            sent.publication().properties.message_id.as_deref().filter(|_| sent.sender().index() == 0)?;
        let before = self.trace.messages()[..message.index()].iter();
        let has_id = |other: &SentMessage| other.publication().properties.message_id.as_deref() == Some(id);
        before.enumerate().rev().find(|(_, other)| has_id(other)).map(|(at, _)| MessageId::new(at))
    }

    /// Returns how often the message arrives in this story.
    pub(super) fn arrivals(&self, message: MessageId) -> u32 {
        self.tally[message.index()]
    }

    /// Returns whether it is the first event about the publish of its message.
    fn is_first(&self, event: &Event) -> bool {
        let first = event.message.and_then(|message| self.sent[message.index()]);
        first.is_some_and(|first| std::ptr::eq(first, event))
    }

    /// Returns how to present an event, if it is worth showing.
    pub(super) fn tone(&self, event: &Event) -> Option<Tone> {
        let tone = match &event.what {
            What::Ended(Ending::Failed(_) | Ending::Panicked | Ending::Dropped) => Tone::Bad,
            What::AckLost | What::Zombie | What::Crashed | What::Fault(_) | What::TimedOut { .. } => {
                Tone::Bad
            }
            what if what.is_loss() => Tone::Bad,
            What::Started { attempt } if *attempt > 1 => Tone::Plain,
            What::Rejected | What::Requeued | What::Connected | What::Restarted => Tone::Plain,
            What::Effect { .. } => Tone::Effect,
            What::Note(_) => Tone::Note,
            What::Published(Outcome::Routed) if !self.is_first(event) => Tone::Plain,
            _ => return None,
        };
        Some(tone)
    }

    /// Returns a short remark for an event that is not an arrow. `None` if it is obvious.
    pub(super) fn remark(&self, event: &Event) -> Option<(Tone, String)> {
        let tone = self.tone(event)?;
        let text = match &event.what {
            What::Ended(Ending::Failed(text)) => format!("failed: {text}"),
            What::Started { attempt } => format!("attempt {attempt}"),
            What::Zombie => "verdict too late: the process is gone".to_owned(),
            What::Disconnected(_) => "disconnected".to_owned(),
            What::Crashed => "crashed".to_owned(),
            What::TimedOut { after } => format!("timed out after {after:?}"),
            What::Fault(fault) => format!("fault {fault}"),
            What::Note(note) => note.clone(),
            What::Published(_) => "confirmed".to_owned(),
            what => what.to_string(),
        };
        let name = event.message.map_or_else(String::new, |message| format!("{} ", self.name(message)));
        Some((tone, name + &text))
    }
}

fn is_reply(sent: &SentMessage) -> bool {
    matches!(sent.kind(), Some(MessageKind::Response | MessageKind::Error))
}

/// Returns the problem of a publish, in a few words. `None` if there is none.
fn trouble(outcome: &Outcome) -> Option<String> {
    match outcome {
        Outcome::Routed => None,
        other => Some(other.to_string()),
    }
}

/// Returns whether a publish failed, as opposed to having no outcome yet.
pub(super) fn is_bad(outcome: &Outcome) -> bool {
    !matches!(outcome, Outcome::Routed | Outcome::Held | Outcome::Unconfirmed)
}

/// Returns whether a message reaches the broker at some time.
pub(super) fn reaches(outcome: &Outcome) -> bool {
    outcome.is_taken() || *outcome == Outcome::Held
}

/// Returns the events of some messages, and what happened to their senders and receivers between the first and the last.
fn events_of(trace: &Trace, belongs: impl Fn(MessageId) -> bool) -> Vec<&Event> {
    let events = trace.events();
    let is_of = |event: &Event| event.message.is_some_and(&belongs);
    let Some(first) = events.iter().position(is_of) else { return Vec::new() };
    let last = events.iter().rposition(is_of).unwrap_or(first);
    let mut cast: Vec<ActorId> =
        events.iter().filter(|event| is_of(event)).map(|event| event.actor).collect();
    cast.sort_unstable();
    cast.dedup();
    let befell =
        |event: &Event| event.message.is_none() && (event.actor.index() == 0 || cast.contains(&event.actor));
    events[first..=last].iter().filter(|event| is_of(event) || befell(event)).collect()
}
