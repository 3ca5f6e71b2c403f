//! One live session: a connection that publishes, and one for everything else.

use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use async_trait::async_trait;
use lapin::{Channel, Connection};
use tavrida::field::Table;
use tavrida::transport::{
    Binding, ConnectionLost, Consume, Consumer, DIRECT_REPLY_TO, Destination, Exchange, GetMessage,
    Publication, PublishFuture, Queue, QueueStatus, Session, SessionError,
};

use crate::config::{AmqpConfig, Host};
use crate::consume::{self, Settler};
use crate::link::{IdleChannels, Life, Over, dial, watch};
use crate::manage;
use crate::publish::{Lane, Publisher};
use crate::wire::fits;

pub(crate) struct AmqpSession {
    publisher: Arc<Publisher>,
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

/// Everything but publishing, on a separate connection.
///
/// RabbitMQ stops reading a publishing connection when it is short of memory or disk. Acks must still get through, because they free some.
struct Desk {
    life: Arc<Life>,
    connection: Arc<Connection>,
    idle: Arc<IdleChannels>,
    settlers: Settlers,
}

/// The settlers of all consumers.
#[derive(Default)]
struct Settlers(Mutex<Vec<Weak<Settler>>>);

impl Settlers {
    fn add(&self, settler: &Arc<Settler>) {
        let mut settlers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        settlers.retain(|settler| settler.strong_count() > 0);
        settlers.push(Arc::downgrade(settler));
    }

    fn flush(&self) {
        let settlers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        settlers.iter().filter_map(Weak::upgrade).for_each(|settler| settler.flush());
    }
}

impl AmqpSession {
    /// Connects to one host.
    pub(crate) async fn open(config: &AmqpConfig, host: &Host) -> Result<Self, SessionError> {
        let (publishes, consumes) =
            tokio::try_join!(dial(config, host, "publish"), dial(config, host, "consume"))?;
        let life = Arc::new(Life::new(host.to_string()));
        // From here on, an abandoned attempt closes what it opened.
        let tenure = Tenure(life.clone());
        let publish_on = publishes.connection.clone();
        let connection = consumes.connection.clone();
        let desk = Arc::new(Desk {
            life: life.clone(),
            connection,
            idle: Arc::default(),
            settlers: Settlers::default(),
        });
        let last_acks = {
            let desk = desk.clone();
            move || {
                desk.settlers.flush();
                desk
            }
        };
        let over = watch(life.clone(), publishes, consumes, last_acks);
        let publisher =
            Lane::start(life.clone(), publish_on, config.publish_window, config.login().map(Into::into))
                .await
                .map_err(|error| life.error(&error))?;
        Ok(Self { publisher: Arc::new(publisher), desk, over: Mutex::new(Some(over)), life: tenure })
    }

    fn check_fit(&self, arguments: &Table) -> Result<(), SessionError> {
        let frame_max = self.desk.connection.configuration().frame_max() as usize;
        Ok(fits("arguments", arguments, frame_max)?)
    }

    /// Waits until both connections are closed; the first caller learns whether the broker has read everything.
    async fn wait_until_over(&self) -> Result<(), ConnectionLost> {
        let over = self.over.lock().unwrap_or_else(PoisonError::into_inner).take();
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
                Err(error) => return Err(desk.life.error_on(&desk.connection, error).await),
            };
            let done = operation(channel.clone()).await;
            desk.idle.give_back(channel).await;
            match done {
                Ok(done) => Ok(done),
                Err(error) => Err(desk.life.error_on(&desk.connection, error).await),
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
impl Session for AmqpSession {
    async fn declare_exchange(&self, exchange: &Exchange) -> Result<(), SessionError> {
        self.check_fit(&exchange.arguments)?;
        let exchange = exchange.clone();
        self.manage("exchange", |channel| async move { manage::declare_exchange(&channel, &exchange).await })
            .await
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
        let queue = queue.clone();
        // The broker generates a new name for the empty one.
        self.manage("queue", |channel| async move { manage::declare_queue(&channel, &queue).await }).await
    }

    async fn declare_queue_passive(&self, name: &str) -> Result<QueueStatus, SessionError> {
        let queue = name.to_owned();
        self.manage(name, |channel| async move { manage::declare_queue_passive(&channel, &queue).await })
            .await
    }

    async fn delete_queue(&self, name: &str, if_unused: bool, if_empty: bool) -> Result<u32, SessionError> {
        let queue = name.to_owned();
        self.manage(name, move |channel| async move {
            manage::delete_queue(&channel, &queue, if_unused, if_empty).await
        })
        .await
    }

    async fn purge_queue(&self, name: &str) -> Result<u32, SessionError> {
        let queue = name.to_owned();
        self.manage(name, |channel| async move { manage::purge_queue(&channel, &queue).await }).await
    }

    async fn bind(&self, binding: &Binding) -> Result<(), SessionError> {
        self.check_fit(&binding.arguments)?;
        let binding = binding.clone();
        let name = destination(&binding).to_owned();
        self.manage(&name, |channel| async move { manage::bind(&channel, &binding).await }).await
    }

    async fn unbind(&self, binding: &Binding) -> Result<(), SessionError> {
        self.check_fit(&binding.arguments)?;
        let binding = binding.clone();
        let name = destination(&binding).to_owned();
        self.manage(&name, |channel| async move { manage::unbind(&channel, &binding).await }).await
    }

    fn publish(&self, publication: Publication) -> PublishFuture<'_> {
        self.publisher.publish(publication)
    }

    async fn get(&self, queue: &str) -> Result<Option<GetMessage>, SessionError> {
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
        let consume = consume.clone();
        self.apart(async move |desk: Arc<Desk>| {
            let (consumer, settler) = consume::consume(&desk.life, &desk.connection, &consume).await?;
            desk.settlers.add(&settler);
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
        drop(giving_up);
        let cause = self.life.0.ended().await;
        let over = self.wait_until_over().await;
        if cause.is_closed_here() { Ok(over?) } else { Err(cause.into()) }
    }

    async fn closed(&self) -> ConnectionLost {
        self.life.0.ended().await
    }

    fn blocked(&self) -> Option<String> {
        self.life.0.blocked()
    }
}

fn destination(binding: &Binding) -> &str {
    let (Destination::Queue(name) | Destination::Exchange(name)) = &binding.destination;
    name
}
