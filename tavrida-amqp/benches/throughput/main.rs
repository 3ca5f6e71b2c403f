//! Throughput of the transport against bare lapin, on a RabbitMQ node of its own: ratios beside their goals.
//!
//! Both sides do the same work in turn, in one process, on the same node; the ratio is taken within a round, and the
//! median over the rounds is printed. Absolute numbers are those of the machine.
//!
//! `cargo bench -p tavrida-amqp --bench throughput`, with `TAVRIDA_ROUNDS` and `TAVRIDA_MESSAGES` for more or less.

#![expect(clippy::unwrap_used, reason = "a bench fails by panicking")]
#![expect(clippy::print_stdout, reason = "it is what a bench is for")]

mod bare;
mod measure;
mod ours;

use measure::{Case, Taken};
use tavrida_testkit::rabbitmq::Node;

/// How many publishes, or deliveries, may be under way.
const WINDOW: usize = 1024;
const PREFETCH: u16 = 300;
const QUEUE: &str = "bench";

fn from_env(name: &str, default: usize) -> usize {
    std::env::var(name).ok().and_then(|value| value.parse().ok()).unwrap_or(default)
}

fn main() {
    // `cargo test` runs benches too, to see that they build and start.
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(run(from_env("TAVRIDA_ROUNDS", 7), from_env("TAVRIDA_MESSAGES", 30_000)));
}

async fn run(rounds: usize, messages: usize) {
    let node = Node::start().await.unwrap();
    let ours = ours::Ours::connect(&node.uri()).await;
    let bare = bare::Bare::connect(&node.uri()).await;
    for headers in [false, true] {
        let mut publishing = Case::new(publish_title(headers), messages);
        for _ in 0..rounds {
            publishing.add("ours", Taken::by(ours.publish(messages, headers)).await);
            bare.purge().await;
            publishing.add("lapin, FuturesUnordered(1024)", Taken::by(bare.publish(messages, headers)).await);
            bare.purge().await;
        }
        publishing.print(&[("lapin, FuturesUnordered(1024)", if headers { None } else { Some(0.90) })]);

        let mut consuming = Case::new(consume_title(headers), messages);
        for _ in 0..rounds {
            bare.publish(messages, headers).await;
            consuming.add("ours", Taken::by(ours.consume(messages)).await);
            bare.publish(messages, headers).await;
            consuming.add("lapin, delivery.ack().await", Taken::by(bare.consume_awaiting(messages)).await);
            bare.publish(messages, headers).await;
            consuming.add("lapin, basic_ack polled once", Taken::by(bare.consume_polling(messages)).await);
        }
        let goals = |goal| if headers { None } else { Some(goal) };
        consuming.print(&[
            ("lapin, delivery.ack().await", goals(2.0)),
            ("lapin, basic_ack polled once", goals(1.2)),
        ]);
    }
}

fn publish_title(headers: bool) -> String {
    format!("publish, confirmed and mandatory, 200 B{}", with_headers(headers))
}

fn consume_title(headers: bool) -> String {
    format!("consume and ack, prefetch {PREFETCH}, 200 B{}", with_headers(headers))
}

fn with_headers(headers: bool) -> &'static str {
    if headers { ", 7 headers" } else { "" }
}
