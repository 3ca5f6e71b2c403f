//! Subscriptions to many topics of a publisher: what is bound, which handler gets a notification, and what is no pattern.

use std::time::Duration;

use tavrida::prelude::*;
use tavrida::server::ServerBuilder;
use tavrida::transport::{Binding, Exchange, ExchangeKind, Publication};
use tavrida_memory::MemoryBroker;

use crate::fixture::{Fixture, Notes, Running, name, request_headers};
use crate::logs::Log;

const EVENT: &str = r#"{"payload": {}, "context": {}}"#;

fn registry() -> Registry {
    Registry::new().remote_publisher("stock", "stock_notifications")
}

/// A service that notes its name, the subscription and the topic of what it gets.
fn subscriber(notes: &Notes, service: &'static str, topics: &[&'static str]) -> Service {
    let subscribe = |added: Service, topics: &'static str| {
        added.on_notification(topics, move |notes: State<Notes>, event: Notification| async move {
            notes.add(format!("{service}, by {topics}: {}", event.source()));
        })
    };
    let empty = Service::new(service).state(notes.clone()).discovery(registry());
    topics.iter().copied().fold(empty, subscribe)
}

fn server(fixture: &Fixture) -> ServerBuilder {
    Server::builder(fixture.broker.transport()).queue("shop").exchange("shop")
}

async fn run(fixture: &Fixture, services: impl IntoIterator<Item = Service>) -> Running {
    fixture.run(services.into_iter().fold(server(fixture), ServerBuilder::service)).await
}

/// Publishes to the exchange of `stock`, as the Python original does: with the topic as routing key and source.
async fn publish(fixture: &Fixture, topic: &str) {
    let mut headers = request_headers("", "");
    headers.insert(name("message_type"), "notification");
    headers.insert(name("source"), topic);
    let mut event = Publication::new(name("stock_notifications"), name(topic), EVENT);
    event.properties.headers = Some(headers);
    fixture.session().await.publish(event).await.expect("it has a subscriber");
}

fn refusal(service: Service) -> String {
    let server = Server::builder(MemoryBroker::new().transport()).service(service);
    server.build().map(drop).expect_err("it is refused").to_string()
}

#[tokio::test(start_paused = true)]
async fn a_star_brings_each_event_of_the_publisher_and_a_hash_every_notification() {
    for (pattern, bare) in [("stock.*", false), ("stock.#", true)] {
        let (fixture, notes) = (Fixture::new(), Notes::default());
        let server = run(&fixture, [subscriber(&notes, "audit", &[pattern])]).await;
        let declares = subscriber(&notes, "audit", &[pattern]);
        let plan = Server::builder(fixture.broker.transport()).service(declares).build().expect("a server");
        let bound = format!("bind audit <- stock_notifications: {pattern}\n");
        assert!(plan.plan().to_string().contains(&bound), "{}", plan.plan());
        let topics = ["stock.low", "stock.out", "stock"];
        let topics = if bare { &topics[..] } else { &topics[..2] };
        for topic in topics {
            publish(&fixture, topic).await;
        }
        let expected: Vec<_> = topics.iter().map(|topic| format!("audit, by {pattern}: {topic}")).collect();
        let mut heard = notes.reach(topics.len()).await;
        heard.sort();
        assert_eq!(heard, {
            let mut expected = expected;
            expected.sort();
            expected
        });
        server.stop().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_service_handles_a_notification_once_by_its_most_specific_subscription() {
    let (fixture, notes) = (Fixture::new(), Notes::default());
    let all = subscriber(&notes, "all", &["stock.#", "stock.*", "stock.low"]);
    let some = subscriber(&notes, "some", &["stock.*"]);
    let one = subscriber(&notes, "one", &["stock.out"]);
    let server = run(&fixture, [all, some, one]).await;
    for (topic, expected) in [
        ("stock.low", &["all, by stock.low: stock.low", "some, by stock.*: stock.low"][..]),
        (
            "stock.out",
            &["all, by stock.*: stock.out", "some, by stock.*: stock.out", "one, by stock.out: stock.out"],
        ),
        ("stock", &["all, by stock.#: stock"]),
    ] {
        let before = notes.all().len();
        publish(&fixture, topic).await;
        assert_eq!(notes.reach(before + expected.len()).await[before..], *expected);
    }
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(server.handle.counters().handled, 3);
    server.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_copy_is_for_the_services_that_failed_whatever_their_subscription() {
    let (fixture, notes) = (Fixture::new(), Notes::default());
    let failing_once = |notes: State<Notes>, attempt: Attempt, event: Notification| async move {
        notes.add(format!("try {} of {}", attempt.number, event.source()));
        if attempt.number == 1 { Err(Failure::new("test.Broken", "not yet")) } else { Ok(()) }
    };
    let failing = Service::new("failing").state(notes.clone()).discovery(registry());
    let failing = failing.on_notification("stock.*", failing_once);
    let well = subscriber(&notes, "well", &["stock.low", "stock.*"]);
    let retry = Retry::times(3).between(Duration::from_secs(10), Duration::from_secs(10)).then_dead_letter();
    let both = server(&fixture).service(well).service(failing).on_failure(retry.clone());
    let both = fixture.run(both).await;
    publish(&fixture, "stock.low").await;
    let told = ["well, by stock.low: stock.low", "try 1 of stock.low", "try 2 of stock.low"];
    assert_eq!(notes.reach(3).await, told);

    // A deploy removes the service that has to see the copy: it becomes a dead letter for that one.
    publish(&fixture, "stock.out").await;
    notes.reach(5).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    both.stop().await;
    let well = subscriber(&notes, "well", &["stock.*"]);
    let one = fixture.run(server(&fixture).service(well).on_failure(retry)).await;
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(fixture.depth("shop.dead").await, 1);
    assert_eq!(notes.all().len(), 5, "the other one has handled it already");
    one.stop().await;
}

#[test]
fn what_is_no_pattern_is_refused_with_what_to_write() {
    let subscribe =
        |topics: &'static str| refusal(Service::new("audit").on_notification(topics, async || ()));
    for (topics, part) in [
        ("#", "names its publisher"),
        ("*.low", "names its publisher"),
        ("stock.*.low", "more than one dot"),
        ("stock.lo*", "a wildcard is a whole word"),
        ("stock", "it names no event"),
        ("stock.~low", "as the addresses of askers do"),
    ] {
        assert!(subscribe(topics).contains(part), "{topics}: {}", subscribe(topics));
    }
    let twice =
        Service::new("audit").on_notification("stock.*", async || ()).on_notification("stock.*", async || ());
    assert_eq!(refusal(twice), "two handlers for the notification stock.*");
    let wrong = Service::new("audit").on_notification("stock.*", async |_: Request| ());
    let text = refusal(wrong);
    assert!(
        text.starts_with("service 'audit', handler of the notification stock.*: it takes a request"),
        "{text}"
    );
    let nobody = Service::new("audit").on_notification("stock.*", async || ()).discovery(Registry::new());
    assert!(
        refusal(nobody)
            .contains("service 'audit' subscribes to stock.*: no discovery knows the publisher 'stock'")
    );
}

#[test]
fn what_a_service_subscribes_to_can_be_listed() {
    let service = subscriber(&Notes::default(), "audit", &["stock.#", "stock.low", "orders.*"]);
    let listed: Vec<_> = service.subscriptions().iter().map(ToString::to_string).collect();
    assert_eq!(listed, ["stock.low", "orders.*", "stock.#"]);
    assert!(format!("{service:?}").contains("notification orders.*"), "{service:?}");
}

/// A pattern on an exchange that takes requests, too, would take the requests: the asker would get an error of the wrong service.
#[tokio::test(start_paused = true)]
async fn requests_at_the_exchange_of_a_pattern_are_left_to_their_service() {
    let shared = Registry::new().remote_publisher("stock", "stock").remote_service("stock", "stock");
    let audit = |registry| Service::new("audit").on_notification("stock.*", async || ()).discovery(registry);
    let text = refusal(audit(shared));
    assert!(text.contains("service 'audit' subscribes to stock.*") && text.contains("'stock'"), "{text}");
    assert!(text.contains("subscribe to each event"), "{text}");

    // Where the registry does not tell, the request is noticed when it comes.
    let (fixture, log) = (Fixture::new(), Log::default());
    let _logging = log.begin();
    let stock = Service::new("stock").rpc("count", async || serde_json::json!({ "count": 7 }));
    let stock = fixture
        .run(Server::builder(fixture.broker.transport()).queue("stock").exchange("stock").service(stock))
        .await;
    let audit = run(&fixture, [audit(Registry::new().remote_publisher("stock", "stock"))]).await;
    let client = Client::builder(fixture.broker.transport()).source("web");
    let client =
        client.discovery(Registry::new().remote_service("stock", "stock")).build().await.expect("a client");
    for _ in 0..2 {
        let answer =
            client.to("stock.count").ask().await.expect("the answer of the service, not of the subscriber");
        assert_eq!(answer.payload().get::<u8>("count").expect("a count"), 7);
    }
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(fixture.depth("shop.dead").await, 0);
    let warned = log.text().lines().filter(|line| line.contains("a subscription with a wildcard")).count();
    assert_eq!(warned, 1);
    audit.stop().await;
    stock.stop().await;
}

/// What is in the queue that no binding brought there is unwanted as ever.
#[tokio::test(start_paused = true)]
async fn a_request_for_the_publisher_in_the_queue_itself_is_dead_lettered() {
    let (fixture, notes) = (Fixture::new(), Notes::default());
    let server = run(&fixture, [subscriber(&notes, "audit", &["stock.*"])]).await;
    fixture.inject("shop", request_headers("stock.count", ""), EVENT).await;
    assert!(fixture.take("shop.dead").await.properties.headers().contains("x-tavrida-reason"));
    server.stop().await;
}

/// A pattern comes beside the exact binding of an older deploy, which stays: the broker delivers a notification once.
#[tokio::test(start_paused = true)]
async fn two_bindings_that_match_bring_one_delivery() {
    let (fixture, notes) = (Fixture::new(), Notes::default());
    let server = run(&fixture, [subscriber(&notes, "audit", &["stock.*"])]).await;
    let session = fixture.session().await;
    let exchange = Exchange::durable(name("stock_notifications"), ExchangeKind::Topic);
    session.admin().declare_exchange(&exchange).await.expect("the same one");
    let old = Binding::queue(name("shop"), name("stock_notifications"), name("stock.low.#"));
    session.admin().bind(&old).await.expect("bound");
    publish(&fixture, "stock.low").await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(notes.all(), ["audit, by stock.*: stock.low"]);
    server.stop().await;
}
