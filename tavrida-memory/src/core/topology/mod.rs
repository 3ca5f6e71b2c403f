//! [`Topology`]: the exchanges, queues, bindings and policies of the virtual host.
//!
//! It declares, binds, routes and deletes, and it knows what happens in a queue without a consumer: messages expire, exceed a limit, and
//! become dead letters. It does not deliver, and knows no channel.

mod bind;
pub(crate) mod binding;
mod dead_letters;
mod declare;
mod equivalence;
pub(crate) mod exchange;
mod expiry;
mod names;
mod policies;
pub(crate) mod policy;
mod restart;
mod route;

use std::collections::{BTreeSet, VecDeque};
use std::sync::LazyLock;
use std::time::Duration;

use rustc_hash::FxHashMap;
use slotmap::SlotMap;
use tavrida::field::ShortString;
use tavrida_behaviour::Behaviour;

use super::keys::{ExchangeKey, QueueKey};
use super::message::container::Container;
use super::queue::Queue;
use super::queue::settings::QueueKind;
pub(crate) use bind::NamedBinding;
use binding::Target;
use exchange::{Exchange, Router};
pub(crate) use names::stripped;
use policy::Policy;

/// The topology of the virtual host.
#[derive(Debug, Clone)]
pub(crate) struct Topology {
    pub(crate) virtual_host: ShortString,
    /// The type of queues that are declared without one.
    pub(crate) default_queue_type: QueueKind,
    pub(crate) exchanges: SlotMap<ExchangeKey, Exchange>,
    pub(crate) exchange_names: FxHashMap<ShortString, ExchangeKey>,
    pub(crate) queues: SlotMap<QueueKey, Queue>,
    pub(crate) queue_names: FxHashMap<ShortString, QueueKey>,
    /// By descending priority.
    pub(crate) policies: Vec<Policy>,
    /// Queues with their deadlines.
    pub(crate) calendar: BTreeSet<(Duration, QueueKey)>,
    /// Dead-lettered messages in transit.
    pub(crate) in_transit: VecDeque<InTransit>,
    /// The queues that keep dead letters until all targets have them; some entries may be out of date.
    pub(crate) retrying: BTreeSet<QueueKey>,
    /// A buffer for routing, reused for each message.
    pub(crate) targets: Vec<Target>,
}

/// A dead letter in transit: it arrives after the step of its queue (A11).
#[derive(Debug, Clone)]
pub(crate) enum InTransit {
    /// It is sent once, and lost for targets that are full.
    AtMostOnce { letter: Container, targets: Vec<QueueKey> },
    /// This queue keeps its dead letters until they are accepted.
    AtLeastOnce(QueueKey),
}

/// The predeclared exchanges (R16).
const PREDECLARED: [(&str, &str); 6] = [
    ("amq.direct", "direct"),
    ("amq.fanout", "fanout"),
    ("amq.topic", "topic"),
    ("amq.headers", "headers"),
    ("amq.match", "headers"),
    ("amq.rabbitmq.trace", "topic"),
];

impl Topology {
    /// Creates a topology with only the predeclared exchanges.
    pub(crate) fn predeclared(
        virtual_host: ShortString,
        default_queue_type: QueueKind,
        behaviour: &Behaviour,
    ) -> Self {
        static FRESH: LazyLock<Topology> = LazyLock::new(Topology::fresh);
        let mut topology = Self { virtual_host, default_queue_type, ..FRESH.clone() };
        for name in ["amq.headers", "amq.match"] {
            let exchange = topology.exchange_names[name];
            topology.exchanges[exchange].router =
                Router::of("headers", behaviour).expect("the type is a known one");
        }
        topology
    }

    fn fresh() -> Self {
        let mut topology = Self {
            virtual_host: ShortString::default(),
            default_queue_type: QueueKind::Classic,
            exchanges: SlotMap::with_key(),
            exchange_names: FxHashMap::default(),
            queues: SlotMap::with_key(),
            queue_names: FxHashMap::default(),
            policies: Vec::new(),
            calendar: BTreeSet::new(),
            in_transit: VecDeque::new(),
            retrying: BTreeSet::new(),
            targets: Vec::new(),
        };
        for (name, kind) in PREDECLARED {
            let router = Router::of(kind, &Behaviour::default()).expect("the type is a known one");
            topology.add_exchange(Exchange {
                durable: true,
                internal: name == "amq.rabbitmq.trace",
                ..Exchange::new(ShortString::from_static(name), router)
            });
        }
        topology
    }

    fn add_exchange(&mut self, exchange: Exchange) {
        let name = exchange.name.clone();
        let key = self.exchanges.insert(exchange);
        self.exchange_names.insert(name, key);
    }
}
