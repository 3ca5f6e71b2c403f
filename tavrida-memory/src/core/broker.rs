//! [`Broker`]: the state of the broker.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use tavrida::field::{ShortString, Table};
use tavrida::transport::Publication;
use tavrida_behaviour::Behaviour;

use super::clients::Clients;
use super::clients::unacked::Pending;
use super::command::Eviction;
use super::effect::{Arrival, Sent};
use super::ids::ChannelId;
use super::keys::{ConsumerKey, QueueKey};
use super::node::Node;
use super::queue::settings::QueueKind;
use super::snapshot::Snapshot;
use super::topology::Topology;

/// A broker: one node with one virtual host, which behaves as a version of RabbitMQ does. See [the module](super).
#[derive(Clone)]
pub struct Broker {
    pub(super) node: Node,
    pub(super) topology: Topology,
    pub(super) clients: Clients,
    /// The queues that the last message reached.
    pub(super) routed: Vec<QueueKey>,
    /// To whom quorum queues sent while a call settles several groups of deliveries. `None` outside of such a call.
    pub(super) batch: Option<Vec<(QueueKey, ConsumerKey)>>,
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

impl Broker {
    /// Creates a broker with only the predeclared exchanges.
    pub fn new(config: Config) -> Self {
        let Config { virtual_host, seed, behaviour, quorum_by_default } = config;
        let default_queue_type = if quorum_by_default { QueueKind::Quorum } else { QueueKind::Classic };
        Self {
            node: Node::new(behaviour, seed),
            topology: Topology::predeclared(virtual_host, default_queue_type, &behaviour),
            clients: Clients::default(),
            routed: Vec::new(),
            batch: None,
        }
    }

    pub(crate) fn arguments_of_queues(&self) -> impl Iterator<Item = &Table> {
        self.topology.queues.iter().map(|(_, queue)| &queue.arguments)
    }

    /// Returns the next deadline of the broker (an expiry), as [`Now::elapsed`](super::Now::elapsed). `None` if there is none.
    pub fn next_timeout(&self) -> Option<Duration> {
        self.topology.first_deadline().map(|(at, _)| at)
    }

    /// Lets the head of a channel's outbox arrive. `None` if the outbox is empty, or the channel does not exist.
    pub fn take(&mut self, channel: ChannelId) -> Option<Arrival> {
        Some(self.clients.channel_mut(channel)?.outbox.pop_front()?.arrival)
    }

    /// Returns the head of a channel's outbox, which [`take`](Broker::take) would let arrive.
    pub fn peek(&self, channel: ChannelId) -> Option<&Arrival> {
        Some(&self.clients.channel(channel)?.outbox.front()?.arrival)
    }

    /// Returns what was sent last on a channel, and has not arrived.
    pub(crate) fn peek_last(&self, channel: ChannelId) -> Option<&Arrival> {
        Some(&self.clients.channel(channel)?.outbox.back()?.arrival)
    }

    /// Returns whether the next arrival of a channel could [leave its queue](super::Operator::Evict) instead: a message with a time to
    /// live, or one in a queue with a limit that drops its oldest messages.
    pub fn can_evict(&self, channel: ChannelId, why: Eviction) -> bool {
        let Some((_, Some(pending))) = self.head(channel) else { return false };
        self.is_evictable(pending, why)
    }

    /// Returns whether an unsettled delivery could have left its queue instead.
    pub(crate) fn is_evictable(&self, pending: &Pending, why: Eviction) -> bool {
        match (why, self.topology.queues.get(pending.queue)) {
            (Eviction::Expired, _) => pending.message.expires_at.is_some(),
            (Eviction::Overflow, queue) => queue.is_some_and(|queue| queue.settings.drops_head()),
        }
    }

    /// Returns the head of a channel's outbox, and its unsettled delivery.
    pub(crate) fn head(&self, channel: ChannelId) -> Option<(&Sent, Option<&Pending>)> {
        let channel = self.clients.channel(channel)?;
        let head = channel.outbox.front()?;
        let pending = match &head.arrival {
            Arrival::Delivery(delivered) => channel.unacked.get(delivered.delivery_tag),
            Arrival::Cancel { .. } => None,
        };
        Some((head, pending))
    }

    /// Returns the number of the head of a channel's outbox.
    pub(crate) fn number_of_head(&self, channel: ChannelId) -> Option<u64> {
        Some(self.clients.channel(channel)?.outbox.front()?.number)
    }

    /// Returns the queue of an unsettled delivery if its timing matters to others: several consumers share the queue, it has a limit, or
    /// priorities.
    pub(crate) fn contended(&self, pending: &Pending) -> Option<&ShortString> {
        let queue = self.topology.queues.get(pending.queue)?;
        queue.is_contended().then_some(&queue.name)
    }

    /// Returns the queue of the next arrival of a channel, if the broker awaits its settlement.
    pub fn queue_of_head(&self, channel: ChannelId) -> Option<&ShortString> {
        let (_, pending) = self.head(channel)?;
        Some(&self.topology.queues.get(pending?.queue)?.name)
    }

    /// Returns how many consumers a queue has. `None` if there is no such queue.
    pub fn consumers(&self, queue: &str) -> Option<usize> {
        let queue = self.topology.queue_names.get(queue)?;
        Some(self.topology.queues.get(*queue)?.consumers.len())
    }

    /// Returns the names of the queues that the last published message was routed to, and of those that received dead letters because of
    /// it.
    pub fn last_routed(&self) -> impl Iterator<Item = &str> {
        self.routed
            .iter()
            .filter(|queue| self.topology.queues.contains_key(**queue))
            .map(|queue| &*self.topology.queues[*queue].name)
    }

    /// Lets the whole outbox of a channel arrive, and appends it to `into`.
    pub fn take_all(&mut self, channel: ChannelId, into: &mut VecDeque<Sent>) {
        let Some(channel) = self.clients.channel_mut(channel) else { return };
        let outbox = &mut channel.outbox;
        if into.is_empty() {
            std::mem::swap(into, outbox);
        } else {
            into.append(outbox);
        }
    }

    /// Returns whether a channel is open: it was opened, and neither side has closed it.
    pub fn is_open(&self, channel: ChannelId) -> bool {
        self.clients.channel(channel).is_some_and(|channel| !channel.closing)
    }

    /// Returns the name of the virtual host.
    pub fn virtual_host(&self) -> &ShortString {
        &self.topology.virtual_host
    }

    /// Returns how it behaves.
    pub fn behaviour(&self) -> &Behaviour {
        &self.node.behaviour
    }

    /// Returns the reason of the alarm, if there is one.
    pub fn alarm(&self) -> Option<&str> {
        self.node.alarm.as_deref()
    }

    /// Returns the channels whose outbox is not empty, sorted by their ids.
    pub fn sending(&self) -> Vec<ChannelId> {
        let channels = self.clients.channels.values();
        let mut sending: Vec<ChannelId> =
            channels.filter(|channel| !channel.outbox.is_empty()).map(|channel| channel.id).collect();
        sending.sort_unstable();
        sending
    }

    /// Returns whether the exchange of a message exists and can be published to.
    pub fn has_exchange_for(&self, publication: &Publication) -> bool {
        self.topology.check_publish(&self.node, publication, false).is_ok()
    }

    /// Returns the messages in queues that are not delivered, queue by queue: ready messages, in the order of delivery, and the dead
    /// letters that a queue keeps.
    pub fn queued(&self) -> impl Iterator<Item = (&ShortString, &Arc<Publication>)> {
        let mut queues: Vec<_> = self.topology.queues.values().collect();
        queues.sort_by(|a, b| a.name.cmp(&b.name));
        queues.into_iter().flat_map(|queue| {
            let messages = queue.ready.iter().chain(queue.dead_letters.messages());
            messages.map(|message| (&queue.name, &message.container.publication))
        })
    }

    /// Returns the contents of this broker.
    pub fn snapshot(&self) -> Snapshot {
        Snapshot::of(&self.node, &self.topology, &self.clients)
    }
}
