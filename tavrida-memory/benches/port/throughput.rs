//! Messages of one publisher to one consumer, each on a connection of its own, on the port and on RabbitMQ in turn.

use std::time::{Duration, Instant};

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use lapin::options::{
    BasicAckOptions, BasicConsumeOptions, BasicPublishOptions, BasicQosOptions, ConfirmSelectOptions,
    QueueDeclareOptions,
};
use lapin::types::FieldTable;
use lapin::{BasicProperties, Channel, Connection, ConnectionProperties, Consumer};
use tavrida_rabbitmq::Node;

use crate::process::Process;
use crate::{median, version_of};

/// The maximum number of publishes under way.
const WINDOW: usize = 1024;
const PREFETCH: u16 = 300;
const QUEUE: &str = "bench";
const BODY: [u8; 200] = [b'x'; 200];

/// What is acknowledged, on both ends.
#[derive(Clone, Copy, PartialEq)]
enum Care {
    /// Publishes are mandatory and confirmed, each delivery is acknowledged.
    All,
    None,
}

pub(crate) async fn measure(node: &Node, rounds: usize, messages: usize) {
    let broker = Process::start(version_of(node));
    println!("{messages} messages of {} bytes, lapin to lapin (goal: >= 2x)", BODY.len());
    for (title, care) in [("confirmed and acknowledged", Care::All), ("neither", Care::None)] {
        let (mut ours, mut theirs, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..rounds {
            let port = run(&broker.uri, care, messages).await.as_secs_f64();
            let rabbit = run(&node.uri(), care, messages).await.as_secs_f64();
            ours.push(messages as f64 / port);
            theirs.push(messages as f64 / rabbit);
            ratios.push(rabbit / port);
        }
        let (ours, theirs) = (median(ours), median(theirs));
        let version = node.version();
        println!("  {title:<30} port {ours:>8.0} /s  RabbitMQ {version} {theirs:>8.0} /s");
        println!("  {:<30} the port is {:.2}x as fast", "", median(ratios));
    }
}

/// Returns the time from the first publish to the last delivery.
async fn run(uri: &str, care: Care, messages: usize) -> Duration {
    let (publishing, consuming) = (connect(uri).await, connect(uri).await);
    let publisher = publishing.create_channel().await.expect("a channel");
    if care == Care::All {
        publisher.confirm_select(ConfirmSelectOptions::default()).await.expect("confirms");
    }
    let channel = consuming.create_channel().await.expect("a channel");
    let consumer = consume(&channel, care).await;
    let begun = Instant::now();
    tokio::join!(tokio::spawn(publish(publisher, care, messages)), receive(consumer, care, messages))
        .0
        .expect("no panic");
    let taken = begun.elapsed();
    for connection in [publishing, consuming] {
        connection.close(200, "done".into()).await.expect("closed");
    }
    taken
}

async fn connect(uri: &str) -> Connection {
    Connection::connect(uri, ConnectionProperties::default()).await.expect("a connection")
}

async fn consume(channel: &Channel, care: Care) -> Consumer {
    let declare = QueueDeclareOptions { exclusive: true, ..Default::default() };
    channel.queue_declare(QUEUE.into(), declare, FieldTable::default()).await.expect("a queue");
    channel.basic_qos(PREFETCH, BasicQosOptions::default()).await.expect("a prefetch");
    let options = BasicConsumeOptions { no_ack: care == Care::None, ..Default::default() };
    channel.basic_consume(QUEUE.into(), "".into(), options, FieldTable::default()).await.expect("a consumer")
}

async fn publish(channel: Channel, care: Care, messages: usize) {
    let options = BasicPublishOptions { mandatory: care == Care::All, immediate: false };
    let one = async || {
        let properties = BasicProperties::default().with_delivery_mode(1);
        let sent = channel.basic_publish("".into(), QUEUE.into(), options, &BODY, properties).await;
        sent.expect("sent").await.expect("confirmed").is_nack()
    };
    let mut under_way = FuturesUnordered::new();
    for _ in 0..messages {
        under_way.push(one());
        if under_way.len() == WINDOW {
            assert_eq!(under_way.next().await, Some(false), "it is not refused");
        }
    }
    while let Some(refused) = under_way.next().await {
        assert!(!refused, "it is not refused");
    }
}

async fn receive(mut consumer: Consumer, care: Care, messages: usize) {
    for _ in 0..messages {
        let delivery = consumer.next().await.expect("a consumer").expect("a delivery");
        if care == Care::All {
            delivery.ack(BasicAckOptions::default()).await.expect("acknowledged");
        }
    }
}
