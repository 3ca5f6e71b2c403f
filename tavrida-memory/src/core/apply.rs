//! [`Broker::apply`]: dispatches a command to the code that handles it.

use super::broker::Broker;
use super::declare::no_last_queue;
use super::effect::{Effect, Effects, MethodReply};
use super::errors::{Code, Fault};
use super::keys::ChannelKey;
use super::settle::Verdict;
use super::{ChannelId, Command, Method, Now};

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
        while let Some((at, queue)) =
            self.topology.calendar.first().copied().filter(|(at, _)| *at <= now.elapsed)
        {
            let early = now.elapsed - at.max(self.node.now.elapsed);
            self.node.now =
                Now { elapsed: now.elapsed - early, wall: now.wall.saturating_sub(early.as_secs()) };
            self.on_deadline(queue, effects);
            self.forward(effects);
        }
        self.node.now = now;
    }

    #[inline]
    pub(super) fn execute(&mut self, command: Command, effects: &mut Effects) {
        self.routed.clear();
        match command {
            Command::Method { channel, method } => self.call(channel, method, effects),
            Command::Connect { connection, options } => self.connect(connection, options, effects),
            Command::Close { connection } => {
                let held = self.node.alarm.is_some() && self.hold(connection, &command, effects);
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
        self.forward(effects);
    }

    fn call(&mut self, id: ChannelId, method: Method, effects: &mut Effects) {
        if self.node.alarm.is_some() {
            let command = Command::Method { channel: id, method: method.clone() };
            if self.hold(id.connection, &command, effects) {
                return;
            }
        }
        let provoked_by = method.id();
        if let Err(fault) = self.call_now(id, method, effects) {
            self.refuse(id, fault, provoked_by, effects);
        }
    }

    fn call_now(&mut self, id: ChannelId, method: Method, effects: &mut Effects) -> Result<(), Fault> {
        let Some(channel) = self.clients.channel_ids.get(&id).copied() else {
            return match method {
                _ if !self.clients.connections.contains_key(&id.connection) => Ok(()),
                Method::ChannelOpen => self.open_channel(id, effects),
                _ => Err(Fault::new(Code::ChannelError, "expected 'channel.open'")),
            };
        };
        if !self.clients.channels[channel].closing {
            return self.dispatch(channel, id, method, effects);
        }
        match &method {
            Method::ChannelCloseOk => self.end_channel(channel, effects),
            Method::ChannelClose => effects.reply(id, MethodReply::ChannelCloseOk),
            Method::ChannelOpen => return Err(second_open()),
            // RabbitMQ completes names before it looks whether the channel is closing, and closes it again (R3).
            other if other.names_last_queue() && self.clients.channels[channel].last_queue.is_none() => {
                let reason = no_last_queue().into_reason(method.id());
                effects.push(Effect::ChannelClosed { channel: id, reason });
            }
            _ => {}
        }
        Ok(())
    }

    fn dispatch(
        &mut self,
        channel: ChannelKey,
        id: ChannelId,
        method: Method,
        effects: &mut Effects,
    ) -> Result<(), Fault> {
        let reply = match method {
            Method::BasicPublish { publication, immediate } => {
                return self.publish(channel, publication, immediate, effects);
            }
            Method::BasicAck { delivery_tag, multiple } => {
                return self.settle(channel, delivery_tag, multiple, Verdict::Ack, effects);
            }
            Method::BasicReject { delivery_tag, requeue } => {
                return self.settle(channel, delivery_tag, false, Verdict::of_reject(requeue), effects);
            }
            Method::BasicNack { delivery_tag, multiple, requeue } => {
                return self.settle(channel, delivery_tag, multiple, Verdict::of_reject(requeue), effects);
            }
            Method::BasicGet { queue, no_ack } => return self.get(channel, &queue, no_ack, effects),
            Method::BasicQos { prefetch_size, prefetch_count, global } => {
                return self.qos(channel, prefetch_size, prefetch_count, global, effects);
            }
            Method::BasicConsume(consume) => return self.consume(channel, consume, effects),
            Method::BasicCancel { consumer_tag, nowait } => {
                self.cancel(channel, consumer_tag, nowait, effects);
                return Ok(());
            }
            Method::QueueDeclare(declare) => return self.declare_queue(channel, declare, effects),
            Method::QueueDelete { queue, if_unused, if_empty, nowait } => {
                return self.delete_queue_on_request(channel, &queue, if_unused, if_empty, nowait, effects);
            }
            Method::BasicRecover { requeue } | Method::BasicRecoverAsync { requeue } if !requeue => {
                // RabbitMQ converts `recover` to `recover-async`; the error names what the client called.
                return Err(Fault::not_implemented("requeue=false"));
            }
            Method::BasicRecover { .. } => {
                self.recover(channel, effects);
                Some(MethodReply::BasicRecoverOk)
            }
            Method::BasicRecoverAsync { .. } => {
                self.recover(channel, effects);
                None
            }
            Method::QueueBind(bind) => {
                let nowait = bind.nowait;
                self.bind_queue(channel, bind)?;
                (!nowait).then_some(MethodReply::QueueBindOk)
            }
            Method::QueueUnbind(bind) => {
                self.unbind_queue(channel, bind)?;
                Some(MethodReply::QueueUnbindOk)
            }
            Method::QueuePurge { queue, nowait } => {
                let message_count = self.purge_queue(channel, &queue)?;
                (!nowait).then_some(MethodReply::QueuePurgeOk { message_count })
            }
            Method::ExchangeDeclare(declare) => {
                let nowait = declare.nowait;
                self.declare_exchange(declare)?;
                (!nowait).then_some(MethodReply::ExchangeDeclareOk)
            }
            Method::ExchangeDelete { exchange, if_unused, nowait } => {
                self.delete_exchange(&exchange, if_unused)?;
                (!nowait).then_some(MethodReply::ExchangeDeleteOk)
            }
            Method::ExchangeBind(bind) => {
                let nowait = bind.nowait;
                self.bind_exchange(channel, bind)?;
                (!nowait).then_some(MethodReply::ExchangeBindOk)
            }
            Method::ExchangeUnbind(bind) => {
                let nowait = bind.nowait;
                self.unbind_exchange(channel, bind)?;
                (!nowait).then_some(MethodReply::ExchangeUnbindOk)
            }
            Method::ConfirmSelect { nowait } => {
                self.select_confirms(channel)?;
                (!nowait).then_some(MethodReply::ConfirmSelectOk)
            }
            Method::TxSelect => {
                self.select_transaction(channel)?;
                Some(MethodReply::TxSelectOk)
            }
            Method::TxCommit => return self.commit(channel, effects),
            Method::TxRollback => {
                self.rollback(channel)?;
                Some(MethodReply::TxRollbackOk)
            }
            Method::ChannelFlow { active: true } => Some(MethodReply::ChannelFlowOk { active: true }),
            Method::ChannelFlow { active: false } => return Err(Fault::not_implemented("active=false")),
            Method::ChannelOpen => return Err(second_open()),
            Method::ChannelClose => {
                self.end_channel(channel, effects);
                Some(MethodReply::ChannelCloseOk)
            }
            Method::ChannelCloseOk => return Err(Fault::new(Code::CommandInvalid, "unimplemented method")),
        };
        if let Some(reply) = reply {
            effects.reply(id, reply);
        }
        Ok(())
    }
}

fn second_open() -> Fault {
    Fault::new(Code::ChannelError, "second 'channel.open' seen")
}
