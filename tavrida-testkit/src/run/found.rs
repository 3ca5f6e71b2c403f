//! [`Found`]: the matches of a query, to be filtered and asserted on.

use std::fmt;

use tavrida::contract::Wire;
use tavrida::field::Value;
use tavrida::message::Message;

use super::order::Settled;
use super::queries::Read;
use super::{AckKind, Chain, Run, report};
use crate::trace::{ActorId, Ending, MessageId, SentMessage, What};

/// One match.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hit {
    /// The message.
    pub message: MessageId,
    /// The index of the event in [the events of the trace](crate::trace::Trace::events): the publish, or the start of a handler.
    pub event: usize,
    /// The actor that did it, or that it happened to.
    pub actor: ActorId,
    /// Which delivery of the message it is about, from 1; 0 if it is about none.
    pub delivery: u32,
}

/// The matches of a query on a [`Run`], in the order in which they happened. `V` is the type of the messages' values.
///
/// Some methods filter the matches. The others assert and return the matches, so that assertions can be chained. Assertions about each
/// match fail if there are none.
#[derive(Clone)]
pub struct Found<'r, V> {
    run: &'r Run,
    what: String,
    hits: Vec<Hit>,
    read: Read<V>,
}

impl<'r, V> Found<'r, V> {
    pub(super) fn new(run: &'r Run, what: String, hits: Vec<Hit>, read: Read<V>) -> Self {
        Self { run, what, hits, read }
    }

    /// Returns the number of matches.
    pub fn len(&self) -> usize {
        self.hits.len()
    }

    /// Returns whether there is no match.
    pub fn is_empty(&self) -> bool {
        self.hits.is_empty()
    }

    /// Returns all matches.
    pub fn hits(&self) -> &[Hit] {
        &self.hits
    }

    /// Returns the messages.
    pub fn messages(&self) -> impl Iterator<Item = &'r SentMessage> {
        let trace = self.run.trace();
        self.hits.iter().map(|hit| trace.message(hit.message))
    }

    /// Returns the values of the messages.
    ///
    /// # Panics
    ///
    /// Panics if a message does not fit the type.
    #[track_caller]
    pub fn values(&self) -> Vec<V> {
        self.hits.iter().map(|hit| self.value_of(hit)).collect()
    }

    /// Returns the value of the only message.
    ///
    /// # Panics
    ///
    /// Panics if there are several or none, or if it does not fit the type.
    #[track_caller]
    pub fn value(&self) -> V {
        self.value_of(&self.only())
    }

    /// Returns the chain of the only match.
    ///
    /// # Panics
    ///
    /// Panics if there are several or none.
    #[track_caller]
    pub fn chain(&self) -> Chain<'r> {
        let only = self.only();
        self.run.chain(self.run.trace().message(only.message).correlation_id())
    }

    #[track_caller]
    fn only(&self) -> Hit {
        match self.hits[..] {
            [only] => only,
            _ => self.fail("exactly one", &[]),
        }
    }

    #[track_caller]
    fn value_of(&self, hit: &Hit) -> V {
        let read = self.message_of(hit).map(self.read);
        match read {
            Some(Ok(value)) => value,
            Some(Err(error)) => self.fail(&format!("messages that fit the type ({error})"), &[*hit]),
            None => self.fail("messages that this library can read", &[*hit]),
        }
    }

    fn message_of(&self, hit: &Hit) -> Option<&'r Message> {
        self.run.trace().message(hit.message).message()
    }

    #[track_caller]
    fn fail(&self, expected: &str, culprits: &[Hit]) -> ! {
        report::fail(self.run, &self.what, expected, &self.hits, culprits)
    }
}

/// Filters.
impl<V> Found<'_, V> {
    /// Keeps those of an entry point: the destination of a request, the source of all other messages.
    #[must_use]
    pub fn at(mut self, entry_point: &str) -> Self {
        let trace = self.run.trace();
        self.hits.retain(|hit| trace.message(hit.message).topic() == entry_point);
        self.and(&format!("at {entry_point}"))
    }

    /// Keeps those of a service or client, with all its replicas, or of one replica (`billing/2`).
    #[must_use]
    pub fn by(mut self, actor: &str) -> Self {
        let trace = self.run.trace();
        self.hits.retain(|hit| {
            let by = trace.actor(hit.actor);
            by.name() == actor || by.service() == actor
        });
        self.and(&format!("by {actor}"))
    }

    /// Keeps those of a chain.
    #[must_use]
    pub fn in_chain(mut self, id: impl fmt::Display) -> Self {
        let (trace, id) = (self.run.trace(), id.to_string());
        self.hits.retain(|hit| trace.message(hit.message).correlation_id() == id);
        self.and("of one chain")
    }

    /// Keeps those whose value satisfies a predicate.
    ///
    /// # Panics
    ///
    /// Panics if a message does not fit the type.
    #[must_use]
    #[track_caller]
    pub fn filter(mut self, is_it: impl Fn(&V) -> bool) -> Self {
        let wanted: Vec<bool> = self.values().iter().map(is_it).collect();
        let mut wanted = wanted.into_iter();
        self.hits.retain(|_| wanted.next().unwrap_or_default());
        self.and("that say what was looked for")
    }

    fn and(mut self, what: &str) -> Self {
        self.what = format!("{} {what}", self.what);
        self
    }
}

/// Assertions.
impl<V> Found<'_, V> {
    /// Asserts that there are exactly `times` matches.
    ///
    /// # Panics
    ///
    /// Panics if there are more or fewer.
    #[track_caller]
    pub fn assert_count(self, times: usize) -> Self {
        if self.len() != times {
            self.fail(&times.to_string(), &[]);
        }
        self
    }

    /// Asserts that there is no match.
    ///
    /// # Panics
    ///
    /// Panics if there is one.
    #[track_caller]
    pub fn assert_none(self) {
        report::none(self.run, &self.what, &self.hits);
    }

    /// Asserts that there are at least `times` matches.
    ///
    /// # Panics
    ///
    /// Panics if there are fewer.
    #[track_caller]
    pub fn assert_at_least(self, times: usize) -> Self {
        if self.len() < times {
            self.fail(&format!("at least {times}"), &[]);
        }
        self
    }

    /// Asserts that there are at most `times` matches.
    ///
    /// # Panics
    ///
    /// Panics if there are more.
    #[track_caller]
    pub fn assert_at_most(self, times: usize) -> Self {
        if self.len() > times {
            self.fail(&format!("at most {times}"), &[]);
        }
        self
    }

    /// Asserts that the value of each match satisfies a predicate.
    ///
    /// # Panics
    ///
    /// Panics if one value does not, if there is no match, or if a message does not fit the type.
    #[track_caller]
    pub fn assert_all(self, holds: impl Fn(&V) -> bool) -> Self {
        self.each("of each that it says what was asserted", |found, hit| holds(&found.value_of(hit)))
    }

    /// Asserts how each match was settled: for a handler, its delivery; for a message, its last delivery. Answers to asks are delivered
    /// without acknowledgement and are therefore never settled.
    ///
    /// # Panics
    ///
    /// Panics if one was settled otherwise or not at all, or if there is no match.
    #[track_caller]
    pub fn assert_settled(self, verdict: AckKind) -> Self {
        let settled = Settled::of(self.run.trace());
        self.each(&format!("each settled by {verdict:?}"), |_, hit| settled.verdict(hit) == Some(verdict))
    }

    /// Asserts that each handler succeeded.
    ///
    /// # Panics
    ///
    /// Panics if one failed, panicked or was dropped, or if there is no match.
    #[track_caller]
    pub fn assert_succeeded(self) -> Self {
        self.each("each to end well", |found, hit| {
            matches!(found.ending(hit), Some(Ending::Quiet | Ending::Answered))
        })
    }

    /// Asserts that each handler failed with a text that contains `with`.
    ///
    /// # Panics
    ///
    /// Panics if one did not, or if there is no match.
    #[track_caller]
    pub fn assert_failed(self, with: &str) -> Self {
        self.each(
            &format!("each to fail with '{with}'"),
            |found, hit| matches!(found.ending(hit), Some(Ending::Failed(text)) if text.contains(with)),
        )
    }

    /// Asserts that each match has a context key with this value.
    ///
    /// # Panics
    ///
    /// Panics if one does not, or if there is no match.
    #[track_caller]
    pub fn assert_context<T: Wire + PartialEq>(self, key: &str, value: &T) -> Self {
        self.each(&format!("each to have the context key '{key}' with the value asserted"), |found, hit| {
            let context = found.message_of(hit).map(|message| message.context().object());
            let raw = context.as_ref().and_then(|context| context.members().raw(key).map(str::to_owned));
            raw.and_then(|raw| T::from_json(&raw).ok()).as_ref() == Some(value)
        })
    }

    /// Asserts that each match has a header with this value.
    ///
    /// # Panics
    ///
    /// Panics if one does not, or if there is no match.
    #[track_caller]
    pub fn assert_header(self, name: &str, value: impl Into<Value>) -> Self {
        let value = value.into();
        self.each(&format!("each to have the header '{name}' with the value asserted"), |found, hit| {
            let publication = found.run.trace().message(hit.message).publication();
            publication.properties.headers().get(name) == Some(&value)
        })
    }

    /// Asserts that all of these happened before any of `others`.
    ///
    /// # Panics
    ///
    /// Panics if one happened later, or if either side has no match.
    #[track_caller]
    pub fn assert_before<W>(self, others: &Found<'_, W>) -> Self {
        let Some(first) = others.hits.first() else { others.fail("some, to come after others", &[]) };
        let expected = format!("each before the first of the {}", others.what);
        self.each(&expected, |_, hit| hit.event < first.event)
    }

    #[track_caller]
    fn each(self, expected: &str, holds: impl Fn(&Self, &Hit) -> bool) -> Self {
        let mut culprits = Vec::new();
        for hit in &self.hits {
            if !holds(&self, hit) {
                culprits.push(*hit);
            }
        }
        if self.hits.is_empty() || !culprits.is_empty() {
            self.fail(expected, &culprits);
        }
        self
    }

    fn ending(&self, hit: &Hit) -> Option<&Ending> {
        let events = &self.run.trace().events()[hit.event..];
        events.iter().find_map(|event| match &event.what {
            What::Ended(ending) if Hit::is_about(hit, event) => Some(ending),
            _ => None,
        })
    }
}

impl Hit {
    /// Returns whether an event is about the same delivery to the same actor.
    pub(super) fn is_about(&self, event: &crate::trace::Event) -> bool {
        event.message == Some(self.message) && event.actor == self.actor && event.delivery == self.delivery
    }
}

impl<V> fmt::Debug for Found<'_, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Found").field("what", &self.what).field("hits", &self.hits).finish_non_exhaustive()
    }
}
