//! One live session, on a connection that publishes and one for everything else; on a third for answers to direct reply addresses.

use parking_lot::Mutex;
use std::future::Future;
use std::sync::Arc;

use async_trait::async_trait;
use lapin::Channel;
use tavrida::field::Table;
use tavrida::transport::{
    Admin, Binding, Broker, ConnectionLost, Consume, Consumer, DIRECT_REPLY_TO, Destination, Exchange,
    GetMessage, Publication, PublishFuture, Queue, QueueStatus, Session, SessionError, check_arguments,
};

use crate::config::AmqpConfig;
use crate::consume;
use crate::consume_side::{CloseResult, ConsumeSide};
use crate::link::{Lease, Liveness};
use crate::manage;
use crate::publish::{PublishTask, Publisher, ReplyPublisher};

pub(crate) struct AmqpSession {
    broker: Option<Broker>,
    publisher: Arc<Publisher>,
    direct: ReplyPublisher,
    consume_side: Arc<ConsumeSide>,
    close_result: Mutex<Option<CloseResult>>,
    life: EndOnDrop,
}

/// Ends a life when it is dropped.
struct EndOnDrop(Arc<Liveness>);

impl Drop for EndOnDrop {
    fn drop(&mut self) {
        self.0.lose(ConnectionLost::closed_here());
    }
}

impl AmqpSession {
    /// Starts a session on open connections.
    pub(crate) async fn begin(config: &AmqpConfig, lease: Lease) -> Result<Self, SessionError> {
        let life = lease.connections.life.child();
        // From here on, an abandoned attempt closes what it opened.
        let end_on_drop = EndOnDrop(life.clone());
        let lease = Arc::new(lease);
        let direct = ReplyPublisher::new(config.clone(), lease.connections.host.clone(), life.clone());
        let consume_side = ConsumeSide::new(life.clone(), &lease);
        let publish_on = lease.connections.publish.clone();
        let login = config.login().map(Into::into);
        let (publisher, publish_task) =
            PublishTask::start(life.clone(), publish_on, config.publish_window, login)
                .await
                .map_err(|error| life.error(&error))?;
        let broker = lease.connections.broker.clone();
        let close_result = Mutex::new(Some(consume_side.keep(lease, publish_task)));
        Ok(Self {
            broker,
            publisher: Arc::new(publisher),
            direct,
            consume_side,
            close_result,
            life: end_on_drop,
        })
    }

    fn check_fit(&self, arguments: &Table) -> Result<(), SessionError> {
        let frame_max = self.consume_side.connection.configuration().frame_max() as usize;
        Ok(check_arguments(arguments, frame_max)?)
    }

    fn check_destination(&self, binding: &Binding) -> Result<(), SessionError> {
        match &binding.destination {
            Destination::Queue(queue) => Ok(self.consume_side.check_access(queue)?),
            Destination::Exchange(_) => Ok(()),
        }
    }

    /// Waits until its channels, or both connections, are closed; the first caller learns whether the broker has read everything.
    async fn wait_until_closed(&self) -> Result<(), ConnectionLost> {
        let close_result = self.close_result.lock().take();
        match close_result {
            Some(close_result) => close_result
                .await
                .unwrap_or_else(|_| Err(ConnectionLost::broken("the runtime was shut down"))),
            None => Ok(()),
        }
    }

    /// Runs one management operation on a channel to itself. `name` is its queue or exchange.
    async fn manage<T, F>(
        &self,
        name: &str,
        operation: impl FnOnce(Arc<Channel>) -> F + Send + 'static,
    ) -> Result<T, SessionError>
    where
        T: Send + 'static,
        F: Future<Output = lapin::Result<T>> + Send + 'static,
    {
        let name = name.to_owned();
        self.apart(async move |consume_side: Arc<ConsumeSide>| {
            let channel = consume_side.idle.take(&consume_side.life, &consume_side.connection, &name).await;
            let channel = match channel {
                Ok(channel) => channel,
                Err(error) => return Err(consume_side.error(error).await),
            };
            let done = operation(channel.clone()).await;
            consume_side.idle.give_back(channel).await;
            match done {
                Ok(done) => Ok(done),
                Err(error) => Err(consume_side.error(error).await),
            }
        })
        .await
    }

    /// Runs an operation in a separate task, so that it completes even if the caller stops waiting, and what it opened or took is returned
    /// in good order.
    async fn apart<T, F>(&self, operation: impl FnOnce(Arc<ConsumeSide>) -> F) -> Result<T, SessionError>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, SessionError>> + Send + 'static,
    {
        self.life.0.check()?;
        match tokio::spawn(operation(self.consume_side.clone())).await {
            Ok(done) => done,
            Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
            Err(_) => Err(ConnectionLost::broken("the runtime was shut down").into()),
        }
    }
}

#[async_trait]
impl Admin for AmqpSession {
    async fn declare_exchange(&self, exchange: &Exchange) -> Result<(), SessionError> {
        self.check_fit(&exchange.arguments)?;
        let (name, exchange) = (exchange.name.clone(), exchange.clone());
        self.manage("exchange", |channel| async move { manage::declare_exchange(&channel, &exchange).await })
            .await?;
        self.publisher.declared(&name);
        Ok(())
    }

    async fn declare_exchange_passive(&self, name: &str) -> Result<(), SessionError> {
        let name = name.to_owned();
        self.manage(
            "exchange",
            |channel| async move { manage::declare_exchange_passive(&channel, &name).await },
        )
        .await
    }

    async fn delete_exchange(&self, name: &str, if_unused: bool) -> Result<(), SessionError> {
        let name = name.to_owned();
        self.manage("exchange", move |channel| async move {
            manage::delete_exchange(&channel, &name, if_unused).await
        })
        .await
    }

    async fn declare_queue(&self, queue: &Queue) -> Result<QueueStatus, SessionError> {
        self.check_fit(&queue.arguments)?;
        self.consume_side.check_access(&queue.name)?;
        let (queue, consume_side) = (queue.clone(), self.consume_side.clone());
        // The broker generates a new name for the empty one.
        self.manage("queue", |channel| async move {
            let declared = manage::declare_queue(&channel, &queue).await?;
            consume_side.declared(&queue, &declared.name);
            Ok(declared)
        })
        .await
    }

    async fn declare_queue_passive(&self, name: &str) -> Result<QueueStatus, SessionError> {
        self.consume_side.check_access(name)?;
        let queue = name.to_owned();
        self.manage(name, |channel| async move { manage::declare_queue_passive(&channel, &queue).await })
            .await
    }

    async fn delete_queue(&self, name: &str, if_unused: bool, if_empty: bool) -> Result<u32, SessionError> {
        self.consume_side.check_access(name)?;
        let (queue, consume_side) = (name.to_owned(), self.consume_side.clone());
        self.manage(name, move |channel| async move {
            let deleted = manage::delete_queue(&channel, &queue, if_unused, if_empty).await?;
            consume_side.deleted(&queue);
            Ok(deleted)
        })
        .await
    }

    async fn purge_queue(&self, name: &str) -> Result<u32, SessionError> {
        self.consume_side.check_access(name)?;
        let queue = name.to_owned();
        self.manage(name, |channel| async move { manage::purge_queue(&channel, &queue).await }).await
    }

    async fn bind(&self, binding: &Binding) -> Result<(), SessionError> {
        self.check_fit(&binding.arguments)?;
        let binding = binding.clone();
        let name = destination(&binding).to_owned();
        self.check_destination(&binding)?;
        self.manage(&name, |channel| async move { manage::bind(&channel, &binding).await }).await
    }

    async fn unbind(&self, binding: &Binding) -> Result<(), SessionError> {
        self.check_fit(&binding.arguments)?;
        let binding = binding.clone();
        let name = destination(&binding).to_owned();
        self.check_destination(&binding)?;
        self.manage(&name, |channel| async move { manage::unbind(&channel, &binding).await }).await
    }
}

#[async_trait]
impl Session for AmqpSession {
    fn admin(&self) -> &dyn Admin {
        self
    }

    fn publish(&self, publication: Publication) -> PublishFuture<'_> {
        match ReplyPublisher::takes(&publication) {
            true => self.direct.publish(publication),
            false => self.publisher.publish(publication),
        }
    }

    async fn get(&self, queue: &str) -> Result<Option<GetMessage>, SessionError> {
        self.consume_side.check_access(queue)?;
        let queue = queue.to_owned();
        self.apart(async move |consume_side: Arc<ConsumeSide>| {
            consume::get(&consume_side.life, &consume_side.connection, &consume_side.idle, &queue).await
        })
        .await
    }

    async fn consume(&self, consume: &Consume) -> Result<Consumer, SessionError> {
        self.check_fit(&consume.arguments)?;
        if &*consume.queue == DIRECT_REPLY_TO {
            let (publisher, consume) = (self.publisher.clone(), consume.clone());
            return self
                .apart(async move |consume_side: Arc<ConsumeSide>| {
                    consume::consume_replies(&consume_side.life, &publisher, &consume).await
                })
                .await;
        }
        self.consume_side.check_access(&consume.queue)?;
        let consume = consume.clone();
        self.apart(async move |consume_side: Arc<ConsumeSide>| {
            let (consumer, settler) =
                consume::consume(&consume_side.life, &consume_side.connection, &consume).await?;
            consume_side.add(&settler).await?;
            Ok(consumer)
        })
        .await
    }

    async fn close(&self) -> Result<(), SessionError> {
        if self.life.0.lost().is_some() {
            return self.wait_until_closed().await.or(Ok(()));
        }
        // A caller that stops waiting for the flush ends the session at once.
        let giving_up = EndOnDrop(self.life.0.clone());
        self.publisher.flush().await;
        self.direct.flush().await;
        drop(giving_up);
        let cause = self.life.0.ended().await;
        let result = self.wait_until_closed().await;
        if cause.is_closed_here() { Ok(result?) } else { Err(cause.into()) }
    }

    async fn closed(&self) -> ConnectionLost {
        self.life.0.ended().await
    }

    fn blocked(&self) -> Option<String> {
        self.life.0.blocked().or_else(|| self.life.0.silent())
    }

    fn broker(&self) -> Option<Broker> {
        self.broker.clone()
    }
}

fn destination(binding: &Binding) -> &str {
    let (Destination::Queue(name) | Destination::Exchange(name)) = &binding.destination;
    name
}
