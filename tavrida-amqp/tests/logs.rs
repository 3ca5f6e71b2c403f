//! Neither payloads nor secrets are logged, at any level of this library, and of lapin with the filter of the chapter on production. A separate
//! binary: lapin's threads bypass any subscriber but the process's.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod lines;

use std::time::Duration;

use serde_json::json;
use tavrida::prelude::*;
use tavrida_amqp::{AmqpConfig, AmqpTransport};
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use lines::Lines;

const CARD: &str = "4711-0815";
const BEARER: &str = "Bearer abc";

async fn pay(attempt: Attempt, proxy: Proxy, card: String) -> Result<serde_json::Value> {
    proxy.publish().event("paid").param("card", &card).header("authorization", BEARER).send().await?;
    match attempt.number {
        1 => Err(Failure::new("till.Busy", "later").retryable()),
        _ => Ok(json!({ "card": card })),
    }
}

async fn refuse(card: String) -> Result<()> {
    assert_eq!(card, CARD);
    Err(Failure::new("till.Refused", "no"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_line_at_any_level_has_a_secret_or_a_payload_in_it() {
    let lines = Lines::default();
    let advice = Targets::new()
        .with_default(LevelFilter::TRACE)
        .with_target("lapin", LevelFilter::WARN)
        .with_target("lapin::returned_messages", LevelFilter::OFF);
    let output = tracing_subscriber::fmt::layer().with_writer(lines.clone()).with_ansi(false);
    tracing_subscriber::registry().with(output).with(advice).init();
    let vhost = tavrida_rabbitmq::shared_vhost().await.unwrap();
    let transport = AmqpTransport::new(AmqpConfig::from_uri(&vhost.uri()).unwrap());
    let till = Service::new("till").rpc("pay", params(["card"], pay)).rpc("refuse", params(["card"], refuse));
    let retry = Retry::times(1).between(Duration::from_millis(10), Duration::from_millis(10));
    let server = Server::builder(transport.clone()).service(till).on_failure(retry.then_dead_letter());
    let server = server.start().await.unwrap();
    let registry = Registry::new()
        .remote_service("till", "till_exchange")
        .remote_service("nobody", "till_exchange")
        .local_publisher("app", "till_exchange");
    let client = Client::builder(transport).source("app").discovery(registry).build().await.unwrap();
    let request = |method: &str| client.to(method).param("card", CARD).header("authorization", BEARER);

    let answer = request("till.pay").ask().await.unwrap();
    assert_eq!(answer.payload().get::<String>("card").unwrap(), CARD);
    request("till.refuse").cast().await.unwrap();
    request("till.nothing").cast().await.unwrap();
    request("nobody.there").cast().await.unwrap_err();
    client.publish().event("seen").param("card", CARD).header("authorization", BEARER).send().await.unwrap();
    tokio::time::timeout(Duration::from_secs(20), async {
        while server.counters().dead_lettered < 2 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    })
    .await
    .expect("both casts end among the dead letters");
    client.close().await;
    server.shutdown().await.unwrap();

    let logged = lines.text();
    for told in ["sent", "worked", "a message is dead-lettered", "Unheard", "<masked>"] {
        assert!(logged.contains(told), "nothing of '{told}' in\n{logged}");
    }
    let leaks: Vec<_> = logged
        .lines()
        .filter(|line| {
            [CARD, BEARER].iter().any(|secret| line.contains(secret)) || line.contains("52, 55, 49, 49")
        })
        .collect();
    assert!(leaks.is_empty(), "{leaks:#?}");
    let unheard: Vec<_> =
        logged.lines().filter(|line| line.contains("WARN") && line.contains("seen")).collect();
    assert!(unheard.is_empty(), "who sends an event is told that nobody heard it: {unheard:#?}");
}
