//! [`Plan`]: the topology that a server's services need. Pure, printable.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use crate::discovery::Role;
use crate::error::{Error, Kind};
use crate::field::ShortString;
use crate::inbound::Queues;
use crate::message::MessageKind;
use crate::service::Hosted;
use crate::transport::{Binding, Destination, Exchange, ExchangeKind, Queue, Session, SessionError};

/// What a server needs on its broker: durable topic exchanges, a durable queue with its bindings, and the queues for
/// retries and dead letters.
///
/// Exchanges and queue are declared as the Python original declares them (durable, without arguments), so that either side
/// accepts what the other has declared, unless [another type](super::ServerBuilder::queue_type) is asked for. Its `Display` is
/// for people:
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
    /// The queues; the server's own comes first.
    pub queues: Vec<Queue>,
    /// The bindings of the server's own queue, sorted.
    pub bindings: Vec<Binding>,
}

/// What a server does with its plan at the start of a session.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Topology {
    /// Declares it: the default.
    #[default]
    Create,
    /// Checks that exchanges and queues are there, for users without the right to configure. Bindings cannot be checked.
    Passive,
    /// Nothing: somebody else cares for it.
    None,
}

impl Plan {
    /// The plan for services on a queue.
    pub(crate) fn of(
        services: &[std::sync::Arc<Hosted>],
        own: &Queues,
        exchange: &ShortString,
        delays: &[std::time::Duration],
    ) -> Result<Self, Error> {
        let queue = &own.name;
        let mut exchanges = BTreeSet::from([exchange.clone()]);
        let mut bindings = BTreeMap::new();
        for service in services {
            exchanges.extend(service.discovery().exchanges());
            for name in answers_to(service) {
                add(&mut bindings, queue, exchange, format!("{name}.#"))?;
            }
            for topic in service.dispatcher.entry_points(MessageKind::Notification) {
                let publisher = topic.service().unwrap_or_default();
                let from = service.discovery().find(Role::Publisher, publisher).map_err(|error| {
                    let text = format!("service '{}' subscribes to {topic}", service.name);
                    Error::new(Kind::UnableToDiscover, format!("{text}: {error}"))
                })?;
                exchanges.insert(from.clone());
                add(&mut bindings, queue, &from, format!("{topic}.#"))?;
            }
        }
        let mut queues = vec![own.service()?, own.dead_letters()?];
        for delay in delays {
            queues.push(own.waiting(*delay)?);
        }
        let exchanges =
            exchanges.into_iter().map(|name| Exchange::durable(name, ExchangeKind::Topic)).collect();
        Ok(Self { exchanges, queues, bindings: bindings.into_values().collect() })
    }

    /// Makes it so, or checks it, on a session.
    pub(crate) async fn apply(&self, session: &dyn Session, topology: Topology) -> Result<(), SessionError> {
        match topology {
            Topology::Create => self.declare(session).await,
            Topology::Passive => self.check(session).await,
            Topology::None => Ok(()),
        }
    }

    async fn declare(&self, session: &dyn Session) -> Result<(), SessionError> {
        for exchange in &self.exchanges {
            session.declare_exchange(exchange).await?;
        }
        for queue in &self.queues {
            session.declare_queue(queue).await?;
        }
        for binding in &self.bindings {
            session.bind(binding).await?;
        }
        Ok(())
    }

    async fn check(&self, session: &dyn Session) -> Result<(), SessionError> {
        for exchange in &self.exchanges {
            session.check_exchange(&exchange.name).await?;
        }
        for queue in &self.queues {
            session.check_queue(&queue.name).await?;
        }
        Ok(())
    }
}

/// The names that messages to a service bear: its own, for replies come to that, and those of its request handlers.
///
/// The original binds request handlers alone: there, a service without any never hears a reply.
fn answers_to(service: &Hosted) -> BTreeSet<&str> {
    let requests = service.dispatcher.entry_points(MessageKind::Request);
    let mut names: BTreeSet<&str> = requests.filter_map(|entry_point| entry_point.service()).collect();
    names.insert(service.name.as_str());
    names
}

fn add(
    bindings: &mut BTreeMap<(ShortString, String), Binding>,
    queue: &ShortString,
    exchange: &ShortString,
    key: String,
) -> Result<(), Error> {
    let routing_key = ShortString::try_from(key.as_str())?;
    bindings.insert((exchange.clone(), key), Binding::queue(queue, exchange, routing_key));
    Ok(())
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
