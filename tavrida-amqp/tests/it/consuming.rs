//! Deliveries: each is settled once, none is lost, none is delayed.

use std::time::Duration;

use tavrida::field::{ShortString, Table, Value};
use tavrida::transport::{
    AckKind, ConnectionLost, Consume, ConsumerError, Publication, Queue, Scope, Session, SessionError,
};
use tavrida_rabbitmq::Node;
use tokio::time::{sleep, timeout};

use crate::support::{
    Place, body, connect_to, consume, count, declare, drain, name, next, publish_all, soon, to_queue,
};

async fn fill(session: &std::sync::Arc<dyn Session>, queue: &str, messages: usize) {
    declare(session, queue).await;
    let results = publish_all(session, (0..messages).map(|number| to_queue(queue, number.to_string()))).await;
    assert!(results.iter().all(Result::is_ok));
}

/// Waits until the broker reports it: some effects take a moment.
async fn until_count(session: &std::sync::Arc<dyn Session>, queue: &str, expected: u32) {
    soon(async {
        while count(session, queue).await != expected {
            sleep(Duration::from_millis(2)).await;
        }
    })
    .await;
}

#[tokio::test]
async fn deliveries_come_in_queue_order_with_everything_that_was_published() {
    let Place { session, .. } = &Place::new().await;
    declare(session, "q").await;
    let mut message = to_queue("q", "text");
    message.properties.message_id = Some(name("m-1"));
    message.properties.headers =
        Some(Table::new().with(name("n"), Value::I8(-1)).with(name("void"), Value::Void));
    soon(session.publish(message.clone())).await.unwrap();
    soon(session.publish(to_queue("q", ""))).await.unwrap();
    let mut consumer = consume(session, "q", 10).await;

    let first = next(&mut consumer).await;
    assert_eq!(**first.publication(), Publication { mandatory: false, ..message });
    assert!(!first.redelivered());
    assert_eq!(body(&next(&mut consumer).await), "");
    first.ack().unwrap();
}

#[tokio::test]
async fn acks_reach_the_broker_while_the_consumer_waits_and_while_it_does_not() {
    let Place { session, .. } = &Place::new().await;
    fill(session, "q", 3).await;
    let mut consumer = consume(session, "q", 100).await;
    let deliveries = [next(&mut consumer).await, next(&mut consumer).await, next(&mut consumer).await];
    for delivery in deliveries {
        // Far below half the prefetch, and no consumer asks for more: the timer sends it.
        delivery.ack().unwrap();
    }
    sleep(Duration::from_millis(50)).await;
    session.close().await.unwrap();

    let place = Place::new().await;
    fill(&place.session, "q", 1).await;
    let mut consumer = consume(&place.session, "q", 100).await;
    next(&mut consumer).await.ack().unwrap();
    assert!(timeout(Duration::from_millis(50), consumer.next()).await.is_err(), "nothing is left");
    // A second session sees what a kill of the first would leave.
    let other = place.another().await;
    drop(consumer);
    assert_eq!(drain(&other, "q").await, Vec::<String>::new());
}

#[tokio::test]
async fn prefetch_bounds_what_is_unsettled() {
    let Place { session, .. } = &Place::new().await;
    fill(session, "q", 5).await;
    let mut consumer = consume(session, "q", 2).await;
    let first = next(&mut consumer).await;
    let _second = next(&mut consumer).await;
    assert!(timeout(Duration::from_millis(100), consumer.next()).await.is_err());
    assert_eq!(count(session, "q").await, 3);
    first.ack().unwrap();
    assert_eq!(body(&next(&mut consumer).await), "2");
}

#[tokio::test]
async fn every_message_is_handled_once_however_settlements_are_mixed() {
    let Place { session, .. } = &Place::new().await;
    fill(session, "q", 2_000).await;
    let mut consumer = consume(session, "q", 64).await;
    let mut seen = vec![0; 2_000];
    let mut kept = Vec::new();
    let mut dice = fastrand::Rng::with_seed(7);
    while seen.contains(&0) {
        let delivery = next(&mut consumer).await;
        let number: usize = body(&delivery).parse().unwrap();
        match dice.u8(0..10) {
            0 => delivery.requeue().unwrap(),
            1 => drop(delivery),
            2 | 3 if kept.len() < 30 => {
                seen[number] += 1;
                kept.push(delivery);
            }
            _ => {
                seen[number] += 1;
                delivery.settle(if dice.bool() { AckKind::Ack } else { AckKind::Reject }).unwrap();
            }
        }
        if kept.len() > 20 {
            let at = dice.usize(..kept.len());
            kept.swap_remove(at).ack().unwrap();
        }
    }
    kept.into_iter().for_each(|delivery| delivery.ack().unwrap());
    assert!(seen.iter().all(|times| *times == 1));
    drop(consumer);
    session.close().await.unwrap();
}

#[tokio::test]
async fn a_dropped_delivery_goes_back_and_comes_again_marked() {
    let Place { session, .. } = &Place::new().await;
    fill(session, "q", 1).await;
    let mut consumer = consume(session, "q", 1).await;
    drop(next(&mut consumer).await);
    let again = next(&mut consumer).await;
    assert!(again.redelivered());
    again.ack().unwrap();
}

#[tokio::test]
async fn a_dropped_consumer_gives_back_what_was_not_taken_and_keeps_what_was() {
    let Place { session, .. } = &Place::new().await;
    fill(session, "q", 20).await;
    let mut consumer = consume(session, "q", 10).await;
    let taken = next(&mut consumer).await;
    drop(consumer);
    until_count(session, "q", 19).await;
    assert_eq!(session.admin().declare_queue_passive("q").await.unwrap().consumers, 0);
    taken.ack().unwrap();
    let rest: Vec<_> = (1..20).map(|number| number.to_string()).collect();
    assert_eq!(drain(session, "q").await, rest);
}

#[tokio::test]
async fn a_cancelled_consumer_hands_out_what_it_has_and_ends() {
    let Place { session, .. } = &Place::new().await;
    fill(session, "q", 5).await;
    let mut consumer = consume(session, "q", 3).await;
    let first = next(&mut consumer).await;
    soon(consumer.cancel()).await.unwrap();
    let rest = [next(&mut consumer).await, next(&mut consumer).await];
    assert_eq!(rest.iter().map(body).collect::<Vec<_>>(), ["1", "2"]);
    for _ in 0..2 {
        assert_eq!(soon(consumer.next()).await.unwrap_err(), ConsumerError::Cancelled);
    }
    first.ack().unwrap();
    rest.into_iter().for_each(|delivery| delivery.ack().unwrap());
    drop(consumer);
    assert_eq!(drain(session, "q").await, ["3", "4"]);
}

#[tokio::test]
async fn a_deleted_queue_ends_its_consumer_at_once_and_the_session_lives() {
    let Place { session, .. } = &Place::new().await;
    fill(session, "q", 1).await;
    let mut consumer = consume(session, "q", 10).await;
    let unsettled = next(&mut consumer).await;
    session.admin().delete_queue("q", false, false).await.unwrap();
    for _ in 0..2 {
        let end = timeout(Duration::from_secs(1), consumer.next()).await.unwrap().unwrap_err();
        assert_eq!(end, ConsumerError::CancelledByBroker);
    }
    // Its message is deleted; the broker accepts the ack silently.
    unsettled.ack().unwrap();
    declare(session, "q").await;
    assert_eq!(count(session, "q").await, 0);
}

#[tokio::test]
async fn consuming_a_missing_queue_is_refused_and_costs_nothing_else() {
    let Place { session, .. } = &Place::new().await;
    fill(session, "q", 1).await;
    let mut other = consume(session, "q", 1).await;
    let error = soon(session.consume(&Consume::new(name("missing"), 1))).await.unwrap_err();
    assert!(error.is_not_found(), "{error}");
    assert_eq!(error.refusal().unwrap().scope, Scope::Channel);
    next(&mut other).await.ack().unwrap();
}

#[tokio::test]
async fn an_exclusive_consumer_keeps_others_out() {
    let Place { session, .. } = &Place::new().await;
    declare(session, "q").await;
    let alone = Consume { exclusive: true, ..Consume::new(name("q"), 1) };
    let _consumer = session.consume(&alone).await.unwrap();
    let error = session.consume(&Consume::new(name("q"), 1)).await.unwrap_err();
    assert_eq!(error.refusal().unwrap().code, 403);
}

#[tokio::test]
async fn without_acknowledgements_deliveries_are_settled_as_they_come() {
    let Place { session, .. } = &Place::new().await;
    fill(session, "q", 3).await;
    let mut consumer =
        session.consume(&Consume { no_ack: true, ..Consume::new(name("q"), 0) }).await.unwrap();
    drop(next(&mut consumer).await);
    next(&mut consumer).await.requeue().unwrap();
    assert_eq!(body(&next(&mut consumer).await), "2");
    session.close().await.unwrap();
}

#[tokio::test]
async fn a_fetched_message_is_settled_like_any_other() {
    let Place { session, .. } = &Place::new().await;
    fill(session, "q", 3).await;
    let first = session.get("q").await.unwrap().unwrap();
    let second = session.get("q").await.unwrap().unwrap();
    assert_eq!((first.messages_left, second.messages_left), (2, 1));
    assert!(session.get("missing").await.unwrap_err().is_not_found());
    drop(first);
    second.delivery.ack().unwrap();
    until_count(session, "q", 2).await;
    let again = session.get("q").await.unwrap().unwrap();
    assert!(again.delivery.redelivered());
    assert_eq!(body(&again.delivery), "0");
    again.delivery.reject().unwrap();
    assert_eq!(drain(session, "q").await, ["2"]);
    assert!(session.get("q").await.unwrap().is_none());
}

#[tokio::test]
async fn the_empty_queue_name_never_means_a_queue_of_somebody_elses() {
    let Place { session, .. } = &Place::new().await;
    let own = session.admin().declare_queue(&Queue::exclusive()).await.unwrap();
    assert!(own.name.starts_with("amq.gen-"));
    for error in [
        session.admin().delete_queue("", false, false).await.map(drop).unwrap_err(),
        session.get("").await.map(drop).unwrap_err(),
        session.admin().purge_queue("").await.map(drop).unwrap_err(),
        session.consume(&Consume::new(ShortString::default(), 1)).await.map(drop).unwrap_err(),
    ] {
        assert!(error.is_not_found(), "{error}");
    }
    assert_eq!(session.admin().declare_queue_passive(&own.name).await.unwrap().messages, 0);
}

#[tokio::test]
async fn acks_are_flushed_before_an_orderly_close() {
    let place = Place::new().await;
    let Place { session, .. } = &place;
    fill(session, "q", 500).await;
    let mut consumer = consume(session, "q", 200).await;
    let mut kept = Vec::new();
    for number in 0..150 {
        let delivery = next(&mut consumer).await;
        if number % 10 == 0 { kept.push(delivery) } else { delivery.ack().unwrap() }
    }
    soon(session.close()).await.unwrap();

    let other = place.another().await;
    let unsettled = (0..150).filter(|number| number % 10 == 0);
    let expected: Vec<_> = unsettled.chain(150..500).map(|number| number.to_string()).collect();
    assert_eq!(drain(&other, "q").await, expected);
    for delivery in kept {
        assert_eq!(delivery.ack(), Err(ConnectionLost::closed_here()));
    }
    assert_eq!(soon(consumer.next()).await.unwrap_err(), ConsumerError::Lost(ConnectionLost::closed_here()));
    assert_eq!(
        session.admin().declare_queue_passive("q").await.unwrap_err(),
        SessionError::Lost(ConnectionLost::closed_here())
    );
}

/// The broker checks for late acks periodically, and closes the channel of the late consumer.
#[tokio::test]
async fn a_consumer_that_settles_too_late_is_told_so_and_costs_the_session_nothing() {
    let node = Node::builder().consumer_timeout(Duration::from_millis(500)).start().await.unwrap();
    node.eval("application:set_env(rabbit, channel_tick_interval, 1000)").await.unwrap();
    let session = &connect_to(&node).await;
    fill(session, "q", 1).await;
    let mut consumer = consume(session, "q", 10).await;
    let late = next(&mut consumer).await;
    let end = soon(consumer.next()).await.unwrap_err();
    let ConsumerError::Refused(refusal) = &end else { panic!("refused, not {end}") };
    assert_eq!((refusal.code, refusal.scope), (406, Scope::Channel));
    assert!(refusal.text.contains("delivery acknowledgement on channel"), "{}", refusal.text);
    assert_eq!(
        late.ack(),
        Err(ConnectionLost::closed_by_broker(refusal.clone())),
        "the broker will deliver it again"
    );
    assert_eq!(soon(consumer.next()).await.unwrap_err(), end);
    let again = session.get("q").await.unwrap().unwrap();
    assert!(again.delivery.redelivered());
    again.delivery.ack().unwrap();
}

/// On one thread: a consumer that always has a delivery ready must let other tasks run.
#[tokio::test]
async fn a_busy_consumer_does_not_starve_the_tasks_beside_it() {
    let Place { session, .. } = &Place::new().await;
    fill(session, "q", 3_000).await;
    let mut consumer = consume(session, "q", 0).await;
    until_count(session, "q", 0).await;
    let beside = tokio::spawn(async {
        let mut turns = 0;
        loop {
            tokio::task::yield_now().await;
            turns += 1;
            if turns == 10 {
                return;
            }
        }
    });
    let mut taken = 0;
    while !beside.is_finished() {
        consumer.next().await.unwrap().ack().unwrap();
        taken += 1;
    }
    assert!(taken < 2_900, "{taken} deliveries before ten turns of the other task");
}
