//! How long a server and its client are away after the end of an outage: 20 rounds of each cause, on a private RabbitMQ node, with the
//! default delays.
//!
//! A round lasts from the end of the cause (the broker accepts connections again, the old password is restored, ...) to the first message
//! that is sent and handled. `cargo bench -p tavrida-amqp --bench recovery`, with `TAVRIDA_ROUNDS` for more or fewer; words after `--`
//! select causes by name.

#![expect(clippy::unwrap_used, reason = "a bench fails by panicking")]
#![expect(clippy::print_stdout, reason = "it is what a bench is for")]

#[path = "../tests/it/causes.rs"]
mod causes;

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use causes::Cause;
use fastrand::Rng;
use tavrida::prelude::*;
use tavrida::transport::Transport;
use tavrida::{Health, discovery::Registry};
use tavrida_amqp::{AmqpConfig, AmqpTransport};
use tavrida_rabbitmq::Node;
use tokio::time::{Instant, sleep};

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    // `cargo test` runs benches too, to check that they build and start.
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    let rounds = std::env::var("TAVRIDA_ROUNDS").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(20);
    let chosen: Vec<_> = std::env::args().skip(1).filter(|word| !word.starts_with("--")).collect();
    let mut random = Rng::with_seed(7);
    println!("| cause | median | worst | of {rounds} rounds, from its end to the first message handled |");
    for cause in Cause::ALL {
        let name = format!("{cause:?}");
        if chosen.is_empty() || chosen.contains(&name) {
            let mut times = measure(cause, rounds, &mut random).await;
            times.sort_unstable();
            println!("| {name} | {:?} | {:?} | |", times[times.len() / 2], times[times.len() - 1]);
        }
    }
}

async fn note(noted: State<Arc<AtomicI64>>, n: i64) {
    noted.store(n, Ordering::Relaxed);
}

async fn measure(cause: Cause, rounds: usize, random: &mut Rng) -> Vec<Duration> {
    let node = Node::start().await.unwrap();
    let uri = causes::prepare(&node).await.unwrap();
    let noted = Arc::new(AtomicI64::new(0));
    let transport = AmqpTransport::new(AmqpConfig::from_uri(&uri).unwrap());
    let service = Service::new("work").state(noted.clone()).rpc("note", params(["n"], note));
    let server = Server::builder(transport.clone()).queue("work").exchange("work_exchange").service(service);
    let server = server.build().unwrap();
    let handle = server.handle();
    let serving = tokio::spawn(server.serve(std::future::pending()));
    handle.ready(Duration::from_secs(30)).await.unwrap();
    let registry = Registry::new().remote_service("work", "work_exchange");
    let client = Client::builder(transport).source("caller").discovery(registry).build().await.unwrap();

    let mut times = Vec::with_capacity(rounds);
    for n in 1..=rounds as i64 {
        let config = AmqpConfig::from_uri(&node.uri_for(causes::VHOST)).unwrap();
        let admin = AmqpTransport::new(config).connect().await.unwrap();
        // Healthy for a while, as before most outages.
        sleep(Duration::from_millis(random.u64(1_200..2_000))).await;
        let outage = Duration::from_millis(random.u64(1_000..6_000));
        cause.pass(&node, &*admin, "work", outage).await.unwrap();
        let begin = Instant::now();
        while noted.load(Ordering::Relaxed) != n || handle.health() != Health::Ready {
            // Refused or unroutable while the queue is missing, ambiguous when a loss comes between.
            let _ = client.to("work.note").param("n", n).cast().await;
            sleep(Duration::from_millis(5)).await;
        }
        times.push(begin.elapsed());
    }
    client.close().await;
    handle.stop();
    serving.await.unwrap().unwrap();
    times
}
