//! [`Topology`]: the exchanges, queues and bindings of one virtual host.

mod arguments;
mod builder;
mod parts;
mod policy;

use std::collections::{BTreeMap, HashSet};

use tavrida_behaviour::{Behaviour, RabbitMq};

use crate::broker_error::BrokerError;
use crate::criteria::Criteria;

pub use builder::Builder;
pub use parts::{Binding, Destination, Exchange, ExchangeType, Queue, QueueType};
pub(crate) use policy::{is_limit, limit_wins};

/// The exchanges that every virtual host has (R16).
const PREDECLARED: [(&str, ExchangeType); 6] = [
    ("amq.direct", ExchangeType::Direct),
    ("amq.fanout", ExchangeType::Fanout),
    ("amq.headers", ExchangeType::Headers),
    ("amq.match", ExchangeType::Headers),
    ("amq.rabbitmq.trace", ExchangeType::Topic),
    ("amq.topic", ExchangeType::Topic),
];

/// The exchanges, queues and bindings of one virtual host.
///
/// It accepts what a node accepts and refuses what a node refuses, with the same code and text. The predeclared exchanges
/// (`amq.*`) are part of it.
///
/// ```
/// use tavrida_routing::{Exchange, Message, Queue, Topology};
///
/// let topology = Topology::builder()
///     .exchange(Exchange::topic("orders"))
///     .queue(Queue::quorum("billing"))
///     .bind_queue("billing", "orders", "order.*.paid")
///     .build()?;
///
/// let routing = topology.route(&Message::new("orders", "order.7.paid"))?;
/// assert!(routing.reaches("billing"));
/// # Ok::<(), tavrida_routing::BrokerError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Topology {
    virtual_host: String,
    behaviour: Behaviour,
    exchanges: BTreeMap<String, Exchange>,
    queues: BTreeMap<String, Queue>,
    bindings: Vec<Binding>,
    /// What distinguishes the bindings, so that a large file is read in linear time.
    known: HashSet<String>,
}

impl Topology {
    /// Returns a virtual host with only the predeclared exchanges: `/` behaving as the [default](RabbitMq::default) version does.
    pub fn new() -> Self {
        Self::of("/", RabbitMq::default())
    }

    /// Returns a virtual host with this name, which error texts show, that behaves as a version of RabbitMQ does, or by single
    /// decisions.
    pub fn of(virtual_host: impl Into<String>, behaviour: impl Into<Behaviour>) -> Self {
        let predeclared = PREDECLARED.map(|(name, kind)| {
            let exchange = Exchange { internal: name == "amq.rabbitmq.trace", ..Exchange::new(name, kind) };
            (name.to_owned(), exchange)
        });
        Self {
            virtual_host: virtual_host.into(),
            behaviour: behaviour.into(),
            exchanges: predeclared.into(),
            queues: BTreeMap::new(),
            bindings: Vec::new(),
            known: HashSet::new(),
        }
    }

    /// Returns a builder of a topology.
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// Returns the name of the virtual host.
    pub fn virtual_host(&self) -> &str {
        &self.virtual_host
    }

    /// Returns the decisions that it follows.
    pub fn behaviour(&self) -> &Behaviour {
        &self.behaviour
    }

    /// Returns the exchanges by name, including the predeclared ones.
    pub fn exchanges(&self) -> impl Iterator<Item = &Exchange> {
        self.exchanges.values()
    }

    /// Returns the queues by name.
    pub fn queues(&self) -> impl Iterator<Item = &Queue> {
        self.queues.values()
    }

    /// Returns the bindings, in the order in which they were added.
    pub fn bindings(&self) -> &[Binding] {
        &self.bindings
    }

    /// Returns the bindings whose source is an exchange.
    pub fn bindings_from<'a>(&'a self, exchange: &'a str) -> impl Iterator<Item = &'a Binding> {
        self.bindings.iter().filter(move |binding| binding.source == exchange)
    }

    /// Returns an exchange by its name.
    pub fn exchange(&self, name: &str) -> Option<&Exchange> {
        self.exchanges.get(name)
    }

    /// Returns a queue by its name.
    pub fn queue(&self, name: &str) -> Option<&Queue> {
        self.queues.get(name)
    }

    /// Declares an exchange. Declaring it again with the same properties changes nothing.
    ///
    /// # Errors
    ///
    /// The error of a node: 403 for the default exchange and for a new name that begins with `amq.`, 406 if an exchange of this name has
    /// other properties, or the alternate exchange is not text.
    pub fn declare_exchange(&mut self, exchange: Exchange) -> Result<(), BrokerError> {
        let exchange = Exchange { name: stripped(&exchange.name), ..exchange };
        check_not_default(&exchange.name)?;
        BrokerError::check_length("exchange name", &exchange.name)?;
        if !self.exchanges.contains_key(&exchange.name) {
            check_not_reserved("exchange", &exchange.name)?;
        }
        self.restore_exchange(exchange)
    }

    /// As [`declare_exchange`](Self::declare_exchange), for names that a client may not use: a definitions file may.
    pub(crate) fn restore_exchange(&mut self, exchange: Exchange) -> Result<(), BrokerError> {
        let what = self.exchange_text(&exchange.name);
        let Some(known) = self.exchanges.get(&exchange.name) else {
            arguments::exchange_name(
                "alternate-exchange",
                &what,
                exchange.arguments.get("alternate-exchange"),
            )?;
            self.exchanges.insert(exchange.name.clone(), exchange);
            return Ok(());
        };
        arguments::field("type", &what, known.kind, exchange.kind)?;
        arguments::field("durable", &what, known.durable, exchange.durable)?;
        arguments::field("auto_delete", &what, known.auto_delete, exchange.auto_delete)?;
        arguments::field("internal", &what, known.internal, exchange.internal)?;
        arguments::equivalent("alternate-exchange", &what, &known.arguments, &exchange.arguments)
    }

    /// Returns the error for an exchange type that a node does not know.
    pub(crate) fn unknown_type(&self, name: &str) -> BrokerError {
        let word = if matches!(name, "" | "rabbit") { "invalid" } else { "unknown" };
        let text = format!("{word} exchange type '{name}'");
        match self.behaviour.unknown_exchange_type_is_soft {
            true => BrokerError::precondition_failed(text),
            false => BrokerError::command_invalid(text),
        }
    }

    /// Declares a queue. Declaring it again with the same properties changes nothing.
    ///
    /// # Errors
    ///
    /// The error of a node: 403 for a name that begins with `amq.`, 406 if an argument is invalid, or a queue of this name has other
    /// properties; 541 for a transient queue under [`Behaviour::refuses_transient_queues`]. An empty name, for which a node generates one, is 502 here: a topology has to know its names.
    pub fn declare_queue(&mut self, queue: Queue) -> Result<(), BrokerError> {
        let queue = Queue { name: stripped(&queue.name), ..queue };
        BrokerError::check_length("queue name", &queue.name)?;
        if queue.name.is_empty() {
            return Err(BrokerError::syntax_error("a queue of a topology needs a name"));
        }
        check_not_reserved("queue", &queue.name)?;
        self.restore_queue(queue)
    }

    /// As [`declare_queue`](Self::declare_queue), for names that a client may not use: a definitions file may.
    pub(crate) fn restore_queue(&mut self, mut queue: Queue) -> Result<(), BrokerError> {
        queue.durable &= !queue.exclusive;
        let what = self.queue_text(&queue.name);
        if let Some(known) = self.queues.get(&queue.name) {
            if known.exclusive != queue.exclusive {
                return Err(BrokerError::locked(&what));
            }
            arguments::field("durable", &what, known.durable, queue.durable)?;
            arguments::field("auto_delete", &what, known.auto_delete, queue.auto_delete)?;
            return arguments::equivalent_queue(&known.arguments, &queue.arguments, &what, &self.behaviour);
        }
        let kind = arguments::check(&queue.arguments, &what, &self.behaviour)?;
        if self.behaviour.refuses_transient_queues && !queue.durable && !queue.exclusive {
            return Err(BrokerError::transient_queue());
        }
        if kind != QueueType::Classic {
            check_replicated(&queue, &what)?;
        }
        self.queues.insert(queue.name.clone(), queue);
        Ok(())
    }

    /// Adds a binding. Adding it again changes nothing.
    ///
    /// # Errors
    ///
    /// The error of a node: 403 for the default exchange, 404 if source or destination does not exist, 406 if the `x-match` of a headers
    /// exchange is invalid, or a pattern has more `#` than [`Behaviour::most_hashes`] allows.
    pub fn bind(&mut self, binding: Binding) -> Result<(), BrokerError> {
        let destination = match &binding.destination {
            Destination::Queue(name) => Destination::Queue(stripped(name)),
            Destination::Exchange(name) => Destination::Exchange(stripped(name)),
        };
        self.restore_binding(Binding { source: stripped(&binding.source), destination, ..binding })
    }

    /// As [`bind`](Self::bind), for names that a client may not use: a definitions file may.
    pub(crate) fn restore_binding(&mut self, binding: Binding) -> Result<(), BrokerError> {
        let Binding { source, destination, routing_key, arguments } = &binding;
        BrokerError::check_length("routing key", routing_key)?;
        if let Destination::Exchange(name) = destination {
            check_not_default(name)?;
        }
        check_not_default(source)?;
        let Some(exchange) = self.exchanges.get(source) else {
            return Err(BrokerError::not_found(format_args!("no {}", self.exchange_text(source))));
        };
        match destination {
            Destination::Queue(name) if !self.queues.contains_key(name) => {
                return Err(BrokerError::not_found(format_args!("no {}", self.queue_text(name))));
            }
            Destination::Exchange(name) if !self.exchanges.contains_key(name) => {
                return Err(BrokerError::not_found(format_args!("no {}", self.exchange_text(name))));
            }
            _ => {}
        }
        match exchange.kind {
            ExchangeType::Headers => drop(Criteria::of(arguments, &self.behaviour)?),
            ExchangeType::Topic => self.check_hashes(routing_key)?,
            ExchangeType::Direct | ExchangeType::Fanout => {}
        }
        if self.known.insert(binding.identity()) {
            self.bindings.push(binding);
        }
        Ok(())
    }

    fn check_hashes(&self, key: &str) -> Result<(), BrokerError> {
        let count = key.split('.').filter(|word| *word == "#").count();
        match self.behaviour.most_hashes {
            Some(most) if count > most => Err(BrokerError::precondition_failed(format_args!(
                "Topic binding key '{key}' uses {count} '#' wildcards, at most {most} are allowed"
            ))),
            _ => Ok(()),
        }
    }

    #[cfg(feature = "memory")]
    pub(crate) fn exchange_mut(&mut self, name: &str) -> Option<&mut Exchange> {
        self.exchanges.get_mut(name)
    }

    #[cfg(feature = "memory")]
    pub(crate) fn queue_mut(&mut self, name: &str) -> Option<&mut Queue> {
        self.queues.get_mut(name)
    }

    pub(crate) fn exchanges_mut(&mut self) -> impl Iterator<Item = &mut Exchange> {
        self.exchanges.values_mut()
    }

    pub(crate) fn queues_mut(&mut self) -> impl Iterator<Item = &mut Queue> {
        self.queues.values_mut()
    }

    /// Adds all that another topology of the same virtual host has.
    ///
    /// # Errors
    ///
    /// The error of a node when one declares after the other: 406 if the two declare a name differently. This topology then has a part of
    /// the other.
    pub fn merge(&mut self, other: &Self) -> Result<(), BrokerError> {
        other.exchanges().try_for_each(|exchange| self.restore_exchange(exchange.clone()))?;
        other.queues().try_for_each(|queue| self.restore_queue(queue.clone()))?;
        other.bindings.iter().try_for_each(|binding| self.restore_binding(binding.clone()))
    }

    /// Returns an exchange as the texts of a node name it.
    pub(crate) fn exchange_text(&self, name: &str) -> String {
        format!("exchange '{name}' in vhost '{}'", self.virtual_host)
    }

    fn queue_text(&self, name: &str) -> String {
        format!("queue '{name}' in vhost '{}'", self.virtual_host)
    }
}

impl Default for Topology {
    fn default() -> Self {
        Self::new()
    }
}

/// Removes line ends from a name (R29).
fn stripped(name: &str) -> String {
    name.replace(['\r', '\n'], "")
}

fn check_not_default(name: &str) -> Result<(), BrokerError> {
    if name.is_empty() {
        return Err(BrokerError::access_refused("operation not permitted on the default exchange"));
    }
    Ok(())
}

fn check_not_reserved(kind: &str, name: &str) -> Result<(), BrokerError> {
    if name.starts_with("amq.") {
        let text = format!("{kind} name '{name}' contains reserved prefix 'amq.*'");
        return Err(BrokerError::access_refused(text));
    }
    Ok(())
}

/// Quorum queues and streams are durable and shared (R130).
fn check_replicated(queue: &Queue, what: &str) -> Result<(), BrokerError> {
    let property = match queue {
        Queue { auto_delete: true, .. } => "auto-delete",
        Queue { exclusive: true, .. } => "exclusive-owner",
        Queue { durable: false, .. } => "non-durable",
        _ => return Ok(()),
    };
    Err(BrokerError::precondition_failed(format_args!("invalid property '{property}' for {what}")))
}
