//! [`Broker`]: the state of the broker.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::LazyLock;
use std::time::Duration;

use rustc_hash::FxHashMap;
use slotmap::SlotMap;
use tavrida::field::{ShortString, Table};
use tavrida_behaviour::Behaviour;

use super::channel::Channel;
use super::connection::Connection;
use super::consumer::Consumer;
use super::dead_letter::Forward;
use super::effect::{Arrival, Sent};
use super::exchange::{Exchange, Router, Target};
use super::keys::{ChannelKey, ConsumerKey, ExchangeKey, QueueKey};
use super::names::Names;
use super::policy::Policy;
use super::queue::Queue;
use super::queue::settings::QueueKind;
use super::unacked::Pending;
use super::{ChannelId, ConnectionId, Eviction, Now};

/// A broker: one node with one virtual host, which behaves as a version of RabbitMQ does. See [the module](super).
#[derive(Clone)]
pub struct Broker {
    pub(super) virtual_host: ShortString,
    pub(super) behaviour: Behaviour,
    /// The type of queues that are declared without one.
    pub(super) default_queue_type: QueueKind,
    /// The latest time known.
    pub(super) now: Now,
    pub(super) names: Names,
    pub(super) connections: BTreeMap<ConnectionId, Connection>,
    pub(super) channels: SlotMap<ChannelKey, Channel>,
    pub(super) channel_ids: FxHashMap<ChannelId, ChannelKey>,
    pub(super) exchanges: SlotMap<ExchangeKey, Exchange>,
    pub(super) exchange_names: FxHashMap<ShortString, ExchangeKey>,
    pub(super) queues: SlotMap<QueueKey, Queue>,
    pub(super) queue_names: FxHashMap<ShortString, QueueKey>,
    pub(super) consumers: SlotMap<ConsumerKey, Consumer>,
    /// By descending priority.
    pub(super) policies: Vec<Policy>,
    /// How many consumers there were so far.
    pub(super) subscriptions: u64,
    /// The channels of direct reply addresses; an address may outlive its consumer.
    pub(super) reply_addresses: FxHashMap<ShortString, ChannelKey>,
    /// Queues with their deadlines.
    pub(super) calendar: BTreeSet<(Duration, QueueKey)>,
    /// Dead-lettered messages in transit.
    pub(super) forwards: VecDeque<Forward>,
    /// The queues that keep dead letters until all targets have them; some entries may be out of date.
    pub(super) debtors: BTreeSet<QueueKey>,
    /// The reason of the alarm, if there is one.
    pub(super) alarm: Option<String>,
    /// How much was sent so far: arrivals are numbered.
    pub(super) sent: u64,
    /// The queues that the last message reached; a buffer for routing, reused for each message.
    pub(super) routed: Vec<QueueKey>,
    pub(super) targets: Vec<Target>,
}

/// The initial settings of a broker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// The name of its virtual host, which error texts show.
    pub virtual_host: ShortString,
    /// The seed of generated names: brokers with the same seed and history generate the same names.
    pub seed: u64,
    /// How it behaves: as a version of RabbitMQ, the default one at first.
    pub behaviour: Behaviour,
    /// Whether a durable queue that is declared without a type is a quorum queue, as in a virtual host with `--default-queue-type quorum`;
    /// it must be neither exclusive nor auto-delete (R139).
    pub quorum_by_default: bool,
}

impl Default for Config {
    /// Virtual host `/`, seed 0, the default version, classic queues.
    fn default() -> Self {
        Self {
            virtual_host: ShortString::from_static("/"),
            seed: 0,
            behaviour: Behaviour::default(),
            quorum_by_default: false,
        }
    }
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

impl Broker {
    /// Creates a broker with only the predeclared exchanges.
    pub fn new(config: Config) -> Self {
        static FRESH: LazyLock<Broker> = LazyLock::new(Broker::fresh);
        let Config { virtual_host, seed, behaviour, quorum_by_default } = config;
        let default_queue_type = if quorum_by_default { QueueKind::Quorum } else { QueueKind::Classic };
        let names = Names::new(seed);
        let mut broker = Self { virtual_host, names, behaviour, default_queue_type, ..FRESH.clone() };
        for name in ["amq.headers", "amq.match"] {
            let exchange = broker.exchange_names[name];
            broker.exchanges[exchange].router =
                Router::of("headers", &behaviour).expect("the type is a known one");
        }
        broker
    }

    fn fresh() -> Self {
        let Config { virtual_host, seed, behaviour, .. } = Config::default();
        let mut broker = Self {
            virtual_host,
            behaviour,
            default_queue_type: QueueKind::Classic,
            now: Now::default(),
            names: Names::new(seed),
            connections: BTreeMap::new(),
            channels: SlotMap::with_key(),
            channel_ids: FxHashMap::default(),
            exchanges: SlotMap::with_key(),
            exchange_names: FxHashMap::default(),
            queues: SlotMap::with_key(),
            queue_names: FxHashMap::default(),
            consumers: SlotMap::with_key(),
            reply_addresses: FxHashMap::default(),
            policies: Vec::new(),
            subscriptions: 0,
            calendar: BTreeSet::new(),
            forwards: VecDeque::new(),
            debtors: BTreeSet::new(),
            alarm: None,
            sent: 0,
            routed: Vec::new(),
            targets: Vec::new(),
        };
        broker.predeclare();
        broker
    }

    fn predeclare(&mut self) {
        for (name, kind) in PREDECLARED {
            let router =
                Router::of(kind, &self.behaviour).expect("the predeclared exchanges are of known types");
            self.add_exchange(Exchange {
                durable: true,
                internal: name == "amq.rabbitmq.trace",
                ..Exchange::new(ShortString::from_static(name), router)
            });
        }
    }

    pub(crate) fn arguments_of_queues(&self) -> impl Iterator<Item = &Table> {
        self.queues.iter().map(|(_, queue)| &queue.arguments)
    }

    /// Returns the next deadline of the broker (an expiry), as [`Now::elapsed`]. `None` if there is none.
    pub fn next_timeout(&self) -> Option<Duration> {
        self.calendar.first().map(|(at, _)| *at)
    }

    /// Lets the head of a channel's outbox arrive. `None` if the outbox is empty, or the channel does not exist.
    pub fn take(&mut self, channel: ChannelId) -> Option<Arrival> {
        let channel = self.channel_ids.get(&channel)?;
        Some(self.channels[*channel].outbox.pop_front()?.arrival)
    }

    /// Returns the head of a channel's outbox, which [`take`](Broker::take) would let arrive.
    pub fn peek(&self, channel: ChannelId) -> Option<&Arrival> {
        let channel = self.channel_ids.get(&channel)?;
        Some(&self.channels[*channel].outbox.front()?.arrival)
    }

    /// Returns what was sent last on a channel, and has not arrived.
    pub(crate) fn peek_last(&self, channel: ChannelId) -> Option<&Arrival> {
        let channel = self.channel_ids.get(&channel)?;
        Some(&self.channels[*channel].outbox.back()?.arrival)
    }

    /// Returns whether the next arrival of a channel could [leave its queue](super::Operator::Evict) instead: a message with a time to
    /// live, or one in a queue with a limit that drops its oldest messages.
    pub fn can_evict(&self, channel: ChannelId, why: Eviction) -> bool {
        let Some((_, Some(pending))) = self.head(channel) else { return false };
        self.is_evictable(pending, why)
    }

    /// Returns whether an unsettled delivery could have left its queue instead.
    pub(crate) fn is_evictable(&self, pending: &Pending, why: Eviction) -> bool {
        match (why, self.queues.get(pending.queue)) {
            (Eviction::Expired, _) => pending.message.expires_at.is_some(),
            (Eviction::Overflow, queue) => queue.is_some_and(|queue| queue.settings.drops_head()),
        }
    }

    /// Returns the head of a channel's outbox, and its unsettled delivery.
    pub(crate) fn head(&self, channel: ChannelId) -> Option<(&Sent, Option<&Pending>)> {
        let channel = &self.channels[*self.channel_ids.get(&channel)?];
        let head = channel.outbox.front()?;
        let pending = match &head.arrival {
            Arrival::Delivery(delivered) => channel.unacked.get(delivered.delivery_tag),
            Arrival::Cancel { .. } => None,
        };
        Some((head, pending))
    }

    /// Returns the number of the head of a channel's outbox.
    pub(crate) fn number_of_head(&self, channel: ChannelId) -> Option<u64> {
        let channel = self.channel_ids.get(&channel)?;
        Some(self.channels[*channel].outbox.front()?.number)
    }

    /// Returns the queue of an unsettled delivery if its timing matters to others: several consumers share the queue, it has a limit, or
    /// priorities.
    pub(crate) fn contended(&self, pending: &Pending) -> Option<&ShortString> {
        let queue = self.queues.get(pending.queue)?;
        queue.is_contended().then_some(&queue.name)
    }

    /// Returns the queue of the next arrival of a channel, if the broker awaits its settlement.
    pub fn queue_of_head(&self, channel: ChannelId) -> Option<&ShortString> {
        let (_, pending) = self.head(channel)?;
        Some(&self.queues.get(pending?.queue)?.name)
    }

    /// Returns how many consumers a queue has. `None` if there is no such queue.
    pub fn consumers(&self, queue: &str) -> Option<usize> {
        let queue = self.queue_names.get(queue)?;
        Some(self.queues.get(*queue)?.consumers.len())
    }

    /// Returns the names of the queues that the last published message was routed to, and of those that received dead letters because of
    /// it.
    pub fn last_routed(&self) -> impl Iterator<Item = &str> {
        self.routed
            .iter()
            .filter(|queue| self.queues.contains_key(**queue))
            .map(|queue| &*self.queues[*queue].name)
    }

    /// Lets the whole outbox of a channel arrive, and appends it to `into`.
    pub fn take_all(&mut self, channel: ChannelId, into: &mut VecDeque<Sent>) {
        let Some(channel) = self.channel_ids.get(&channel) else { return };
        let outbox = &mut self.channels[*channel].outbox;
        if into.is_empty() {
            std::mem::swap(into, outbox);
        } else {
            into.append(outbox);
        }
    }

    pub(super) fn next_number(&mut self) -> u64 {
        self.sent += 1;
        self.sent - 1
    }

    /// Returns whether a channel is open: it was opened, and neither side has closed it.
    pub fn is_open(&self, channel: ChannelId) -> bool {
        self.channel_ids.get(&channel).is_some_and(|channel| !self.channels[*channel].closing)
    }

    /// Returns the reason of the alarm, if there is one.
    pub fn alarm(&self) -> Option<&str> {
        self.alarm.as_deref()
    }

    /// Returns the channels whose outbox is not empty, sorted by their ids.
    pub fn sending(&self) -> Vec<ChannelId> {
        let mut sending: Vec<ChannelId> = self
            .channels
            .iter()
            .filter(|(_, channel)| !channel.outbox.is_empty())
            .map(|(_, channel)| channel.id)
            .collect();
        sending.sort_unstable();
        sending
    }
}
