//! [`Services`]: who calls whom, and who publishes what to whom.

use std::collections::{BTreeMap, BTreeSet};

/// A graph of services, from their declarations: what each one answers, calls, publishes and subscribes to.
///
/// ```
/// use tavrida_routing::{Service, Services};
///
/// let services = Services::new()
///     .service(Service::new("orders").answers("create").asks("billing.charge").publishes("orders.created"))
///     .service(Service::new("billing").answers("charge"))
///     .service(Service::new("mail").subscribes("orders.created"));
/// assert!(services.lint().findings().is_empty());
/// ```
#[derive(Debug, Clone, Default)]
pub struct Services {
    pub(crate) all: BTreeMap<String, Service>,
}

impl Services {
    /// A graph without services.
    pub fn new() -> Self {
        Self::default()
    }

    /// The same graph with one more service; it replaces one of the same name.
    #[must_use = "the graph comes back with the service"]
    pub fn service(mut self, service: Service) -> Self {
        self.all.insert(service.name.clone(), service);
        self
    }

    /// The services, by name.
    pub fn iter(&self) -> impl Iterator<Item = &Service> {
        self.all.values()
    }

    /// A service by its name.
    pub fn get(&self, name: &str) -> Option<&Service> {
        self.all.get(name)
    }
}

/// A service of a graph. Methods and events of others are named as `service.method`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Service {
    /// The name.
    pub name: String,
    /// The queue that it consumes, where it is known.
    pub queue: Option<String>,
    /// The exchange to which requests to it are published, and answers to its calls.
    pub exchange: Option<String>,
    /// How many messages it handles at a time; none where there is no limit.
    pub concurrency: Option<usize>,
    /// The methods that it answers, without its name.
    pub methods: BTreeSet<String>,
    /// The methods that it calls without waiting: answers and errors come to handlers.
    pub calls: BTreeSet<String>,
    /// The methods that it calls and waits for, within a handler.
    pub asks: BTreeSet<String>,
    /// The methods whose answers it handles.
    pub on_response: BTreeSet<String>,
    /// The methods whose errors it handles.
    pub on_error: BTreeSet<String>,
    /// The events that it publishes.
    pub events: BTreeSet<String>,
    /// The events that it subscribes to.
    pub subscriptions: BTreeSet<String>,
}

impl Service {
    /// A service that does nothing yet.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            queue: None,
            exchange: None,
            concurrency: None,
            methods: BTreeSet::new(),
            calls: BTreeSet::new(),
            asks: BTreeSet::new(),
            on_response: BTreeSet::new(),
            on_error: BTreeSet::new(),
            events: BTreeSet::new(),
            subscriptions: BTreeSet::new(),
        }
    }

    /// The same service, consuming a queue, with the exchange for messages to it.
    #[must_use = "the service comes back changed"]
    pub fn on(self, queue: impl Into<String>, exchange: impl Into<String>) -> Self {
        Self { queue: Some(queue.into()), exchange: Some(exchange.into()), ..self }
    }

    /// The same service, handling at most this number of messages at a time.
    #[must_use = "the service comes back changed"]
    pub fn concurrency(self, messages: usize) -> Self {
        Self { concurrency: Some(messages), ..self }
    }

    /// The same service, answering one more method.
    #[must_use = "the service comes back changed"]
    pub fn answers(mut self, method: impl Into<String>) -> Self {
        self.methods.insert(method.into());
        self
    }

    /// The same service, calling one more method, without handlers for what comes back.
    #[must_use = "the service comes back changed"]
    pub fn calls(mut self, method: impl Into<String>) -> Self {
        self.calls.insert(method.into());
        self
    }

    /// The same service, calling one more method, with handlers for its answer and its error.
    #[must_use = "the service comes back changed"]
    pub fn calls_and_handles(mut self, method: &str) -> Self {
        self.on_response.insert(method.to_owned());
        self.on_error.insert(method.to_owned());
        self.calls(method)
    }

    /// The same service, waiting for one more method within its handlers.
    #[must_use = "the service comes back changed"]
    pub fn asks(mut self, method: impl Into<String>) -> Self {
        self.asks.insert(method.into());
        self
    }

    /// The same service, publishing one more event.
    #[must_use = "the service comes back changed"]
    pub fn publishes(mut self, event: impl Into<String>) -> Self {
        self.events.insert(event.into());
        self
    }

    /// The same service, subscribing to one more event.
    #[must_use = "the service comes back changed"]
    pub fn subscribes(mut self, event: impl Into<String>) -> Self {
        self.subscriptions.insert(event.into());
        self
    }

    /// The methods of others that it calls in any way.
    pub(crate) fn targets(&self) -> impl Iterator<Item = &str> {
        self.calls.union(&self.asks).map(String::as_str)
    }
}

/// The service of `service.method`, and the method.
pub(crate) fn split(name: &str) -> (&str, &str) {
    name.split_once('.').unwrap_or((name, ""))
}
