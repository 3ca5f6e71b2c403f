//! Throughput of the transport, and of the whole library on it, against bare lapin, on a RabbitMQ node of its own: ratios beside
//! their goals.
//!
//! Both sides do the same work in turn, in one process, on the same node; the ratio is taken within a round, and the
//! median over the rounds is printed. Absolute numbers are those of the machine.
//!
//! `cargo bench -p tavrida-amqp --bench throughput`, with `TAVRIDA_ROUNDS` and `TAVRIDA_MESSAGES` for more or less.

#![expect(clippy::unwrap_used, reason = "a bench fails by panicking")]
#![expect(clippy::print_stdout, reason = "it is what a bench is for")]

mod bare;
mod bare_asks;
mod body;
mod library;
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
    run_library(&node.uri(), rounds, messages).await;
}

/// The original's async engine, CPU time of a call, its RabbitMQ excluded: measured with its benchmark of hello and world on two
/// cores of 2.7 GHz.
const ORIGINAL: f64 = 180.0;

/// Whole servers and clients.
async fn run_library(uri: &str, rounds: usize, messages: usize) {
    let library = library::Library::connect(uri).await;
    let bare = bare_asks::BareAsks::connect(uri).await;
    let (awaited, polled) = ("lapin, delivery.ack().await", "lapin, basic_ack polled once");
    let mut handling =
        Case::new(format!("G7: typed handler and ack, prefetch {PREFETCH}, 203 B of JSON"), messages);
    for _ in 0..rounds {
        library.fill(messages).await;
        handling.add("ours", library.handle(messages).await);
        library.fill(messages).await;
        handling.add(awaited, bare.handle(messages, true).await);
        library.fill(messages).await;
        handling.add(polled, bare.handle(messages, false).await);
    }
    handling.print(&[(awaited, Some(2.0)), (polled, Some(1.2))]);

    for (at_a_time, asks, goal) in [(64, messages / 3, 0.75), (1, messages / 15, 0.90)] {
        let asks = asks / at_a_time * at_a_time;
        let mut asking = Case::new(format!("G9: typed asks, {at_a_time} in flight, 203 B of JSON"), asks);
        let peer = "lapin, polled once, own queue";
        for _ in 0..rounds {
            asking.add("ours", library.ask(asks, at_a_time).await);
            asking.add(peer, bare.ask(asks, at_a_time).await);
        }
        asking.print(&[(peer, Some(goal))]);
    }

    let chains = messages / 3;
    let mut chaining = Case::new("G10: chains hello -> world -> hello that wait in a queue".into(), chains);
    for _ in 0..rounds {
        chaining.add("ours", library.chains(chains).await);
    }
    chaining.print_cpu("the original, a call", ORIGINAL, 10.0);
}

fn publish_title(headers: bool) -> String {
    format!("G8: publish, confirmed and mandatory, 200 B{}", with_headers(headers))
}

fn consume_title(headers: bool) -> String {
    format!("the transport alone: consume and ack, prefetch {PREFETCH}, 200 B{}", with_headers(headers))
}

fn with_headers(headers: bool) -> &'static str {
    if headers { ", 7 headers" } else { "" }
}
