//! [`Plan`]: the topology that a server's services need. Pure, printable.

use std::sync::Arc;
use std::{fmt, iter};

use crate::discovery::Role;
use crate::entry_point::TopicPattern;
use crate::error::{Error, Kind};
use crate::field::{ShortString, TooLongError};
use crate::inbound::Queues;
use crate::message::MessageKind;
use crate::service::Hosted;
use crate::transport::{
    Binding, Destination, Exchange, ExchangeKind, Queue, Session, SessionError, check_name,
};

/// What a server needs on its broker: durable topic exchanges, a durable queue with its bindings, and the queues for retries and dead
/// letters.
///
/// Exchanges and queue are declared as the Python original declares them (durable, without arguments), so that each side accepts the
/// other's declarations, unless [another type](super::ServerBuilder::queue_type) is set. Its `Display` output is for people:
///
/// ```text
/// exchange test_exchange (topic, durable)
/// queue test_service (durable)
/// queue test_service.dead (durable)
/// bind test_service <- test_exchange: test_hello.#
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// The exchanges, sorted by name.
    pub exchanges: Vec<Exchange>,
    /// The queues; the server's own is the first.
    pub queues: Vec<Queue>,
    /// The bindings of the server's queue, sorted.
    pub bindings: Vec<Binding>,
}

/// What a server does with its plan at the start of a session.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum DeclareMode {
    /// Declares it: the default.
    #[default]
    Declare,
    /// Checks that exchanges and queues exist, for users without the permission to configure. Bindings cannot be checked.
    Check,
    /// Does nothing: the topology is managed elsewhere.
    Skip,
}

impl Plan {
    /// Returns the plan for services on a queue.
    pub(crate) fn of(
        services: &[Arc<Hosted>],
        own: &Queues,
        exchange: &ShortString,
        delays: &[std::time::Duration],
    ) -> Result<Self, Error> {
        let mut exchanges = Vec::new();
        let mut bindings = Vec::new();
        for service in services {
            exchanges.append(&mut service.discovery().exchanges());
            exchanges.extend(service.discovery().local_publisher_exchange(service.name.as_str()));
            let who = format!("service '{}'", service.name);
            exchanges.append(&mut service.outbound.emits.exchanges(&who, service.discovery())?);
            for name in answers_to(service) {
                add(&mut bindings, own, exchange, name)?;
            }
            for topics in service.dispatcher.subscriptions() {
                let from = publisher_of(service, &topics, services)?;
                bindings.push(Binding::queue(&own.name, &from, topics.binding_key()?));
                exchanges.push(from);
            }
        }
        let mut queues = Vec::with_capacity(2 + delays.len());
        queues.extend([own.service()?, own.dead_letters()?]);
        for delay in delays {
            queues.push(own.waiting(*delay)?);
        }
        if !exchanges.contains(exchange) {
            exchanges.push(exchange.clone());
        }
        exchanges.sort_unstable();
        exchanges.dedup();
        exchanges.iter().try_for_each(|name| check_name("exchange", name))?;
        check_name("queue", &own.name)?;
        let exchanges =
            exchanges.into_iter().map(|name| Exchange::durable(name, ExchangeKind::Topic)).collect();
        bindings.sort_unstable_by(|a, b| identity(a).cmp(&identity(b)));
        bindings.dedup();
        Ok(Self { exchanges, queues, bindings })
    }

    /// Declares or checks the topology on a session.
    pub(crate) async fn apply(&self, session: &dyn Session, mode: DeclareMode) -> Result<(), SessionError> {
        match mode {
            DeclareMode::Declare => self.declare(session).await,
            DeclareMode::Check => self.check(session).await,
            DeclareMode::Skip => Ok(()),
        }
    }

    /// Declares the exchanges, the queues, and the bindings, in this order.
    ///
    /// # Errors
    ///
    /// The broker refuses a declaration, such as that of a queue which exists with other arguments, or the session is lost. What was declared
    /// before stays.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future leaves the rest undeclared. To declare again what exists changes nothing.
    pub async fn declare(&self, session: &dyn Session) -> Result<(), SessionError> {
        for exchange in &self.exchanges {
            session.admin().declare_exchange(exchange).await?;
        }
        for queue in &self.queues {
            session.admin().declare_queue(queue).await?;
        }
        for binding in &self.bindings {
            session.admin().bind(binding).await?;
        }
        Ok(())
    }

    async fn check(&self, session: &dyn Session) -> Result<(), SessionError> {
        for exchange in &self.exchanges {
            session.admin().declare_exchange_passive(&exchange.name).await?;
        }
        for queue in &self.queues {
            session.admin().declare_queue_passive(&queue.name).await?;
        }
        Ok(())
    }
}

/// Returns the names that messages to a service may have, possibly with duplicates: its own name, for replies, and those of its request
/// handlers.
///
/// The original binds request handlers only: there, a service without any does not receive replies.
fn answers_to(service: &Hosted) -> impl Iterator<Item = &str> {
    let own = service.name.as_str();
    let requests = service.dispatcher.entry_points(MessageKind::Request);
    let others = requests.filter_map(|entry_point| entry_point.service()).filter(move |name| *name != own);
    iter::once(own).chain(others)
}

/// Returns the exchange that a subscription is bound to.
fn publisher_of(service: &Hosted, topics: &TopicPattern, all: &[Arc<Hosted>]) -> Result<ShortString, Error> {
    let publisher = topics.publisher();
    let subscription = || format!("service '{}' subscribes to {topics}", service.name);
    let from = service.discovery().find(Role::Publisher, publisher).map_err(|error| {
        let text = format!(
            "{}: {error}; add `.remote_publisher(\"{publisher}\", \"its exchange\")` to the registry, or to the section \
             [{publisher}] of the `.ds` file the key `notifications`",
            subscription()
        );
        Error::new(Kind::UnableToDiscover, text)
    })?;
    let is_neighbour = all.iter().any(|other| other.name.as_str() == publisher);
    if topics.topic().is_none() && !is_neighbour {
        let requests = service.discovery().service_exchange(publisher);
        if requests.is_some_and(|requests| requests == from) {
            let text = format!(
                "{}: '{publisher}' takes its requests at the same exchange '{from}', and the pattern would take them too; subscribe to \
                 each event, or let '{publisher}' publish to an exchange of its own",
                subscription()
            );
            return Err(Error::new(Kind::Build, text));
        }
    }
    Ok(from)
}

/// Adds a binding for all keys that begin with a name.
fn add(
    bindings: &mut Vec<Binding>,
    own: &Queues,
    exchange: &ShortString,
    name: &str,
) -> Result<(), TooLongError> {
    let routing_key = ShortString::joined(&[name, ".#"])?;
    bindings.push(Binding::queue(&own.name, exchange, routing_key));
    Ok(())
}

/// Returns what identifies a binding of one queue.
fn identity(binding: &Binding) -> (&ShortString, &ShortString) {
    (&binding.source, &binding.routing_key)
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for exchange in &self.exchanges {
            writeln!(f, "exchange {} ({}, durable)", exchange.name, exchange.kind)?;
        }
        for queue in &self.queues {
            write!(f, "queue {} (durable", queue.name)?;
            for (name, value) in queue.arguments.iter() {
                match (value.as_str(), value.as_i64()) {
                    (Some(text), _) => write!(f, ", {name}: '{text}'")?,
                    (_, Some(number)) => write!(f, ", {name}: {number}")?,
                    _ => write!(f, ", {name}: {value:?}")?,
                }
            }
            writeln!(f, ")")?;
        }
        for Binding { source, destination, routing_key, .. } in &self.bindings {
            let (Destination::Queue(name) | Destination::Exchange(name)) = destination;
            writeln!(f, "bind {name} <- {source}: {routing_key}")?;
        }
        Ok(())
    }
}
