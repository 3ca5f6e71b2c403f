//! [`Services`]: who calls which service, and who subscribes to which event.

use std::collections::{BTreeMap, BTreeSet};

use crate::keys::Pattern;

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
    /// Returns a graph without services.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a service; it replaces one of the same name.
    #[must_use = "the graph comes back with the service"]
    pub fn service(mut self, service: Service) -> Self {
        self.all.insert(service.name.clone(), service);
        self
    }

    /// Returns the services, by name.
    pub fn iter(&self) -> impl Iterator<Item = &Service> {
        self.all.values()
    }

    /// Returns a service by its name.
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
    /// The queue that it consumes, if known.
    pub queue: Option<String>,
    /// The exchange to which requests to it are published, and answers to its calls.
    pub exchange: Option<String>,
    /// Its concurrency. `None` if there is no limit.
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
    /// Returns a service without declarations.
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

    /// Sets the queue that it consumes, and the exchange for messages to it.
    #[must_use = "the service comes back changed"]
    pub fn on(self, queue: impl Into<String>, exchange: impl Into<String>) -> Self {
        Self { queue: Some(queue.into()), exchange: Some(exchange.into()), ..self }
    }

    /// Sets its maximum concurrency.
    #[must_use = "the service comes back changed"]
    pub fn concurrency(self, messages: usize) -> Self {
        Self { concurrency: Some(messages), ..self }
    }

    /// Adds a method that it answers.
    #[must_use = "the service comes back changed"]
    pub fn answers(mut self, method: impl Into<String>) -> Self {
        self.methods.insert(method.into());
        self
    }

    /// Adds a method that it calls, without handlers for the result.
    #[must_use = "the service comes back changed"]
    pub fn calls(mut self, method: impl Into<String>) -> Self {
        self.calls.insert(method.into());
        self
    }

    /// Adds a method that it calls, with handlers for the answer and the error.
    #[must_use = "the service comes back changed"]
    pub fn calls_and_handles(mut self, method: &str) -> Self {
        self.on_response.insert(method.to_owned());
        self.on_error.insert(method.to_owned());
        self.calls(method)
    }

    /// Adds a method that it waits for within its handlers.
    #[must_use = "the service comes back changed"]
    pub fn asks(mut self, method: impl Into<String>) -> Self {
        self.asks.insert(method.into());
        self
    }

    /// Adds an event that it publishes, or a pattern such as `orders.*` for names that are known only at run time.
    #[must_use = "the service comes back changed"]
    pub fn publishes(mut self, event: impl Into<String>) -> Self {
        self.events.insert(event.into());
        self
    }

    /// Adds an event that it subscribes to, or a pattern such as `orders.*`.
    #[must_use = "the service comes back changed"]
    pub fn subscribes(mut self, event: impl Into<String>) -> Self {
        self.subscriptions.insert(event.into());
        self
    }

    /// Returns the methods of others that it calls in any way.
    pub(crate) fn targets(&self) -> impl Iterator<Item = &str> {
        self.calls.union(&self.asks).map(String::as_str)
    }
}

/// Splits `service.method` into the service and the method.
pub(crate) fn split(name: &str) -> (&str, &str) {
    name.split_once('.').unwrap_or((name, ""))
}

/// Returns whether a subscription takes an event; both may be patterns. Without a wildcard, a subscription is to the topic and all below it.
pub(crate) fn takes(topic: &str, event: &str) -> bool {
    let is_pattern = topic.split('.').any(|word| matches!(word, "*" | "#"));
    let bound = Pattern::new(if is_pattern { topic.to_owned() } else { format!("{topic}.#") });
    // What cannot be decided counts as taken, so that no wrong problem is reported.
    !matches!(bound.overlap(&Pattern::new(event)), Ok(None))
}
