//! External interventions, and the alarm that blocks publishers.

use super::broker::Broker;
use super::dead_letter::Reason;
use super::effect::{Arrival, CloseReason, Effect, Effects};
use super::errors::{Code, Fault};
use super::settle::Verdict;
use super::{ChannelId, Command, ConnectionId, Eviction, Method, Operator};

impl Broker {
    pub(super) fn operate(&mut self, operator: Operator, effects: &mut Effects) {
        match operator {
            Operator::CloseConnection { connection, reason } => {
                let reason = Fault::new(Code::ConnectionForced, reason).into_reason((0, 0));
                self.close_connection(connection, Some(reason), effects);
            }
            Operator::CloseChannel { channel, code, text } => {
                self.close_channel(channel, CloseReason { code, text, class: 0, method: 0 }, effects);
            }
            Operator::CancelConsumer { channel, consumer_tag } => {
                self.cancel_consumer(channel, &consumer_tag, effects);
            }
            Operator::Evict { channel, why } => self.evict(channel, why, effects),
            Operator::Block { reason } => self.node.alarm = Some(reason),
            Operator::Unblock => self.unblock_connections(effects),
            Operator::SetPolicy(policy) => self.set_policy(policy, effects),
            Operator::ClearPolicy { name } => self.clear_policy(&name, effects),
            Operator::Restart => self.restart(false, effects),
            Operator::Kill => self.restart(true, effects),
        }
    }

    fn cancel_consumer(&mut self, id: ChannelId, tag: &str, effects: &mut Effects) {
        let Some(channel) = self.clients.channel_ids.get(&id).copied() else { return };
        let Some(consumer) = self.clients.channels[channel].consumers.get(tag).copied() else { return };
        let (queue, tag) =
            (self.clients.consumers[consumer].queue, self.clients.consumers[consumer].tag.clone());
        self.clients.channels[channel].consumers.remove(&tag);
        self.remove_consumer(consumer);
        if self.clients.connections[&id.connection].options.cancel_notify {
            let number = self.next_number();
            self.clients.channels[channel].send(number, Arrival::Cancel { consumer_tag: tag }, effects);
        }
        if !self.delete_if_abandoned(queue, effects) {
            self.touch(queue);
            self.run(queue, effects);
        }
    }

    /// Takes back the head of an outbox, and removes it from its queue.
    fn evict(&mut self, id: ChannelId, why: Eviction, effects: &mut Effects) {
        let Some(channel) = self.clients.channel_ids.get(&id).copied() else { return };
        let Some(Arrival::Delivery(next)) = self.peek(id) else { return };
        let tag = next.delivery_tag;
        let Some(pending) = self.clients.channels[channel].unacked.take(tag) else { return };
        let reason = match why {
            Eviction::Expired => Reason::Expired,
            Eviction::Overflow => Reason::MaxLength,
        };
        self.take(id);
        self.settle_one(channel, pending, Verdict::Discard(reason), effects);
    }

    /// During an alarm: holds a command if its connection is blocked, or is now blocked because it publishes (R10). Returns whether it was
    /// held. RabbitMQ stops to read behind the header of the content, so an empty message still goes through.
    pub(super) fn hold(&mut self, id: ConnectionId, command: &Command, effects: &mut Effects) -> bool {
        let Some(connection) = self.clients.connections.get_mut(&id) else { return false };
        if let Some(held) = &mut connection.held {
            held.push_back(command.clone());
            return true;
        }
        let Command::Method { method: Method::BasicPublish { publication, .. }, .. } = command else {
            return false;
        };
        let Some(reason) = &self.node.alarm else { return false };
        effects.push(Effect::Blocked { connection: id, reason: reason.clone() });
        let holds = !publication.body.is_empty();
        connection.held = Some(holds.then(|| command.clone()).into_iter().collect());
        holds
    }

    fn unblock_connections(&mut self, effects: &mut Effects) {
        self.node.alarm = None;
        let ids: Vec<ConnectionId> = self.clients.connections.keys().copied().collect();
        for id in ids {
            let held = self.clients.connections.get_mut(&id).and_then(|connection| connection.held.take());
            let Some(held) = held else { continue };
            effects.push(Effect::Unblocked { connection: id });
            for command in held {
                self.execute(command, effects);
            }
        }
    }
}
