//! [`Broker::apply`]: time, commands, and what an operator does.

use super::broker::Broker;
use super::command::{Command, Eviction, Operator};
use super::effect::{Arrival, CloseReason, Effect, Effects, MethodReply};
use super::errors::{Code, Fault};
use super::ids::{ChannelId, ConnectionId, Now};
use super::keys::QueueKey;
use super::message::deaths::Reason;
use super::method::Method;
use super::queue::settings::Settings;
use super::settlement::Settlement;

impl Broker {
    /// Handles everything that is due by `now`, then the command, and appends the resulting effects to `effects`. Inlined, with what it
    /// calls, down to the match over methods: a command is large, and would be copied for each call.
    #[inline]
    pub fn apply(&mut self, now: Now, command: Command, effects: &mut Effects) {
        if now.elapsed >= self.node.now.elapsed {
            self.catch_up(now, effects);
        }
        self.execute(command, effects);
    }

    /// Handles deadlines in order, each at its own time.
    fn catch_up(&mut self, now: Now, effects: &mut Effects) {
        while let Some((at, queue)) = self.topology.first_deadline().filter(|(at, _)| *at <= now.elapsed) {
            let early = now.elapsed - at.max(self.node.now.elapsed);
            self.node.now =
                Now { elapsed: now.elapsed - early, wall: now.wall.saturating_sub(early.as_secs()) };
            self.on_deadline(queue, effects);
            self.forward_dead_letters(effects);
        }
        self.node.now = now;
    }

    /// Handles what is due in a queue.
    fn on_deadline(&mut self, queue: QueueKey, effects: &mut Effects) {
        let expired = self.topology.queues[queue].expiry().is_some_and(|at| at <= self.node.now.elapsed);
        if expired {
            self.delete_queue(queue, effects);
        } else {
            self.topology.drop_expired(&self.node, queue);
            self.retry_dead_letters(queue, effects);
            self.topology.schedule(queue);
        }
    }

    #[inline]
    fn execute(&mut self, command: Command, effects: &mut Effects) {
        self.routed.clear();
        match command {
            Command::Method { channel, method } => self.call(channel, method, effects),
            Command::Connect { connection, options } => self.connect(connection, options, effects),
            Command::Close { connection } => {
                let held = self.holds(connection, &command, effects);
                if !held && self.drop_connection(connection, effects) {
                    effects.push(Effect::ConnectionCloseOk { connection });
                }
            }
            Command::Abort { connection } => {
                self.drop_connection(connection, effects);
            }
            Command::Operator(operator) => self.operate(operator, effects),
            Command::Tick => {}
        }
        self.forward_dead_letters(effects);
    }

    fn holds(&mut self, connection: ConnectionId, command: &Command, effects: &mut Effects) -> bool {
        let alarm = self.node.alarm.as_deref();
        alarm.is_some_and(|alarm| self.clients.hold(alarm, connection, command, effects))
    }

    fn call(&mut self, id: ChannelId, method: Method, effects: &mut Effects) {
        if self.node.alarm.is_some() {
            let command = Command::Method { channel: id, method: method.clone() };
            if self.holds(id.connection, &command, effects) {
                return;
            }
        }
        let provoked_by = method.id();
        let Err(fault) = self.call_now(id, method, effects) else { return };
        let hard = fault.is_hard();
        let reason = fault.into_reason(provoked_by);
        if hard {
            self.close_connection(id.connection, reason, effects);
        } else {
            self.close_channel(id, reason, effects);
        }
    }

    fn call_now(&mut self, id: ChannelId, method: Method, effects: &mut Effects) -> Result<(), Fault> {
        let Some(channel) = self.clients.channel_ids.get(&id).copied() else {
            return match method {
                _ if !self.clients.connections.contains_key(&id.connection) => Ok(()),
                Method::ChannelOpen => self.clients.open_channel(id, effects),
                _ => Err(Fault::new(Code::ChannelError, "expected 'channel.open'")),
            };
        };
        if !self.clients.channels[channel].closing {
            #[cfg(feature = "port")]
            self.check_permissions(channel, &method)?;
            if let Some(reply) = self.dispatch(channel, method, effects)? {
                effects.reply(id, reply);
            }
            return Ok(());
        }
        match &method {
            Method::ChannelCloseOk => self.end_channel(channel, effects),
            Method::ChannelClose => effects.reply(id, MethodReply::ChannelCloseOk),
            Method::ChannelOpen => return Err(Fault::second_open()),
            // RabbitMQ completes names before it looks whether the channel is closing, and closes it again (R3).
            other if other.names_last_queue() => {
                if let Err(fault) = self.clients.channels[channel].named(&Default::default()) {
                    let reason = fault.into_reason(method.id());
                    effects.push(Effect::ChannelClosed { channel: id, reason });
                }
            }
            _ => {}
        }
        Ok(())
    }
}

// -- Operators --

impl Broker {
    fn operate(&mut self, operator: Operator, effects: &mut Effects) {
        match operator {
            Operator::CloseConnection { connection, reason } => {
                let reason = Fault::new(Code::ConnectionForced, reason).into_reason((0, 0));
                self.close_connection(connection, reason, effects);
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
            Operator::SetPolicy(policy) => {
                self.topology.set_policy(policy);
                self.apply_policies(effects);
            }
            Operator::ClearPolicy { name } => {
                self.topology.clear_policy(&name);
                self.apply_policies(effects);
            }
            Operator::Restart => self.restart(false, effects),
            Operator::Kill => self.restart(true, effects),
        }
    }

    fn cancel_consumer(&mut self, id: ChannelId, tag: &str, effects: &mut Effects) {
        let Some(channel) = self.clients.channel_ids.get(&id).copied() else { return };
        let Some((tag, consumer)) = self.clients.channels[channel].consumers.remove_entry(tag) else {
            return;
        };
        self.clients.notify_cancel(channel, tag, effects);
        self.end_consumer(consumer, effects);
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
        self.settle_one(channel, pending, Settlement::Discard(reason), effects);
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

    fn apply_policies(&mut self, effects: &mut Effects) {
        self.topology.apply_policies_to_exchanges();
        for queue in self.topology.queues.keys().collect::<Vec<_>>() {
            if let Some(settings) = self.topology.changed_settings(&self.node, queue) {
                self.change_settings(queue, settings, effects);
            }
        }
        self.topology.topology_grew(&self.node);
    }

    /// Changes the settings of a queue, whose messages follow the new ones at once.
    fn change_settings(&mut self, queue: QueueKey, settings: Settings, effects: &mut Effects) {
        let state = &mut self.topology.queues[queue];
        if settings.expires != state.settings.expires {
            state.last_used = self.node.now.elapsed;
        }
        if state.is_quorum() {
            state.settings = settings;
            self.run(queue, effects);
            self.topology.drop_over_limit(&self.node, queue);
        } else {
            // A classic queue takes the limits first, with the overflow that it had.
            let (old, new) = (state.settings.overflow, settings.overflow);
            state.settings = settings;
            for overflow in [old, new] {
                self.topology.queues[queue].settings.overflow = overflow;
                self.topology.drop_over_limit(&self.node, queue);
            }
            self.topology.drop_expired(&self.node, queue);
        }
        self.topology.schedule(queue);
    }
}
