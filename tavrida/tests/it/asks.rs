//! Asks: the answer reaches the ask that waits for it, in time or not at all.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use tavrida::prelude::*;
use tavrida::proxy::AskError;
use tavrida::transport::{AckKind, ConnectionLost, Properties, Publication, PublishErrorKind};
use tavrida_memory::core::ChannelId;
use tavrida_memory::{MemoryBroker, Network, NetworkSession, PublishFate, SettleFate};
use tokio::time::Instant;

use crate::fixture::{Fixture, Notes, exchange, registry, within};

async fn double(n: i64) -> serde_json::Value {
    json!({ "n": n * 2 })
}

async fn slow(n: i64) -> serde_json::Value {
    tokio::time::sleep(Duration::from_secs(10)).await;
    json!({ "n": n })
}

async fn nothing() {}

async fn refuse() -> Result<()> {
    Err(Failure::new("calc.Refused", "not today")
        .with_code(4001)
        .with_detail(&json!({ "until": "monday" }))?)
}

fn calc() -> Service {
    Service::new("calc")
        .rpc("double", params(["n"], double))
        .rpc("slow", params(["n"], slow))
        .rpc("nothing", nothing)
        .rpc("refuse", refuse)
}

#[tokio::test(start_paused = true)]
async fn an_ask_is_answered_even_where_a_call_would_not_be() {
    let fixture = Fixture::new();
    let _server = fixture.host(calc()).await;
    let answer = fixture.client(&["calc"]).await.to("calc.nothing").ask().await.expect("an answer");
    assert!(answer.payload().is_empty());
}

#[tokio::test(start_paused = true)]
async fn an_error_of_the_other_side_is_the_asks_error_with_its_typed_body() {
    let fixture = Fixture::new();
    let _server = fixture.host(calc()).await;
    let error = fixture.client(&["calc"]).await.to("calc.refuse").ask().await.expect_err("refused");
    let reply = error.failed().expect("the other side answered");
    assert_eq!(
        (reply.class().as_str(), reply.message().as_str(), reply.code()),
        ("calc.Refused", "not today", Some(4001))
    );
    assert_eq!(reply.detail::<serde_json::Value>().expect("a body")["until"], "monday");
}

#[tokio::test(start_paused = true)]
async fn an_error_that_a_handler_passes_on_stays_what_it_was() {
    async fn relay(proxy: Proxy) -> Result<()> {
        proxy.to("calc.refuse").ask().await?;
        Ok(())
    }
    let fixture = Fixture::new();
    let server = fixture.server(calc()).service(Service::new("relay").rpc("work", relay));
    let _server = fixture.run(server).await;
    let client = Client::builder(fixture.broker.transport()).source("client_app");
    let registry = Registry::new().remote_service("relay", exchange("calc"));
    let client = client.discovery(registry).build().await.expect("a client");
    let error = client.to("relay.work").ask().await.expect_err("refused behind the relay");
    assert_eq!(error.failed().expect("answered").code(), Some(4001));
}

#[tokio::test(start_paused = true)]
async fn an_ask_ends_at_its_deadline_and_a_late_answer_is_counted() {
    let fixture = Fixture::new();
    let _server = fixture.host(calc()).await;
    let client = fixture.client(&["calc"]).await;
    let asked = Instant::now();
    let error = client
        .to("calc.slow")
        .param("n", 1)
        .ask()
        .timeout(Duration::from_secs(2))
        .await
        .expect_err("too slow");
    assert!(error.is_timeout(), "{error}");
    assert_eq!(error.to_string(), "calc.slow did not answer within 2s");
    assert_eq!(asked.elapsed().as_secs(), 2);
    tokio::time::sleep(Duration::from_secs(10)).await;
    assert_eq!(client.counters().late, 1);
}

#[tokio::test(start_paused = true)]
async fn an_ask_that_nobody_waits_for_any_more_is_not_worked() {
    let (fixture, notes) = (Fixture::new(), Notes::default());
    let work = |notes: State<Notes>| async move { notes.add("worked") };
    let busy = |_notes: State<Notes>| async { tokio::time::sleep(Duration::from_secs(5)).await };
    let service = Service::new("calc").state(notes.clone()).rpc("work", work).rpc("busy", busy);
    let _server = fixture.run(fixture.server(service).concurrency(1).prefetch(1)).await;
    let client = fixture.client(&["calc"]).await;
    client.to("calc.busy").cast().await.expect("sent");
    let error =
        client.to("calc.work").ask().timeout(Duration::from_secs(1)).await.expect_err("the service is busy");
    assert!(error.is_timeout());
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(notes.all(), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn replicas_of_a_client_never_take_each_others_answers() {
    let fixture = Fixture::new();
    let _server = fixture.host(calc()).await;
    let (one, two) = (fixture.client(&["calc"]).await, fixture.client(&["calc"]).await);
    for n in 0..20 {
        for client in [&one, &two] {
            let answer = client.to("calc.double").param("n", n).ask().await.expect("an answer");
            assert_eq!(answer.payload().get::<i64>("n").expect("a number"), n * 2);
        }
    }
    assert_eq!((one.counters().late, two.counters().late), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn the_loss_of_the_session_fails_asks_at_once_and_the_next_ask_works() {
    let fixture = Fixture::new();
    let _server = fixture.host(calc()).await;
    let client = fixture.client(&["calc"]).await;
    let waiting = tokio::spawn({
        let client = client.clone();
        async move { client.to("calc.slow").param("n", 1).ask().await }
    });
    tokio::time::sleep(Duration::from_secs(1)).await;
    let broken = Instant::now();
    fixture.broker.close_sessions("maintenance");
    let error = waiting.await.expect("no panic").expect_err("the session is lost");
    assert!(matches!(error, AskError::Lost(_)), "{error:?}");
    assert!(broken.elapsed() < Duration::from_secs(1), "it did not hang");
    let answer = client.to("calc.double").param("n", 4).ask().await.expect("both are back");
    assert_eq!(answer.payload().get::<i64>("n").expect("a number"), 8);
}

/// What a service of the Python original does with a request: it ignores AMQP's `reply_to`, and answers to the header.
#[tokio::test(start_paused = true)]
async fn an_answer_to_the_reply_to_header_alone_finds_the_asker_through_its_exchange() {
    use tavrida::envelope;
    use tavrida::transport::{Binding, Consume, Exchange, ExchangeKind, Queue};

    use crate::fixture::name;

    let fixture = Fixture::new();
    let session = fixture.session().await;
    session
        .admin()
        .declare_exchange(&Exchange::durable(name("old_exchange"), ExchangeKind::Topic))
        .await
        .expect("declared");
    session.admin().declare_queue(&Queue::durable(name("old"))).await.expect("declared");
    session
        .admin()
        .bind(&Binding::queue(name("old"), name("old_exchange"), name("old.#")))
        .await
        .expect("bound");
    let mut consumer = session.consume(&Consume::new(name("old"), 1)).await.expect("a consumer");

    let client = Client::builder(fixture.broker.transport())
        .source("web")
        .reply_exchange("web_exchange")
        .discovery(Registry::new().remote_service("old", "old_exchange"))
        .build()
        .await
        .expect("a client");
    let asked = tokio::spawn(async move { client.to("old.method").ask().await });

    let delivery = consumer.next().await.expect("the request");
    let mut as_original = delivery.publication().as_ref().clone();
    as_original.properties.reply_to = None;
    let request = envelope::decode(&as_original).expect("a request").into_request().expect("a request");
    assert_eq!(request.reply_to().service(), Some("web"));
    let payload = tavrida::message::Payload::new(&json!({ "from": "the original" })).expect("an object");
    let mut response = envelope::encode(&request.respond(payload).into(), name("web_exchange"));
    response.properties.headers.as_mut().expect("headers").insert(name("message_id"), "reused");
    session.publish(response).await.expect("routed to the asker");
    delivery.ack().expect("the session lives");

    let answer = asked.await.expect("no panic").expect("an answer");
    assert_eq!(answer.payload().get::<String>("from").expect("text"), "the original");
}

#[tokio::test(start_paused = true)]
async fn a_service_that_asks_gets_its_answer_and_its_shared_queue_ignores_the_copy() {
    use tavrida::envelope;
    use tavrida::transport::Consume;

    use crate::fixture::name;

    async fn relay(proxy: Proxy) -> Result<serde_json::Value> {
        let answer = proxy.to("old.method").ask().await?;
        Ok(json!({ "relayed": answer.payload().get::<i64>("n")? }))
    }
    let fixture = Fixture::new();
    let session = fixture.session().await;
    use tavrida::transport::{Binding, Exchange, ExchangeKind, Queue};
    session
        .admin()
        .declare_exchange(&Exchange::durable(name("old_exchange"), ExchangeKind::Topic))
        .await
        .expect("declared");
    session.admin().declare_queue(&Queue::durable(name("old"))).await.expect("declared");
    session
        .admin()
        .bind(&Binding::queue(name("old"), name("old_exchange"), name("old.#")))
        .await
        .expect("bound");
    let server = fixture.host(Service::new("relay").rpc("work", relay).discovery(registry(&["old"]))).await;

    let client = fixture.client(&["relay"]).await;
    let asked = tokio::spawn(async move { client.to("relay.work").ask().await });
    let mut consumer = session.consume(&Consume::new(name("old"), 1)).await.expect("a consumer");
    let delivery = consumer.next().await.expect("the request");
    let mut as_original = delivery.publication().as_ref().clone();
    as_original.properties.reply_to = None;
    let request = envelope::decode(&as_original).expect("a request").into_request().expect("a request");
    let payload = tavrida::message::Payload::new(&json!({ "n": 5 })).expect("an object");
    // The server's exchange leads to the private reply queue, and by `relay.#` to the shared queue too.
    let response = envelope::encode(&request.respond(payload).into(), name(&exchange("relay")));
    session.publish(response).await.expect("routed");
    delivery.ack().expect("the session lives");

    let answer = asked.await.expect("no panic").expect("an answer");
    assert_eq!(answer.payload().get::<i64>("relayed").expect("a number"), 5);
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(server.handle.counters().dead_lettered, 0);
    assert_eq!(fixture.depth("relay.dead").await, 0);
}

#[tokio::test]
async fn direct_replies_and_a_reply_exchange_exclude_each_other() {
    let fixture = Fixture::new();
    let builder = Client::builder(fixture.broker.transport()).source("client_app").direct_replies();
    let error = builder.reply_exchange("answers").build().await.expect_err("both");
    assert!(error.to_string().contains("direct replies or a reply exchange"), "{error}");
}

/// A network that loses the confirm of a request.
struct NoConfirms;

impl Network for NoConfirms {
    fn connecting(&self, _: u32) -> Result<(), ConnectionLost> {
        Ok(())
    }

    fn connected(&self, _: NetworkSession) {}

    fn disconnected(&self, _: NetworkSession, _: &ConnectionLost) {}

    fn publishing(&self, _: NetworkSession, publication: &Arc<Publication>) -> PublishFate {
        match publication.routing_key.starts_with("calc.") {
            true => PublishFate::ConfirmHeld,
            false => PublishFate::Taken,
        }
    }

    fn published(
        &self,
        _: NetworkSession,
        _: &Arc<Publication>,
        _: &Result<(), PublishErrorKind>,
        _: &mut dyn Iterator<Item = &str>,
    ) {
    }

    fn settling(&self, _: NetworkSession, _: ChannelId, _: u64, _: AckKind) -> SettleFate {
        SettleFate::Taken
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_is_there_does_not_wait_for_the_confirm_of_its_request() {
    let broker = MemoryBroker::builder().network(Arc::new(NoConfirms)).build();
    tokio::spawn({
        let broker = broker.clone();
        async move {
            loop {
                let waiting: Vec<ChannelId> =
                    broker.heads(|heads| heads.iter().map(|head| head.channel).collect());
                for channel in waiting {
                    broker.arrive(channel);
                }
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        }
    });
    let server =
        Server::builder(broker.transport()).queue("calc").exchange("calc_exchange").service(calc()).build();
    let server = server.expect("it can be built");
    let handle = server.handle();
    tokio::spawn(server.serve(std::future::pending()));
    handle.ready(Duration::from_secs(5)).await.expect("it consumes");
    let registry = Registry::new().remote_service("calc", "calc_exchange");
    let client = Client::builder(broker.transport()).source("test").discovery(registry).build().await;
    let client = client.expect("it connects");
    let ask = client.to("calc.double").param("n", 4).ask();
    let answer = ask.timeout(Duration::from_secs(5)).await.expect("an answer without a confirm");
    assert_eq!(answer.payload().get::<i64>("n").expect("a number"), 8);
}

#[tokio::test(start_paused = true)]
async fn the_broker_is_to_keep_a_request_on_its_disk_unless_the_ask_says_otherwise() {
    let fixture = Fixture::new();
    // The queue then exists, and has no consumer.
    fixture.host(calc()).await.stop().await;
    let client = fixture.client(&["calc"]).await;
    let asks = [client.to("calc.nothing").ask(), client.to("calc.nothing").ask().transient()];
    for (ask, mode) in asks.into_iter().zip([Properties::PERSISTENT, Properties::TRANSIENT]) {
        let waiting = tokio::spawn(ask);
        assert_eq!(within(fixture.take("calc")).await.properties.delivery_mode, Some(mode));
        waiting.abort();
    }
}
