//! How connections, channels, consumers and queues end, and how the node restarts.

use tavrida::field::ShortString;

use super::broker::Broker;
use super::clients::connection::Connection;
use super::clients::unacked::Pending;
use super::command::ConnectionOptions;
use super::effect::{CloseReason, Effect, Effects};
use super::errors::{Code, Fault};
use super::ids::{ChannelId, ConnectionId};
use super::keys::{ChannelKey, ConsumerKey, QueueKey};
use super::queue::Queue;
use super::settlement::Settlement;

impl Broker {
    pub(super) fn connect(&mut self, id: ConnectionId, options: ConnectionOptions, effects: &mut Effects) {
        self.drop_connection(id, effects);
        self.clients.connections.insert(id, Connection::new(options));
    }

    /// Ends a connection: its channels, then its exclusive queues. Returns whether it existed.
    pub(super) fn drop_connection(&mut self, id: ConnectionId, effects: &mut Effects) -> bool {
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

    pub(super) fn close_connection(&mut self, id: ConnectionId, reason: CloseReason, effects: &mut Effects) {
        if self.drop_connection(id, effects) {
            effects.push(Effect::ConnectionClosed { connection: id, reason: Some(reason) });
        }
    }

    /// Closes a channel, and ignores it until the client has sent `channel.close-ok`.
    pub(super) fn close_channel(&mut self, id: ChannelId, reason: CloseReason, effects: &mut Effects) {
        let Some(channel) = self.clients.channel_ids.get(&id).copied() else { return };
        if self.clients.channels[channel].closing {
            return;
        }
        self.abandon(channel, effects);
        self.clients.channels[channel].closing = true;
        effects.push(Effect::ChannelClosed { channel: id, reason });
    }

    /// Ends a channel: its deliveries are requeued, and its number is released.
    pub(super) fn end_channel(&mut self, channel: ChannelKey, effects: &mut Effects) {
        self.abandon(channel, effects);
        // Messages of `basic.get` are requeued with the channel itself (R4).
        self.give_back(channel, |_| true, effects);
        self.clients.remove_channel(channel);
    }

    /// Stops the consumers of a channel, discards what was sent and has not arrived, and requeues the messages of its consumers (A10).
    fn abandon(&mut self, channel: ChannelKey, effects: &mut Effects) {
        let state = &mut self.clients.channels[channel];
        state.outbox.clear();
        state.reply_consumer = None;
        let consumers = std::mem::take(&mut state.consumers);
        let queues = std::mem::take(&mut state.consumed);
        state.roll_back();
        for consumer in consumers.into_values() {
            self.remove_consumer(consumer);
        }
        for queue in &queues {
            if self.topology.queues.contains_key(*queue) {
                self.delete_if_abandoned(*queue, effects);
            }
        }
        self.give_back(channel, |queue| queues.contains(&queue), effects);
        for queue in queues {
            if self.topology.queues.contains_key(queue) {
                self.topology.touch(&self.node, queue);
                self.run(queue, effects);
            }
        }
    }

    /// Requeues the unsettled deliveries of some queues, each queue in one step.
    fn give_back(&mut self, channel: ChannelKey, which: impl Fn(QueueKey) -> bool, effects: &mut Effects) {
        let unacked = &mut self.clients.channels[channel].unacked;
        let taken = unacked.take_all();
        if taken.is_empty() {
            return;
        }
        let (mut back, kept): (Vec<_>, Vec<_>) =
            taken.into_iter().partition(|(_, pending)| which(pending.queue));
        unacked.put_back(kept);
        // By queue, and by tag within: the sort is stable.
        back.sort_by_cached_key(|(tag, pending)| (pending.queue, self.return_order(*tag, pending)));
        for group in back.chunk_by(|(_, a), (_, b)| a.queue == b.queue) {
            let queue = group[0].1.queue;
            for consumer in group.iter().filter_map(|(_, pending)| pending.consumer) {
                self.clients.forget_delivery(consumer);
            }
            let messages: Vec<_> = group.iter().map(|(_, pending)| pending.message.clone()).collect();
            self.settle_group(channel, queue, None, Settlement::ChannelEnded, messages, effects);
        }
    }

    /// Returns the position of a delivery among those requeued together. A quorum queue, for which it matters, has a consumer return all
    /// its messages before the next does, in the order of the consumers; a `basic.get` is a separate consumer that has its delivery tag as
    /// its name, behind all that are known by their age (R133).
    fn return_order(&self, tag: u64, pending: &Pending) -> (u64, ShortString) {
        let behaviour = &self.node.behaviour;
        match pending.consumer {
            _ if !self.topology.queues.get(pending.queue).is_some_and(Queue::is_quorum) => Default::default(),
            Some(consumer) => self.clients.turn(consumer, behaviour),
            None => {
                let name = ShortString::try_from(tag.to_string()).expect("a number is a short text");
                (if behaviour.quorum_consumers_by_age { u64::MAX } else { 0 }, name)
            }
        }
    }

    /// Cancels a consumer that was removed from its channel.
    pub(super) fn end_consumer(&mut self, consumer: ConsumerKey, effects: &mut Effects) {
        let queue = self.clients.consumers[consumer].queue;
        self.remove_consumer(consumer);
        if self.delete_if_abandoned(queue, effects) {
            return;
        }
        self.topology.touch(&self.node, queue);
        // A new active consumer gets ready messages (not in RabbitMQ, whose issue 5460 is not copied).
        self.run(queue, effects);
    }

    /// Removes a consumer from its queue. It is already removed from the channel.
    fn remove_consumer(&mut self, consumer: ConsumerKey) {
        let queue = self.topology.queues.get_mut(self.clients.consumers[consumer].queue);
        self.clients.remove_consumer(consumer, queue, &self.node.behaviour);
    }

    /// Deletes an auto-delete queue without consumers. Returns whether it did (R61).
    fn delete_if_abandoned(&mut self, queue: QueueKey, effects: &mut Effects) -> bool {
        let state = &self.topology.queues[queue];
        let goes = state.auto_delete && state.had_consumers && state.consumers.is_empty();
        if goes {
            self.delete_queue(queue, effects);
        }
        goes
    }

    /// Deletes a queue with everything that depends on it (A12). Its consumers are notified.
    pub(super) fn delete_queue(&mut self, queue: QueueKey, effects: &mut Effects) {
        let state = &self.topology.queues[queue];
        let owner = state.owner;
        let mut consumers: Vec<_> = state
            .consumers
            .iter()
            .map(|consumer| {
                let record = &self.clients.consumers[*consumer];
                (self.clients.channels[record.channel].id, record.tag.clone(), *consumer, record.channel)
            })
            .collect();
        consumers.sort();
        for (_, tag, consumer, channel) in consumers {
            self.remove_consumer(consumer);
            let state = &mut self.clients.channels[channel];
            state.consumers.remove(&tag);
            state.limiter.forget(queue);
            self.clients.notify_cancel(channel, tag, effects);
        }
        if let Some(connection) = owner.and_then(|owner| self.clients.connections.get_mut(&owner)) {
            connection.exclusive.retain(|other| *other != queue);
        }
        self.topology.remove_queue(queue);
    }

    /// Stops the node in good order or kills it, and restarts it with what was durable (R124 to R127).
    pub(super) fn restart(&mut self, killed: bool, effects: &mut Effects) {
        self.node.alarm = None;
        let reason = (!killed).then(|| {
            let text = "broker forced connection closure with reason 'shutdown'";
            Fault::new(Code::ConnectionForced, text).into_reason((0, 0))
        });
        let unsettled = self.clients.channels.values().flat_map(|channel| channel.unsettled());
        let unsettled: Vec<_> = unsettled.map(|pending| (pending.queue, pending.message.clone())).collect();
        for connection in self.clients.remove_all() {
            effects.push(Effect::ConnectionClosed { connection, reason: reason.clone() });
        }
        self.topology.restart(&self.node, killed, &unsettled);
    }
}
