//! How a server handles temporary faults, permanent faults, and deleted topology.

use std::time::Duration;

use tavrida::discovery::Registry;
use tavrida::field::Value;
use tavrida::prelude::*;
use tavrida::server::DeclareMode;
use tavrida::transport::{Binding, Exchange, ExchangeKind};
use tavrida::{Backoff, Health};

use crate::fixture::{Fixture, Notes, name, request_headers, within};

async fn note(notes: State<Notes>, attempt: Attempt) {
    notes.add(format!("try {}", attempt.number));
}

async fn answer(notes: State<Notes>, attempt: Attempt) -> serde_json::Value {
    note(notes, attempt).await;
    serde_json::json!({})
}

/// Casts to `work.note`, through the exchange that the server declares.
async fn pass_on(proxy: Proxy) -> Result<()> {
    proxy.to("work.note").cast().await?;
    Ok(())
}

async fn slowly(notes: State<Notes>) {
    notes.add("begin");
    tokio::time::sleep(Duration::from_secs(600)).await;
    notes.add("end");
}

fn work(notes: &Notes) -> Service {
    Service::new("work")
        .state(notes.clone())
        .discovery(Registry::new())
        .rpc("note", note)
        .rpc("answer", answer)
        .rpc("pass_on", pass_on)
        .rpc("slowly", slowly)
}

fn retries() -> FailurePolicy {
    Retry::times(5).between(Duration::from_secs(1), Duration::from_secs(4)).then_dead_letter()
}

async fn inject(fixture: &Fixture, method: &str, reply_to: &str) {
    fixture.inject("work", request_headers(method, reply_to), r#"{"payload": {}, "context": {}}"#).await;
}

#[tokio::test(start_paused = true)]
async fn a_session_that_ends_while_a_new_consumer_is_due_is_missed_at_once() {
    let (fixture, notes) = (Fixture::new(), Notes::default());
    let patient = Backoff::between(Duration::from_secs(40), Duration::from_secs(40));
    let server = fixture.run(fixture.server(work(&notes)).reconnect(patient)).await;
    fixture.session().await.admin().delete_queue("work", false, false).await.expect("deleted");
    within(async {
        while server.handle.health() == Health::Ready {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    })
    .await;
    fixture.broker.close_sessions("maintenance");
    tokio::time::sleep(Duration::from_secs(1)).await;
    let health = server.handle.health();
    let Health::Reconnecting { why, attempts: 0, .. } = &health else { panic!("{health}") };
    assert!(why.contains("maintenance"), "{why}");
    assert_eq!(server.handle.counters().losses, 1);
}

#[tokio::test(start_paused = true)]
async fn a_deleted_exchange_is_declared_again_at_the_first_send_to_it() {
    let (fixture, notes) = (Fixture::new(), Notes::default());
    let server = fixture.host(work(&notes)).await;
    fixture.session().await.admin().delete_exchange("work_exchange", false).await.expect("deleted");
    inject(&fixture, "work.pass_on", "").await;
    assert_eq!(notes.reach(1).await, ["try 1"], "the message that found it missing is sent");
    assert_eq!(server.handle.counters().repaired, 1);
    assert_eq!(server.handle.health(), Health::Ready);
    let sent = fixture.client(&["work"]).await.to("work.note").cast().await.expect("sent");
    assert_eq!(sent, Sent::Routed, "bindings are back as well");
}

#[tokio::test(start_paused = true)]
async fn a_deleted_exchange_that_a_server_does_not_declare_shows_in_its_health_until_it_is_back() {
    let (fixture, notes) = (Fixture::new(), Notes::default());
    fixture.host(work(&notes)).await.stop().await;
    let server = fixture.run(fixture.server(work(&notes)).declare_mode(DeclareMode::Check)).await;
    let session = fixture.session().await;
    session.admin().delete_exchange("work_exchange", false).await.expect("deleted");
    inject(&fixture, "work.pass_on", "").await;
    let letter = fixture.take("work.dead").await;
    assert_eq!(letter.properties.headers().get("x-tavrida-reason"), Some(&Value::from("failed")));
    let health = server.handle.health();
    let Health::Degraded { why } = &health else { panic!("{health}") };
    assert!(why.contains("'work_exchange' is missing"), "{why}");

    session
        .admin()
        .declare_exchange(&Exchange::durable(name("work_exchange"), ExchangeKind::Topic))
        .await
        .expect("declared");
    let binding = Binding::queue(name("work"), name("work_exchange"), name("work.#"));
    session.admin().bind(&binding).await.expect("bound");
    inject(&fixture, "work.pass_on", "").await;
    notes.reach(1).await;
    assert_eq!(server.handle.health(), Health::Ready);
    assert_eq!(server.handle.counters().repaired, 0);
}

#[tokio::test(start_paused = true)]
async fn a_call_whose_answer_can_never_be_sent_runs_once_whatever_the_policy() {
    let (fixture, notes) = (Fixture::new(), Notes::default());
    let server = fixture.run(fixture.server(work(&notes)).on_failure(retries())).await;
    inject(&fixture, "work.answer", "stranger.answer").await;
    let letter = within(fixture.take("work.dead")).await;
    let why = letter.properties.headers().get("x-tavrida-error-message").and_then(Value::as_str);
    assert!(why.is_some_and(|why| why.contains("no discovery knows the service 'stranger'")), "{why:?}");
    assert_eq!(notes.all(), ["try 1"]);
    assert_eq!(server.handle.counters().retried, 0);
}

#[tokio::test(start_paused = true)]
async fn a_handler_whose_send_can_never_succeed_is_not_retried() {
    async fn lost(notes: State<Notes>, proxy: Proxy) -> Result<()> {
        notes.add("try");
        proxy.to("stranger.do").cast().await?;
        Ok(())
    }
    let (fixture, notes) = (Fixture::new(), Notes::default());
    let service = Service::new("work").state(notes.clone()).discovery(Registry::new()).rpc("lost", lost);
    let server = fixture.run(fixture.server(service).on_failure(retries())).await;
    fixture.client(&["work"]).await.to("work.lost").cast().await.expect("sent");
    within(fixture.take("work.dead")).await;
    assert_eq!(notes.all(), ["try"]);
    assert_eq!(server.handle.counters().retried, 0);
}

/// RabbitMQ's text for a delivery that was unacknowledged for longer than a minute.
const TIMED_OUT: &str = "PRECONDITION_FAILED - delivery acknowledgement on channel 1 timed out. Timeout value used: 60000 ms. This \
                         timeout value can be configured, see consumers doc guide to learn more";

#[tokio::test(start_paused = true)]
async fn a_handler_that_exceeds_the_brokers_consumer_timeout_is_ended_by_the_policy_and_not_for_ever() {
    let (fixture, notes) = (Fixture::new(), Notes::default());
    let server = fixture.run(fixture.server(work(&notes)).handler_deadline(Duration::from_secs(3600))).await;
    fixture.client(&["work"]).await.to("work.slowly").cast().await.expect("sent");
    notes.reach(1).await;
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(fixture.broker.close_consumers("work", 406, TIMED_OUT), 1);

    let letter = within(fixture.take("work.dead")).await;
    let why = letter.properties.headers().get("x-tavrida-error-message").and_then(Value::as_str);
    assert!(why.is_some_and(|why| why.contains("the broker's consumer timeout is 60s")), "{why:?}");
    tokio::time::sleep(Duration::from_secs(3600)).await;
    assert_eq!(notes.all(), ["begin", "begin", "end"], "the first was under way already");
    let counters = server.handle.counters();
    assert_eq!((counters.consumer_timeouts, counters.dead_lettered), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn a_server_that_is_stopped_at_once_waits_for_no_handler() {
    let (fixture, notes) = (Fixture::new(), Notes::default());
    let server = fixture.run(fixture.server(work(&notes)).shutdown_timeout(Duration::from_secs(500))).await;
    fixture.client(&["work"]).await.to("work.slowly").cast().await.expect("sent");
    notes.reach(1).await;
    server.handle.stop();
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert_eq!(server.handle.counters().in_flight, 1, "it drains");
    server.handle.stop_now();
    within(server.ended()).await.expect("no panic").expect("in good order");
    assert_eq!(notes.all(), ["begin"]);
    assert_eq!(fixture.depth("work").await, 1, "its message is back");
}
