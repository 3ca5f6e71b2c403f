//! Typed handling and asks on lapin itself, in the quickest way known: nothing is awaited that need not be.

use std::collections::HashMap;
use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Waker};

use futures_util::StreamExt;
use futures_util::future::join_all;
use lapin::options::{
    BasicAckOptions, BasicConsumeOptions, BasicPublishOptions, BasicQosOptions, QueueDeclareOptions,
};
use lapin::types::{FieldTable, ShortString};
use lapin::{BasicProperties, Channel, Connection, ConnectionProperties, Consumer};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::PREFETCH;
use super::body::{Body, Order, order};
use super::library::TYPED;
use super::measure::{Meter, Taken};

const ECHO: &str = "bench_bare_echo";

/// Queues a frame in lapin, which its futures do at their first poll.
fn start(future: impl Future) {
    let _ = pin!(future).poll(&mut Context::from_waker(Waker::noop()));
}

pub(crate) struct BareAsks {
    connection: Connection,
    channel: Channel,
    reply_to: ShortString,
    next: AtomicU64,
    waiting: Arc<Mutex<HashMap<u64, oneshot::Sender<Order>>>>,
    _tasks: [JoinHandle<()>; 2],
}

impl BareAsks {
    pub(crate) async fn connect(uri: &str) -> Self {
        let connection = Connection::connect(uri, ConnectionProperties::default()).await.unwrap();
        let server = connection.create_channel().await.unwrap();
        let options = QueueDeclareOptions::default();
        server.queue_declare(ECHO.into(), options, FieldTable::default()).await.unwrap();
        let requests = consume(&server, ECHO, false).await;
        let channel = connection.create_channel().await.unwrap();
        let options = QueueDeclareOptions { exclusive: true, ..QueueDeclareOptions::default() };
        let queue = channel.queue_declare("".into(), options, FieldTable::default()).await.unwrap();
        let reply_to = queue.name().clone();
        let replies = consume(&channel, reply_to.as_str(), true).await;
        let waiting = Arc::<Mutex<HashMap<u64, oneshot::Sender<Order>>>>::default();
        let tasks = [tokio::spawn(serve(server, requests)), tokio::spawn(take(replies, waiting.clone()))];
        Self { connection, channel, reply_to, next: AtomicU64::new(0), waiting, _tasks: tasks }
    }

    /// Handles so many casts of orders, as the library wrote them.
    pub(crate) async fn handle(&self, messages: usize, awaiting: bool) -> Taken {
        let channel = self.connection.create_channel().await.unwrap();
        let mut consumer = consume(&channel, TYPED, false).await;
        let meter = Meter::new(messages);
        for _ in 0..messages {
            let delivery = consumer.next().await.unwrap().unwrap();
            let body: Body = serde_json::from_slice(&delivery.data).unwrap();
            std::hint::black_box(&body.payload);
            if awaiting {
                delivery.ack(BasicAckOptions::default()).await.unwrap();
            } else {
                start(channel.basic_ack(delivery.delivery_tag, BasicAckOptions::default()));
            }
            meter.tick();
        }
        channel.close(200, "OK".into()).await.unwrap();
        meter.taken().await
    }

    /// Asks so often, so many at a time.
    pub(crate) async fn ask(&self, asks: usize, at_a_time: usize) -> Taken {
        let one_after_the_other = async || {
            for _ in 0..asks / at_a_time {
                std::hint::black_box(&self.ask_once().await);
            }
        };
        Taken::by(async { drop(join_all((0..at_a_time).map(|_| one_after_the_other())).await) }).await
    }

    async fn ask_once(&self) -> Order {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let (answer, answered) = oneshot::channel();
        self.waiting.lock().unwrap().insert(number, answer);
        let body = serde_json::to_vec(&order()).unwrap();
        let properties = BasicProperties::default()
            .with_reply_to(self.reply_to.clone())
            .with_correlation_id(number.to_string().into());
        start(self.channel.basic_publish(
            "".into(),
            ECHO.into(),
            BasicPublishOptions::default(),
            &body,
            properties,
        ));
        answered.await.unwrap()
    }
}

async fn consume(channel: &Channel, queue: &str, no_ack: bool) -> Consumer {
    channel.basic_qos(PREFETCH, BasicQosOptions::default()).await.unwrap();
    let options = BasicConsumeOptions { no_ack, ..BasicConsumeOptions::default() };
    channel.basic_consume(queue.into(), "".into(), options, FieldTable::default()).await.unwrap()
}

async fn serve(channel: Channel, mut requests: Consumer) {
    while let Some(Ok(delivery)) = requests.next().await {
        let order: Order = serde_json::from_slice(&delivery.data).unwrap();
        let body = serde_json::to_vec(&order).unwrap();
        let correlation_id = delivery.properties.correlation_id().clone().unwrap();
        let reply_to = delivery.properties.reply_to().clone().unwrap();
        let properties = BasicProperties::default().with_correlation_id(correlation_id);
        start(channel.basic_publish("".into(), reply_to, BasicPublishOptions::default(), &body, properties));
        start(channel.basic_ack(delivery.delivery_tag, BasicAckOptions::default()));
    }
}

async fn take(mut replies: Consumer, waiting: Arc<Mutex<HashMap<u64, oneshot::Sender<Order>>>>) {
    while let Some(Ok(delivery)) = replies.next().await {
        let order: Order = serde_json::from_slice(&delivery.data).unwrap();
        let number = delivery.properties.correlation_id().as_ref().unwrap().as_str().parse().unwrap();
        let answer = waiting.lock().unwrap().remove(&number).unwrap();
        let _ = answer.send(order);
    }
}
