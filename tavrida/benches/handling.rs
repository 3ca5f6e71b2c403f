//! The speed of handling messages over the in-process broker, as ratios to a bare channel in the same run.
//!
//! `cargo bench -p tavrida --bench handling`. Ratios are medians of rounds in which the two sides take turns: they are more reliable than
//! rates on a shared machine.

#![expect(clippy::print_stdout, reason = "a bench prints what it measured")]
#![expect(clippy::disallowed_methods, reason = "a bench measures real time")]

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use tavrida::field::{Table, Value};
use tavrida::prelude::*;
use tavrida::transport::{Publication, Transport};
use tavrida_memory::MemoryBroker;
use tokio::sync::{mpsc, oneshot};

const MESSAGES: u64 = 20_000;
const ROUNDS: usize = 7;

#[derive(Serialize, Deserialize)]
struct Order {
    id: u64,
    customer: String,
    items: Vec<Item>,
    note: String,
}

#[derive(Serialize, Deserialize)]
struct Item {
    sku: String,
    count: u32,
}

#[derive(Deserialize)]
struct Body {
    payload: Order,
}

fn order() -> Order {
    let item = |sku: &str| Item { sku: sku.to_owned(), count: 2 };
    Order {
        id: 7,
        customer: "Ann Example".into(),
        items: vec![item("a-1"), item("b-22")],
        note: "leave at the door".into(),
    }
}

/// A cast to `work.do`, as it is in the queue: 7 headers, a body of about 200 bytes.
fn cast() -> Publication {
    let names =
        ["message_type", "correlation_id", "request_id", "message_id", "source", "destination", "reply_to"];
    let values = [
        "request",
        "5b7ff5a1-5a5c-4f34-9a9c-0e4f1bd6e9a1",
        "0381510689",
        "a1f479bb89",
        "bench.main",
        "work.do",
        "",
    ];
    let name = |text: &'static str| tavrida::field::ShortString::from_static(text);
    let headers: Table = names.into_iter().map(name).zip(values.into_iter().map(Value::from)).collect();
    let payload = serde_json::to_string(&order()).expect("it serialises");
    let mut publication = Publication::new(
        name("work_exchange"),
        name("work.do"),
        Bytes::from(format!(r#"{{"payload": {payload}, "context": {{}}}}"#)),
    );
    publication.properties.headers = Some(headers);
    publication
}

/// Counts handled messages and signals when all are handled.
#[derive(Default)]
struct Done {
    count: AtomicU64,
    all: tokio::sync::Notify,
}

impl Done {
    fn one(&self, order: &Order) {
        assert_eq!(order.id, 7);
        if self.count.fetch_add(1, Ordering::Relaxed) + 1 == MESSAGES {
            self.all.notify_one();
        }
    }
}

async fn through_tavrida() -> Duration {
    async fn work(done: State<Arc<Done>>, order: Json<Order>) {
        done.one(&order.0);
    }
    let done = Arc::new(Done::default());
    let broker = MemoryBroker::new();
    let server = Server::builder(broker.transport())
        .queue("work")
        .exchange("work_exchange")
        .concurrency(1)
        .service(Service::new("work").state(done.clone()).rpc("do", work))
        .build()
        .expect("a server");
    let handle = server.handle();
    let serving = tokio::spawn(server.serve(std::future::pending()));
    handle.ready(Duration::from_secs(10)).await.expect("it comes up");
    let session = broker.transport().connect().await.expect("a session");
    let publication = cast();
    let begun = Instant::now();
    for n in 0..MESSAGES {
        session.publish(publication.clone()).await.expect("routed");
        if n % 64 == 0 {
            tokio::task::yield_now().await;
        }
    }
    done.all.notified().await;
    let took = begun.elapsed();
    handle.stop();
    serving.await.expect("no panic").expect("it ends well");
    took
}

/// The same messages over a bare channel, decoded into the same type.
async fn through_a_channel() -> Duration {
    let done = Arc::new(Done::default());
    let (sender, mut receiver) = mpsc::channel::<Publication>(1024);
    let work = tokio::spawn({
        let done = done.clone();
        async move {
            while let Some(publication) = receiver.recv().await {
                let body: Body = serde_json::from_slice(&publication.body).expect("JSON");
                done.one(&body.payload);
            }
        }
    });
    let publication = cast();
    let begun = Instant::now();
    for _ in 0..MESSAGES {
        sender.send(publication.clone()).await.expect("received");
    }
    done.all.notified().await;
    let took = begun.elapsed();
    drop(sender);
    work.await.expect("no panic");
    took
}

const ASKS: u64 = 5_000;

async fn asks_through_tavrida() -> Duration {
    async fn echo(order: Json<Order>) -> Order {
        order.0
    }
    let broker = MemoryBroker::new();
    let server = Server::builder(broker.transport())
        .queue("work")
        .exchange("work_exchange")
        .concurrency(1)
        .service(Service::new("work").rpc("echo", echo))
        .build()
        .expect("a server");
    let handle = server.handle();
    let serving = tokio::spawn(server.serve(std::future::pending()));
    handle.ready(Duration::from_secs(10)).await.expect("it comes up");
    let registry = Registry::new().remote_service("work", "work_exchange");
    let client = Client::builder(broker.transport()).source("bench").discovery(registry);
    let client = client.build().await.expect("a client");
    client.to("work.echo").params(&order()).ask().await.expect("warm");
    let begun = Instant::now();
    for _ in 0..ASKS {
        let answer = client.to("work.echo").params(&order()).ask().await.expect("an answer");
        assert_eq!(answer.payload().to::<Order>().expect("an order").id, 7);
    }
    let took = begun.elapsed();
    client.close().await;
    handle.stop();
    serving.await.expect("no panic").expect("it ends well");
    took
}

async fn asks_through_a_channel() -> Duration {
    let (sender, mut receiver) = mpsc::channel::<(Vec<u8>, oneshot::Sender<Vec<u8>>)>(1024);
    let work = tokio::spawn(async move {
        while let Some((body, answer)) = receiver.recv().await {
            let order: Order = serde_json::from_slice(&body).expect("JSON");
            let _ = answer.send(serde_json::to_vec(&order).expect("it serialises"));
        }
    });
    let begun = Instant::now();
    for _ in 0..ASKS {
        let (answer, arrives) = oneshot::channel();
        sender.send((serde_json::to_vec(&order()).expect("it serialises"), answer)).await.expect("received");
        let order: Order = serde_json::from_slice(&arrives.await.expect("answered")).expect("JSON");
        assert_eq!(order.id, 7);
    }
    let took = begun.elapsed();
    drop(sender);
    work.await.expect("no panic");
    took
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn main() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
    runtime.block_on(async {
        let (mut handled, mut asked) = (Vec::new(), Vec::new());
        let (mut rate, mut ask_rate) = (0.0, 0.0);
        for _ in 0..ROUNDS {
            let (bare, ours) = (through_a_channel().await, through_tavrida().await);
            handled.push(bare.as_secs_f64() / ours.as_secs_f64());
            rate = MESSAGES as f64 / ours.as_secs_f64();
            let (bare, ours) = (asks_through_a_channel().await, asks_through_tavrida().await);
            asked.push(bare.as_secs_f64() / ours.as_secs_f64());
            ask_rate = ASKS as f64 / ours.as_secs_f64();
        }
        println!(
            "typed handler over memory, against tokio mpsc and the same JSON: {:.2}x ({rate:.0}/s)",
            median(handled)
        );
        println!(
            "ask round trip over memory, against mpsc + oneshot and the same JSON: {:.2}x ({ask_rate:.0}/s)",
            median(asked)
        );
    });
}
