//! Hostile messages to a live server over RabbitMQ: none stops it, and each ends.
//!
//! `HOSTILE_MESSAGES=500000 HOSTILE_SEED=7 cargo test -p tavrida-amqp --test it no_message_stops -- --nocapture` is the long run.

use std::time::Duration;

use futures_util::future::join_all;
use tavrida_conformance::hostile::Hostile;

use super::Target;
use crate::fixture::eventually;
use crate::support::count;

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().map_or(default, |text| text.parse().unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_message_stops_a_service_over_rabbitmq() {
    let (messages, seed) = (setting("HOSTILE_MESSAGES", 3_000), setting("HOSTILE_SEED", 7));
    println!("HOSTILE_SEED={seed} makes the same messages again");
    let target = Target::start().await;
    let destinations = ["work.echo", "work.never", "work.lucky", "work"];
    let mut hostile = Hostile::new(seed, "work", &destinations).unwrap();
    let mut sent = 0;
    while sent < messages {
        let batch = (0..500.min(messages - sent)).map(|_| target.session.publish(hostile.next_message()));
        for outcome in join_all(batch.collect::<Vec<_>>()).await {
            outcome.unwrap();
            sent += 1;
        }
        target.session.admin().purge_queue("work.dead").await.unwrap();
        eventually("the server keeps up", async || count(&target.session, "work").await < 2_000).await;
        if sent % 50_000 == 0 {
            println!("{sent} hostile messages so far: {}", target.handle.counters());
        }
    }
    eventually("the queue is worked off", async || count(&target.session, "work").await == 0).await;
    eventually("nothing is under way", async || target.handle.counters().in_flight == 0).await;
    let answer = target.client.to("work.echo").ask().timeout(Duration::from_secs(5)).await;
    let counters = target.handle.counters();
    let answered = if answer.is_ok() { "yes" } else { "no" };
    println!("hostile messages: {sent}, stuck: {}, answered after: {answered}", counters.stuck);
    assert_eq!((counters.stuck, answered, counters.losses), (0, "yes", 0), "seed {seed}: {counters:?}");
}
