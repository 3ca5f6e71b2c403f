//! The queues of a server, of either type: where messages end, and what survives.

use std::time::Duration;

use tavrida::prelude::*;
use tavrida::server::QueueType;
use tavrida::transport::{Consume, Queue, Session};
use tavrida_rabbitmq::Node;

use crate::fixture::{Notes, client, eventually, run, server, work};
use crate::support::{Place, config, connect, consume, count, name, next};

/// On a classic queue, a message that crashes its consumer would do so forever.
#[tokio::test]
async fn a_message_that_comes_back_too_often_ends_among_the_dead_letters_of_a_quorum_queue() {
    let (place, notes) = (Place::new().await, Notes::new());
    let uri = place.vhost.uri();
    let limited = |notes: &Notes| server(&uri, work(notes)).queue_type(QueueType::quorum_with_limit(2));
    let declaring = run(limited(&notes)).await;
    declaring.stop();
    eventually("it stops", async || consumers(&*place.session, "work").await == 0).await;
    client(&uri).await.to("work.note").param("n", 7).cast().await.unwrap();

    let mut consumer = consume(&place.session, "work", 1).await;
    for time in 0..3 {
        let delivery = next(&mut consumer).await;
        assert_eq!(delivery.redelivered(), time > 0);
        delivery.requeue().unwrap();
    }
    eventually("it is given up", async || count(&place.session, "work.dead").await == 1).await;
    assert_eq!(count(&place.session, "work").await, 0);
    drop(consumer);

    let handle = run(limited(&notes)).await;
    assert_eq!(handle.requeue_dead_letters(10).await.unwrap(), 1);
    assert_eq!(notes.reach(1).await, ["7"]);
}

async fn consumers(session: &dyn Session, queue: &str) -> u32 {
    session.admin().declare_queue_passive(queue).await.unwrap().consumers
}

/// The delays end while the broker boots: what comes back then finds its queue still missing, or is in transit when the broker stops.
async fn retries_survive(harm: impl AsyncFnOnce(&Node)) {
    const CASTS: i64 = 200;
    let (node, notes) = (Node::start().await.unwrap(), Notes::new());
    let delay = Duration::from_millis(1000);
    let retry = Retry::times(100).between(delay, delay).then_dead_letter();
    let handle = run(server(&node.uri(), work(&notes)).on_failure(retry)).await;
    let client = client(&node.uri()).await;
    // The broker writes declarations to its disk a little later; a kill must not come before.
    node.eval("mnesia:sync_log()").await.unwrap();
    for n in 0..CASTS {
        client.to("work.once").param("n", n).cast().await.unwrap();
    }
    let all_waited = async || handle.counters().retried >= CASTS as u64 * 2;
    eventually("each has failed, and some twice", all_waited).await;

    harm(&node).await;

    notes.open_gate();
    notes.until(|notes| (0..CASTS).all(|n| notes.contains(&format!("done {n}")))).await;
    let session = connect(config(&node.uri())).await;
    eventually("none is left", async || count(&session, "work.retry.1000").await == 0).await;
    eventually("none is left", async || count(&session, "work").await == 0).await;
}

#[tokio::test]
async fn retries_that_wait_or_come_back_while_the_broker_is_killed_are_not_lost() {
    retries_survive(async |node| {
        node.kill().await.unwrap();
        node.start_again().await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn retries_that_wait_or_come_back_while_the_broker_restarts_are_not_lost() {
    retries_survive(async |node| {
        node.stop_app().await.unwrap();
        node.start_app().await.unwrap();
    })
    .await;
}

/// What the check of names in a server and client follows.
#[tokio::test]
async fn of_all_control_characters_only_line_breaks_are_removed_from_names_that_are_declared() {
    let place = Place::new().await;
    for code in (0..32).chain([127, 0x85, 0x2028]) {
        let character = char::from_u32(code).unwrap();
        let given = format!("a{character}b");
        let declared =
            place.session.admin().declare_queue(&Queue::transient(name(&given))).await.unwrap().name;
        let expected = if matches!(character, '\r' | '\n') { "ab" } else { given.as_str() };
        assert_eq!(declared, expected, "{character:?}");
        let consumed = place.session.consume(&Consume::new(name(&given), 1)).await;
        assert_eq!(consumed.is_ok(), declared == *given, "{character:?}");
    }
}
