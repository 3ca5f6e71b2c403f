//! What is declared on a broker: exchanges, queues, bindings.

use std::fmt;

use crate::error::{Error, Kind};
use crate::field::{ShortString, Table};

/// An exchange, as it is declared.
#[derive(Debug, Clone, PartialEq)]
pub struct Exchange {
    /// Its name.
    pub name: ShortString,
    /// Its type.
    pub kind: ExchangeKind,
    /// Whether it survives a restart of the broker.
    pub durable: bool,
    /// Whether it is deleted when the last binding from it is removed.
    pub auto_delete: bool,
    /// Whether clients cannot publish to it directly.
    pub internal: bool,
    /// Further arguments, such as `alternate-exchange`.
    pub arguments: Table,
}

impl Exchange {
    /// Returns a durable exchange without arguments that exists until it is deleted, as Tavrida's services use.
    pub fn durable(name: impl Into<ShortString>, kind: ExchangeKind) -> Self {
        Self {
            name: name.into(),
            kind,
            durable: true,
            auto_delete: false,
            internal: false,
            arguments: Table::new(),
        }
    }

    /// Returns an exchange that does not survive a restart of the broker.
    pub fn transient(name: impl Into<ShortString>, kind: ExchangeKind) -> Self {
        Self { durable: false, ..Self::durable(name, kind) }
    }
}

/// The type of an exchange: how it routes.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ExchangeKind {
    /// To bindings whose key equals the routing key.
    Direct,
    /// To bindings whose pattern matches the words of the routing key: `*` is one word, `#` any number of words.
    Topic,
    /// To all bindings.
    Fanout,
    /// To bindings whose arguments match the headers.
    Headers,
    /// Another type by its name, for brokers with plugins.
    Other(ShortString),
}

impl ExchangeKind {
    /// Returns the type's name on the wire.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Direct => "direct",
            Self::Topic => "topic",
            Self::Fanout => "fanout",
            Self::Headers => "headers",
            Self::Other(name) => name,
        }
    }
}

impl fmt::Display for ExchangeKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A queue, as it is declared.
#[derive(Debug, Clone, PartialEq)]
pub struct Queue {
    /// Its name; if it is empty, the broker generates one.
    pub name: ShortString,
    /// Whether it survives a restart of the broker.
    pub durable: bool,
    /// Whether it is exclusive to this session and deleted with it.
    pub exclusive: bool,
    /// Whether it is deleted when its last consumer is cancelled.
    pub auto_delete: bool,
    /// Further arguments, such as `x-message-ttl`.
    pub arguments: Table,
}

impl Queue {
    /// Returns a durable, shared queue without arguments, as Tavrida's servers use.
    pub fn durable(name: impl Into<ShortString>) -> Self {
        Self {
            name: name.into(),
            durable: true,
            exclusive: false,
            auto_delete: false,
            arguments: Table::new(),
        }
    }

    /// Returns a shared queue that does not survive a restart of the broker.
    pub fn transient(name: impl Into<ShortString>) -> Self {
        Self { durable: false, ..Self::durable(name) }
    }

    /// Returns a queue exclusive to this session, named by the broker.
    pub fn exclusive() -> Self {
        Self { exclusive: true, ..Self::transient(ShortString::default()) }
    }

    /// Adds an argument.
    #[must_use = "the queue comes back with the argument"]
    pub fn argument(mut self, name: impl Into<ShortString>, value: impl Into<crate::field::Value>) -> Self {
        self.arguments.insert(name, value);
        self
    }
}

/// The broker's status of a queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueueStatus {
    /// Its name, which the broker may have generated.
    pub name: ShortString,
    /// The number of ready messages. Unacknowledged deliveries do not count.
    pub messages: u32,
    /// The number of consumers.
    pub consumers: u32,
}

/// A binding: which messages of an exchange are routed where.
#[derive(Debug, Clone, PartialEq)]
pub struct Binding {
    /// The exchange that routes.
    pub source: ShortString,
    /// Where matching messages go.
    pub destination: Destination,
    /// The key or pattern; headers exchanges ignore it.
    pub routing_key: ShortString,
    /// The arguments that a headers exchange compares; part of the binding's identity on every exchange.
    pub arguments: Table,
}

impl Binding {
    /// Binds a queue to an exchange.
    pub fn queue(
        queue: impl Into<ShortString>,
        exchange: impl Into<ShortString>,
        routing_key: impl Into<ShortString>,
    ) -> Self {
        Self {
            source: exchange.into(),
            destination: Destination::Queue(queue.into()),
            routing_key: routing_key.into(),
            arguments: Table::new(),
        }
    }

    /// Binds an exchange to an exchange.
    pub fn exchange(
        destination: impl Into<ShortString>,
        source: impl Into<ShortString>,
        routing_key: impl Into<ShortString>,
    ) -> Self {
        Self {
            source: source.into(),
            destination: Destination::Exchange(destination.into()),
            routing_key: routing_key.into(),
            arguments: Table::new(),
        }
    }

    /// Sets the arguments.
    #[must_use = "the binding comes back with the arguments"]
    pub fn arguments(mut self, arguments: Table) -> Self {
        self.arguments = arguments;
        self
    }
}

/// The destination of a binding.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Destination {
    /// A queue.
    Queue(ShortString),
    /// An exchange, which routes further.
    Exchange(ShortString),
}

/// Checks that a queue or exchange can be found by the name that it is declared with. Empty names are another matter.
///
/// # Errors
///
/// RabbitMQ removes carriage returns and line feeds from names when it declares, and only then. All other characters it takes as they are.
pub(crate) fn check_name(what: &str, name: &str) -> Result<(), Error> {
    if !name.contains(['\r', '\n']) {
        return Ok(());
    }
    let text = format!(
        "the name of the {what} {name:?} has a line break in it: RabbitMQ would declare it without, and never find it again"
    );
    Err(Error::new(Kind::UnsuitableFieldValue, text))
}
