//! The queries of a [`Run`].

use std::fmt::Display;

use rustc_hash::FxHashSet;
use tavrida::Error;
use tavrida::contract::{CallError, Event, Rpc, Wire};
use tavrida::message::{ErrorReply, Message, MessageKind, Notification, Request, Response};

use super::{Chain, Found, Hit, Run, report};
use crate::trace::{Ending, MessageId, Outcome, SentMessage, What};

/// A kind of message as a type: [`Request`], [`Response`], [`ErrorReply`], [`Notification`].
pub trait Kind: Sized {
    /// The kind.
    const KIND: MessageKind;

    /// Converts a message. `None` if it is of another kind.
    fn of(message: &Message) -> Option<Self>;
}

impl Kind for Request {
    const KIND: MessageKind = MessageKind::Request;

    fn of(message: &Message) -> Option<Self> {
        message.clone().into_request().ok()
    }
}

impl Kind for Response {
    const KIND: MessageKind = MessageKind::Response;

    fn of(message: &Message) -> Option<Self> {
        message.clone().into_response().ok()
    }
}

impl Kind for ErrorReply {
    const KIND: MessageKind = MessageKind::Error;

    fn of(message: &Message) -> Option<Self> {
        message.clone().into_error().ok()
    }
}

impl Kind for Notification {
    const KIND: MessageKind = MessageKind::Notification;

    fn of(message: &Message) -> Option<Self> {
        message.clone().into_notification().ok()
    }
}

/// By contracts.
impl Run {
    /// Returns the requests of a contract that were sent, by calls, casts and asks, without the copies that retries make.
    #[must_use]
    pub fn sent<C: Rpc>(&self) -> Found<'_, C> {
        self.messages_of(MessageKind::Request, C::ENTRY_POINT, "requests", read)
    }

    /// Returns the notifications of an event that were published.
    #[must_use]
    pub fn published<E: Event>(&self) -> Found<'_, E> {
        self.messages_of(MessageKind::Notification, E::TOPIC, "notifications", read)
    }

    /// Returns the replies to a contract's requests.
    #[must_use]
    pub fn answered<C: Rpc>(&self) -> Found<'_, C::Reply> {
        self.messages_of(MessageKind::Response, C::ENTRY_POINT, "responses", read)
    }

    /// Returns the errors that answered a contract's requests, declared or not.
    #[must_use]
    pub fn refused<C: Rpc>(&self) -> Found<'_, CallError<C>> {
        self.messages_of(MessageKind::Error, C::ENTRY_POINT, "errors", |message| {
            Ok(CallError::of(&kind_of(message)?))
        })
    }

    /// Returns each start of a handler for a contract's request; a redelivery starts it again.
    #[must_use]
    pub fn handled<C: Rpc>(&self) -> Found<'_, C> {
        self.handlers_of(MessageKind::Request, C::ENTRY_POINT, read)
    }

    /// Returns each start of a handler for an event: one for each service that subscribes to it.
    #[must_use]
    pub fn heard<E: Event>(&self) -> Found<'_, E> {
        self.handlers_of(MessageKind::Notification, E::TOPIC, read)
    }

    fn messages_of<V>(&self, kind: MessageKind, topic: &str, what: &str, read: Read<V>) -> Found<'_, V> {
        let hits = self.sends(|message| message.kind() == Some(kind) && message.topic() == topic);
        Found::new(self, format!("{what} {} {topic}", preposition(kind)), hits, read)
    }

    fn handlers_of<V>(&self, kind: MessageKind, topic: &str, read: Read<V>) -> Found<'_, V> {
        let hits = self.begun(|message| message.kind() == Some(kind) && message.topic() == topic);
        Found::new(self, format!("handlers of the {kind} {topic}"), hits, read)
    }
}

/// By kinds, and all messages.
impl Run {
    /// Returns the messages of a kind that were sent.
    #[must_use]
    pub fn all<K: Kind>(&self) -> Found<'_, K> {
        let hits = self.sends(|message| message.kind() == Some(K::KIND));
        Found::new(self, format!("messages of the kind {}", K::KIND), hits, kind_of)
    }

    /// Asserts that no message of a kind was sent.
    ///
    /// # Panics
    ///
    /// Panics if one was sent.
    #[track_caller]
    pub fn assert_none<K: Kind>(&self) {
        self.all::<K>().assert_none();
    }

    /// Returns all messages that were sent, without copies.
    #[must_use]
    pub fn messages(&self) -> Found<'_, Message> {
        Found::new(self, "messages".to_owned(), self.sends(|_| true), |message| Ok(message.clone()))
    }

    /// Returns each start of a handler.
    #[must_use]
    pub fn handlers(&self) -> Found<'_, Message> {
        Found::new(self, "handlers".to_owned(), self.begun(|_| true), |message| Ok(message.clone()))
    }

    /// Returns each arrival of a message.
    #[must_use]
    pub fn deliveries(&self) -> Found<'_, Message> {
        let hits = self.hits(|what| matches!(what, What::Delivered { .. }), |_| true);
        Found::new(self, "deliveries".to_owned(), hits, |message| Ok(message.clone()))
    }

    /// Returns the messages that a failure policy gave up: the copies that it published to dead-letter queues.
    #[must_use]
    pub fn dead_letters(&self) -> Found<'_, Message> {
        self.trace().look_at_dead_letters();
        let hits = self.hits(|what| matches!(what, What::Published(_)), SentMessage::is_dead_letter);
        Found::new(self, "dead letters".to_owned(), hits, |message| Ok(message.clone()))
    }
}

/// Assertions that something did not happen.
impl Run {
    /// Asserts that no request was answered with an error, that no handler failed, panicked, or was dropped by its deadline, and that no
    /// message was given up.
    ///
    /// # Panics
    ///
    /// Panics if one was or did.
    #[track_caller]
    pub fn assert_no_errors(&self) {
        let is_bad = |what: &What| matches!(what, What::Ended(Ending::Failed(_) | Ending::Panicked));
        let failed = self.hits(is_bad, |_| true);
        report::none(self, "handlers that failed", &failed);
        let overdue: Vec<usize> = self.trace().overdue().collect();
        let dropped = self.hits(|what| *what == What::Ended(Ending::Dropped), |_| true);
        let overdue: Vec<Hit> = dropped.into_iter().filter(|hit| overdue.contains(&hit.event)).collect();
        report::none(self, "handlers that were dropped by their deadlines", &overdue);
        self.assert_none::<ErrorReply>();
        self.assert_no_dead_letters();
    }

    /// Asserts that no message arrived a second time.
    ///
    /// # Panics
    ///
    /// Panics if one did.
    #[track_caller]
    pub fn assert_no_redeliveries(&self) {
        let again = self.hits(|what| matches!(what, What::Delivered { redelivered: true }), |_| true);
        report::none(self, "redeliveries", &again);
    }

    /// Asserts that no failure policy gave up a message.
    ///
    /// # Panics
    ///
    /// Panics if one did.
    #[track_caller]
    pub fn assert_no_dead_letters(&self) {
        self.dead_letters().assert_none();
    }

    /// Asserts that every publish was confirmed: none refused, unroutable, or lost with its session.
    ///
    /// # Panics
    ///
    /// Panics if one was not.
    #[track_caller]
    pub fn assert_all_confirmed(&self) {
        let is_not = |what: &What| matches!(what, What::Published(outcome) if *outcome != Outcome::Routed);
        report::none(self, "publishes that were not confirmed", &self.hits(is_not, |_| true));
    }
}

/// Chains.
impl Run {
    /// Returns the chain with a correlation id: all messages that one request caused. The chain of an unknown id is empty.
    #[must_use]
    pub fn chain(&self, id: impl Display) -> Chain<'_> {
        let id = id.to_string();
        let hits = self.sends(|message| message.correlation_id() == id);
        Chain::new(self, id, hits.into_iter().map(|hit| hit.message).collect())
    }

    /// Returns all chains, in the order in which they began.
    #[must_use]
    pub fn chains(&self) -> Vec<Chain<'_>> {
        let mut chains: Vec<(String, Vec<MessageId>)> = Vec::new();
        for hit in self.sends(|_| true) {
            let id = self.trace().message(hit.message).correlation_id();
            match chains.iter_mut().find(|(known, _)| *known == id) {
                Some((_, messages)) => messages.push(hit.message),
                None => chains.push((id, vec![hit.message])),
            }
        }
        chains.into_iter().map(|(id, messages)| Chain::new(self, id, messages)).collect()
    }

    /// Returns the only chain of the run.
    ///
    /// # Panics
    ///
    /// Panics if there are several or none.
    #[must_use]
    #[track_caller]
    pub fn only_chain(&self) -> Chain<'_> {
        let mut chains = self.chains();
        match chains.len() {
            1 => chains.remove(0),
            found => panic!("expected one chain, found {found}\n{}", report::chains(self, &[])),
        }
    }
}

/// Reads the value of a message.
pub(super) type Read<V> = fn(&Message) -> Result<V, Error>;

fn read<T: Wire>(message: &Message) -> Result<T, Error> {
    T::from_payload(message.payload())
}

fn kind_of<K: Kind>(message: &Message) -> Result<K, Error> {
    Ok(K::of(message).expect("only messages of the kind are looked for"))
}

fn preposition(kind: MessageKind) -> &'static str {
    match kind {
        MessageKind::Request => "to",
        MessageKind::Notification => "of",
        _ => "from",
    }
}

impl Run {
    /// Returns the first publish of each message, without copies.
    pub(super) fn sends(&self, is_it: impl Fn(&SentMessage) -> bool) -> Vec<Hit> {
        let mut known = FxHashSet::default();
        let mut ids = FxHashSet::default();
        let is_first = |hit: &Hit| {
            let id = self.trace().message(hit.message).publication().properties.message_id.as_deref();
            known.insert(hit.message) && id.is_none_or(|id| ids.insert(id))
        };
        let all = self.hits(|what| matches!(what, What::Published(_)), |message| message.kind().is_some());
        all.into_iter().filter(is_first).filter(|hit| is_it(self.trace().message(hit.message))).collect()
    }

    fn begun(&self, is_it: impl Fn(&SentMessage) -> bool) -> Vec<Hit> {
        self.hits(|what| matches!(what, What::Started { .. }), is_it)
    }

    /// Returns the events of a kind about messages of a kind.
    pub(super) fn hits(
        &self,
        happened: impl Fn(&What) -> bool,
        is_it: impl Fn(&SentMessage) -> bool,
    ) -> Vec<Hit> {
        let trace = self.trace();
        let about = trace.events().iter().enumerate().filter(|(_, event)| happened(&event.what));
        about
            .filter_map(|(at, event)| {
                let message = event.message.filter(|id| is_it(trace.message(*id)))?;
                Some(Hit { message, event: at, actor: event.actor, delivery: event.delivery })
            })
            .collect()
    }
}
