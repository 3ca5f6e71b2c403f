//! [`Service`] and its builder methods.

use std::fmt;
use std::sync::Arc;

use super::Dispatcher;
use crate::contract::{self, Event};
use crate::discovery::{Discovery, Fallback};
use crate::entry_point::{EntryPoint, EntryPointError, TopicPattern};
use crate::error::{Error, Kind};
use crate::handler::{Handler, StateMap, erase};
use crate::message::MessageKind;
use crate::middleware::{Incoming, Outgoing};
use crate::outbound::Emits;

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
    pub(crate) emits: Emits,
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
            emits: Emits::default(),
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

    /// Adds a handler of a publisher's notifications: a subscription to a topic, `publisher.event`, or to [many](TopicPattern),
    /// `publisher.*`.
    ///
    /// A service handles each notification once, by its most specific subscription: the topic itself, else `publisher.*`, else
    /// `publisher.#`. Other services of the server handle it by theirs. A handler of a pattern reads the topic as the source of the
    /// [`Notification`](crate::message::Notification):
    ///
    /// ```
    /// use tavrida::prelude::*;
    ///
    /// async fn note(event: Notification) {
    ///     println!("{} happened", event.source());
    /// }
    ///
    /// let audit = Service::new("audit").on_notification("stock.*", note);
    /// ```
    pub fn on_notification<M: 'static>(
        mut self,
        topics: impl TryInto<TopicPattern, Error = impl Into<EntryPointError>>,
        handler: impl Handler<M>,
    ) -> Self {
        let subscribed = topics.try_into().map_err(|error| Error::from(error.into())).and_then(|topics| {
            topics.topic().map_or(Ok(()), |topic| addressable(MessageKind::Notification, topic))?;
            self.dispatcher.subscribe(topics, erase(handler))
        });
        self.keep(subscribed);
        self
    }

    pub(super) fn on<M: 'static>(
        mut self,
        kind: MessageKind,
        entry_point: Result<EntryPoint, impl Into<EntryPointError>>,
        handler: impl Handler<M>,
    ) -> Self {
        let registered = entry_point.map_err(|error| Error::from(error.into())).and_then(|entry_point| {
            addressable(kind, &entry_point)?;
            self.dispatcher.register(kind, entry_point, erase(handler))
        });
        self.keep(registered);
        self
    }

    fn keep(&mut self, result: Result<(), impl Into<Error>>) {
        if let Err(error) = result {
            self.flaw.get_or_insert(error.into());
        }
    }

    /// Declares that the service publishes an event of a [contract](crate::contract).
    ///
    /// The build of the server then fails if the discovery does not know where the publisher sends its notifications, and the server
    /// declares that exchange. Without this, a missing registration is an error of the first [`emit`](crate::Proxy::emit).
    ///
    /// An undeclared event is still published, with one warning: an error would fail a handler in the middle of its work, which is what the
    /// declaration is to prevent. A service without a discovery logs no warning: its exchange is known [by
    /// name](crate::discovery::ByName).
    ///
    /// ```
    /// use serde::{Deserialize, Serialize};
    /// use tavrida::discovery::Registry;
    /// use tavrida::prelude::*;
    /// # use tavrida_memory::MemoryBroker;
    ///
    /// #[derive(Serialize, Deserialize, Event)]
    /// #[event("billing.charged")]
    /// struct Charged { order: u64 }
    ///
    /// async fn charge(proxy: Proxy, order: u64) -> Result<()> {
    ///     proxy.emit(Charged { order }).await?;
    ///     Ok(())
    /// }
    ///
    /// let registry = Registry::new().remote_service("orders", "orders_exchange");
    /// let billing = Service::new("billing").rpc("charge", params(["order"], charge)).emits::<Charged>().discovery(registry);
    /// # let transport = MemoryBroker::new().transport();
    /// let error = Server::builder(transport).service(billing).build().unwrap_err();
    /// assert!(error.to_string().contains("service 'billing' emits billing.charged: no discovery knows the local publisher 'billing'"));
    /// ```
    pub fn emits<E: Event>(mut self) -> Self {
        let topic = contract::topic::<E>().and_then(TopicPattern::try_from);
        let added = topic.map(|topic| self.emits.add_topics(topic));
        self.keep(added);
        self
    }

    /// As [`emits`](Service::emits), for an event without a type: its name; `service.event` for an event in the name of another service;
    /// or a [pattern](TopicPattern), such as `*` for names that are known only at run time.
    pub fn publishes(mut self, event: &str) -> Self {
        let added = self.emits.add(&self.name, event);
        self.keep(added);
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

    /// Sets where other services and publishers are found, for this service alone. The default is the discovery of the
    /// [server](crate::server::ServerBuilder::discovery), else [by name](crate::discovery::ByName). Services of the same server find each
    /// other in any case.
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

    /// Returns the topics and patterns that it subscribes to, sorted.
    pub fn subscriptions(&self) -> Vec<TopicPattern> {
        self.dispatcher.subscriptions().collect()
    }

    /// Returns the topics and patterns that it declares to publish, sorted.
    pub fn emitted(&self) -> &[TopicPattern] {
        self.emits.topics()
    }

    /// Returns the entry points with a handler for a kind, sorted; of notifications, those without a wildcard.
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
        let answered = MessageKind::ALL.into_iter().filter(|kind| *kind != MessageKind::Notification);
        let answered = answered.flat_map(|kind| {
            self.dispatcher.entry_points(kind).map(move |entry_point| format!("{kind} {entry_point}"))
        });
        let subscribed = self.dispatcher.subscriptions().map(|topics| format!("notification {topics}"));
        let handlers: Vec<String> = answered.chain(subscribed).collect();
        f.debug_struct("Service")
            .field("name", &self.name())
            .field("handlers", &handlers)
            .finish_non_exhaustive()
    }
}

/// Checks that an entry point can have a handler.
fn addressable(kind: MessageKind, entry_point: &EntryPoint) -> Result<(), Error> {
    let flaw = match entry_point.method() {
        None => format!("'{entry_point}' names no method to handle the {kind} of: write `service.method`"),
        Some(_) if entry_point.is_reserved() => {
            format!("'{entry_point}' begins its method with '~', as the addresses of askers do")
        }
        Some(_) => return Ok(()),
    };
    Err(Error::new(Kind::WrongEntryPointFormat, flaw))
}
