//! Handlers that fail, and where their messages go.

use std::time::Duration;

use serde_json::json;
use tavrida::discovery::Registry;
use tavrida::field::Value;
use tavrida::prelude::*;
use tokio::time::Instant;

use crate::fixture::{Fixture, Notes, registry};

fn broken(text: &str) -> Failure {
    Failure::new("test.Broken", text)
}

/// Fails until its third attempt.
async fn third_time_lucky(notes: State<Notes>, attempt: Attempt) -> Result<()> {
    notes.add(format!("try {}", attempt.number));
    if attempt.number < 3 { Err(broken("not yet")) } else { Ok(()) }
}

async fn never(notes: State<Notes>, attempt: Attempt) -> Result<()> {
    notes.add(format!("try {}", attempt.number));
    Err(broken("never"))
}

fn retry() -> FailurePolicy {
    Retry::times(3).between(Duration::from_secs(1), Duration::from_secs(4)).then_dead_letter()
}

#[tokio::test(start_paused = true)]
async fn a_failed_cast_comes_back_after_its_delay_until_it_works() {
    let (fixture, notes) = (Fixture::new(), Notes::default());
    let service = Service::new("work").state(notes.clone()).rpc("do", third_time_lucky);
    let server = fixture.run(fixture.server(service).on_failure(retry())).await;
    let sent = Instant::now();
    fixture.client(&["work"]).await.to("work.do").cast().await.expect("sent");
    assert_eq!(notes.reach(3).await, ["try 1", "try 2", "try 3"]);
    assert_eq!(sent.elapsed().as_secs(), 1 + 2, "the delays grow by an equal factor");
    tokio::time::sleep(Duration::from_secs(60)).await;
    let counters = server.handle.counters();
    assert_eq!((counters.handled, counters.retried, counters.dead_lettered), (1, 2, 0));
}

#[tokio::test(start_paused = true)]
async fn after_the_last_try_a_message_is_dead_lettered_with_why_and_where_from() {
    let (fixture, notes) = (Fixture::new(), Notes::default());
    let service = Service::new("work").state(notes.clone()).rpc("do", never);
    let server = fixture.run(fixture.server(service).on_failure(retry())).await;
    fixture.client(&["work"]).await.to("work.do").param("n", 7).cast().await.expect("sent");
    assert_eq!(notes.reach(4).await.len(), 4);

    let letter = fixture.take("work.dead").await;
    let header = |name: &str| letter.properties.headers().get(name).cloned().expect("a header");
    assert_eq!(header("x-tavrida-reason"), Value::from("failed"));
    assert_eq!(header("x-tavrida-error-class"), Value::from("test.Broken"));
    assert_eq!(header("x-tavrida-error-message"), Value::from("never"));
    assert_eq!(header("x-tavrida-origin-queue"), Value::from("work"));
    assert_eq!(header("x-tavrida-attempt").as_i64(), Some(4));
    assert!(matches!(header("x-tavrida-dead-at"), Value::Timestamp(seconds) if seconds > 0));
    assert_eq!(header("destination"), Value::from("work.do"));
    assert_eq!(&letter.body[..], br#"{"payload": {"n":7}, "context": {}}"#);
    assert!(letter.properties.headers().get("x-death").is_none(), "a cycle rule would drop it one day");
    assert_eq!(server.handle.counters().dead_lettered, 1);
}

#[tokio::test(start_paused = true)]
async fn one_delivery_heard_by_two_services_comes_back_to_the_one_that_failed() {
    async fn fine(notes: State<Notes>) {
        notes.add("fine");
    }
    let (fixture, notes) = (Fixture::new(), Notes::default());
    let subscriber = |name: &str| {
        let registry = Registry::new().remote_publisher("orders", "orders_notifications");
        Service::new(name).state(notes.clone()).discovery(registry)
    };
    let server = fixture
        .server(subscriber("well").on_notification("orders.created", fine))
        .service(subscriber("ill").on_notification("orders.created", third_time_lucky))
        .on_failure(retry());
    let server = fixture.run(server).await;
    let registry = Registry::new().local_publisher("orders", "orders_notifications");
    let client = Client::builder(fixture.broker.transport()).source("orders.created").discovery(registry);
    client.build().await.expect("a client").publish().send().await.expect("heard");
    notes.reach(4).await;
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(notes.all(), ["fine", "try 1", "try 2", "try 3"]);
    assert_eq!(server.handle.counters().handled, 1);
}

#[tokio::test(start_paused = true)]
async fn a_failing_call_is_answered_at_once_and_not_retried() {
    let (fixture, notes) = (Fixture::new(), Notes::default());
    let service = Service::new("work").state(notes.clone()).rpc("do", never);
    let _server = fixture.run(fixture.server(service).on_failure(retry())).await;
    let error = fixture.client(&["work"]).await.to("work.do").ask().await.expect_err("it fails");
    assert_eq!(error.failed().expect("answered").message(), "never");
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(notes.all(), ["try 1"]);
    assert_eq!(fixture.depth("work.dead").await, 0);
}

#[tokio::test(start_paused = true)]
async fn a_failure_marked_as_retryable_is_retried_for_a_call_too_and_answered_in_the_end() {
    async fn shaky(attempt: Attempt) -> Result<serde_json::Value> {
        match attempt.number {
            1 | 2 => Err(broken("try me again").retryable()),
            number => Ok(json!({ "worked_at": number })),
        }
    }
    async fn hopeless() -> Result<()> {
        Err(broken("again and again").retryable())
    }
    let fixture = Fixture::new();
    let service = Service::new("work").rpc("shaky", shaky).rpc("hopeless", hopeless);
    let _server = fixture.run(fixture.server(service).on_failure(retry())).await;
    let client = fixture.client(&["work"]).await;
    let answer = client.to("work.shaky").ask().await.expect("the third try works");
    assert_eq!(answer.payload().get::<u32>("worked_at").expect("a number"), 3);
    let error = client.to("work.hopeless").ask().await.expect_err("never");
    assert_eq!(error.failed().expect("answered").message(), "again and again");
}

#[tokio::test(start_paused = true)]
async fn discarding_has_to_be_asked_for_and_is_counted() {
    let (fixture, notes) = (Fixture::new(), Notes::default());
    let service = Service::new("work").state(notes.clone()).rpc("do", never);
    let server = fixture.run(fixture.server(service).on_failure(FailurePolicy::discard())).await;
    fixture.client(&["work"]).await.to("work.do").cast().await.expect("sent");
    notes.reach(1).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(server.handle.counters().discarded, 1);
    assert_eq!(fixture.depth("work.dead").await, 0);
}

#[tokio::test(start_paused = true)]
async fn a_reply_whose_asker_is_gone_is_counted_and_never_retried() {
    async fn answer() -> serde_json::Value {
        tokio::time::sleep(Duration::from_secs(5)).await;
        json!({})
    }
    let fixture = Fixture::new();
    let server =
        fixture.run(fixture.server(Service::new("work").rpc("do", answer)).on_failure(retry())).await;
    let client = fixture.client(&["work"]).await;
    let asker = tokio::spawn({
        let client = client.clone();
        async move { client.to("work.do").ask().await }
    });
    tokio::time::sleep(Duration::from_secs(1)).await;
    client.close().await;
    assert!(asker.await.expect("no panic").is_err());
    tokio::time::sleep(Duration::from_secs(60)).await;
    let counters = server.handle.counters();
    assert_eq!((counters.late, counters.retried, counters.dead_lettered, counters.handled), (1, 0, 0, 1));
}

#[tokio::test(start_paused = true)]
async fn a_reply_to_a_service_that_nobody_knows_is_dead_lettered_not_lost() {
    async fn answer() -> serde_json::Value {
        json!({ "n": 1 })
    }
    let fixture = Fixture::new();
    let _server = fixture.host(Service::new("work").rpc("do", answer).discovery(registry(&[]))).await;
    let client = fixture.client(&["work"]).await;
    client.to("work.do").reply_to("stranger").call().await.expect("sent");
    let letter = fixture.take("work.dead").await;
    let text =
        letter.properties.headers().get("x-tavrida-error-message").and_then(Value::as_str).expect("why");
    assert!(text.contains("no discovery knows the service 'stranger'"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn with_the_dead_letter_queue_gone_it_is_made_again_and_nothing_is_lost() {
    let (fixture, notes) = (Fixture::new(), Notes::default());
    let service = Service::new("work").state(notes.clone()).rpc("do", never);
    let _server = fixture.host(service).await;
    fixture.session().await.admin().delete_queue("work.dead", false, false).await.expect("deleted");
    fixture.client(&["work"]).await.to("work.do").cast().await.expect("sent");
    notes.reach(1).await;
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert_eq!(fixture.depth("work.dead").await, 1);
}
