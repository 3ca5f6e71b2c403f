//! [`Snapshot`]: the contents of a broker, for tests and people.

use std::fmt;

use tavrida::field::{ShortString, Table};
use tavrida_behaviour::Behaviour;

use super::clients::Clients;
use super::ids::{ChannelId, ConnectionId};
use super::node::Node;
use super::queue::{Message, Queue};
use super::topology::Topology;
use super::topology::binding::Target;
use super::topology::exchange::Exchange;
use super::topology::policy::Definition;

/// The contents of a broker at one moment. Sorted by names, so that equal brokers have equal snapshots and equal output.
///
/// ```
/// use tavrida_memory::core::{Broker, Config};
///
/// let snapshot = Broker::new(Config::default()).snapshot();
/// assert!(snapshot.queues.is_empty());
/// println!("{snapshot}");
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Snapshot {
    /// The name of the virtual host.
    pub virtual_host: ShortString,
    /// How the broker behaves.
    pub behaviour: Behaviour,
    /// All queues.
    pub queues: Vec<QueueView>,
    /// All exchanges, including the predeclared ones.
    pub exchanges: Vec<ExchangeView>,
    /// All bindings, without those of the default exchange.
    pub bindings: Vec<BindingView>,
    /// All open connections with their open channels.
    pub connections: Vec<ConnectionView>,
}

/// A queue in a [`Snapshot`].
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct QueueView {
    /// Its name.
    pub name: ShortString,
    /// Whether it survives a restart.
    pub durable: bool,
    /// The connection that it belongs to, if it is exclusive.
    pub owner: Option<ConnectionId>,
    /// Whether it is deleted with its last consumer.
    pub auto_delete: bool,
    /// Its arguments as they were declared.
    pub arguments: Table,
    /// What the policy that applies to it sets.
    pub policy: Option<Definition>,
    /// The bodies of its ready messages, in the order of delivery.
    pub ready: Vec<bytes::Bytes>,
    /// The bodies of the dead letters that it keeps until their targets accept them.
    pub dead_letters: Vec<bytes::Bytes>,
    /// The number of unacknowledged messages.
    pub unacked: u32,
    /// Its consumers, in the order in which they were added.
    pub consumers: Vec<ConsumerView>,
}

/// A consumer in a [`Snapshot`].
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct ConsumerView {
    /// Its tag.
    pub tag: ShortString,
    /// Its channel.
    pub channel: ChannelId,
    /// How many more deliveries it takes. `None` if there is no limit.
    pub credit: Option<u32>,
}

/// An exchange in a [`Snapshot`].
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct ExchangeView {
    /// Its name.
    pub name: ShortString,
    /// Its type.
    pub kind: &'static str,
    /// Whether it survives a restart.
    pub durable: bool,
    /// Whether it is deleted with its last outgoing binding.
    pub auto_delete: bool,
    /// Whether clients cannot publish to it.
    pub internal: bool,
    /// Its arguments as they were declared.
    pub arguments: Table,
    /// What the policy that applies to it sets.
    pub policy: Option<Definition>,
}

/// A binding in a [`Snapshot`].
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct BindingView {
    /// The source exchange.
    pub source: ShortString,
    /// Whether its destination is an exchange.
    pub to_exchange: bool,
    /// The name of the destination.
    pub destination: ShortString,
    /// The key or pattern.
    pub routing_key: ShortString,
    /// The arguments.
    pub arguments: Table,
}

/// A connection in a [`Snapshot`].
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct ConnectionView {
    /// Its id.
    pub id: ConnectionId,
    /// Its channels.
    pub channels: Vec<ChannelView>,
    /// Whether it published during an alarm and is blocked.
    pub blocked: bool,
}

/// A channel in a [`Snapshot`].
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct ChannelView {
    /// Its id.
    pub id: ChannelId,
    /// The tags of its unsettled deliveries.
    pub unacked: Vec<u64>,
    /// The number of sent messages that have not arrived.
    pub outbox: usize,
}

impl Snapshot {
    pub(super) fn of(node: &Node, topology: &Topology, clients: &Clients) -> Self {
        let mut queues: Vec<QueueView> =
            topology.queues.values().map(|queue| view_queue(topology, clients, queue)).collect();
        queues.sort_by(|a, b| a.name.cmp(&b.name));
        let mut exchanges: Vec<ExchangeView> =
            topology.exchanges.values().map(|exchange| view_exchange(topology, exchange)).collect();
        exchanges.sort_by(|a, b| a.name.cmp(&b.name));
        let connections = clients.connections.keys().map(|id| view_connection(clients, *id)).collect();
        Self {
            virtual_host: topology.virtual_host.clone(),
            behaviour: node.behaviour,
            queues,
            exchanges,
            bindings: view_bindings(topology),
            connections,
        }
    }

    /// Returns a queue by its name.
    pub fn queue(&self, name: &str) -> Option<&QueueView> {
        self.queues.iter().find(|queue| queue.name == *name)
    }
}

fn view_queue(topology: &Topology, clients: &Clients, queue: &Queue) -> QueueView {
    let consumers = queue.consumers.iter().map(|consumer| {
        let consumer = &clients.consumers[*consumer];
        let channel = clients.channels[consumer.channel].id;
        ConsumerView { tag: consumer.tag.clone(), channel, credit: consumer.credit }
    });
    let body = |message: &Message| message.container.publication.body.clone();
    let policy = topology.policy_of_queue(&queue.name, queue.settings.kind);
    QueueView {
        name: queue.name.clone(),
        durable: queue.durable,
        owner: queue.owner,
        auto_delete: queue.auto_delete,
        arguments: queue.arguments.clone(),
        policy: policy.map(|policy| policy.definition.clone()),
        ready: queue.ready.iter().map(body).collect(),
        dead_letters: queue.dead_letters.messages().map(body).collect(),
        unacked: queue.unacked,
        consumers: consumers.collect(),
    }
}

fn view_exchange(topology: &Topology, exchange: &Exchange) -> ExchangeView {
    let policy = topology.policy_of_exchange(&exchange.name);
    ExchangeView {
        name: exchange.name.clone(),
        kind: exchange.router.kind(),
        durable: exchange.durable,
        auto_delete: exchange.auto_delete,
        internal: exchange.internal,
        arguments: exchange.arguments.clone(),
        policy: policy.map(|policy| policy.definition.clone()),
    }
}

fn view_bindings(topology: &Topology) -> Vec<BindingView> {
    let mut bindings: Vec<BindingView> = Vec::new();
    for exchange in topology.exchanges.values() {
        bindings.extend(exchange.bindings.iter().map(|(_, binding)| {
            let (to_exchange, destination) = match binding.target {
                Target::Queue(queue) => (false, &topology.queues[queue].name),
                Target::Exchange(exchange) => (true, &topology.exchanges[exchange].name),
            };
            BindingView {
                source: exchange.name.clone(),
                to_exchange,
                destination: destination.clone(),
                routing_key: binding.key.clone(),
                arguments: binding.arguments.clone(),
            }
        }));
    }
    // Bindings that differ only in their arguments stay in the order in which they were created.
    let key = |binding: &BindingView| {
        let BindingView { source, to_exchange, destination, routing_key, .. } = binding;
        (source.clone(), *to_exchange, destination.clone(), routing_key.clone())
    };
    bindings.sort_by_cached_key(key);
    bindings
}

fn view_connection(clients: &Clients, id: ConnectionId) -> ConnectionView {
    let connection = &clients.connections[&id];
    let channels = connection.channels.values().map(|channel| {
        let channel = &clients.channels[*channel];
        let unacked = channel.unacked.iter().map(|(tag, _)| tag).collect();
        ChannelView { id: channel.id, unacked, outbox: channel.outbox.len() }
    });
    ConnectionView { id, channels: channels.collect(), blocked: connection.held.is_some() }
}

impl fmt::Display for Snapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "queues:")?;
        self.queues.iter().try_for_each(|queue| writeln!(f, "  {queue}"))?;
        writeln!(f, "exchanges (without the predeclared):")?;
        let own = self.exchanges.iter().filter(|exchange| !exchange.name.starts_with("amq."));
        own.into_iter().try_for_each(|exchange| writeln!(f, "  {exchange}"))?;
        writeln!(f, "bindings:")?;
        self.bindings.iter().try_for_each(|binding| writeln!(f, "  {binding}"))?;
        writeln!(f, "connections:")?;
        self.connections.iter().try_for_each(|connection| writeln!(f, "  {connection}"))
    }
}

impl fmt::Display for QueueView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} ready", self.name, self.ready.len())?;
        for (index, body) in self.ready.iter().take(8).enumerate() {
            let text: String = String::from_utf8_lossy(body).chars().take(16).collect();
            write!(f, "{}{text:?}", if index == 0 { " [" } else { ", " })?;
        }
        match self.ready.len() {
            0 => {}
            1..=8 => f.write_str("]")?,
            _ => f.write_str(", ..]")?,
        }
        if !self.dead_letters.is_empty() {
            write!(f, ", {} dead letters", self.dead_letters.len())?;
        }
        write!(f, ", {} unacked", self.unacked)?;
        for consumer in &self.consumers {
            write!(f, ", consumer {} on {}", consumer.tag, consumer.channel)?;
            if let Some(credit) = consumer.credit {
                write!(f, " (credit {credit})")?;
            }
        }
        self.arguments
            .iter()
            .try_for_each(|(name, value)| write!(f, ", {name}={}", super::erlang::term(value)))
    }
}

impl fmt::Display for ExchangeView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.name, self.kind)?;
        let flags =
            [(self.durable, "durable"), (self.auto_delete, "auto-delete"), (self.internal, "internal")];
        flags.iter().filter(|(set, _)| *set).try_for_each(|(_, flag)| write!(f, ", {flag}"))?;
        self.arguments
            .iter()
            .try_for_each(|(name, value)| write!(f, ", {name}={}", super::erlang::term(value)))
    }
}

impl fmt::Display for BindingView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = if self.to_exchange { "exchange" } else { "queue" };
        write!(f, "{} --'{}'--> {kind} {}", self.source, self.routing_key, self.destination)?;
        self.arguments
            .iter()
            .try_for_each(|(name, value)| write!(f, ", {name}={}", super::erlang::term(value)))
    }
}

impl fmt::Display for ConnectionView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.id, if self.blocked { ", blocked" } else { "" })?;
        for channel in &self.channels {
            write!(f, "; {}: unacked {:?}, {} on the way", channel.id, channel.unacked, channel.outbox)?;
        }
        Ok(())
    }
}
