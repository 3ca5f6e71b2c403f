//! Hostile messages to a live server on the in-process broker: none stops it, and each ends.
//!
//! `HOSTILE_MESSAGES=500000 HOSTILE_SEED=7 cargo test -p tavrida-testkit --test hostile -- --nocapture` is the long run. The same over
//! RabbitMQ: `it/hostile/fuzz.rs` of `tavrida-amqp`.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
#![expect(clippy::print_stdout, reason = "a run prints its seed and its counts")]

use std::time::Duration;

use futures_util::future::join_all;
use serde_json::json;
use tavrida::message::Message;
use tavrida::prelude::*;
use tavrida::transport::Transport;
use tavrida_memory::MemoryBroker;
use tavrida_testkit::hostile::Hostile;

async fn number(n: i64) -> serde_json::Value {
    json!({ "n": n })
}

async fn any(value: Option<serde_json::Value>) -> serde_json::Value {
    json!({ "known": value.is_some() })
}

async fn heard(message: Message) -> Result<()> {
    message.headers().iter().for_each(|(name, value)| drop((name.clone(), value.clone())));
    Ok(())
}

fn shop() -> Service {
    Service::new("shop")
        .rpc("number", params(["n"], number))
        .rpc("any", params(["n"], any))
        .rpc("fail", || async { Result::<()>::Err(Failure::new("shop.Broken", "no").retryable()) })
        .on_response("foe.method", heard)
        .on_error("foe.method", heard)
}

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().map_or(default, |text| text.parse().unwrap())
}

#[tokio::test(start_paused = true)]
async fn no_message_stops_a_service() {
    let (messages, seed) = (setting("HOSTILE_MESSAGES", 20_000), setting("HOSTILE_SEED", 7));
    println!("HOSTILE_SEED={seed} makes the same messages again");
    let broker = MemoryBroker::builder().frame_max(131_072).build();
    let server = Server::builder(broker.transport()).queue("shop").exchange("shop_exchange").service(shop());
    let retry = Retry::times(1).between(Duration::from_millis(10), Duration::from_millis(10));
    let server = server.on_failure(retry.then_dead_letter()).build().unwrap();
    let handle = server.handle();
    tokio::spawn(server.serve(std::future::pending()));
    handle.ready(Duration::from_secs(60)).await.unwrap();
    let registry = Registry::new().remote_service("shop", "shop_exchange");
    let client =
        Client::builder(broker.transport()).source("friend").discovery(registry).build().await.unwrap();

    let session = broker.transport().connect().await.unwrap();
    let mut hostile = Hostile::new(seed, "shop", &["shop.number", "shop.any", "shop.fail", "shop"]).unwrap();
    let mut sent = 0;
    while sent < messages {
        let batch: Vec<_> =
            (0..500.min(messages - sent)).map(|_| session.publish(hostile.next_message())).collect();
        for outcome in join_all(batch).await {
            outcome.unwrap();
            sent += 1;
        }
        session.admin().purge_queue("shop.dead").await.unwrap();
    }
    let answer = client.to("shop.number").param("n", 7).ask().timeout(Duration::from_secs(5)).await;
    tokio::time::sleep(Duration::from_secs(600)).await;
    let waiting = session.admin().declare_queue_passive("shop").await.unwrap().messages;
    let counters = handle.counters();
    let stuck = u64::from(waiting) + counters.stuck + counters.in_flight;
    let answered = if answer.is_ok() { "yes" } else { "no" };
    println!("hostile messages: {sent}, stuck: {stuck}, answered after: {answered}");
    assert_eq!((stuck, answered, counters.losses), (0, "yes", 0), "seed {seed}: {counters:?}");
}
