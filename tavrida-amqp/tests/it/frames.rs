//! The smallest frames of AMQP, 4,096 bytes, are enough for everything, whichever side wants them.

use std::time::Duration;

use serde_json::json;
use tavrida::field::Table;
use tavrida::prelude::*;
use tavrida::transport::{Properties, PublishErrorKind, Queue};
use tavrida_amqp::AmqpConfig;
use tavrida_rabbitmq::Node;

use crate::fixture::{Notes, client, eventually, run, server, work};
use crate::support::{Place, body, connect, consume, count, name, next, soon, to_queue};

/// A message whose headers and properties take this many bytes of a content header.
fn with_properties(len: usize) -> tavrida::transport::Publication {
    let mut message = to_queue("q", "x".repeat(20_000));
    let with = |len: usize| Properties {
        headers: Some(Table::new().with(name("h"), "x".repeat(len))),
        ..Properties::default()
    };
    message.properties = with(len - with(0).encoded_len());
    message
}

async fn works_in_frames_of(config: AmqpConfig, frame_max: usize) {
    let session = connect(config).await;
    let queue = Queue::durable(name("q")).argument(name("x-filler"), "x".repeat(frame_max - 1_000));
    session.admin().declare_queue(&queue).await.unwrap();
    soon(session.publish(with_properties(frame_max - 8))).await.unwrap();
    let refused = soon(session.publish(with_properties(frame_max - 7))).await.unwrap_err();
    let PublishErrorKind::Refused(refusal) = &refused.reason else { panic!("{refused}") };
    assert!(refusal.text.contains(&format!("leaves {}", frame_max - 8)), "{refusal}");
    let refused =
        session.admin().declare_queue(&queue.clone().argument(name("x-more"), "x".repeat(1_000))).await;
    assert!(refused.unwrap_err().to_string().contains("FRAME_ERROR"), "its names count too");
    let mut consumer = consume(&session, "q", 1).await;
    let delivery = next(&mut consumer).await;
    assert_eq!(body(&delivery).len(), 20_000);
    delivery.ack().unwrap();
    soon(session.close()).await.unwrap();
}

#[tokio::test]
async fn a_broker_with_small_frames_is_usable_whatever_the_client_asks_for() {
    let node = Node::start().await.unwrap();
    for frame_max in [4096, 5000, 8191] {
        node.eval(&format!("application:set_env(rabbit, frame_max, {frame_max})")).await.unwrap();
        let config = || AmqpConfig::from_uri(&node.uri()).unwrap();
        works_in_frames_of(config(), frame_max).await;
        works_in_frames_of(config().frame_max(0), frame_max).await;
        works_in_frames_of(config().frame_max(6_000), frame_max.min(6_000)).await;
    }
}

#[tokio::test]
async fn a_client_that_asks_for_small_frames_gets_them() {
    let place = Place::new().await;
    let config = AmqpConfig::from_uri(&place.vhost.uri()).unwrap();
    works_in_frames_of(config.frame_max(AmqpConfig::MIN_FRAME_MAX), 4096).await;
}

#[tokio::test]
async fn services_call_retry_and_dead_letter_in_the_smallest_frames() {
    async fn fails() -> Result<()> {
        Err(Failure::new("work.Refused", "x".repeat(10_000)))
    }
    let node = Node::builder().config_line("frame_max = 4096").start().await.unwrap();
    let service = work(&Notes::new()).rpc("fails", fails);
    let retry = Retry::times(1).between(Duration::from_millis(10), Duration::from_millis(10));
    let handle = run(server(&node.uri(), service).on_failure(retry.then_dead_letter())).await;
    let client = client(&node.uri()).await;
    let answer = soon(client.to("work.echo").param("text", "x".repeat(50_000)).ask()).await;
    assert_eq!(answer.unwrap().payload().get::<String>("from").unwrap(), "client_app");
    let filled = client.to("work.fails").header("h", "x".repeat(3_500)).param("n", json!([1]));
    soon(filled.cast()).await.unwrap();
    eventually("it is dead-lettered", async || handle.counters().dead_lettered == 1).await;
    let session = connect(AmqpConfig::from_uri(&node.uri()).unwrap()).await;
    assert_eq!((handle.counters().retried, count(&session, "work.dead").await), (1, 1));
}

#[test]
fn smaller_frames_than_amqp_allows_are_a_configuration_error() {
    for frame_max in [1, 4095] {
        let error = AmqpConfig::from_uri(&format!("amqp://a?frame_max={frame_max}")).unwrap_err();
        let text = format!(
            "frame_max: {frame_max} bytes are too few: AMQP's smallest frame has 4096, and 0 takes the broker's"
        );
        assert_eq!(error.to_string(), text);
    }
    let refused = std::panic::catch_unwind(|| AmqpConfig::new("a", 5672).frame_max(4095));
    assert!(refused.is_err());
}
