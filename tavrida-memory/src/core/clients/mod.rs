//! [`Clients`]: the connections, with their channels and consumers.
//!
//! It knows what was sent to a channel and is not settled, and how many more deliveries a consumer takes. It does not know the queues: a
//! method that needs one has it passed.

pub(crate) mod channel;
pub(crate) mod connection;
pub(crate) mod consumer;
pub(crate) mod limiter;
pub(crate) mod unacked;

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;
use slotmap::SlotMap;
use tavrida::field::ShortString;

use super::ids::{ChannelId, ConnectionId};
use super::keys::{ChannelKey, ConsumerKey};
use channel::Channel;
use connection::Connection;
use consumer::Consumer;

/// The clients of the broker.
#[derive(Debug, Clone, Default)]
pub(crate) struct Clients {
    pub(crate) connections: BTreeMap<ConnectionId, Connection>,
    pub(crate) channels: SlotMap<ChannelKey, Channel>,
    pub(crate) channel_ids: FxHashMap<ChannelId, ChannelKey>,
    pub(crate) consumers: SlotMap<ConsumerKey, Consumer>,
    /// How many consumers there were so far.
    pub(crate) subscriptions: u64,
    /// The channels of direct reply addresses; an address may outlive its consumer.
    pub(crate) reply_addresses: FxHashMap<ShortString, ChannelKey>,
    /// How much was sent so far: arrivals are numbered.
    pub(crate) sent: u64,
}
