//! The port beside RabbitMQ, both as processes that clients reach over loopback: how soon it accepts a connection, and how many messages
//! go through one publisher and one consumer of lapin.
//!
//! `cargo bench -p tavrida-memory --features port --bench port`, with `TAVRIDA_ROUNDS` and `TAVRIDA_MESSAGES` for more or fewer. Both sides
//! take turns; ratios are medians over the rounds, each within a round, and more reliable than rates on a shared machine.

#![expect(clippy::print_stdout, reason = "a bench prints what it measured")]
#![expect(clippy::disallowed_methods, reason = "a bench measures real time")]

mod process;
mod start;
mod throughput;

use tavrida_memory::RabbitMq;
use tavrida_rabbitmq::Node;

fn main() {
    // `cargo test` runs benches too, to check that they build and start.
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    runtime.expect("a runtime").block_on(async {
        let begun = std::time::Instant::now();
        let node = Node::start().await.expect("RabbitMQ is installed and starts");
        let boot = begun.elapsed();
        start::measure(boot, &node).await;
        throughput::measure(&node, from_env("TAVRIDA_ROUNDS", 7), from_env("TAVRIDA_MESSAGES", 20_000)).await;
    });
}

/// Returns the version that the port has to behave like, to do the same as a node.
fn version_of(node: &Node) -> RabbitMq {
    if node.version().major == 3 { RabbitMq::V3_10 } else { RabbitMq::V4_0 }
}

fn from_env(name: &str, default: usize) -> usize {
    std::env::var(name).ok().and_then(|value| value.parse().ok()).unwrap_or(default)
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
