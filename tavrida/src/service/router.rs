//! [`Router`]: finds the services of a server that a message is for. One for RPC, possibly many for notifications.

use std::sync::Arc;

use rustc_hash::FxHashMap;
use smallvec::SmallVec;

use super::Dispatcher;
use crate::discovery::Discovery;
use crate::entry_point::EntryPoint;
use crate::error::{Error, Kind};
use crate::field::ShortString;
use crate::handler::{ErasedHandler, StateMap};
use crate::message::{Message, MessageKind};
use crate::middleware::Incoming;
use crate::outbound::Outbound;

/// A service as a server hosts it.
pub(crate) struct Hosted {
    pub(crate) name: EntryPoint,
    pub(crate) dispatcher: Dispatcher,
    pub(crate) incoming: Arc<[Arc<dyn Incoming>]>,
    pub(crate) outbound: Arc<Outbound>,
    pub(crate) state: Arc<StateMap>,
}

impl Hosted {
    pub(crate) fn discovery(&self) -> &dyn Discovery {
        &*self.outbound.discovery
    }
}

/// The services of a server, and their routes.
#[derive(Default)]
pub(crate) struct Router {
    services: Vec<Arc<Hosted>>,
    by_name: FxHashMap<ShortString, Roles>,
    /// The services with subscriptions to a publisher, in order of addition.
    by_publisher: FxHashMap<ShortString, Vec<usize>>,
}

/// The services that a name refers to.
#[derive(Default)]
struct Roles {
    /// The service that takes requests to the name.
    requests: Option<usize>,
    /// The service of that name: it takes the answers.
    answers: Option<usize>,
}

/// A service that receives a message, and its handler for it.
pub(crate) type Target<'a> = (&'a Arc<Hosted>, &'a Arc<dyn ErasedHandler>);

/// No handler matches a message, and why.
pub(crate) struct Unwanted(pub(crate) Error);

impl Router {
    pub(crate) fn new(services: Vec<Arc<Hosted>>) -> Result<Self, Error> {
        let mut router = Self::default();
        for (index, service) in services.iter().enumerate() {
            router.add(index, service)?;
        }
        Ok(Self { services, ..router })
    }

    fn add(&mut self, index: usize, service: &Hosted) -> Result<(), Error> {
        let duplicate = |name: &str, what: &str| {
            Error::new(
                Kind::DuplicatedServiceRegistration,
                format!("two services {what} '{name}' in one server"),
            )
        };
        if self.by_name.entry(service.name.routing_key()).or_default().answers.replace(index).is_some() {
            return Err(duplicate(service.name.as_str(), "are named"));
        }
        for entry_point in service.dispatcher.entry_points(MessageKind::Request) {
            let name = entry_point.to_service().routing_key();
            if *self.by_name.entry(name.clone()).or_default().requests.get_or_insert(index) != index {
                return Err(duplicate(&name, "answer requests to"));
            }
        }
        for topics in service.dispatcher.subscriptions() {
            let publisher = ShortString::try_from(topics.publisher())?;
            let subscribers = self.by_publisher.entry(publisher).or_default();
            if subscribers.last() != Some(&index) {
                subscribers.push(index);
            }
        }
        Ok(())
    }

    pub(crate) fn services(&self) -> &[Arc<Hosted>] {
        &self.services
    }

    /// Returns the services that receive a message, with their handlers: one, or for a notification all subscribers, in order of addition.
    pub(crate) fn route(&self, message: &Message) -> Result<SmallVec<[Target<'_>; 1]>, Unwanted> {
        let indices = match message.kind() {
            MessageKind::Request => self.only(message, |roles| &roles.requests)?,
            MessageKind::Response | MessageKind::Error => self.only(message, |roles| &roles.answers)?,
            MessageKind::Notification => self.subscribers(message.source()),
        };
        let services = indices.iter().map(|&index| &self.services[index]);
        let targets = services
            .filter_map(|service| Some((service, service.dispatcher.find(message.kind(), message.topic())?)));
        let targets: SmallVec<[Target<'_>; 1]> = targets.collect();
        if targets.is_empty() { Err(nobody_handles(message, Kind::HandlerNotFound)) } else { Ok(targets) }
    }

    /// Returns the services with subscriptions to the publisher of a topic.
    fn subscribers(&self, topic: &EntryPoint) -> &[usize] {
        topic.service().and_then(|publisher| self.by_publisher.get(publisher)).map_or(&[], Vec::as_slice)
    }

    /// Returns whether a message other than a notification is here only because a pattern of a subscription matches its key, too: its
    /// destination takes requests at the exchange where it publishes. The service itself gets it as well.
    pub(crate) fn is_overheard(&self, message: &Message) -> bool {
        let destination = message.destination();
        let mut subscribers = self.subscribers(destination).iter().map(|&index| &self.services[index]);
        message.kind() != MessageKind::Notification
            && subscribers.any(|service| service.dispatcher.has_pattern_for(destination))
    }

    fn only(&self, message: &Message, role: fn(&Roles) -> &Option<usize>) -> Result<&[usize], Unwanted> {
        let service = message.destination().service().unwrap_or_default();
        match self.by_name.get(service).and_then(|roles| role(roles).as_ref()) {
            Some(index) => Ok(std::slice::from_ref(index)),
            None => {
                let text = format!("no service '{service}' here for the {message}");
                Err(Unwanted(Error::new(Kind::ServiceNotFound, text)))
            }
        }
    }
}

fn nobody_handles(message: &Message, kind: Kind) -> Unwanted {
    Unwanted(Error::new(kind, format!("no handler for the {} {} here", message.kind(), message.topic())))
}
