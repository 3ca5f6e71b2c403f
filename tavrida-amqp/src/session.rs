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
use crate::desk::{Desk, Over};
use crate::link::{Life, Seat};
use crate::manage;
use crate::publish::{PublishTask, Publisher, ReplyPublisher};

pub(crate) struct AmqpSession {
    broker: Option<Broker>,
    publisher: Arc<Publisher>,
    direct: ReplyPublisher,
    desk: Arc<Desk>,
    over: Mutex<Option<Over>>,
    life: Tenure,
}

/// Ends a life when it is dropped.
struct Tenure(Arc<Life>);

impl Drop for Tenure {
    fn drop(&mut self) {
        self.0.lose(ConnectionLost::closed_here());
    }
}

impl AmqpSession {
    /// Starts a session on open connections.
    pub(crate) async fn begin(config: &AmqpConfig, seat: Seat) -> Result<Self, SessionError> {
        let life = seat.connections.life.child();
        // From here on, an abandoned attempt closes what it opened.
        let tenure = Tenure(life.clone());
        let seat = Arc::new(seat);
        let direct = ReplyPublisher::new(config.clone(), seat.connections.host.clone(), life.clone());
        let desk = Desk::new(life.clone(), &seat);
        let publish_on = seat.connections.publish.clone();
        let login = config.login().map(Into::into);
        let (publisher, publish_task) =
            PublishTask::start(life.clone(), publish_on, config.publish_window, login)
                .await
                .map_err(|error| life.error(&error))?;
        let broker = seat.connections.broker.clone();
        let over = Mutex::new(Some(desk.keep(seat, publish_task)));
        Ok(Self { broker, publisher: Arc::new(publisher), direct, desk, over, life: tenure })
    }

    fn check_fit(&self, arguments: &Table) -> Result<(), SessionError> {
        let frame_max = self.desk.connection.configuration().frame_max() as usize;
        Ok(check_arguments(arguments, frame_max)?)
    }

    fn check_destination(&self, binding: &Binding) -> Result<(), SessionError> {
        match &binding.destination {
            Destination::Queue(queue) => Ok(self.desk.check_access(queue)?),
            Destination::Exchange(_) => Ok(()),
        }
    }

    /// Waits until its channels, or both connections, are closed; the first caller learns whether the broker has read everything.
    async fn wait_until_over(&self) -> Result<(), ConnectionLost> {
        let over = self.over.lock().take();
        match over {
            Some(over) => {
                over.await.unwrap_or_else(|_| Err(ConnectionLost::broken("the runtime was shut down")))
            }
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
        self.apart(async move |desk: Arc<Desk>| {
            let channel = desk.idle.take(&desk.life, &desk.connection, &name).await;
            let channel = match channel {
                Ok(channel) => channel,
                Err(error) => return Err(desk.error(error).await),
            };
            let done = operation(channel.clone()).await;
            desk.idle.give_back(channel).await;
            match done {
                Ok(done) => Ok(done),
                Err(error) => Err(desk.error(error).await),
            }
        })
        .await
    }

    /// Runs an operation in a separate task, so that it completes even if the caller stops waiting, and what it opened or took is returned
    /// in good order.
    async fn apart<T, F>(&self, operation: impl FnOnce(Arc<Desk>) -> F) -> Result<T, SessionError>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, SessionError>> + Send + 'static,
    {
        self.life.0.check()?;
        match tokio::spawn(operation(self.desk.clone())).await {
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
        self.desk.check_access(&queue.name)?;
        let (queue, desk) = (queue.clone(), self.desk.clone());
        // The broker generates a new name for the empty one.
        self.manage("queue", |channel| async move {
            let declared = manage::declare_queue(&channel, &queue).await?;
            desk.declared(&queue, &declared.name);
            Ok(declared)
        })
        .await
    }

    async fn declare_queue_passive(&self, name: &str) -> Result<QueueStatus, SessionError> {
        self.desk.check_access(name)?;
        let queue = name.to_owned();
        self.manage(name, |channel| async move { manage::declare_queue_passive(&channel, &queue).await })
            .await
    }

    async fn delete_queue(&self, name: &str, if_unused: bool, if_empty: bool) -> Result<u32, SessionError> {
        self.desk.check_access(name)?;
        let (queue, desk) = (name.to_owned(), self.desk.clone());
        self.manage(name, move |channel| async move {
            let deleted = manage::delete_queue(&channel, &queue, if_unused, if_empty).await?;
            desk.deleted(&queue);
            Ok(deleted)
        })
        .await
    }

    async fn purge_queue(&self, name: &str) -> Result<u32, SessionError> {
        self.desk.check_access(name)?;
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
        self.desk.check_access(queue)?;
        let queue = queue.to_owned();
        self.apart(async move |desk: Arc<Desk>| {
            consume::get(&desk.life, &desk.connection, &desk.idle, &queue).await
        })
        .await
    }

    async fn consume(&self, consume: &Consume) -> Result<Consumer, SessionError> {
        self.check_fit(&consume.arguments)?;
        if &*consume.queue == DIRECT_REPLY_TO {
            let (publisher, consume) = (self.publisher.clone(), consume.clone());
            return self
                .apart(async move |desk: Arc<Desk>| {
                    consume::consume_replies(&desk.life, &publisher, &consume).await
                })
                .await;
        }
        self.desk.check_access(&consume.queue)?;
        let consume = consume.clone();
        self.apart(async move |desk: Arc<Desk>| {
            let (consumer, settler) = consume::consume(&desk.life, &desk.connection, &consume).await?;
            desk.add(&settler).await?;
            Ok(consumer)
        })
        .await
    }

    async fn close(&self) -> Result<(), SessionError> {
        if self.life.0.lost().is_some() {
            return self.wait_until_over().await.or(Ok(()));
        }
        // A caller that stops waiting for the flush ends the session at once.
        let giving_up = Tenure(self.life.0.clone());
        self.publisher.flush().await;
        self.direct.flush().await;
        drop(giving_up);
        let cause = self.life.0.ended().await;
        let over = self.wait_until_over().await;
        if cause.is_closed_here() { Ok(over?) } else { Err(cause.into()) }
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
