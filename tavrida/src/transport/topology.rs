//! What is declared on a broker: exchanges, queues, bindings.

use std::fmt;

use crate::field::{ShortString, Table};

/// An exchange, as it is declared.
#[derive(Debug, Clone, PartialEq)]
pub struct Exchange {
    /// Its name.
    pub name: ShortString,
    /// How it routes.
    pub kind: ExchangeKind,
    /// Whether it survives a restart of the broker.
    pub durable: bool,
    /// Whether it is deleted with its last outgoing binding.
    pub auto_delete: bool,
    /// Whether clients are barred from publishing to it directly.
    pub internal: bool,
    /// Further arguments, such as `alternate-exchange`.
    pub arguments: Table,
}

impl Exchange {
    /// A durable exchange without arguments that stays until it is deleted: what Tavrida's services use.
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

    /// An exchange that does not survive a restart of the broker.
    pub fn transient(name: impl Into<ShortString>, kind: ExchangeKind) -> Self {
        Self { durable: false, ..Self::durable(name, kind) }
    }
}

/// How an exchange routes.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ExchangeKind {
    /// To bindings whose key equals the routing key.
    Direct,
    /// To bindings whose pattern matches the words of the routing key: `*` is one word, `#` any number.
    Topic,
    /// To all bindings.
    Fanout,
    /// To bindings whose arguments match the headers.
    Headers,
    /// A type by its name, as brokers with plugins know more of them.
    Other(ShortString),
}

impl ExchangeKind {
    /// The type's name on the wire.
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
    /// Its name; empty asks the broker to make one up.
    pub name: ShortString,
    /// Whether it survives a restart of the broker.
    pub durable: bool,
    /// Whether it belongs to this session alone and dies with it.
    pub exclusive: bool,
    /// Whether it is deleted when its last consumer leaves.
    pub auto_delete: bool,
    /// Further arguments, such as `x-message-ttl`.
    pub arguments: Table,
}

impl Queue {
    /// A durable, shared queue without arguments: what Tavrida's servers use.
    pub fn durable(name: impl Into<ShortString>) -> Self {
        Self {
            name: name.into(),
            durable: true,
            exclusive: false,
            auto_delete: false,
            arguments: Table::new(),
        }
    }

    /// A shared queue that does not survive a restart of the broker.
    pub fn transient(name: impl Into<ShortString>) -> Self {
        Self { durable: false, ..Self::durable(name) }
    }

    /// A queue of this session's own, named by the broker.
    pub fn exclusive() -> Self {
        Self { exclusive: true, ..Self::transient(ShortString::default()) }
    }

    /// The same queue with one more argument.
    #[must_use = "the queue comes back with the argument"]
    pub fn argument(mut self, name: impl Into<ShortString>, value: impl Into<crate::field::Value>) -> Self {
        self.arguments.insert(name, value);
        self
    }
}

/// What a broker says of a queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueueStatus {
    /// Its name; the broker's own where it was asked to make one up.
    pub name: ShortString,
    /// How many messages are ready to be delivered. Unsettled deliveries do not count.
    pub messages: u32,
    /// How many consumers it has.
    pub consumers: u32,
}

/// A rule of an exchange: what of its messages goes on to where.
#[derive(Debug, Clone, PartialEq)]
pub struct Binding {
    /// The exchange that routes.
    pub source: ShortString,
    /// Where matching messages go.
    pub destination: Destination,
    /// The key or pattern; headers exchanges ignore it.
    pub routing_key: ShortString,
    /// What a headers exchange compares with; part of the binding's identity on every exchange.
    pub arguments: Table,
}

impl Binding {
    /// From an exchange to a queue.
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

    /// From one exchange to another.
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

    /// The same binding with arguments.
    #[must_use = "the binding comes back with the arguments"]
    pub fn arguments(mut self, arguments: Table) -> Self {
        self.arguments = arguments;
        self
    }
}

/// Where a binding leads.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Destination {
    /// Into a queue.
    Queue(ShortString),
    /// Into another exchange, which routes on.
    Exchange(ShortString),
}
