//! Servers and clients through losses of the session, restarts of the broker, and shutdown.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use serde_json::json;
use tavrida::prelude::*;
use tavrida::server::{DeclareMode, QueueType};
use tavrida::transport::{ConnectionLost, Consume, Session, SessionError, Transport};
use tavrida::{Backoff, Health};
use tokio::time::Instant;

use crate::fixture::{Fixture, Notes, name, registry, within};

async fn note(notes: State<Notes>, attempt: Attempt, n: i64) {
    notes.add(format!("{n}{}", if attempt.redelivered { " again" } else { "" }));
}

async fn slowly(notes: State<Notes>, attempt: Attempt, n: i64) {
    notes.add(format!("begin {n}{}", if attempt.redelivered { " again" } else { "" }));
    tokio::time::sleep(Duration::from_secs(10)).await;
    notes.add(format!("end {n}"));
}

fn work(notes: &Notes) -> Service {
    Service::new("work")
        .state(notes.clone())
        .rpc("note", params(["n"], note))
        .rpc("slowly", params(["n"], slowly))
        .rpc("echo", |request: Request| async move { json!({ "from": request.source().as_str() }) })
}

#[tokio::test(start_paused = true)]
async fn a_client_that_tries_again_at_once_waits_for_the_next_session() {
    let (fixture, notes) = (Fixture::new(), Notes::default());
    let _server = fixture.host(work(&notes)).await;
    let client = fixture.client(&["work"]).await;
    client.to("work.echo").ask().await.expect("the reply queue is there");

    fixture.broker.close_sessions("maintenance");
    let mut failed = 0;
    while client.to("work.note").param("n", 1).cast().await.is_err() {
        failed += 1;
        assert!(failed < 10, "nobody else comes to run, and the session is never replaced");
    }
    fixture.broker.close_sessions("maintenance");
    while client.to("work.echo").ask().await.is_err() {
        failed += 1;
        assert!(failed < 10, "nobody else comes to run, and the session is never replaced");
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_being_handled_is_delivered_again_and_its_late_settlement_fails_clearly() {
    let (fixture, notes) = (Fixture::new(), Notes::default());
    let server = fixture.host(work(&notes)).await;
    fixture.client(&["work"]).await.to("work.slowly").param("n", 1).cast().await.expect("sent");
    notes.reach(1).await;
    fixture.broker.close_sessions("maintenance");
    assert_eq!(notes.reach(4).await, ["begin 1", "begin 1 again", "end 1", "end 1"]);
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(notes.all().len(), 4, "settled once, on the new session");
    assert_eq!(server.handle.counters().in_flight, 0);
    assert_eq!(fixture.depth("work").await, 0);
}

#[tokio::test(start_paused = true)]
async fn what_an_ended_consumer_left_is_not_begun_once_its_session_is_lost_too() {
    let (fixture, notes) = (Fixture::new(), Notes::default());
    let server = fixture.run(fixture.server(work(&notes)).concurrency(1)).await;
    let client = fixture.client(&["work"]).await;
    for n in [1, 2] {
        client.to("work.slowly").param("n", n).cast().await.expect("sent");
    }
    notes.reach(1).await;
    fixture.session().await.admin().delete_queue("work", false, false).await.expect("deleted");
    while server.handle.health() == Health::Ready {
        tokio::task::yield_now().await;
    }
    fixture.broker.close_sessions("maintenance");
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(server.handle.health(), Health::Ready);
    assert_eq!(notes.all(), ["begin 1", "end 1"]);
}

#[tokio::test(start_paused = true)]
async fn limited_attempts_end_the_server_with_the_reason() {
    let fixture = Fixture::new();
    let backoff = Backoff::between(Duration::from_millis(10), Duration::from_millis(10)).max_attempts(3);
    let passive = fixture.server(work(&Notes::default())).declare_mode(DeclareMode::Check).reconnect(backoff);
    let server = passive.build().expect("a server");
    let handle = server.handle();
    let error = within(server.serve(std::future::pending())).await.expect_err("nothing is declared");
    assert!(error.to_string().contains("NOT_FOUND - no exchange 'work_exchange'"), "{error}");
    assert!(matches!(handle.health(), Health::Failed { .. }), "{}", handle.health());
}

#[tokio::test(start_paused = true)]
async fn passive_topology_is_content_with_what_is_there() {
    let (fixture, notes) = (Fixture::new(), Notes::default());
    fixture.host(work(&notes)).await.stop().await;
    let _server = fixture.run(fixture.server(work(&notes)).declare_mode(DeclareMode::Check)).await;
    fixture.client(&["work"]).await.to("work.note").param("n", 1).cast().await.expect("sent");
    assert_eq!(notes.reach(1).await, ["1"]);
}

/// A broker that is never reachable.
#[derive(Default)]
struct Unreachable {
    asked: Arc<AtomicU32>,
    backoff: Backoff,
}

#[async_trait::async_trait]
impl Transport for Unreachable {
    async fn connect(&self) -> Result<Arc<dyn Session>, SessionError> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        Err(ConnectionLost::broken("connection refused").into())
    }

    fn endpoint(&self) -> String {
        "amqp://nowhere".to_owned()
    }

    fn backoff(&self) -> Backoff {
        self.backoff.clone()
    }
}

#[tokio::test(start_paused = true)]
async fn a_transport_says_how_often_to_try_and_the_server_may_say_otherwise() {
    for (told, expected) in [(None, 2), (Some(Backoff::default().max_attempts(5)), 5)] {
        let asked = Arc::new(AtomicU32::new(0));
        let transport =
            Unreachable { asked: asked.clone(), backoff: Backoff::default().max_first_attempts(2) };
        let mut builder =
            Server::builder(transport).queue("q").exchange("e").service(work(&Notes::default()));
        if let Some(backoff) = told {
            builder = builder.reconnect(backoff);
        }
        let server = builder.build().expect("a server");
        let error = within(server.serve(std::future::pending())).await.expect_err("nobody is there");
        assert!(error.to_string().contains("connection refused"), "{error}");
        assert_eq!(asked.load(Ordering::Relaxed), expected);
    }
}

#[tokio::test(start_paused = true)]
async fn who_waits_for_a_server_in_vain_is_told_why() {
    for (backoff, timeout) in [(Backoff::default(), true), (Backoff::default().max_attempts(1), false)] {
        let transport = Unreachable { backoff, ..Unreachable::default() };
        let server = Server::builder(transport).queue("q").exchange("e").service(work(&Notes::default()));
        let server = server.build().expect("a server");
        let handle = server.handle();
        tokio::spawn(server.serve(std::future::pending()));
        let error = handle.ready(Duration::from_secs(3)).await.expect_err("nobody is there");
        assert!(error.to_string().starts_with("the server does not consume: "), "{error}");
        assert!(error.to_string().ends_with("connection refused"), "{error}");
        assert_eq!((error.is_timeout(), error.is_closed()), (timeout, !timeout));
    }
}

#[tokio::test(start_paused = true)]
async fn a_client_whose_broker_refuses_says_so_when_it_is_built() {
    let begun = Instant::now();
    let builder =
        Client::builder(Unreachable::default()).source("client_app").patience(Duration::from_secs(3));
    let error = builder.build().await.expect_err("nobody is there");
    assert_eq!(error.to_string(), "the client is not connected: the connection is lost: connection refused");
    assert_eq!(begun.elapsed().as_secs(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_server_whose_task_is_dropped_loses_nothing() {
    let (fixture, notes) = (Fixture::new(), Notes::default());
    let crashed = fixture.host(work(&notes)).await;
    fixture.client(&["work"]).await.to("work.slowly").param("n", 1).cast().await.expect("sent");
    notes.reach(1).await;
    crashed.abort();
    assert!(crashed.ended().await.is_err(), "it was aborted");
    let _server = fixture.host(work(&notes)).await;
    assert_eq!(notes.reach(3).await[1..], ["begin 1 again", "end 1"]);
}

#[tokio::test(start_paused = true)]
async fn ordered_mode_keeps_the_order_of_the_queue_and_concurrency_is_bounded() {
    let (fixture, notes) = (Fixture::new(), Notes::default());
    let _server = fixture.run(fixture.server(work(&notes)).concurrency(1)).await;
    let client = fixture.client(&["work"]).await;
    for n in 1..=3 {
        client.to("work.slowly").param("n", n).cast().await.expect("sent");
    }
    assert_eq!(notes.reach(6).await, ["begin 1", "end 1", "begin 2", "end 2", "begin 3", "end 3"]);

    let (fixture, notes) = (Fixture::new(), Notes::default());
    let server = fixture.run(fixture.server(work(&notes)).concurrency(2)).await;
    let client = fixture.client(&["work"]).await;
    for n in 1..=6 {
        client.to("work.slowly").param("n", n).cast().await.expect("sent");
    }
    notes.reach(2).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!((notes.all().len(), server.handle.counters().in_flight), (2, 2));
}

#[tokio::test(start_paused = true)]
async fn closing_a_client_ends_its_session_and_its_waiting_asks() {
    let (fixture, notes) = (Fixture::new(), Notes::default());
    let _server = fixture.host(work(&notes)).await;
    let client = fixture.client(&["work"]).await;
    let asking = tokio::spawn({
        let client = client.clone();
        async move { client.to("work.slowly").param("n", 1).ask().await }
    });
    notes.reach(1).await;
    client.close().await;
    assert!(within(asking).await.expect("no panic").is_err());
    assert_eq!(client.health(), Health::Stopped);
    let error = client.to("work.note").param("n", 1).cast().await.expect_err("it is closed");
    assert!(error.is_closed(), "{error}");
}

#[tokio::test(start_paused = true)]
async fn what_a_server_declares_is_what_its_plan_says() {
    let (fixture, notes) = (Fixture::new(), Notes::default());
    let policy = Retry::times(2).between(Duration::from_secs(1), Duration::from_secs(9)).then_dead_letter();
    let subscriber = work(&notes)
        .on_notification("orders.created", || async {})
        .discovery(registry(&["other"]).remote_publisher("orders", "orders_notifications"));
    let server = fixture.server(subscriber).on_failure(policy).build().expect("a server");
    assert_eq!(
        server.plan().to_string(),
        "exchange orders_notifications (topic, durable)\n\
         exchange other_exchange (topic, durable)\n\
         exchange work_exchange (topic, durable)\n\
         queue work (durable)\n\
         queue work.dead (durable)\n\
         queue work.retry.1000 (durable, x-message-ttl: 1000, x-queue-type: 'quorum', x-dead-letter-exchange: '', \
         x-dead-letter-routing-key: 'work', x-dead-letter-strategy: 'at-least-once', x-overflow: 'reject-publish')\n\
         queue work.retry.9000 (durable, x-message-ttl: 9000, x-queue-type: 'quorum', x-dead-letter-exchange: '', \
         x-dead-letter-routing-key: 'work', x-dead-letter-strategy: 'at-least-once', x-overflow: 'reject-publish')\n\
         bind work <- orders_notifications: orders.created.#\n\
         bind work <- work_exchange: work.#\n"
    );
    let handle = server.handle();
    let serving = tokio::spawn(server.serve(std::future::pending()));
    handle.ready(Duration::from_secs(10)).await.expect("it comes up");
    let session = fixture.session().await;
    for exchange in ["orders_notifications", "other_exchange", "work_exchange"] {
        session.admin().declare_exchange_passive(exchange).await.expect("declared");
    }
    for queue in ["work", "work.dead", "work.retry.1000", "work.retry.9000"] {
        session.admin().declare_queue_passive(queue).await.expect("declared");
    }
    // An exclusive consumer is refused while the server consumes.
    let consume = Consume { exclusive: true, ..Consume::new(name("work"), 1) };
    session.consume(&consume).await.expect_err("the server consumes");
    handle.stop();
    serving.await.expect("no panic").expect("it ends well");
}

#[tokio::test(start_paused = true)]
async fn a_quorum_queue_gives_up_what_comes_back_too_often_and_its_dead_letters_can_be_sent_back() {
    let (fixture, notes) = (Fixture::new(), Notes::default());
    let limited = |notes: &Notes| fixture.server(work(notes)).queue_type(QueueType::quorum_with_limit(1));
    let server = limited(&notes).build().expect("a server");
    let own = "queue work (durable, x-queue-type: 'quorum', x-dead-letter-exchange: '', \
               x-dead-letter-routing-key: 'work.dead', x-dead-letter-strategy: 'at-least-once', \
               x-overflow: 'reject-publish', x-delivery-limit: 1)\n\
               queue work.dead (durable, x-queue-type: 'quorum')\n";
    assert!(server.plan().to_string().contains(own), "{}", server.plan());
    fixture.run(limited(&notes)).await.stop().await;
    fixture.client(&["work"]).await.to("work.note").param("n", 7).cast().await.expect("sent");

    let session = fixture.session().await;
    for _ in 0..2 {
        let fetched = session.get("work").await.expect("the queue is there").expect("it is in it");
        fetched.delivery.requeue().expect("the session lives");
    }
    assert_eq!((fixture.depth("work").await, fixture.depth("work.dead").await), (0, 1));

    let server = fixture.run(limited(&notes)).await;
    assert_eq!(server.handle.requeue_dead_letters(10).await.expect("sent back"), 1);
    assert_eq!(notes.reach(1).await, ["7"]);
}

/// It does not poll its consumer, which would report the loss.
#[tokio::test(start_paused = true)]
async fn a_server_whose_handlers_are_all_busy_knows_that_its_session_is_lost() {
    let (fixture, notes) = (Fixture::new(), Notes::default());
    let server = fixture.run(fixture.server(work(&notes)).concurrency(1)).await;
    fixture.client(&["work"]).await.to("work.slowly").param("n", 1).cast().await.expect("sent");
    notes.reach(1).await;
    fixture.broker.close_sessions("maintenance");
    tokio::time::sleep(Duration::from_millis(1)).await;
    let health = server.handle.health();
    assert!(matches!(&health, Health::Reconnecting { why, .. } if why.contains("maintenance")), "{health}");
}
