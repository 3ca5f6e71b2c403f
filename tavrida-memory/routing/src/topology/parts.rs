//! [`Exchange`], [`Queue`] and [`Binding`]: the parts of a topology.

use std::fmt;
use std::time::Duration;

use crate::value::{Table, Value};

/// How an exchange routes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ExchangeType {
    /// To bindings whose key equals the routing key.
    Direct,
    /// To bindings whose pattern matches the words of the routing key: `*` is one word, `#` any number of words.
    Topic,
    /// To all bindings.
    Fanout,
    /// To bindings whose arguments match the headers of the message.
    Headers,
}

impl ExchangeType {
    /// All types.
    pub const ALL: [Self; 4] = [Self::Direct, Self::Topic, Self::Fanout, Self::Headers];

    /// Returns the name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Direct => "direct",
            Self::Topic => "topic",
            Self::Fanout => "fanout",
            Self::Headers => "headers",
        }
    }

    /// Returns the type of a name on the wire. `None` if a node without plugins does not know it.
    pub fn of(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }
}

impl fmt::Display for ExchangeType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// An exchange, durable unless declared otherwise.
///
/// ```
/// use tavrida_routing::Exchange;
///
/// let orders = Exchange::topic("orders").alternate_exchange("unrouted");
/// assert_eq!(orders.alternate(), Some("unrouted"));
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Exchange {
    /// The name.
    pub name: String,
    /// How it routes.
    pub kind: ExchangeType,
    /// Whether it survives a restart of the node.
    pub durable: bool,
    /// Whether it is deleted with its last outgoing binding.
    pub auto_delete: bool,
    /// Whether clients cannot publish to it: messages come through bindings, as an alternate or by dead-lettering.
    pub internal: bool,
    /// The arguments that it is declared with.
    pub arguments: Table,
    /// What the policies of its virtual host set, where they win over the arguments.
    pub(crate) policy: Table,
}

impl Exchange {
    /// Returns a durable exchange without arguments.
    pub fn new(name: impl Into<String>, kind: ExchangeType) -> Self {
        Self {
            name: name.into(),
            kind,
            durable: true,
            auto_delete: false,
            internal: false,
            arguments: Table::new(),
            policy: Table::new(),
        }
    }

    /// Returns a durable direct exchange.
    pub fn direct(name: impl Into<String>) -> Self {
        Self::new(name, ExchangeType::Direct)
    }

    /// Returns a durable topic exchange.
    pub fn topic(name: impl Into<String>) -> Self {
        Self::new(name, ExchangeType::Topic)
    }

    /// Returns a durable fanout exchange.
    pub fn fanout(name: impl Into<String>) -> Self {
        Self::new(name, ExchangeType::Fanout)
    }

    /// Returns a durable headers exchange.
    pub fn headers(name: impl Into<String>) -> Self {
        Self::new(name, ExchangeType::Headers)
    }

    /// Makes it internal: clients cannot publish to it.
    #[must_use = "the exchange comes back changed"]
    pub fn internal(self) -> Self {
        Self { internal: true, ..self }
    }

    /// Makes it transient: it does not survive a restart.
    #[must_use = "the exchange comes back changed"]
    pub fn transient(self) -> Self {
        Self { durable: false, ..self }
    }

    /// Sets the alternate exchange, which gets the messages that match no binding of this one.
    #[must_use = "the exchange comes back changed"]
    pub fn alternate_exchange(self, name: impl Into<String>) -> Self {
        self.argument("alternate-exchange", name.into())
    }

    /// Adds an argument.
    #[must_use = "the exchange comes back changed"]
    pub fn argument(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.arguments.insert(name, value);
        self
    }

    /// Returns the name of the alternate exchange, from the arguments or otherwise from a policy.
    pub fn alternate(&self) -> Option<&str> {
        let name = self.arguments.get("alternate-exchange").or_else(|| self.policy.get("alternate-exchange"));
        name.and_then(Value::as_str)
    }
}

/// A queue, durable and classic unless declared otherwise.
///
/// ```
/// use tavrida_routing::{Queue, QueueType};
///
/// let billing = Queue::quorum("billing").dead_letter("dead", "billing");
/// assert_eq!(billing.queue_type(), QueueType::Quorum);
/// assert_eq!(billing.dead_letter_exchange(), Some("dead"));
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Queue {
    /// The name.
    pub name: String,
    /// Whether it survives a restart of the node.
    pub durable: bool,
    /// Whether it belongs to one connection and is deleted with it.
    pub exclusive: bool,
    /// Whether it is deleted with its last consumer.
    pub auto_delete: bool,
    /// The arguments that it is declared with.
    pub arguments: Table,
    /// What the policies of its virtual host set, where they win over the arguments.
    pub(crate) policy: Table,
}

/// The type of a queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum QueueType {
    /// One node holds it.
    Classic,
    /// Replicated by Raft.
    Quorum,
    /// An append-only log.
    Stream,
}

impl QueueType {
    /// Returns the value of `x-queue-type`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Classic => "classic",
            Self::Quorum => "quorum",
            Self::Stream => "stream",
        }
    }

    /// Returns the type that arguments request. `None` if that type does not exist.
    pub(crate) fn of(arguments: &Table) -> Option<Self> {
        let Some(name) = arguments.get("x-queue-type") else { return Some(Self::Classic) };
        [Self::Classic, Self::Quorum, Self::Stream]
            .into_iter()
            .find(|kind| name.as_str() == Some(kind.as_str()))
    }
}

impl Queue {
    /// Returns a durable classic queue without arguments.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            durable: true,
            exclusive: false,
            auto_delete: false,
            arguments: Table::new(),
            policy: Table::new(),
        }
    }

    /// Returns a quorum queue.
    pub fn quorum(name: impl Into<String>) -> Self {
        Self::new(name).argument("x-queue-type", "quorum")
    }

    /// Returns a stream.
    pub fn stream(name: impl Into<String>) -> Self {
        Self::new(name).argument("x-queue-type", "stream")
    }

    /// Makes it transient: it does not survive a restart.
    #[must_use = "the queue comes back changed"]
    pub fn transient(self) -> Self {
        Self { durable: false, ..self }
    }

    /// Sets the dead-letter exchange, with a routing key.
    #[must_use = "the queue comes back changed"]
    pub fn dead_letter(self, exchange: impl Into<String>, routing_key: impl Into<String>) -> Self {
        self.dead_letter_to(exchange).argument("x-dead-letter-routing-key", routing_key.into())
    }

    /// Sets the dead-letter exchange; dead letters keep their routing keys.
    #[must_use = "the queue comes back changed"]
    pub fn dead_letter_to(self, exchange: impl Into<String>) -> Self {
        self.argument("x-dead-letter-exchange", exchange.into())
    }

    /// Sets the time to live of messages, rounded down to milliseconds.
    #[must_use = "the queue comes back changed"]
    pub fn message_ttl(self, ttl: Duration) -> Self {
        self.argument("x-message-ttl", i64::try_from(ttl.as_millis()).unwrap_or(i64::MAX))
    }

    /// Sets the maximum number of ready messages.
    #[must_use = "the queue comes back changed"]
    pub fn max_length(self, messages: u32) -> Self {
        self.argument("x-max-length", i64::from(messages))
    }

    /// Adds an argument.
    #[must_use = "the queue comes back changed"]
    pub fn argument(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.arguments.insert(name, value);
        self
    }

    /// Returns the type. An argument with an unknown type never gets into a topology; for such a queue this is `Classic`.
    pub fn queue_type(&self) -> QueueType {
        QueueType::of(&self.arguments).unwrap_or(QueueType::Classic)
    }

    /// Returns the dead-letter exchange, from the arguments or otherwise from a policy.
    pub fn dead_letter_exchange(&self) -> Option<&str> {
        self.setting("dead-letter-exchange").and_then(Value::as_str)
    }

    /// Returns the routing key of dead letters, from the arguments or otherwise from a policy; without one they keep their own.
    pub fn dead_letter_routing_key(&self) -> Option<&str> {
        self.setting("dead-letter-routing-key").and_then(Value::as_str)
    }

    /// Returns a setting by its name in policies, such as `message-ttl`, as RabbitMQ merges the argument (`x-message-ttl`) with the
    /// policies: the smaller limit holds, otherwise the argument, but for some settings of quorum queues.
    pub fn setting(&self, name: &str) -> Option<&Value> {
        self.policy.get(name).or_else(|| self.arguments.get(&format!("x-{name}")))
    }
}

/// The destination of a binding.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Destination {
    /// A queue.
    Queue(String),
    /// Another exchange, which routes further.
    Exchange(String),
}

impl Destination {
    /// Returns the name of the queue or exchange.
    pub fn name(&self) -> &str {
        let (Self::Queue(name) | Self::Exchange(name)) = self;
        name
    }
}

impl fmt::Display for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Queue(name) => write!(f, "queue '{name}'"),
            Self::Exchange(name) => write!(f, "exchange '{name}'"),
        }
    }
}

/// A binding: which messages of an exchange are routed where.
#[derive(Debug, Clone, PartialEq)]
pub struct Binding {
    /// The source exchange.
    pub source: String,
    /// Where matching messages go.
    pub destination: Destination,
    /// The key or pattern. Fanout and headers exchanges ignore it.
    pub routing_key: String,
    /// The arguments that a headers exchange compares.
    pub arguments: Table,
}

impl Binding {
    /// Binds a queue to an exchange, with the order of parameters of AMQP's `queue.bind`.
    pub fn queue(
        queue: impl Into<String>,
        exchange: impl Into<String>,
        routing_key: impl Into<String>,
    ) -> Self {
        Self {
            source: exchange.into(),
            destination: Destination::Queue(queue.into()),
            routing_key: routing_key.into(),
            arguments: Table::new(),
        }
    }

    /// Binds an exchange to another, with the order of parameters of AMQP's `exchange.bind`: the destination comes first.
    pub fn exchange(
        destination: impl Into<String>,
        source: impl Into<String>,
        routing_key: impl Into<String>,
    ) -> Self {
        Self {
            source: source.into(),
            destination: Destination::Exchange(destination.into()),
            routing_key: routing_key.into(),
            arguments: Table::new(),
        }
    }

    /// Returns what distinguishes it from other bindings (R43): names, key, and the arguments with their types, in any order.
    pub(crate) fn identity(&self) -> String {
        let Self { source, destination, routing_key, arguments } = self;
        let mut text = format!("{source:?} {destination:?} {routing_key:?}");
        for (name, value) in arguments {
            // The sum turns -0.0 into 0.0.
            let value =
                value.as_f64().map_or_else(|| format!("{value:?}"), |float| (float + 0.0).to_string());
            text.extend([" ", name, &value]);
        }
        text
    }

    /// Adds an argument, such as `x-match` of a headers exchange.
    #[must_use = "the binding comes back changed"]
    pub fn argument(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.arguments.insert(name, value);
        self
    }
}

impl fmt::Display for Binding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} --'{}'", self.source, self.routing_key)?;
        for (name, value) in &self.arguments {
            write!(f, " {name}={value}")?;
        }
        write!(f, "--> {}", self.destination)
    }
}
