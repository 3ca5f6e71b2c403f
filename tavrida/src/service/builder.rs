//! [`Service`] and its builder methods.

use std::fmt;
use std::sync::Arc;

use super::Dispatcher;
use crate::discovery::{Discovery, Fallback};
use crate::entry_point::{EntryPoint, EntryPointError};
use crate::error::{Error, Kind};
use crate::handler::{Handler, StateMap, erase};
use crate::message::MessageKind;
use crate::middleware::{Incoming, Outgoing};

/// A service: a name, handlers, and their environment.
///
/// Errors (an invalid entry point, two handlers for one entry point, a missing state) are kept and returned when a server is
/// [built](crate::server::ServerBuilder::build) with it.
#[must_use = "a service works when a server serves it"]
pub struct Service {
    pub(crate) name: EntryPoint,
    pub(crate) dispatcher: Dispatcher,
    pub(crate) incoming: Vec<Arc<dyn Incoming>>,
    pub(crate) outgoing: Vec<Arc<dyn Outgoing>>,
    /// Where other services are found, if set.
    pub(crate) discovery: Option<Arc<dyn Discovery>>,
    pub(crate) state: StateMap,
    flaw: Option<Error>,
}

impl Service {
    /// Creates a service of this name, without handlers.
    pub fn new(name: &str) -> Self {
        let mut service = Self {
            name: EntryPoint::NONE,
            dispatcher: Dispatcher::default(),
            incoming: Vec::new(),
            outgoing: Vec::new(),
            discovery: None,
            state: StateMap::default(),
            flaw: None,
        };
        match name.parse::<EntryPoint>() {
            Ok(entry_point) if entry_point.method().is_none() => service.name = entry_point,
            Ok(entry_point) => {
                let text = format!("'{entry_point}' is no name of a service: it has a dot");
                service.flaw = Some(Error::new(Kind::WrongEntryPointFormat, text));
            }
            Err(error) => service.flaw = Some(error.into()),
        }
        service
    }

    /// Adds a handler of requests to a method of this service; a name with a dot is a complete entry point, so that a service can also
    /// answer for another name.
    pub fn rpc<M: 'static>(self, method: &str, handler: impl Handler<M>) -> Self {
        let entry_point =
            if method.contains('.') { method.parse() } else { EntryPoint::new(self.name.as_str(), method) };
        self.on(MessageKind::Request, entry_point, handler)
    }

    /// Adds a handler of responses from a method of another service.
    pub fn on_response<M: 'static>(
        self,
        from: impl TryInto<EntryPoint, Error = impl Into<EntryPointError>>,
        handler: impl Handler<M>,
    ) -> Self {
        self.on(MessageKind::Response, from.try_into(), handler)
    }

    /// Adds a handler of errors from a method of another service.
    pub fn on_error<M: 'static>(
        self,
        from: impl TryInto<EntryPoint, Error = impl Into<EntryPointError>>,
        handler: impl Handler<M>,
    ) -> Self {
        self.on(MessageKind::Error, from.try_into(), handler)
    }

    /// Adds a handler of a publisher's notifications: a subscription to a topic, `publisher.event`.
    pub fn on_notification<M: 'static>(
        self,
        topic: impl TryInto<EntryPoint, Error = impl Into<EntryPointError>>,
        handler: impl Handler<M>,
    ) -> Self {
        self.on(MessageKind::Notification, topic.try_into(), handler)
    }

    pub(super) fn on<M: 'static>(
        mut self,
        kind: MessageKind,
        entry_point: Result<EntryPoint, impl Into<EntryPointError>>,
        handler: impl Handler<M>,
    ) -> Self {
        let registered = entry_point.map_err(|error| Error::from(error.into())).and_then(|entry_point| {
            if entry_point.method().is_none() {
                let text = format!(
                    "'{entry_point}' names no method to handle the {kind} of: write `service.method`"
                );
                return Err(Error::new(Kind::WrongEntryPointFormat, text));
            }
            if entry_point.is_reserved() {
                let text =
                    format!("'{entry_point}' begins its method with '~', as the addresses of askers do");
                return Err(Error::new(Kind::WrongEntryPointFormat, text));
            }
            self.dispatcher.register(kind, entry_point, erase(handler))
        });
        if let Err(error) = registered {
            self.flaw.get_or_insert(error);
        }
        self
    }

    /// Adds a value that all handlers of the service share, extracted as [`State<T>`](crate::handler::State). There is one of each type: a
    /// second one replaces the first.
    pub fn state<T: Send + Sync + 'static>(self, state: T) -> Self {
        self.shared_state(Arc::new(state))
    }

    /// As [`state`](Service::state), for a value that is also shared outside the handlers.
    pub fn shared_state<T: Send + Sync + 'static>(mut self, state: Arc<T>) -> Self {
        self.state.insert(state);
        self
    }

    /// Adds middleware around the handlers; the first added sees a message first.
    pub fn incoming(mut self, middleware: impl Incoming) -> Self {
        self.incoming.push(Arc::new(middleware));
        self
    }

    /// Adds middleware before sends; the first added sees a message first.
    pub fn outgoing(mut self, middleware: impl Outgoing) -> Self {
        self.outgoing.push(Arc::new(middleware));
        self
    }

    /// Sets where other services and publishers are found. Without it a service knows only those of the same server.
    pub fn discovery(mut self, discovery: impl Discovery) -> Self {
        self.discovery = Some(Arc::new(discovery));
        self
    }

    /// Sets a discovery for names that the service's own does not know.
    pub fn fallback_discovery(mut self, discovery: impl Discovery) -> Self {
        let second: Arc<dyn Discovery> = Arc::new(discovery);
        self.discovery = Some(match self.discovery.take() {
            Some(first) => Arc::new(Fallback { first, second }),
            None => second,
        });
        self
    }

    /// Returns the name.
    pub fn name(&self) -> &str {
        self.name.as_str()
    }

    /// Returns the entry points with a handler for a kind, sorted.
    pub fn entry_points(&self, kind: MessageKind) -> Vec<EntryPoint> {
        self.dispatcher.entry_points(kind).cloned().collect()
    }

    /// Returns the first error.
    pub(crate) fn check(&mut self) -> Result<(), Error> {
        if let Some(flaw) = self.flaw.take() {
            return Err(flaw);
        }
        if self.dispatcher.is_empty() {
            return Err(Error::new(Kind::Build, format!("service '{}' has no handler", self.name)));
        }
        self.discovery.as_ref().map_or(Ok(()), Discovery::check)?;
        self.dispatcher.check(self.name.as_str(), &self.state)
    }
}

impl fmt::Debug for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let handlers: Vec<String> = MessageKind::ALL
            .into_iter()
            .flat_map(|kind| {
                self.dispatcher.entry_points(kind).map(move |entry_point| format!("{kind} {entry_point}"))
            })
            .collect();
        f.debug_struct("Service")
            .field("name", &self.name())
            .field("handlers", &handlers)
            .finish_non_exhaustive()
    }
}
