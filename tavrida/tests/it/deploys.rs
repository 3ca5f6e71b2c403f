//! What an older deploy left in the queues: nothing of it vanishes because the services have changed since.

use std::time::Duration;

use tavrida::discovery::Registry;
use tavrida::field::{Table, Value};
use tavrida::prelude::*;

use crate::fixture::{Fixture, Notes, Running, name, request_headers};

const EVENT: &str = r#"{"payload": {}, "context": {}}"#;

fn retry() -> FailurePolicy {
    Retry::times(3).between(Duration::from_secs(10), Duration::from_secs(10)).then_dead_letter()
}

/// A subscriber to `orders.created` that notes its name, and fails where `fails` says so.
fn subscriber(notes: &Notes, service: &'static str, fails: bool) -> Service {
    let handler = move |notes: State<Notes>| async move {
        notes.add(service);
        if fails { Err(Failure::new("test.Broken", "not yet")) } else { Ok(()) }
    };
    let registry = Registry::new().remote_publisher("orders", "orders_notifications");
    Service::new(service).state(notes.clone()).discovery(registry).on_notification("orders.created", handler)
}

/// A deploy: these services on one queue.
async fn deploy(fixture: &Fixture, services: impl IntoIterator<Item = Service>) -> Running {
    let server =
        Server::builder(fixture.broker.transport()).queue("shop").exchange("shop").on_failure(retry());
    fixture.run(services.into_iter().fold(server, |server, service| server.service(service))).await
}

async fn publish(fixture: &Fixture) {
    let registry = Registry::new().local_publisher("orders", "orders_notifications");
    let client = Client::builder(fixture.broker.transport()).source("orders.created").discovery(registry);
    client.build().await.expect("a client").publish().send().await.expect("routed");
}

/// The seven headers of `orders.created`, with the services that still have to see it.
fn event_for(due: impl Into<Value>) -> Table {
    let mut headers = request_headers("", "");
    headers.insert(name("message_type"), "notification");
    headers.insert(name("source"), "orders.created");
    headers.insert(name("x-tavrida-due"), due);
    headers
}

fn header(letter: &tavrida::transport::Publication, name: &str) -> String {
    let value = letter.properties.headers().get(name).unwrap_or_else(|| panic!("no header {name}"));
    match value {
        Value::Array(items) => items.iter().filter_map(Value::as_str).collect::<Vec<_>>().join("+"),
        value => value.as_str().unwrap_or_else(|| panic!("{name} is {value:?}")).to_owned(),
    }
}

#[tokio::test(start_paused = true)]
async fn a_retry_for_a_subscriber_that_a_deploy_removed_is_dead_lettered_with_its_name() {
    let (fixture, notes) = (Fixture::new(), Notes::default());
    let old =
        deploy(&fixture, [subscriber(&notes, "audit", false), subscriber(&notes, "billing", true)]).await;
    publish(&fixture).await;
    assert_eq!(notes.reach(2).await, ["audit", "billing"]);
    tokio::time::sleep(Duration::from_secs(1)).await;
    old.stop().await;

    let new = deploy(&fixture, [subscriber(&notes, "audit", false)]).await;
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(fixture.depth("shop.dead").await, 1);
    assert_eq!(new.handle.counters().handled, 0);
    new.stop().await;

    // Its subscriber is back: the dead letter is for that one alone.
    let restored = [subscriber(&notes, "audit", false), subscriber(&notes, "billing", false)];
    let restored = deploy(&fixture, restored).await;
    assert_eq!(restored.handle.requeue_dead_letters(9).await.expect("sent back"), 1);
    assert_eq!(notes.reach(3).await, ["audit", "billing", "billing"]);
}

#[tokio::test(start_paused = true)]
async fn of_several_services_that_are_due_the_missing_ones_are_named_and_the_others_handle_it() {
    let (fixture, notes) = (Fixture::new(), Notes::default());
    let server = deploy(&fixture, [subscriber(&notes, "audit", false)]).await;
    for due in [Value::from("audit,billing"), Value::from(vec![Value::from("audit"), Value::from("billing")])]
    {
        fixture.inject("shop", event_for(due), EVENT).await;
        let letter = fixture.take("shop.dead").await;
        assert_eq!(header(&letter, "x-tavrida-reason"), "unwanted");
        assert_eq!(header(&letter, "x-tavrida-due"), "billing");
        let text = header(&letter, "x-tavrida-error-message");
        assert!(text.contains("'billing'") && !text.contains("'audit'"), "{text}");
    }
    assert_eq!(notes.all(), ["audit", "audit"]);
    assert_eq!(server.handle.counters().handled, 0);
}

#[tokio::test(start_paused = true)]
async fn a_copy_that_names_no_service_of_this_server_is_not_acked_as_handled() {
    let (fixture, notes) = (Fixture::new(), Notes::default());
    let server = deploy(&fixture, [subscriber(&notes, "audit", false)]).await;
    for due in ["nobody", "", ","] {
        fixture.inject("shop", event_for(due), EVENT).await;
        assert_eq!(header(&*fixture.take("shop.dead").await, "x-tavrida-reason"), "unwanted", "{due:?}");
    }
    assert_eq!((notes.all().len(), server.handle.counters().handled), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn a_copy_without_a_subscriber_keeps_the_names_of_those_it_is_for() {
    async fn work() {}
    let fixture = Fixture::new();
    let _server = deploy(&fixture, [Service::new("shop").rpc("work", work)]).await;
    fixture.inject("shop", event_for("billing"), EVENT).await;
    assert_eq!(header(&*fixture.take("shop.dead").await, "x-tavrida-due"), "billing");
}

#[tokio::test(start_paused = true)]
async fn a_name_with_a_comma_is_one_name() {
    let (fixture, notes) = (Fixture::new(), Notes::default());
    let failing_once = |notes: State<Notes>, attempt: Attempt| async move {
        notes.add(format!("try {}", attempt.number));
        if attempt.number == 1 { Err(Failure::new("test.Broken", "not yet")) } else { Ok(()) }
    };
    let registry = Registry::new().remote_publisher("orders", "orders_notifications");
    let odd = Service::new("audit,billing").state(notes.clone()).discovery(registry);
    let odd = odd.on_notification("orders.created", failing_once);
    let server = deploy(&fixture, [odd]).await;
    publish(&fixture).await;
    assert_eq!(notes.reach(2).await, ["try 1", "try 2"]);
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(server.handle.counters().handled, 1);
}

#[tokio::test(start_paused = true)]
async fn a_request_is_for_the_service_that_answers_to_its_address_today() {
    async fn work(notes: State<Notes>) {
        notes.add("worked");
    }
    let (fixture, notes) = (Fixture::new(), Notes::default());
    let server = deploy(&fixture, [Service::new("shop").state(notes.clone()).rpc("work", work)]).await;
    let mut headers = request_headers("shop.work", "");
    headers.insert(name("x-tavrida-due"), "the name that the service had before");
    fixture.inject("shop", headers, EVENT).await;
    assert_eq!(notes.reach(1).await, ["worked"]);
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(server.handle.counters().handled, 1);
}

#[tokio::test(start_paused = true)]
async fn a_request_to_a_reply_address_is_unwanted_and_not_acked_in_silence() {
    async fn work() {}
    let fixture = Fixture::new();
    let _server = deploy(&fixture, [Service::new("shop").rpc("work", work)]).await;
    fixture.inject("shop", request_headers("shop.~forged", ""), EVENT).await;
    assert_eq!(header(&*fixture.take("shop.dead").await, "x-tavrida-reason"), "unwanted");
}

#[tokio::test(start_paused = true)]
async fn the_most_tries_that_a_copy_can_claim_are_no_overflow() {
    let (fixture, notes) = (Fixture::new(), Notes::default());
    let service = subscriber(&notes, "audit", true);
    let server = Server::builder(fixture.broker.transport()).queue("shop").exchange("shop").service(service);
    let policy = Retry::times(u32::MAX).between(Duration::from_secs(1), Duration::from_secs(1));
    let _server = fixture.run(server.on_failure(policy.then_dead_letter())).await;
    let mut headers = event_for("audit");
    headers.insert(name("x-tavrida-attempt"), i64::from(u32::MAX));
    fixture.inject("shop", headers, EVENT).await;
    assert_eq!(notes.reach(2).await, ["audit", "audit"]);
}
