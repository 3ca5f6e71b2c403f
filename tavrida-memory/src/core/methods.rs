//! The methods of AMQP, by class.

use tavrida::field::ShortString;

use super::broker::Broker;
use super::clients::reply_to;
use super::clients::unacked::Pending;
use super::effect::{Effects, Got, MethodReply};
use super::errors::{Code, Fault};
use super::keys::{ChannelKey, QueueKey};
use super::method::{BasicConsume, Method, QueueBind, QueueDeclare};
use super::settlement::Settlement;
use super::topology::{NamedBinding, stripped};

// The classes of methods, as on the wire.
const CHANNEL: u16 = 20;
const EXCHANGE: u16 = 40;
const QUEUE: u16 = 50;
const BASIC: u16 = 60;
const CONFIRM: u16 = 85;
const TX: u16 = 90;

/// The reply to a method. `None` if it has none, or has already sent it.
type Reply = Result<Option<MethodReply>, Fault>;

impl Broker {
    /// Handles a method on an open channel.
    #[inline]
    pub(super) fn dispatch(&mut self, channel: ChannelKey, method: Method, effects: &mut Effects) -> Reply {
        let (class, _) = method.id();
        match class {
            BASIC => self.basic(channel, method, effects),
            QUEUE => self.queue(channel, method, effects),
            EXCHANGE => self.exchange(channel, method),
            CHANNEL => self.channel(channel, method, effects),
            CONFIRM => self.confirm(channel, method),
            TX => self.tx(channel, method, effects),
            _ => Err(Fault::unimplemented()),
        }
    }

    #[inline]
    fn basic(&mut self, channel: ChannelKey, method: Method, effects: &mut Effects) -> Reply {
        match method {
            Method::BasicPublish { publication, immediate } => {
                self.publish(channel, publication, immediate, effects)?;
            }
            Method::BasicAck { delivery_tag, multiple } => {
                self.settle(channel, delivery_tag, multiple, Settlement::Ack, effects)?;
            }
            Method::BasicReject { delivery_tag, requeue } => {
                self.settle(channel, delivery_tag, false, Settlement::of_reject(requeue), effects)?;
            }
            Method::BasicNack { delivery_tag, multiple, requeue } => {
                self.settle(channel, delivery_tag, multiple, Settlement::of_reject(requeue), effects)?;
            }
            Method::BasicGet { queue, no_ack } => return self.get(channel, &queue, no_ack),
            Method::BasicQos { prefetch_size, prefetch_count, global } => {
                self.qos(channel, prefetch_size, prefetch_count, global, effects)?;
            }
            Method::BasicConsume(consume) => self.consume(channel, consume, effects)?,
            Method::BasicCancel { consumer_tag, nowait } => {
                self.cancel(channel, consumer_tag, nowait, effects);
            }
            // RabbitMQ converts `recover` to `recover-async`; the error names what the client called.
            Method::BasicRecover { requeue: false } | Method::BasicRecoverAsync { requeue: false } => {
                return Err(Fault::not_implemented("requeue=false"));
            }
            Method::BasicRecover { .. } => {
                self.recover(channel, effects);
                return Ok(Some(MethodReply::BasicRecoverOk));
            }
            Method::BasicRecoverAsync { .. } => self.recover(channel, effects),
            _ => return Err(Fault::unimplemented()),
        }
        Ok(None)
    }

    fn queue(&mut self, channel: ChannelKey, method: Method, effects: &mut Effects) -> Reply {
        let connection = self.clients.channels[channel].id.connection;
        match method {
            Method::QueueDeclare(declare) => self.declare_queue(channel, declare),
            Method::QueueBind(bind) => {
                let nowait = bind.nowait;
                let binding = self.named_binding(channel, bind)?;
                self.topology.bind(&self.node, connection, binding)?;
                Ok((!nowait).then_some(MethodReply::QueueBindOk))
            }
            Method::QueueUnbind(bind) => {
                let binding = self.named_binding(channel, bind)?;
                self.topology.unbind(connection, binding)?;
                Ok(Some(MethodReply::QueueUnbindOk))
            }
            Method::QueuePurge { queue, nowait } => {
                let queue = self.accessible_queue(channel, &queue)?;
                let message_count = self.topology.purge_queue(queue);
                Ok((!nowait).then_some(MethodReply::QueuePurgeOk { message_count }))
            }
            Method::QueueDelete { queue, if_unused, if_empty, nowait } => {
                let name = stripped(&self.clients.channels[channel].named(&queue)?);
                let found = self.topology.deletable_queue(connection, &name, if_unused, if_empty)?;
                if !nowait {
                    let message_count = found.map_or(0, |queue| self.topology.queues[queue].counts().0);
                    let id = self.clients.channels[channel].id;
                    effects.reply(id, MethodReply::QueueDeleteOk { message_count });
                }
                if let Some(queue) = found {
                    self.delete_queue(queue, effects);
                }
                Ok(None)
            }
            _ => Err(Fault::unimplemented()),
        }
    }

    fn exchange(&mut self, channel: ChannelKey, method: Method) -> Reply {
        let connection = self.clients.channels[channel].id.connection;
        let (nowait, reply) = match method {
            Method::ExchangeDeclare(declare) => {
                let nowait = declare.nowait;
                self.topology.declare_exchange(&self.node, declare)?;
                (nowait, MethodReply::ExchangeDeclareOk)
            }
            Method::ExchangeDelete { exchange, if_unused, nowait } => {
                self.topology.delete_exchange(&exchange, if_unused)?;
                (nowait, MethodReply::ExchangeDeleteOk)
            }
            Method::ExchangeBind(bind) => {
                let nowait = bind.nowait;
                self.topology.bind(&self.node, connection, NamedBinding::of_exchange(bind))?;
                (nowait, MethodReply::ExchangeBindOk)
            }
            Method::ExchangeUnbind(bind) => {
                let nowait = bind.nowait;
                self.topology.unbind(connection, NamedBinding::of_exchange(bind))?;
                (nowait, MethodReply::ExchangeUnbindOk)
            }
            _ => return Err(Fault::unimplemented()),
        };
        Ok((!nowait).then_some(reply))
    }

    fn channel(&mut self, channel: ChannelKey, method: Method, effects: &mut Effects) -> Reply {
        match method {
            Method::ChannelFlow { active: true } => Ok(Some(MethodReply::ChannelFlowOk { active: true })),
            Method::ChannelFlow { active: false } => Err(Fault::not_implemented("active=false")),
            Method::ChannelOpen => Err(Fault::second_open()),
            Method::ChannelClose => {
                self.end_channel(channel, effects);
                Ok(Some(MethodReply::ChannelCloseOk))
            }
            _ => Err(Fault::unimplemented()),
        }
    }

    fn confirm(&mut self, channel: ChannelKey, method: Method) -> Reply {
        let Method::ConfirmSelect { nowait } = method else { return Err(Fault::unimplemented()) };
        self.clients.channels[channel].select_confirms()?;
        Ok((!nowait).then_some(MethodReply::ConfirmSelectOk))
    }

    fn tx(&mut self, channel: ChannelKey, method: Method, effects: &mut Effects) -> Reply {
        let state = &mut self.clients.channels[channel];
        match method {
            Method::TxSelect => {
                state.select_transaction()?;
                Ok(Some(MethodReply::TxSelectOk))
            }
            Method::TxCommit => {
                self.commit(channel, effects)?;
                Ok(Some(MethodReply::TxCommitOk))
            }
            Method::TxRollback => {
                state.transaction()?;
                state.roll_back();
                Ok(Some(MethodReply::TxRollbackOk))
            }
            _ => Err(Fault::unimplemented()),
        }
    }
}

// -- Methods of several steps --

impl Broker {
    fn qos(
        &mut self,
        channel: ChannelKey,
        prefetch_size: u32,
        count: u16,
        global: bool,
        effects: &mut Effects,
    ) -> Result<(), Fault> {
        if prefetch_size != 0 {
            return Err(Fault::not_implemented(format!("prefetch_size!=0 ({prefetch_size})")));
        }
        let state = &mut self.clients.channels[channel];
        let unacked = state.unacked.len();
        // The limit of each consumer disables the shared one (R108).
        let limit = if global { count } else { 0 };
        let waiting = state.limiter.set(limit, unacked);
        if !global {
            state.prefetch = count;
        }
        effects.reply(state.id, MethodReply::BasicQosOk);
        self.resume(channel, waiting, effects);
        Ok(())
    }

    fn consume(
        &mut self,
        channel: ChannelKey,
        mut consume: BasicConsume,
        effects: &mut Effects,
    ) -> Result<(), Fault> {
        let state = &self.clients.channels[channel];
        let id = state.id;
        // The name of the queue is completed before all else (R102).
        let name = state.named(&consume.queue)?;
        if state.consumers.contains_key(&*consume.consumer_tag) {
            let text = format!("attempt to reuse consumer tag '{}'", consume.consumer_tag);
            return Err(Fault::new(Code::NotAllowed, text));
        }
        let names = &mut self.node.names;
        if consume.queue == reply_to::QUEUE {
            return self.clients.consume_replies(names, channel, consume, effects);
        }
        let key = self.topology.queue(&name)?;
        self.topology.check_access(key, id.connection)?;
        let (queue, what) = (&self.topology.queues[key], self.topology.queue_text(&name));
        self.clients.check_consume(channel, queue, &consume, &what, &self.node.behaviour)?;
        let tag = self.node.names.tag_or(std::mem::take(&mut consume.consumer_tag));
        let queue = &mut self.topology.queues[key];
        self.clients.add_consumer(channel, key, queue, &consume, tag.clone(), &self.node.behaviour);
        if !consume.nowait {
            effects.reply(id, MethodReply::BasicConsumeOk { consumer_tag: tag });
        }
        self.run(key, effects);
        Ok(())
    }

    /// `basic.cancel`; an unknown tag is fine.
    fn cancel(&mut self, channel: ChannelKey, tag: ShortString, nowait: bool, effects: &mut Effects) {
        let state = &mut self.clients.channels[channel];
        let consumer = state.consumers.remove(&tag);
        state.reply_consumer.take_if(|consumer| consumer.tag == tag);
        if !nowait {
            effects.reply(state.id, MethodReply::BasicCancelOk { consumer_tag: tag });
        }
        if let Some(consumer) = consumer {
            self.end_consumer(consumer, effects);
        }
    }

    fn get(&mut self, channel: ChannelKey, queue: &ShortString, no_ack: bool) -> Reply {
        let queue = self.accessible_queue(channel, queue)?;
        let state = &self.topology.queues[queue];
        if state.is_quorum() && state.settings.single_active {
            let what = self.topology.queue_text(&state.name);
            return Err(Fault::new(
                Code::ResourceLocked,
                format!(
                    "cannot obtain access to locked {what}. basic.get operations are not supported by \
                     quorum queues with single active consumer"
                ),
            ));
        }
        self.topology.touch(&self.node, queue);
        let Some(message) = self.topology.fetch(&self.node, queue) else {
            self.topology.schedule(queue);
            return Ok(Some(MethodReply::BasicGetEmpty));
        };
        if no_ack {
            // A quorum queue settles it at once, and looks for expired messages when it does (R69).
            self.topology.drop_expired(&self.node, queue);
        }
        let state = &mut self.topology.queues[queue];
        let channel = &mut self.clients.channels[channel];
        let got = Got {
            delivery_tag: channel.take_tag(),
            redelivered: message.redelivered,
            message_count: state.counts().0,
            publication: state.outgoing(&message, !self.node.behaviour.counts_only_returns),
        };
        if !no_ack {
            state.unacked += 1;
            channel.unacked.push(got.delivery_tag, Pending { queue, consumer: None, message });
        }
        self.topology.drop_expired(&self.node, queue);
        self.topology.schedule(queue);
        Ok(Some(MethodReply::BasicGetOk(got)))
    }

    fn declare_queue(&mut self, channel: ChannelKey, declare: QueueDeclare) -> Reply {
        let connection = self.clients.channels[channel].id.connection;
        let nowait = declare.nowait;
        let (queue, (message_count, consumer_count)) = if declare.queue.starts_with(reply_to::QUEUE) {
            let name = stripped(&declare.queue);
            if !self.clients.has_reply_address(&name) {
                return Err(Fault::not_found(format!("no {}", self.topology.queue_text(&name))));
            }
            (name, (0, 1))
        } else {
            let queue = if declare.passive {
                let queue = self.topology.queue(&stripped(&declare.queue))?;
                self.topology.touch(&self.node, queue);
                self.topology.check_access(queue, connection)?;
                queue
            } else {
                self.topology.declare_queue(&mut self.node, connection, declare)?
            };
            let state = &self.topology.queues[queue];
            if state.owner.is_some() {
                self.clients.own(connection, queue);
            }
            (state.name.clone(), self.clients.counts(queue, state))
        };
        self.clients.channels[channel].last_queue = Some(queue.clone());
        let reply = MethodReply::QueueDeclareOk { queue, message_count, consumer_count };
        Ok((!nowait).then_some(reply))
    }

    /// Returns a queue that the client names on a channel, and may use.
    fn accessible_queue(&self, channel: ChannelKey, name: &ShortString) -> Result<QueueKey, Fault> {
        let channel = &self.clients.channels[channel];
        let queue = self.topology.queue(&channel.named(name)?)?;
        self.topology.check_access(queue, channel.id.connection)?;
        Ok(queue)
    }

    fn named_binding(&self, channel: ChannelKey, bind: QueueBind) -> Result<NamedBinding, Fault> {
        let queue = self.clients.channels[channel].named(&bind.queue)?;
        Ok(NamedBinding::of_queue(&queue, bind))
    }
}
