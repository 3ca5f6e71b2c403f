//! Asks: each gets its own answer, through a queue and through direct reply-to, before and after a loss.

use futures_util::future::join_all;
use tavrida::discovery::Registry;
use tavrida::prelude::*;
use tavrida::proxy::AskError;

use super::fixture::{Notes, client, client_builder, is_lost, other, run, server, soon, work};
use super::{Broker, Operator};

async fn double(client: &Client, n: i64) -> i64 {
    let answer = soon(client.to("other.double").param("n", n).ask()).await.expect("an answer");
    answer.payload().get::<i64>("n").expect("a number")
}

async fn doubles_by_the_hundred(client: &Client) {
    let doubled = join_all((0..200).map(|n| double(client, n))).await;
    assert!(doubled.into_iter().eq((0..200).map(|n| 2 * n)));
}

/// Loses the session twice, while asks for these numbers wait.
async fn survives_losses<O: Operator>(broker: &O, notes: &Notes, client: Client, waiting: [i64; 2]) {
    for (n, losses) in waiting.into_iter().zip(1..) {
        doubles_by_the_hundred(&client).await;
        let asking = tokio::spawn(client.to("work.gated").param("n", n).ask());
        notes.until(|notes| notes.contains(&format!("begin {n}"))).await;
        broker.close_sessions("maintenance").await;
        let lost = soon(asking).await.expect("no panic").expect_err("the session is lost");
        assert!(is_lost::<O>(&lost), "{lost:?}");
        doubles_by_the_hundred(&client).await;
        assert_eq!(client.counters().losses, losses);
    }
    let refused = soon(client.to("other.refuse").ask()).await.expect_err("refused");
    assert_eq!(refused.failed().expect("the other side answered").code(), Some(4001));
    client.close().await;
}

pub(crate) async fn answers_come_to_a_queue_and_by_direct_reply_to_also_after_a_loss<O: Operator>() {
    let (broker, notes) = (O::begin().await, Notes::new());
    let _other = run(server(broker.transport(), other())).await;
    let _work = run(server(broker.transport(), work(&notes))).await;
    survives_losses(&broker, &notes, client(broker.transport()).await, [1, 2]).await;
    let direct = client_builder(broker.transport()).direct_replies().build().await.expect("a client");
    let before = broker.queues().await;
    double(&direct, 1).await;
    assert_eq!(broker.queues().await, before, "no queue is declared for it");
    survives_losses(&broker, &notes, direct, [3, 4]).await;
}

/// The consumer of direct replies is on the channel of all publishes, which a refusal would close.
pub(crate) async fn an_ask_that_is_refused_costs_no_other_its_direct_reply<B: Broker>() {
    let (broker, notes) = (B::begin().await, Notes::new());
    let _server = run(server(broker.transport(), work(&notes))).await;
    let registry =
        Registry::new().remote_service("work", "work_exchange").remote_service("nowhere", "no_exchange");
    let builder = client_builder(broker.transport()).discovery(registry).direct_replies();
    let client = builder.build().await.expect("a client");
    let waiting = tokio::spawn(client.to("work.gated").param("n", 1).ask());
    notes.reach(1).await;

    for _ in 0..3 {
        let refused = soon(client.to("nowhere.work").ask()).await;
        assert!(matches!(refused, Err(AskError::NotSent(error)) if error.is_refused()));
        client.to("nowhere.work").cast().await.expect_err("refused");
    }

    notes.open_gate();
    assert!(soon(waiting).await.expect("no panic").expect("an answer").payload().is_empty());
    assert_eq!(client.counters().losses, 0);
}
