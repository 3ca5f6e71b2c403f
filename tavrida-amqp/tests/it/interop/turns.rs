//! One side is ours and the other is the original's, played with its own messages: requests, answers, errors, notifications, asks.

use serde_json::json;
use tavrida::field::Value;
use tavrida::prelude::*;
use tavrida::transport::Publication;

use super::capture::{Row, rows};
use super::compare::{differences, odd_properties};
use super::wire::{Peer, Seen};
use super::{QUEUES, fixture, friends, serve};
use crate::fixture::{Notes, transport};
use crate::support::{name, soon};

/// The messages of a scenario, in the order in which they were sent.
fn scenario(name: &str) -> Vec<Row> {
    rows().into_iter().filter(|row| row.name() == name).collect()
}

/// Sends the first message of a scenario and receives it at the tap.
async fn begin(peer: &mut Peer, row: &Row) {
    peer.send(&row.publication()).await;
    assert_eq!(peer.next().await.text("message_id"), row.text("message_id"));
}

fn must_be(row: &Row, seen: &Seen) {
    assert_eq!(differences(row, seen), Vec::<String>::new(), "{}", row.name());
    assert_eq!(odd_properties(seen), Vec::<String>::new(), "{}", row.name());
}

#[tokio::test]
async fn our_hello_calls_the_originals_world_and_hears_its_answer_and_its_error() {
    let (vhost, mut peer) = fixture().await;
    let notes = Notes::new();
    let server = serve(&vhost, QUEUES[0], "test_exchange", friends::hello(&notes)).await;
    // The original's world: its queue, as it declares it.
    peer.queue(QUEUES[1]).await.unwrap();
    peer.bind(QUEUES[1], "test_world_exchange", "test_world.#").await.unwrap();
    for (name, kind) in [("cast_chain", "response"), ("cast_chain_coded", "error")] {
        let [cast, call, answer] = &scenario(name)[..] else { panic!("three messages") };
        begin(&mut peer, cast).await;
        let called = peer.next().await;
        must_be(call, &called);
        peer.send(&called.answered(kind, "test_exchange", &answer.body())).await;
        assert_eq!(peer.next().await.text("message_type"), kind);
    }
    let mut heard = notes.reach(2).await;
    heard.sort();
    let answer = "cast_chain:1 world response {\"param\":\"world response\"}";
    let error = "cast_chain_coded:1 __main__.Coded with a code of its own Some(77)";
    assert_eq!(heard, [answer, error]);
    server.stop();
}

#[tokio::test]
async fn our_world_answers_the_originals_hello_as_the_originals_world_did() {
    let (vhost, mut peer) = fixture().await;
    let server = serve(&vhost, QUEUES[1], "test_world_exchange", friends::world_service(&Notes::new())).await;
    // The original's hello: its queue, as it declares it.
    peer.queue(QUEUES[0]).await.unwrap();
    peer.bind(QUEUES[0], "test_exchange", "test_hello.#").await.unwrap();
    for name in ["cast_chain", "cast_chain_fail", "cast_chain_coded", "cast_reply_custom", "cast_xfer_ctx"] {
        let [_, call, answer] = &scenario(name)[..] else { panic!("three messages") };
        begin(&mut peer, call).await;
        let answered = peer.next().await;
        must_be(answer, &answered);
        assert_eq!(answered.text("request_id"), call.text("request_id"), "{name}: the original pairs by it");
    }
    server.stop();
}

#[tokio::test]
async fn notifications_reach_the_other_side() {
    let (vhost, mut peer) = fixture().await;
    let notes = Notes::new();
    let servers = [
        serve(&vhost, QUEUES[1], "test_world_exchange", friends::world_service(&notes)).await,
        serve(&vhost, QUEUES[0], "test_exchange", friends::hello(&notes)).await,
    ];
    let [request, notification] = &scenario("cast_pub")[..] else { panic!("two messages") };
    // The original's.
    begin(&mut peer, notification).await;
    let heard = notes.reach(1).await.remove(0);
    assert!(heard.starts_with("cast_pub:1 heard \"hello publication\" {"), "{heard}");
    // Ours, at the queue of a subscriber of the original.
    peer.queue("their_subscriber").await.unwrap();
    peer.bind("their_subscriber", "test_notification_exchange", "test_hello.pub.#").await.unwrap();
    begin(&mut peer, request).await;
    must_be(notification, &peer.next().await);
    let held = vhost.node().rabbitmqctl(["list_queues", "--silent", "-p", vhost.name(), "name", "messages"]);
    assert!(held.await.unwrap().lines().any(|line| line == "their_subscriber\t1"));
    servers.iter().for_each(tavrida::server::ServerHandle::stop);
}

/// Also those that a handler of an answer published, without an event: the original itself cannot subscribe to these.
#[tokio::test]
async fn a_subscription_with_a_wildcard_brings_every_notification_of_the_originals() {
    let (vhost, peer) = fixture().await;
    let notes = Notes::new();
    let hears = Registry::new().remote_publisher("test_hello", "test_notification_exchange");
    let audit = Service::new("audit").state(notes.clone()).discovery(hears);
    let audit = audit.on_notification("test_hello.#", async |notes: State<Notes>, event: Notification| {
        notes.add(event.source().to_string());
    });
    let server = serve(&vhost, "audit", "audit_exchange", audit).await;
    let is_published = |message: &Publication| {
        message.exchange == "test_notification_exchange" && message.routing_key.starts_with("test_hello.")
    };
    let mut published: Vec<_> = rows().iter().map(Row::publication).filter(is_published).collect();
    let mut bare = published.first().expect("the original published").clone();
    bare.routing_key = "test_hello".try_into().unwrap();
    bare.properties.headers.as_mut().expect("it has headers").insert(name("source"), "test_hello");
    published.push(bare);
    let source = |message: &Publication| {
        message.properties.headers().get("source").and_then(Value::as_str).unwrap_or_default().to_owned()
    };
    let mut topics: Vec<_> = published.iter().map(source).collect();
    for message in &published {
        peer.send(message).await;
    }
    let mut heard = notes.reach(published.len()).await;
    heard.sort();
    topics.sort();
    assert_eq!(heard, topics);
    assert!(topics.len() > 5 && topics[0] == "test_hello", "{topics:?}");
    server.stop();
}

fn registry() -> Registry {
    Registry::new()
        .remote_service("test_hello", "test_exchange")
        .local_publisher("client_app", "test_notification_exchange")
}

#[tokio::test]
async fn what_our_client_sends_is_what_the_originals_client_sent() {
    let (vhost, mut peer) = fixture().await;
    // A subscriber is needed, because ours reports when there is none.
    let client = async |source: &str| {
        let builder = Client::builder(transport(&vhost.uri())).source(source).discovery(registry());
        builder.build().await.unwrap()
    };
    for (name, source) in [
        ("c02_cast_string_source", "client_app"),
        ("c03_cast_dotted_source", "source.method"),
        ("c04_cast_source_object", "client.method"),
        ("c07_client_context", "client_app"),
        ("c08_cast_context_arg", "client_app"),
        ("c14_json_types", "client_app"),
        ("c15_cid_unicode", "client_app"),
    ] {
        let row = &scenario(name)[0];
        let body = row.body();
        let request = client(source).await.to("test_hello.hello").params(&body["payload"]);
        request.context(&body["context"]).correlation_id(row.text("correlation_id")).cast().await.unwrap();
        must_be(row, &peer.next().await);
    }
    let row = &scenario("c09_client_publish")[0];
    let body = row.body();
    let event = client("client_app.event").await.publish().params(&body["payload"]).context(&body["context"]);
    let event = event.header("x-client", "h").correlation_id(row.text("correlation_id"));
    event.send().await.unwrap();
    must_be(row, &peer.next().await);
}

/// The original's services answer only to the header `reply_to`.
#[tokio::test]
async fn an_ask_is_answered_by_a_service_of_the_originals() {
    let (vhost, mut peer) = fixture().await;
    let builder = Client::builder(transport(&vhost.uri())).source("client_app").discovery(registry());
    let client = builder.reply_exchange("client_exchange").build().await.unwrap();
    let ask = || client.to("test_hello.ret_dict").param("param", 1).ask();

    let answer = async {
        let asked = peer.next().await;
        let reply_to = asked.text("reply_to");
        assert!(reply_to.starts_with("client_app.") && reply_to.matches('.').count() == 1, "{reply_to}");
        assert!(reply_to.is_ascii());
        peer.send(&asked.answered(
            "response",
            "client_exchange",
            &json!({"payload": {"answer": 1}, "context": {"param": 1}}),
        ))
        .await;
        assert_eq!(peer.next().await.key, reply_to);
    };
    let (answered, ()) = soon(async { tokio::join!(ask(), answer) }).await;
    assert_eq!(answered.unwrap().payload().get::<i64>("answer").unwrap(), 1);

    let failed = json!({"payload": {"class": "__main__.Coded", "message": "coded", "code": 77}, "context": {"param": 1}});
    let answer = async {
        let asked = peer.next().await;
        peer.send(&asked.answered("error", "client_exchange", &failed)).await;
    };
    let (refused, ()) = soon(async { tokio::join!(ask(), answer) }).await;
    let refused = refused.unwrap_err().to_string();
    assert!(refused.contains("__main__.Coded") && refused.contains("coded"), "{refused}");
}

/// Headers that would crash a process of the original, again at each start, go back only to their sender.
#[tokio::test]
async fn headers_that_the_original_cannot_take_are_not_passed_on_to_it() {
    let (vhost, mut peer) = fixture().await;
    let server = serve(&vhost, QUEUES[0], "test_exchange", friends::hello(&Notes::new())).await;
    let mut strange: Publication = scenario("cast_chain")[0].publication();
    let headers = strange.properties.headers.as_mut().unwrap();
    headers.insert(crate::support::name("x-float"), 1.5);
    headers.insert(crate::support::name("x-negative"), -5_i64);
    headers.insert(crate::support::name("x-fine"), "text");
    headers.insert(crate::support::name("x-bytes"), tavrida::field::Value::Bytes(vec![0xff, 0xfe].into()));
    // Only what is sent on to world is checked here: the tap of this peer refuses the rest.
    peer.deaf_to("test_exchange").await;
    peer.send(&strange).await;
    let called = peer.next().await;
    let custom: Vec<_> =
        called.headers.iter().map(|(name, _)| name.as_str()).filter(|name| name.starts_with("x-")).collect();
    assert_eq!((called.exchange.as_str(), custom), ("test_world_exchange", vec!["x-fine"]));
    assert_eq!(called.body["payload"], json!({"param": 12345}));
    server.stop();
}
