//! Where the virtual host makes a quorum queue of each queue that is declared without a type, RabbitMQ 4 drops a message that comes back
//! 20 times, and dead-letters it only if the queue says where. A server's queue is declared as the Python original declares it, without
//! arguments: the server itself gives such a message up, in time.

use std::time::Duration;

use tavrida::Backoff;
use tavrida::transport::Queue;
use tavrida_rabbitmq::Node;

use crate::fixture::{Notes, client, eventually, run, server, work};
use crate::support::{body, config, connect, consume, count, name, next, soon, to_queue};

/// A node whose default virtual host has the default queue type quorum. Before 4.0 there is no such default.
async fn quorum_by_default() -> Option<(Node, String)> {
    let node = Node::start().await.unwrap();
    let added = node.add_vhost_of("quorum", "quorum").await;
    if node.version().major < 4 {
        assert!(added.unwrap_err().is_refused(), "3.10 has no default queue types");
        return None;
    }
    added.unwrap();
    let uri = node.uri_for("quorum");
    Some((node, uri))
}

#[tokio::test]
async fn a_message_that_comes_back_25_times_ends_among_the_dead_letters_and_not_nowhere() {
    let Some((node, uri)) = quorum_by_default().await else { return };
    let notes = Notes::new();
    let quick = Backoff::between(Duration::from_millis(10), Duration::from_millis(50));
    // A handler of a lost session keeps its slot.
    let handle = run(server(&uri, work(&notes)).reconnect(quick).concurrency(64)).await;
    client(&uri).await.to("work.gated").param("n", 7).cast().await.unwrap();

    // Its handler never ends, and each time the session is lost.
    let mut returns = 0;
    while returns < 25 && handle.counters().dead_lettered == 0 {
        let begun = notes.all().len();
        node.close_all_connections("again").await.unwrap();
        returns += 1;
        let moved = async || notes.all().len() > begun || handle.counters().dead_lettered > 0;
        if !crate::fixture::within(Duration::from_secs(10), moved).await {
            break;
        }
    }

    let session = connect(config(&uri)).await;
    let dead = count(&session, "work.dead").await;
    assert_eq!(
        dead,
        1,
        "after {returns} returns the message is nowhere: {} in its queue",
        count(&session, "work").await
    );
    assert_eq!(handle.counters().dead_lettered, 1);
    let letter = session.get("work.dead").await.unwrap().unwrap().delivery;
    let headers = letter.properties().headers();
    assert_eq!(headers.get("x-tavrida-reason").unwrap().as_str(), Some("returned"));
    let why = headers.get("x-tavrida-error-message").unwrap().as_str().unwrap().to_owned();
    assert!(why.contains("15 times") && why.contains("'work'"), "{why}");
    letter.requeue().unwrap();
    eventually("the letter is back in its queue", async || count(&session, "work.dead").await == 1).await;

    notes.open_gate();
    assert_eq!(handle.requeue_dead_letters(10).await.unwrap(), 1);
    notes.until(|notes| notes.last().is_some_and(|note| note == "end 7")).await;
}

#[tokio::test]
async fn the_python_original_shares_the_queue_of_that_virtual_host() {
    let Some((_node, uri)) = quorum_by_default().await else { return };
    let notes = Notes::new();
    let original = connect(config(&uri)).await;
    // As the original declares it, before and after ours.
    let queue = Queue::durable(name("work"));
    original.admin().declare_queue(&queue).await.unwrap();
    let handle = run(server(&uri, work(&notes))).await;
    original.admin().declare_queue(&queue).await.unwrap();

    client(&uri).await.to("work.note").param("n", 7).cast().await.unwrap();
    assert_eq!(notes.reach(1).await, ["7"]);
    handle.stop();
    eventually("ours stops", async || {
        original.admin().declare_queue_passive("work").await.unwrap().consumers == 0
    })
    .await;

    let mut consumer = consume(&original, "work", 1).await;
    soon(original.publish(to_queue("work", "m"))).await.unwrap();
    let delivery = next(&mut consumer).await;
    assert_eq!(body(&delivery), "m");
    delivery.ack().unwrap();
}
