//! [`Facts`]: the input of all laws, gathered once.

use std::sync::Arc;
use std::time::Duration;

use rustc_hash::FxHashMap;
use tavrida::field::{ShortString, Value};
use tavrida::message::MessageKind;
use tavrida::transport::Publication;

use super::Broken;
use crate::trace::{Ending, Event, MessageId, SentMessage, Trace, What};

/// The input of all laws.
pub(crate) struct Facts<'t> {
    pub(crate) trace: &'t Trace,
    /// When the run ended.
    pub(crate) end: Duration,
    /// Whether the library generated a correlation id.
    pub(crate) is_made: &'t dyn Fn(&str) -> bool,
    /// What is left in the broker. `None` for a live one.
    pub(crate) remains: Option<&'t dyn Fn() -> Remains>,
    /// Whether the broker was a live one: the order in which it got concurrent messages is unknown.
    pub(crate) live: bool,
    /// Whether every message was delivered twice.
    pub(crate) twice: bool,
    messages: Vec<Seen<'t>>,
    talks: Vec<Talk>,
}

/// The contents of a broker at the end of a run.
pub(crate) struct Remains {
    /// The names of its queues.
    pub(crate) queues: Vec<String>,
    /// The messages in its queues.
    pub(crate) queued: Vec<(ShortString, Arc<Publication>)>,
}

/// A message, as laws see it.
pub(super) struct Seen<'t> {
    pub(super) kind: Option<MessageKind>,
    pub(super) correlation_id: Option<&'t Value>,
    /// Whether the sender waits for an answer.
    is_call: bool,
    pub(super) is_ask: bool,
    /// Whether it is answered in any case, though its method returns nothing.
    must_be_answered: bool,
    /// The exchange of request and answer that it is part of, if it has a request id.
    pub(super) talk: Option<usize>,
    /// The index of the first event about it.
    pub(super) first: Option<usize>,
}

/// The messages with one request id: a request, its copies and transfers, and its answers.
#[derive(Default)]
pub(super) struct Talk {
    /// The first request.
    pub(super) request: Option<MessageId>,
    /// Whether the sender waits for an answer.
    pub(super) is_call: bool,
    /// Whether it is answered in any case: an ask, or a call whose answer brings a reply back.
    pub(super) must_be_answered: bool,
    /// How often the request was delivered, and how often a delivery of it was acked.
    pub(super) deliveries: usize,
    pub(super) acks: usize,
    /// Whether a handler of the request ended without an answer.
    pub(super) quiet: bool,
    /// Whether a delivery of the request was acked after its asker's time: it need not have begun a handler, and nobody waits for
    /// the answer.
    pub(super) expired: bool,
    /// Its answers, without copies.
    pub(super) answers: Vec<MessageId>,
    /// The index of the last arrival of an answer whose publish was recorded before.
    pub(super) heard: Option<usize>,
}

impl<'t> Facts<'t> {
    pub(crate) fn of(trace: &'t Trace, end: Duration, is_made: &'t dyn Fn(&str) -> bool) -> Self {
        let mut facts = Self {
            trace,
            end,
            is_made,
            remains: None,
            live: false,
            twice: false,
            messages: Vec::with_capacity(trace.messages().len()),
            // Most messages are requests and their answers.
            talks: Vec::with_capacity(trace.messages().len() / 2),
        };
        facts.read();
        facts.follow();
        facts
    }

    pub(super) fn seen(&self, id: MessageId) -> &Seen<'t> {
        &self.messages[id.index()]
    }

    pub(super) fn talks(&self) -> &[Talk] {
        &self.talks
    }

    pub(super) fn talk(&self, id: MessageId) -> Option<&Talk> {
        self.seen(id).talk.map(|talk| &self.talks[talk])
    }

    /// Returns all messages with their facts.
    pub(super) fn messages(&self) -> impl Iterator<Item = (MessageId, &Seen<'t>)> {
        self.messages.iter().enumerate().map(|(place, seen)| (MessageId::new(place), seen))
    }

    /// Returns the events about messages.
    pub(super) fn events(&self) -> impl DoubleEndedIterator<Item = (&'t Event, MessageId)> {
        self.trace.events().iter().filter_map(|event| Some((event, event.message?)))
    }

    /// Returns a violation that this event shows.
    pub(super) fn broken(&self, event: &Event, text: String) -> Option<Broken> {
        Some(Broken { text, at: event.at, message: event.message })
    }

    /// Returns a violation that the end of the run shows.
    pub(super) fn broken_at_end(&self, message: MessageId, text: String) -> Option<Broken> {
        Some(Broken { text, at: self.end, message: Some(message) })
    }

    /// Returns the sender and the kind of a message.
    pub(super) fn name(&self, id: MessageId) -> String {
        let sent = self.trace.message(id);
        format!("the {sent} of {}", self.trace.actor(sent.sender()))
    }

    fn read(&mut self) {
        let trace = self.trace;
        let mut by_request: FxHashMap<&str, usize> =
            FxHashMap::with_capacity_and_hasher(self.talks.capacity(), Default::default());
        for sent in trace.messages() {
            let properties = &sent.publication().properties;
            let kind = sent.kind();
            let (mut request_id, mut correlation_id, mut reply_to, mut later) = ("", None, "", false);
            for (name, value) in properties.headers().iter() {
                match name.as_str() {
                    "request_id" => request_id = value.as_str().unwrap_or_default(),
                    "correlation_id" => correlation_id = Some(value),
                    "reply_to" => reply_to = value.as_str().unwrap_or_default(),
                    "tavrida-later" => later = true,
                    _ => {}
                }
            }
            let in_talk =
                !request_id.is_empty() && kind.is_some_and(|kind| kind != MessageKind::Notification);
            let talk = in_talk.then(|| {
                *by_request.entry(request_id).or_insert_with(|| {
                    self.talks.push(Talk::default());
                    self.talks.len() - 1
                })
            });
            let is_request = kind == Some(MessageKind::Request);
            let is_ask = is_request && properties.reply_to.is_some();
            let is_call = is_ask || (is_request && !reply_to.is_empty());
            let must_be_answered = is_ask || (is_call && later);
            let seen = Seen { kind, correlation_id, is_call, is_ask, must_be_answered, talk, first: None };
            self.messages.push(seen);
        }
    }

    /// Follows requests and answers through the events.
    fn follow(&mut self) {
        // A server whose clock jumped may find that an asker's time is over.
        let mut clock_jumped = false;
        let mut published = vec![false; self.messages.len()];
        for (place, event) in self.trace.events().iter().enumerate() {
            clock_jumped |= matches!(&event.what, What::Fault(fault) if fault.starts_with("clock-jump"));
            let Some(id) = event.message else { continue };
            let seen = &mut self.messages[id.index()];
            seen.first.get_or_insert(place);
            let Some(talk) = seen.talk else { continue };
            let talk = &mut self.talks[talk];
            if seen.kind == Some(MessageKind::Request) {
                match event.what {
                    What::Published(_) => {
                        talk.request.get_or_insert(id);
                        talk.is_call |= seen.is_call;
                        talk.must_be_answered |= seen.must_be_answered;
                    }
                    What::Delivered { .. } => talk.deliveries += 1,
                    What::Acked => {
                        talk.acks += 1;
                        let asked = seen.first.map_or(Duration::ZERO, |first| self.trace.events()[first].at);
                        let waited = event.at.saturating_sub(asked);
                        let over = clock_jumped || is_over(self.trace.message(id), waited);
                        talk.expired |= seen.is_ask && over;
                    }
                    What::Ended(Ending::Quiet) => talk.quiet = true,
                    _ => {}
                }
            } else if matches!(event.what, What::Delivered { .. }) && talk.answers.contains(&id) {
                talk.heard = Some(place);
            } else if matches!(event.what, What::Published(_))
                && !std::mem::replace(&mut published[id.index()], true)
            {
                let message_id =
                    |id: &MessageId| &self.trace.message(*id).publication().properties.message_id;
                if !talk.answers.iter().any(|known| message_id(known) == message_id(&id)) {
                    talk.answers.push(id);
                }
            }
        }
    }
}

/// Whether the asker of a request waits no longer, after this time. A copy, or a request that was passed on, only says that
/// there is such a time.
fn is_over(request: &SentMessage, waited: Duration) -> bool {
    let properties = &request.publication().properties;
    match properties.expiration.as_deref().and_then(|limit| limit.parse().ok()) {
        Some(limit) => waited >= Duration::from_millis(limit),
        None => properties.headers().contains("x-tavrida-deadline"),
    }
}
