//! Publish, route, deliver, ack through the `Transport` trait, beside a channel that carries the same messages.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use tavrida::field::{ShortString, Table, Value};
use tavrida::transport::{Binding, Consume, Exchange, ExchangeKind, Publication, Queue, Session, Transport};
use tavrida_memory::MemoryBroker;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::mpsc;

use crate::{line, median};

const MESSAGES: u64 = 40_000;
const ROUNDS: usize = 7;

pub(crate) fn measure() {
    let one = Builder::new_current_thread().enable_time().build().expect("a runtime");
    let ratio = ratio(&one, 1);
    line(
        "G1 through a session, one thread: ratio to mpsc(1024)",
        format!("{ratio:.2}x"),
        ">= 0.55x",
        "0.40x",
    );
    let two = Builder::new_multi_thread().worker_threads(2).enable_time().build().expect("a runtime");
    let ratio = self::ratio(&two, 4);
    line("G2 the same, two threads, 4 queues", format!("{ratio:.2}x"), ">= 0.40x", "0.25x");
}

/// Moves messages through a session, for a profiler.
pub(crate) fn profile(count: u64) {
    let one = Builder::new_current_thread().enable_time().build().expect("a runtime");
    one.block_on(through_sessions(1, count));
}

fn ratio(runtime: &Runtime, lanes: u64) -> f64 {
    let ratios = (0..ROUNDS).map(|_| {
        let ours = runtime.block_on(through_sessions(lanes, MESSAGES / lanes));
        let peer = runtime.block_on(through_channels(lanes, MESSAGES / lanes));
        peer.as_secs_f64() / ours.as_secs_f64()
    });
    median(ratios.collect())
}

/// A message with the seven headers of the wire format and a body of 203 bytes.
fn message(lane: u64) -> Publication {
    let headers: Table = [
        ("message_type", "request"),
        ("correlation_id", "5b7ff5a1-5a5c-4f34-9a9c-0e4f1bd6e9a1"),
        ("request_id", "0381510689"),
        ("message_id", "a1f479bb89"),
        ("source", "bench.main"),
        ("destination", "work.do"),
        ("reply_to", ""),
    ]
    .into_iter()
    .map(|(name, value)| (ShortString::from_static(name), Value::from(value)))
    .collect();
    let mut message = Publication::new(
        ShortString::from_static("work_exchange"),
        name(&format!("work{lane}.do")),
        Bytes::from(vec![b'x'; 203]),
    );
    message.properties.headers = Some(headers);
    message
}

fn name(text: &str) -> ShortString {
    ShortString::try_from(text).expect("a short name")
}

/// Runs this many producers and consumers, each pair on its own queue. Returns how long all took.
async fn through_sessions(lanes: u64, each: u64) -> Duration {
    let broker = MemoryBroker::new();
    let session = broker.transport().connect().await.expect("a session");
    let exchange = name("work_exchange");
    session
        .admin()
        .declare_exchange(&Exchange::durable(&exchange, ExchangeKind::Topic))
        .await
        .expect("declared");
    for lane in 0..lanes {
        let queue = name(&format!("work{lane}"));
        session.admin().declare_queue(&Queue::durable(&queue)).await.expect("declared");
        let key = name(&format!("work{lane}.#"));
        session.admin().bind(&Binding::queue(&queue, &exchange, key)).await.expect("bound");
    }
    let begun = Instant::now();
    let mut tasks = Vec::new();
    for lane in 0..lanes {
        let consuming = broker.transport().connect().await.expect("a session");
        tasks.push(tokio::spawn(consume(consuming, name(&format!("work{lane}")), each)));
        let producing = broker.transport().connect().await.expect("a session");
        tasks.push(tokio::spawn(produce(producing, message(lane), each)));
    }
    for task in tasks {
        task.await.expect("no panic");
    }
    begun.elapsed()
}

async fn produce(session: Arc<dyn Session>, message: Publication, count: u64) {
    for n in 0..count {
        session.publish(message.clone()).await.expect("routed");
        if n % 64 == 0 {
            tokio::task::yield_now().await;
        }
    }
}

async fn consume(session: Arc<dyn Session>, queue: ShortString, count: u64) {
    let mut consumer = session.consume(&Consume::new(queue, 1000)).await.expect("a consumer");
    for _ in 0..count {
        consumer.next().await.expect("a delivery").ack().expect("the session lives");
    }
}

async fn through_channels(lanes: u64, each: u64) -> Duration {
    let begun = Instant::now();
    let mut tasks = Vec::new();
    for lane in 0..lanes {
        let (sender, mut receiver) = mpsc::channel::<Publication>(1024);
        tasks.push(tokio::spawn(async move {
            for _ in 0..each {
                receiver.recv().await.expect("a message");
            }
        }));
        let message = message(lane);
        tasks.push(tokio::spawn(async move {
            for _ in 0..each {
                sender.send(message.clone()).await.expect("it is received");
            }
        }));
    }
    for task in tasks {
        task.await.expect("no panic");
    }
    begun.elapsed()
}
