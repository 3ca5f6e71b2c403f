//! [`Dispatcher`]: (kind, entry point) -> handler, and topic pattern -> handler.

use std::fmt;
use std::sync::Arc;

use crate::entry_point::{EntryPoint, TopicPattern};
use crate::error::{Error, Kind};
use crate::handler::{ErasedHandler, Site, StateMap};
use crate::message::MessageKind;

/// The handlers of one service.
///
/// A service has few handlers: a sorted list finds them, and keeps them in order for output and checks.
#[derive(Default)]
pub(crate) struct Dispatcher {
    handlers: Vec<Registered>,
    /// The handlers of many topics, the most specific first.
    patterns: Vec<(TopicPattern, Arc<dyn ErasedHandler>)>,
}

struct Registered {
    kind: MessageKind,
    entry_point: EntryPoint,
    handler: Arc<dyn ErasedHandler>,
}

impl Dispatcher {
    /// Registers a handler; an existing one is kept.
    pub(crate) fn register(
        &mut self,
        kind: MessageKind,
        entry_point: EntryPoint,
        handler: Arc<dyn ErasedHandler>,
    ) -> Result<(), Error> {
        match self.place(kind, &entry_point) {
            Ok(_) => Err(duplicate(kind, &entry_point)),
            Err(place) => {
                self.handlers.insert(place, Registered { kind, entry_point, handler });
                Ok(())
            }
        }
    }

    /// Registers a handler of notifications; an existing one is kept.
    pub(crate) fn subscribe(
        &mut self,
        topics: TopicPattern,
        handler: Arc<dyn ErasedHandler>,
    ) -> Result<(), Error> {
        if let Some(topic) = topics.topic() {
            return self.register(MessageKind::Notification, topic.clone(), handler);
        }
        match self.patterns.binary_search_by(|(known, _)| known.cmp(&topics)) {
            Ok(_) => Err(duplicate(MessageKind::Notification, &topics)),
            Err(place) => {
                self.patterns.insert(place, (topics, handler));
                Ok(())
            }
        }
    }

    /// Returns the handler of a message: for a notification, that of its topic, else that of the most specific pattern.
    pub(crate) fn find(
        &self,
        kind: MessageKind,
        entry_point: &EntryPoint,
    ) -> Option<&Arc<dyn ErasedHandler>> {
        match self.place(kind, entry_point) {
            Ok(place) => Some(&self.handlers[place].handler),
            Err(_) if kind == MessageKind::Notification => {
                let pattern = self.patterns.iter().find(|(pattern, _)| pattern.matches(entry_point));
                pattern.map(|(_, handler)| handler)
            }
            Err(_) => None,
        }
    }

    /// Returns the position of a handler, or where to insert it.
    fn place(&self, kind: MessageKind, entry_point: &EntryPoint) -> Result<usize, usize> {
        self.handlers.binary_search_by(|known| (known.kind, &known.entry_point).cmp(&(kind, entry_point)))
    }

    /// Returns the entry points with handlers for a kind, sorted.
    pub(crate) fn entry_points(&self, kind: MessageKind) -> impl Iterator<Item = &EntryPoint> {
        self.handlers.iter().filter(move |known| known.kind == kind).map(|known| &known.entry_point)
    }

    /// Returns whether the key of an address matches a pattern.
    pub(crate) fn has_pattern_for(&self, address: &EntryPoint) -> bool {
        self.patterns.iter().any(|(pattern, _)| pattern.matches(address))
    }

    /// Returns the topics and patterns with handlers for notifications, sorted.
    pub(crate) fn subscriptions(&self) -> impl Iterator<Item = TopicPattern> {
        let topics = self.entry_points(MessageKind::Notification);
        let topics = topics.map(|topic| topic.try_into().expect("a subscription names its event"));
        topics.chain(self.patterns.iter().map(|(pattern, _)| pattern.clone()))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.handlers.is_empty() && self.patterns.is_empty()
    }

    /// Checks whether each handler can work here.
    pub(crate) fn check(&self, service: &str, state: &StateMap) -> Result<(), Error> {
        let check = |kind: MessageKind, address: &dyn fmt::Display, handler: &dyn ErasedHandler| {
            handler.check(&Site { kind, state }).map_err(|flaw| {
                let text = format!("service '{service}', handler of the {kind} {address}: {flaw}");
                Error::new(Kind::Build, text)
            })
        };
        for Registered { kind, entry_point, handler } in &self.handlers {
            check(*kind, entry_point, &**handler)?;
        }
        for (pattern, handler) in &self.patterns {
            check(MessageKind::Notification, pattern, &**handler)?;
        }
        Ok(())
    }
}

fn duplicate(kind: MessageKind, address: &dyn fmt::Display) -> Error {
    Error::new(Kind::DuplicatedEntryPointRegistration, format!("two handlers for the {kind} {address}"))
}
