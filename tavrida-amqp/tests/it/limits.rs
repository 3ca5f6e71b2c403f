//! Limited resources: channel numbers, channels, the time of a consumer.

use std::time::Duration;

use futures_util::future::join_all;
use serde_json::json;
use tavrida::prelude::*;
use tavrida::transport::{Exchange, ExchangeKind, PublishErrorKind, SessionError, Transport};
use tavrida_amqp::{AmqpConfig, AmqpTransport};
use tavrida_rabbitmq::Node;
use tokio::time::sleep;

use crate::fixture::{Notes, client, eventually, registry, run, server, work};
use crate::support::{Place, config, connect, count, declare, name, soon, to_exchange, to_queue};

/// A refused publish costs a channel number, which lapin does not use again.
#[tokio::test]
async fn thousands_of_publishes_to_a_missing_exchange_cost_nobody_else_anything() {
    let place = Place::new().await;
    let session = connect(config(&place.vhost.uri()).channel_max(30)).await;
    declare(&session, "q").await;
    for _ in 0..45 {
        let batch = (0..100).map(|n| session.publish(to_exchange("missing", "k", n.to_string())));
        for refused in soon(join_all(batch)).await {
            let reason = refused.unwrap_err().reason;
            assert!(matches!(&reason, PublishErrorKind::Refused(refusal) if refusal.code == 404), "{reason}");
        }
        soon(session.publish(to_queue("q", "innocent"))).await.unwrap();
    }
    assert_eq!(count(&session, "q").await, 45);
    session.admin().declare_exchange(&Exchange::durable(name("missing"), ExchangeKind::Topic)).await.unwrap();
    let unroutable = soon(session.publish(to_exchange("missing", "k", "x"))).await.unwrap_err();
    assert_eq!(unroutable.reason, PublishErrorKind::Unroutable, "it is there, from its declaration on");
}

#[tokio::test]
async fn an_exchange_that_another_session_declares_is_found_by_itself() {
    let place = Place::new().await;
    let other = place.another().await;
    soon(place.session.publish(to_exchange("late", "k", "x"))).await.unwrap_err();
    other.admin().declare_exchange(&Exchange::durable(name("late"), ExchangeKind::Topic)).await.unwrap();
    eventually("it is published to", async || {
        let reason = place.session.publish(to_exchange("late", "k", "x")).await.unwrap_err().reason;
        reason == PublishErrorKind::Unroutable
    })
    .await;
}

#[tokio::test]
async fn a_broker_that_grants_too_few_channels_is_refused_with_both_numbers() {
    let node = Node::builder().config_line("channel_max = 4").start().await.unwrap();
    let refused = soon(AmqpTransport::new(config(&node.uri())).connect()).await.map(drop).unwrap_err();
    let SessionError::Refused(refusal) = &refused else { panic!("{refused}") };
    assert!(refusal.text.contains("grants 4 channels for a connection, and a session needs 8"), "{refusal}");
}

#[tokio::test]
async fn with_the_fewest_channels_a_handler_asks_and_many_are_refused_and_answered() {
    async fn pass_on(proxy: Proxy) -> Result<serde_json::Value> {
        proxy.to("missing.do").cast().await.unwrap_err();
        let answer = proxy.to("work.echo").ask().await?;
        Ok(json!({ "from": answer.payload().get::<String>("from")? }))
    }
    let place = Place::new().await;
    let transport = || AmqpTransport::new(config(&place.vhost.uri()).channel_max(AmqpConfig::MIN_CHANNELS));
    let discovery =
        registry().remote_service("missing", "no_exchange").remote_service("front", "front_exchange");
    let front = Service::new("front").discovery(discovery.clone()).rpc("pass_on", pass_on);
    let builders = [(front, "front"), (work(&Notes::new()), "work")].map(|(service, name)| {
        Server::builder(transport()).queue(name).exchange(format!("{name}_exchange")).service(service)
    });
    for builder in builders {
        run(builder).await;
    }
    let client =
        Client::builder(transport()).source("client_app").discovery(discovery).build().await.unwrap();
    let asks = join_all((0..50).map(|_| client.to("front.pass_on").ask()));
    for answer in soon(asks).await {
        assert_eq!(answer.unwrap().payload().get::<String>("from").unwrap(), "front.pass_on");
    }
}

/// RabbitMQ checks for late acknowledgements periodically, here every second.
#[tokio::test]
async fn a_handler_longer_than_the_consumer_timeout_is_dead_lettered_at_its_second_try() {
    async fn slowly(notes: State<Notes>) {
        notes.add("begin");
        sleep(Duration::from_secs(300)).await;
    }
    let node = Node::builder().consumer_timeout(Duration::from_millis(1500)).start().await.unwrap();
    node.eval("application:set_env(rabbit, channel_tick_interval, 1000)").await.unwrap();
    let notes = Notes::new();
    let service = Service::new("work").state(notes.clone()).rpc("slowly", slowly);
    let handle = run(server(&node.uri(), service).handler_deadline(Duration::from_secs(3600))).await;
    client(&node.uri()).await.to("work.slowly").cast().await.unwrap();
    eventually("it is dead-lettered", async || handle.counters().dead_lettered == 1).await;
    assert_eq!((notes.all().len(), handle.counters().consumer_timeouts), (2, 1));
    let session = connect(config(&node.uri())).await;
    assert_eq!((count(&session, "work").await, count(&session, "work.dead").await), (0, 1));
}
