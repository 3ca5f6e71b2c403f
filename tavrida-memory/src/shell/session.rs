//! [`MemorySession`]: the operations of a session, each on a suitable channel.

use std::sync::Arc;

use async_trait::async_trait;
use tavrida::field::{ShortString, Table};
use tavrida::transport::{
    Admin, Binding, BrokerError, ConnectionLost, Consume, Consumer, DIRECT_REPLY_TO, Delivery, Destination,
    Exchange, GetMessage, Publication, PublishFuture, Queue, QueueStatus, Scope, Session, SessionError,
    check_arguments,
};

use super::channel::OwnChannel;
use super::consumer::MemoryDeliveries;
use super::handle::Handle;
use super::publish::replies_of;
use super::shared::Locked;
use super::state::refusal;
use crate::core::{
    BasicConsume, ChannelId, Command, Effect, ExchangeBind, ExchangeDeclare, Method, MethodReply, QueueBind,
    QueueDeclare,
};

/// One session.
pub(super) struct MemorySession {
    handle: Arc<Handle>,
}

impl MemorySession {
    pub(super) fn new(handle: Arc<Handle>) -> Self {
        Self { handle }
    }

    fn check(&self, arguments: &Table) -> Result<(), SessionError> {
        Ok(check_arguments(arguments, self.handle.shared.lock().frame_max)?)
    }

    /// Calls a method on the session's management channel; an error closes that channel, and the next call opens another.
    fn manage(&self, method: Method) -> Result<MethodReply, SessionError> {
        let mut state = self.handle.lock()?;
        let id = self.handle.life.id;
        let channel = state.manager(id).ok_or_else(|| lost(&self.handle))?;
        let reply = call(&mut state, channel, method);
        if reply.is_err() {
            if let Some(entry) = state.sessions.get_mut(&id) {
                entry.manager = None;
            }
            state.close_channel(channel);
        }
        reply
    }
}

/// Opens a new channel of a session.
fn open(state: &mut Locked<'_>, handle: &Handle) -> Result<ChannelId, SessionError> {
    match state.open_channel(handle.life.id) {
        Some(channel) => Ok(channel),
        None => Err(lost(handle)),
    }
}

/// Opens the channel of a session's direct replies.
fn open_replies(state: &mut Locked<'_>, handle: &Handle) -> Result<ChannelId, SessionError> {
    let id = handle.life.id;
    if state.broker.is_open(replies_of(id)) {
        // RabbitMQ returns the same error, and closes the channel of the first.
        return Err(BrokerError::channel(406, "PRECONDITION_FAILED - reply consumer already set").into());
    }
    Ok(state.open_replies(id))
}

/// Returns the error of a session that was just found to have ended.
fn lost(handle: &Handle) -> SessionError {
    let loss = handle.life.loss().cloned();
    match loss.as_ref().and_then(ConnectionLost::refusal) {
        Some(refusal) => refusal.clone().into(),
        None => SessionError::Lost(loss.unwrap_or_else(ConnectionLost::closed_here)),
    }
}

/// Calls a method. Returns its reply, or the error.
fn call(state: &mut Locked<'_>, own: ChannelId, method: Method) -> Result<MethodReply, SessionError> {
    let mut effects = state.execute(Command::Method { channel: own, method });
    let mut answer: Option<Result<MethodReply, BrokerError>> = None;
    for effect in effects.drain() {
        match effect {
            Effect::Reply { channel, reply } if channel == own => {
                answer = Some(Ok(reply));
                continue;
            }
            Effect::ChannelClosed { channel, ref reason } if channel == own => {
                answer = Some(Err(refusal(reason.clone(), Scope::Channel)));
            }
            Effect::ConnectionClosed { connection, reason: Some(ref reason) }
                if connection == own.connection =>
            {
                answer = Some(Err(refusal(reason.clone(), Scope::Connection)));
            }
            _ => {}
        }
        state.note(effect);
    }
    state.keep(effects);
    Ok(answer.expect("every method that a session calls is answered or refused at once")?)
}

/// Converts a name for the wire: nothing that exists has a longer name.
fn name(name: &str) -> Result<ShortString, SessionError> {
    ShortString::try_from(name).map_err(|_| SessionError::Unsupported("names of more than 255 bytes"))
}

#[async_trait]
impl Admin for MemorySession {
    async fn declare_exchange(&self, exchange: &Exchange) -> Result<(), SessionError> {
        self.check(&exchange.arguments)?;
        let Exchange { name, kind, durable, auto_delete, internal, arguments } = exchange.clone();
        let kind = name_of(&kind);
        self.manage(Method::ExchangeDeclare(ExchangeDeclare {
            exchange: name,
            kind,
            durable,
            auto_delete,
            internal,
            arguments,
            ..Default::default()
        }))?;
        Ok(())
    }

    async fn declare_exchange_passive(&self, exchange: &str) -> Result<(), SessionError> {
        let exchange = name(exchange)?;
        self.manage(Method::ExchangeDeclare(ExchangeDeclare {
            exchange,
            passive: true,
            ..Default::default()
        }))?;
        Ok(())
    }

    async fn delete_exchange(&self, exchange: &str, if_unused: bool) -> Result<(), SessionError> {
        self.manage(Method::ExchangeDelete { exchange: name(exchange)?, if_unused, nowait: false })?;
        Ok(())
    }

    async fn declare_queue(&self, queue: &Queue) -> Result<QueueStatus, SessionError> {
        self.check(&queue.arguments)?;
        let Queue { name, durable, exclusive, auto_delete, arguments } = queue.clone();
        let reply = self.manage(Method::QueueDeclare(QueueDeclare {
            queue: name,
            durable,
            exclusive,
            auto_delete,
            arguments,
            ..Default::default()
        }))?;
        Ok(status(reply))
    }

    async fn declare_queue_passive(&self, queue: &str) -> Result<QueueStatus, SessionError> {
        let queue = name(queue)?;
        let declare = QueueDeclare { queue, passive: true, ..Default::default() };
        Ok(status(self.manage(Method::QueueDeclare(declare))?))
    }

    async fn delete_queue(&self, queue: &str, if_unused: bool, if_empty: bool) -> Result<u32, SessionError> {
        let method = Method::QueueDelete { queue: name(queue)?, if_unused, if_empty, nowait: false };
        match self.manage(method)? {
            MethodReply::QueueDeleteOk { message_count } => Ok(message_count),
            other => unreachable!("queue.delete was answered with {other:?}"),
        }
    }

    async fn purge_queue(&self, queue: &str) -> Result<u32, SessionError> {
        match self.manage(Method::QueuePurge { queue: name(queue)?, nowait: false })? {
            MethodReply::QueuePurgeOk { message_count } => Ok(message_count),
            other => unreachable!("queue.purge was answered with {other:?}"),
        }
    }

    async fn bind(&self, binding: &Binding) -> Result<(), SessionError> {
        self.check(&binding.arguments)?;
        self.manage(match &binding.destination {
            Destination::Queue(queue) => Method::QueueBind(queue_bind(binding, queue)),
            Destination::Exchange(exchange) => Method::ExchangeBind(exchange_bind(binding, exchange)),
        })?;
        Ok(())
    }

    async fn unbind(&self, binding: &Binding) -> Result<(), SessionError> {
        self.check(&binding.arguments)?;
        self.manage(match &binding.destination {
            Destination::Queue(queue) => Method::QueueUnbind(queue_bind(binding, queue)),
            Destination::Exchange(exchange) => Method::ExchangeUnbind(exchange_bind(binding, exchange)),
        })?;
        Ok(())
    }
}

#[async_trait]
impl Session for MemorySession {
    fn admin(&self) -> &dyn Admin {
        self
    }

    fn publish(&self, publication: Publication) -> PublishFuture<'_> {
        PublishFuture::unsent(&*self.handle, Arc::new(publication))
    }

    async fn get(&self, queue: &str) -> Result<Option<GetMessage>, SessionError> {
        let queue = name(queue)?;
        let mut state = self.handle.lock()?;
        let id = open(&mut state, &self.handle)?;
        let reply = call(&mut state, id, Method::BasicGet { queue, no_ack: false });
        let Ok(MethodReply::BasicGetOk(got)) = reply else {
            state.close_channel(id);
            return reply.map(|_| None);
        };
        state.tell_fetched(self.handle.life.id, id, &got);
        let end = state.follow(id);
        let channel = Arc::new(OwnChannel { handle: self.handle.clone(), id, end });
        let delivery = Delivery::new(got.publication, got.redelivered, channel, got.delivery_tag);
        Ok(Some(GetMessage { delivery, messages_left: got.message_count }))
    }

    async fn consume(&self, consume: &Consume) -> Result<Consumer, SessionError> {
        self.check(&consume.arguments)?;
        let Consume { queue, prefetch, no_ack, exclusive, arguments } = consume.clone();
        let mut state = self.handle.lock()?;
        let id = match &*queue == DIRECT_REPLY_TO {
            true => open_replies(&mut state, &self.handle)?,
            false => open(&mut state, &self.handle)?,
        };
        state.call(id, Method::BasicQos { prefetch_size: 0, prefetch_count: prefetch, global: false });
        let end = state.follow(id);
        let method = BasicConsume { queue, no_ack, exclusive, arguments, ..Default::default() };
        match call(&mut state, id, Method::BasicConsume(method)) {
            Ok(MethodReply::BasicConsumeOk { consumer_tag }) => {
                state.tell_consuming(self.handle.life.id, id, consume);
                let channel = Arc::new(OwnChannel { handle: self.handle.clone(), id, end });
                Ok(Consumer::new(MemoryDeliveries::new(channel, consumer_tag, no_ack)))
            }
            Ok(other) => unreachable!("basic.consume was answered with {other:?}"),
            Err(error) => {
                state.close_channel(id);
                Err(error)
            }
        }
    }

    async fn close(&self) -> Result<(), SessionError> {
        self.handle.shared.lock().end_session(self.handle.life.id, ConnectionLost::closed_here());
        Ok(())
    }

    async fn closed(&self) -> ConnectionLost {
        self.handle.life.ended().await
    }

    fn blocked(&self) -> Option<String> {
        let state = self.handle.shared.lock();
        state.sessions.get(&self.handle.life.id)?.blocked.clone()
    }
}

fn name_of(kind: &tavrida::transport::ExchangeKind) -> ShortString {
    kind.as_str().try_into().expect("a type of exchange has a short name")
}

fn status(reply: MethodReply) -> QueueStatus {
    match reply {
        MethodReply::QueueDeclareOk { queue, message_count, consumer_count } => {
            QueueStatus { name: queue, messages: message_count, consumers: consumer_count }
        }
        other => unreachable!("queue.declare was answered with {other:?}"),
    }
}

fn queue_bind(binding: &Binding, queue: &ShortString) -> QueueBind {
    QueueBind {
        queue: queue.clone(),
        exchange: binding.source.clone(),
        routing_key: binding.routing_key.clone(),
        arguments: binding.arguments.clone(),
        nowait: false,
    }
}

fn exchange_bind(binding: &Binding, destination: &ShortString) -> ExchangeBind {
    ExchangeBind {
        destination: destination.clone(),
        source: binding.source.clone(),
        routing_key: binding.routing_key.clone(),
        arguments: binding.arguments.clone(),
        nowait: false,
    }
}
