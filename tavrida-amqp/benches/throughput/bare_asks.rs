//! Typed handling and asks on lapin itself, in the fastest way known: nothing is awaited unnecessarily.

use std::collections::HashMap;
use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Waker};

use futures_util::StreamExt;
use futures_util::future::{join, join_all};
use futures_util::stream::FuturesUnordered;
use lapin::message::Delivery;
use lapin::options::{
    BasicAckOptions, BasicConsumeOptions, BasicPublishOptions, BasicQosOptions, ConfirmSelectOptions,
    QueueDeclareOptions,
};
use lapin::types::{AMQPValue, FieldTable, ShortString};
use lapin::{BasicProperties, Channel, Connection, ConnectionProperties, Consumer};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::PREFETCH;
use super::body::{Body, Order, order};
use super::library::TYPED;
use super::measure::{Meter, Taken};

/// Queues a frame in lapin, which its futures do at their first poll.
fn start(future: impl Future) {
    let _ = pin!(future).poll(&mut Context::from_waker(Waker::noop()));
}

/// The messages on the wire for an ask.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wire {
    /// Only what is needed.
    Lean,
    /// As the library's asks on the wire: persistent requests in a durable queue, seven headers both ways, all publishes mandatory and
    /// confirmed, a request acked when its answer is confirmed, a connection for each direction.
    Alike,
}

pub(crate) struct BareAsks {
    connection: Connection,
    lean: Asker,
    alike: Asker,
}

impl BareAsks {
    pub(crate) async fn connect(uri: &str) -> Self {
        let connection = connect(uri).await;
        let lean = Asker::start(Wire::Lean, [&connection; 4]).await;
        let [first, second, third, fourth] =
            [connect(uri).await, connect(uri).await, connect(uri).await, connect(uri).await];
        let alike = Asker::start(Wire::Alike, [&first, &second, &third, &fourth]).await;
        Self { connection, lean, alike }
    }

    /// Handles this many casts of orders, in the library's format.
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

    /// Sends this many asks, with limited concurrency.
    pub(crate) async fn ask(&self, asks: usize, at_a_time: usize, wire: Wire) -> Taken {
        let asker = if wire == Wire::Lean { &self.lean } else { &self.alike };
        let one_after_the_other = async || {
            for _ in 0..asks / at_a_time {
                std::hint::black_box(&asker.ask().await);
            }
        };
        Taken::by(async { drop(join_all((0..at_a_time).map(|_| one_after_the_other())).await) }).await
    }
}

struct Asker {
    wire: Wire,
    channel: Channel,
    reply_to: ShortString,
    next: AtomicU64,
    waiting: Arc<Mutex<HashMap<u64, oneshot::Sender<Order>>>>,
    _tasks: [JoinHandle<()>; 2],
}

impl Asker {
    /// Starts an asking side and an answering side; the connections may be the same one.
    async fn start(wire: Wire, connections: [&Connection; 4]) -> Self {
        let [requests, replies, answers, takes] = connections;
        let queue = if wire == Wire::Lean { "bench_lean_echo" } else { "bench_alike_echo" };
        let takes = takes.create_channel().await.unwrap();
        let options = QueueDeclareOptions { durable: wire == Wire::Alike, ..QueueDeclareOptions::default() };
        takes.queue_declare(queue.into(), options, FieldTable::default()).await.unwrap();
        let taken = consume(&takes, queue, false).await;
        let server = Server { wire, takes, answers: publisher(answers, wire).await };
        let replies = replies.create_channel().await.unwrap();
        let options = QueueDeclareOptions { exclusive: true, ..QueueDeclareOptions::default() };
        let own = replies.queue_declare("".into(), options, FieldTable::default()).await.unwrap();
        let reply_to = own.name().clone();
        let waiting = Arc::<Mutex<HashMap<u64, oneshot::Sender<Order>>>>::default();
        let came = consume(&replies, reply_to.as_str(), true).await;
        let tasks = [tokio::spawn(server.serve(taken)), tokio::spawn(take(came, waiting.clone()))];
        let channel = publisher(requests, wire).await;
        Self { wire, channel, reply_to, next: AtomicU64::new(0), waiting, _tasks: tasks }
    }

    async fn ask(&self) -> Order {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let (answer, answered) = oneshot::channel();
        self.waiting.lock().unwrap().insert(number, answer);
        let body = serde_json::to_vec(&order()).unwrap();
        let (queue, mut properties) = match self.wire {
            Wire::Lean => ("bench_lean_echo", BasicProperties::default()),
            Wire::Alike => ("bench_alike_echo", alike("request").with_expiration("30000".into())),
        };
        properties =
            properties.with_reply_to(self.reply_to.clone()).with_correlation_id(number.to_string().into());
        let publish = publish(&self.channel, queue.into(), self.wire, &body, properties);
        match self.wire {
            Wire::Lean => {
                start(publish);
                answered.await.unwrap()
            }
            Wire::Alike => join(confirmed(publish), answered).await.1.unwrap(),
        }
    }
}

struct Server {
    wire: Wire,
    takes: Channel,
    answers: Channel,
}

impl Server {
    async fn serve(self, mut requests: Consumer) {
        let mut under_way = FuturesUnordered::new();
        loop {
            tokio::select! {
                Some(tag) = under_way.next() => {
                    start(self.takes.basic_ack(tag, BasicAckOptions::default()));
                }
                delivery = requests.next() => match (delivery, self.wire) {
                    (Some(Ok(delivery)), Wire::Lean) => {
                        start(self.answer(&delivery));
                        start(self.takes.basic_ack(delivery.delivery_tag, BasicAckOptions::default()));
                    }
                    (Some(Ok(delivery)), Wire::Alike) => under_way.push(async {
                        let delivery = delivery;
                        confirmed(self.answer(&delivery)).await;
                        delivery.delivery_tag
                    }),
                    _ => return,
                },
            }
        }
    }

    async fn answer(&self, delivery: &Delivery) -> lapin::Result<lapin::PublisherConfirm> {
        let order: Order = serde_json::from_slice(&delivery.data).unwrap();
        let body = serde_json::to_vec(&order).unwrap();
        let properties = match self.wire {
            Wire::Lean => BasicProperties::default(),
            Wire::Alike => alike("response"),
        };
        let properties =
            properties.with_correlation_id(delivery.properties.correlation_id().clone().unwrap());
        let reply_to = delivery.properties.reply_to().clone().unwrap();
        publish(&self.answers, reply_to, self.wire, &body, properties).await
    }
}

async fn connect(uri: &str) -> Connection {
    Connection::connect(uri, ConnectionProperties::default()).await.unwrap()
}

async fn publisher(connection: &Connection, wire: Wire) -> Channel {
    let channel = connection.create_channel().await.unwrap();
    if wire == Wire::Alike {
        channel.confirm_select(ConfirmSelectOptions::default()).await.unwrap();
    }
    channel
}

fn publish(
    channel: &Channel,
    queue: ShortString,
    wire: Wire,
    body: &[u8],
    properties: BasicProperties,
) -> impl Future<Output = lapin::Result<lapin::PublisherConfirm>> {
    let options = BasicPublishOptions { mandatory: wire == Wire::Alike, immediate: false };
    channel.basic_publish("".into(), queue, options, body, properties)
}

async fn confirmed(publish: impl Future<Output = lapin::Result<lapin::PublisherConfirm>>) {
    assert!(publish.await.unwrap().await.unwrap().is_ack());
}

/// Properties and headers of the library's size.
fn alike(kind: &str) -> BasicProperties {
    let (chain, id, address) =
        ("0b0d7c1e-5c6f-4b62-9f0e-0d6a3a0f8c11", "2ddd14d3a9554e2a9b1c8b8c2f6d7e90", "bench.echo");
    let mut table = FieldTable::default();
    for (name, value) in [
        ("message_type", kind),
        ("correlation_id", chain),
        ("request_id", id),
        ("message_id", id),
        ("source", "bench_client"),
        ("destination", address),
        ("reply_to", "bench_client.~2ddd14d3a9554e2a9b1c8b8c2f6d7e90"),
    ] {
        table.insert(name.into(), AMQPValue::LongString(value.into()));
    }
    BasicProperties::default()
        .with_content_type("application/json".into())
        .with_delivery_mode(2)
        .with_message_id(id.into())
        .with_type(kind.into())
        .with_headers(table)
}

async fn consume(channel: &Channel, queue: &str, no_ack: bool) -> Consumer {
    channel.basic_qos(PREFETCH, BasicQosOptions::default()).await.unwrap();
    let options = BasicConsumeOptions { no_ack, ..BasicConsumeOptions::default() };
    channel.basic_consume(queue.into(), "".into(), options, FieldTable::default()).await.unwrap()
}

async fn take(mut replies: Consumer, waiting: Arc<Mutex<HashMap<u64, oneshot::Sender<Order>>>>) {
    while let Some(Ok(delivery)) = replies.next().await {
        let order: Order = serde_json::from_slice(&delivery.data).unwrap();
        let number = delivery.properties.correlation_id().as_ref().unwrap().as_str().parse().unwrap();
        let answer = waiting.lock().unwrap().remove(&number).unwrap();
        let _ = answer.send(order);
    }
}
