//! How connections and channels begin and end.

use tavrida::field::ShortString;

use super::clients::channel::Channel;
use super::clients::connection::Connection;
use super::clients::unacked::Pending;
use super::command::ConnectionOptions;
use super::effect::{CloseReason, Effect, Effects, MethodReply};
use super::errors::{Code, Fault};
use super::keys::{ChannelKey, QueueKey};
use super::queue::Queue;
use super::settle::Verdict;
use super::{Broker, ChannelId, ConnectionId};

impl Broker {
    pub(crate) fn connect(&mut self, id: ConnectionId, options: ConnectionOptions, effects: &mut Effects) {
        self.drop_connection(id, effects);
        self.clients.connections.insert(id, Connection::new(options));
    }

    /// Ends a connection: its channels, then its exclusive queues. Returns whether it existed.
    pub(crate) fn drop_connection(&mut self, id: ConnectionId, effects: &mut Effects) -> bool {
        let Some(connection) = self.clients.connections.get_mut(&id) else { return false };
        for channel in std::mem::take(&mut connection.channels).into_values() {
            self.end_channel(channel, effects);
        }
        let connection = self.clients.connections.get_mut(&id).expect("ending channels ends no connection");
        for queue in std::mem::take(&mut connection.exclusive) {
            self.delete_queue(queue, effects);
        }
        self.clients.connections.remove(&id);
        true
    }

    pub(crate) fn open_channel(&mut self, id: ChannelId, effects: &mut Effects) -> Result<(), Fault> {
        let connection =
            self.clients.connections.get_mut(&id.connection).expect("the caller looked the connection up");
        let (count, max) = (connection.channels.len(), connection.options.channel_max);
        if count >= max.into() {
            let text =
                format!("number of channels opened ({count}) has reached the negotiated channel_max ({max})");
            return Err(Fault::new(Code::NotAllowed, text).of_method(0, 0));
        }
        let channel = self.clients.channels.insert(Channel::new(id));
        connection.channels.insert(id.number, channel);
        self.clients.channel_ids.insert(id, channel);
        effects.reply(id, MethodReply::ChannelOpenOk);
        Ok(())
    }

    /// Ends a channel: its deliveries are requeued, and its number is released.
    pub(crate) fn end_channel(&mut self, channel: ChannelKey, effects: &mut Effects) {
        self.abandon(channel, effects);
        // Messages of `basic.get` are requeued with the channel itself (R4).
        self.give_back(channel, |_, _| true, effects);
        let Some(state) = self.clients.channels.remove(channel) else { return };
        self.clients.channel_ids.remove(&state.id);
        if let Some(connection) = self.clients.connections.get_mut(&state.id.connection) {
            connection.channels.remove(&state.id.number);
        }
    }

    /// Refuses with an error: closes the channel, or the connection.
    pub(crate) fn refuse(
        &mut self,
        channel: ChannelId,
        fault: Fault,
        provoked_by: (u16, u16),
        effects: &mut Effects,
    ) {
        let hard = fault.is_hard();
        let reason = fault.into_reason(provoked_by);
        if hard {
            self.close_connection(channel.connection, Some(reason), effects);
        } else {
            self.close_channel(channel, reason, effects);
        }
    }

    /// Closes a channel, and ignores it until the client has sent `channel.close-ok`.
    pub(crate) fn close_channel(&mut self, id: ChannelId, reason: CloseReason, effects: &mut Effects) {
        let Some(channel) = self.clients.channel_ids.get(&id).copied() else { return };
        if self.clients.channels[channel].closing {
            return;
        }
        self.abandon(channel, effects);
        self.clients.channels[channel].closing = true;
        effects.push(Effect::ChannelClosed { channel: id, reason });
    }

    pub(crate) fn close_connection(
        &mut self,
        id: ConnectionId,
        reason: Option<CloseReason>,
        effects: &mut Effects,
    ) {
        if self.drop_connection(id, effects) {
            effects.push(Effect::ConnectionClosed { connection: id, reason });
        }
    }

    /// Stops the consumers of a channel, discards what was sent and has not arrived, and requeues the messages of its consumers (A10).
    fn abandon(&mut self, channel: ChannelKey, effects: &mut Effects) {
        let state = &mut self.clients.channels[channel];
        state.outbox.clear();
        state.reply_consumer = None;
        let consumers: Vec<_> = std::mem::take(&mut state.consumers).into_values().collect();
        let queues = std::mem::take(&mut state.consumed);
        self.roll_back(channel);
        for consumer in consumers {
            self.remove_consumer(consumer);
        }
        for queue in &queues {
            if self.topology.queues.contains_key(*queue) {
                self.delete_if_abandoned(*queue, effects);
            }
        }
        self.give_back(channel, |queue, _| queues.contains(&queue), effects);
        for queue in queues {
            if self.topology.queues.contains_key(queue) {
                self.touch(queue);
                self.run(queue, effects);
            }
        }
    }

    /// Requeues the unsettled deliveries of some queues, each queue in one step.
    fn give_back(
        &mut self,
        channel: ChannelKey,
        which: impl Fn(QueueKey, &Pending) -> bool,
        effects: &mut Effects,
    ) {
        let taken = self.clients.channels[channel].unacked.take_all();
        if taken.is_empty() {
            return;
        }
        let (mut back, kept): (Vec<_>, Vec<_>) =
            taken.into_iter().partition(|(_, pending)| which(pending.queue, pending));
        self.clients.channels[channel].unacked.put_back(kept);
        // By queue, and by tag within: the sort is stable.
        back.sort_by_cached_key(|(tag, pending)| (pending.queue, self.return_order(*tag, pending)));
        for group in back.chunk_by(|(_, a), (_, b)| a.queue == b.queue) {
            self.give_back_group(channel, group, effects);
        }
    }

    /// Returns the position of a delivery among those requeued together. A quorum queue, for which it matters, has a consumer return all
    /// its messages before the next does, in the order of the consumers; a `basic.get` is a separate consumer that has its delivery tag as
    /// its name, behind all that are known by their age (R133).
    fn return_order(&self, tag: u64, pending: &Pending) -> (u64, ShortString) {
        let by_age = self.node.behaviour.quorum_consumers_by_age;
        match pending.consumer {
            _ if !self.topology.queues.get(pending.queue).is_some_and(Queue::is_quorum) => Default::default(),
            Some(consumer) => self.turn(consumer),
            None => {
                let name = ShortString::try_from(tag.to_string()).expect("a number is a short text");
                (if by_age { u64::MAX } else { 0 }, name)
            }
        }
    }

    fn give_back_group(&mut self, channel: ChannelKey, group: &[(u64, Pending)], effects: &mut Effects) {
        let queue = group[0].1.queue;
        for (_, pending) in group {
            if let Some(consumer) = pending.consumer {
                self.forget_delivery(consumer);
            }
        }
        if self.topology.queues.contains_key(queue) {
            let messages: Vec<_> = group.iter().map(|(_, pending)| pending.message.clone()).collect();
            self.settle_group(channel, queue, None, Verdict::GiveBack, messages, effects);
        }
    }
}
