//! [`Clients`]: the connections, with their channels and consumers.
//!
//! It knows what was sent to a channel and is not settled, and how many more deliveries a consumer takes. It does not know the queues: a
//! method that needs one has it passed.

pub(crate) mod channel;
pub(crate) mod connection;
mod consume;
pub(crate) mod consumer;
mod dispatch;
pub(crate) mod limiter;
pub(crate) mod reply_to;
mod single_active;
pub(crate) mod transaction;
pub(crate) mod unacked;

use std::collections::{BTreeMap, VecDeque};

use rustc_hash::FxHashMap;
use slotmap::SlotMap;
use tavrida::field::ShortString;

use super::command::{Command, ConnectionOptions};
use super::effect::{Arrival, Effect, Effects, MethodReply};
use super::errors::{Code, Fault};
use super::ids::{ChannelId, ConnectionId};
use super::keys::{ChannelKey, ConsumerKey, QueueKey};
use super::method::Method;
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

impl Clients {
    /// Opens a channel of an existing connection.
    pub(crate) fn open_channel(&mut self, id: ChannelId, effects: &mut Effects) -> Result<(), Fault> {
        let connection =
            self.connections.get_mut(&id.connection).expect("the caller looked the connection up");
        let (count, max) = (connection.channels.len(), connection.options.channel_max);
        if count >= max.into() {
            let text =
                format!("number of channels opened ({count}) has reached the negotiated channel_max ({max})");
            return Err(Fault::new(Code::NotAllowed, text).of_method(0, 0));
        }
        let channel = self.channels.insert(Channel::new(id));
        connection.channels.insert(id.number, channel);
        self.channel_ids.insert(id, channel);
        effects.reply(id, MethodReply::ChannelOpenOk);
        Ok(())
    }

    /// Removes a channel, whose deliveries are requeued, and releases its number.
    pub(crate) fn remove_channel(&mut self, channel: ChannelKey) {
        let Some(state) = self.channels.remove(channel) else { return };
        self.channel_ids.remove(&state.id);
        if let Some(connection) = self.connections.get_mut(&state.id.connection) {
            connection.channels.remove(&state.id.number);
        }
    }

    /// Records that an exclusive queue belongs to a connection.
    pub(crate) fn own(&mut self, connection: ConnectionId, queue: QueueKey) {
        let Some(connection) = self.connections.get_mut(&connection) else { return };
        if !connection.exclusive.contains(&queue) {
            connection.exclusive.push(queue);
        }
    }

    /// Removes all connections with their channels and consumers. Returns their ids.
    pub(crate) fn remove_all(&mut self) -> impl Iterator<Item = ConnectionId> + use<> {
        let Self { connections, subscriptions, sent, .. } = std::mem::take(self);
        *self = Self { subscriptions, sent, ..Self::default() };
        connections.into_keys()
    }

    /// Returns an open channel, or one that waits for `channel.close-ok`.
    pub(crate) fn channel(&self, id: ChannelId) -> Option<&Channel> {
        Some(&self.channels[*self.channel_ids.get(&id)?])
    }

    pub(crate) fn channel_mut(&mut self, id: ChannelId) -> Option<&mut Channel> {
        Some(&mut self.channels[*self.channel_ids.get(&id)?])
    }

    /// Returns the options of a channel's connection.
    pub(crate) fn options(&self, channel: ChannelKey) -> &ConnectionOptions {
        &self.connections[&self.channels[channel].id.connection].options
    }

    /// Sends something on a channel.
    pub(crate) fn send(&mut self, channel: ChannelKey, arrival: Arrival, effects: &mut Effects) {
        let number = self.next_number();
        self.channels[channel].send(number, arrival, effects);
    }

    /// Sends `basic.cancel` for a consumer that the broker cancelled, if the client understands it.
    pub(crate) fn notify_cancel(&mut self, channel: ChannelKey, tag: ShortString, effects: &mut Effects) {
        if self.options(channel).cancel_notify {
            self.send(channel, Arrival::Cancel { consumer_tag: tag }, effects);
        }
    }

    fn next_number(&mut self) -> u64 {
        self.sent += 1;
        self.sent - 1
    }

    /// During an alarm: holds a command if its connection is blocked, or is now blocked because it publishes (R10). Returns whether it was
    /// held. RabbitMQ stops to read behind the header of the content, so an empty message still goes through.
    pub(crate) fn hold(
        &mut self,
        alarm: &str,
        id: ConnectionId,
        command: &Command,
        effects: &mut Effects,
    ) -> bool {
        let Some(connection) = self.connections.get_mut(&id) else { return false };
        if let Some(held) = &mut connection.held {
            held.push_back(command.clone());
            return true;
        }
        let Command::Method { method: Method::BasicPublish { publication, .. }, .. } = command else {
            return false;
        };
        effects.push(Effect::Blocked { connection: id, reason: alarm.to_owned() });
        let holds = !publication.body.is_empty();
        connection.held = Some(holds.then(|| command.clone()).into_iter().collect::<VecDeque<_>>());
        holds
    }
}
