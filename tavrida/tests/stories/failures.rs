//! Handlers that fail, and where their messages go.

use std::time::Duration;

use tavrida::prelude::*;
use tokio::time::Instant;

use super::Broker;
use super::fixture::{Notes, client, count, drain, eventually, run, server, work};

pub(crate) async fn failures_come_back_after_their_delay_and_end_as_dead_letters_that_can_be_sent_back<
    B: Broker,
>() {
    let (broker, notes) = (B::begin().await, Notes::new());
    let retry = Retry::times(2).between(Duration::from_millis(50), Duration::from_millis(100));
    let handle = run(server(broker.transport(), work(&notes)).on_failure(retry.then_dead_letter())).await;
    let client = client(broker.transport()).await;

    let begin = Instant::now();
    client.to("work.lucky").cast().await.expect("sent");
    assert_eq!(notes.reach(3).await, ["try 1", "try 2", "try 3"]);
    assert!(begin.elapsed() >= Duration::from_millis(150), "{:?}", begin.elapsed());

    for n in 1..=3 {
        client.to("work.never").param("n", n).cast().await.expect("sent");
    }
    let session = broker.session().await;
    eventually("they are dead-lettered", async || count(&session, "work.dead").await == 3).await;
    eventually("they are counted", async || handle.counters().dead_lettered == 3).await;
    assert_eq!(handle.counters().retried, 2 + 3 * 2);
    assert_eq!(handle.requeue_dead_letters(2).await.expect("sent back"), 2);
    eventually("they fail again", async || handle.counters().dead_lettered == 5).await;
    assert_eq!(handle.counters().retried, 2 + 5 * 2, "they were sent back as new");
    eventually("they are there again", async || count(&session, "work.dead").await == 3).await;
    assert_eq!(handle.requeue_dead_letters(10).await.expect("sent back"), 3);
    eventually("they are there once more", async || count(&session, "work.dead").await == 3).await;
    let mut bodies = drain(&session, "work.dead").await;
    bodies.sort();
    assert_eq!(bodies, [1, 2, 3].map(|n| format!(r#"{{"payload": {{"n":{n}}}, "context": {{}}}}"#)));
}
