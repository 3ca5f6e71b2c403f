//! What a publisher can make a service do with forged headers and properties.

use std::time::Duration;

use tavrida::field::{Table, Value};
use tavrida::prelude::*;
use tavrida::proxy::{Answered, Responder};
use tavrida::server::ServerBuilder;
use tavrida::transport::{Publication, Queue};

use crate::fixture::{Fixture, Notes, name, registry, request_headers};

const SECRET: [u8; 32] = [7; 32];
const BODY: &str = r#"{"payload": {"n": 1}, "context": {}}"#;

/// Calls `back.double` and answers later.
fn front(notes: &Notes) -> Service {
    async fn start(reply: Responder, proxy: Proxy, n: i64) -> Result<Answered> {
        Ok(proxy.to("back.double").param("n", n).call_with(reply).await?)
    }
    async fn doubled(reply: Responder, notes: State<Notes>, n: i64) {
        notes.add(n.to_string());
        reply.answer(serde_json::json!({ "n": n }));
    }
    Service::new("front")
        .state(notes.clone())
        .rpc("start", params(["n"], start))
        .on_response("back.double", params(["n"], doubled))
        .discovery(registry(&["back", "victim"]))
}

fn back() -> Service {
    async fn double(n: i64) -> serde_json::Value {
        serde_json::json!({ "n": 2 * n })
    }
    Service::new("back").rpc("double", params(["n"], double)).discovery(registry(&["front"]))
}

/// What the header says of the call that `front` owes an answer to.
fn later(source: &str, destination: &str, reply_queue: &str) -> Table {
    let texts = [
        ("source", source),
        ("destination", destination),
        ("reply_to", ""),
        ("request_id", "forged"),
        ("correlation_id", "forged"),
        ("state", "null"),
        ("reply_queue", reply_queue),
    ];
    let table: Table = texts.into_iter().map(|(key, value)| (name(key), value)).collect();
    table.with(name("headers"), Table::new())
}

/// The same with a header that the answer is to have.
fn with_header(header: &str, value: Value) -> Table {
    later("", "front.start", "amq.gen-other").with(name("headers"), Table::new().with(name(header), value))
}

/// An unrequested response of `back`.
fn response(later: Table) -> Table {
    let mut headers = request_headers("front", "");
    headers.insert(name("message_type"), "response");
    headers.insert(name("source"), "back.double");
    headers.with(name("tavrida-later"), later)
}

fn reason(letter: &Publication) -> String {
    let headers = letter.properties.headers();
    headers.get("x-tavrida-error-message").and_then(Value::as_str).unwrap_or_default().to_owned()
}

async fn sealed(fixture: &Fixture, notes: &Notes) -> (crate::fixture::Running, crate::fixture::Running) {
    let with_secret = |server: ServerBuilder| server.answer_secret(SECRET);
    (fixture.run(with_secret(fixture.server(front(notes)))).await, fixture.host(back()).await)
}

#[tokio::test(start_paused = true)]
async fn a_forged_address_of_an_answer_reaches_no_other_queue() {
    let (fixture, notes) = (Fixture::new(), Notes::default());
    let _server = fixture.host(front(&notes)).await;
    let session = fixture.session().await;
    session.admin().declare_queue(&Queue::durable(name("victim"))).await.expect("a queue");
    let cases = [
        (later("victim", "front.start", "victim"), "'victim', which is not a reply queue"),
        (later("victim", "front.start", "front.dead"), "'front.dead', which is not a reply queue"),
        (later("victim", "bank.pay", "amq.gen-other"), "an answer of 'bank', and came to 'front'"),
        (Table::new(), "no proper 'source'"),
        (with_header("CC", Value::from(vec![Value::from("victim")])), "'CC'"),
        (with_header("BCC", Value::from(vec![Value::from("victim")])), "'BCC'"),
        (with_header("source", Value::from("bank.pay")), "'source'"),
        (with_header("x-tavrida-due", Value::from("bank")), "'x-tavrida-due'"),
    ];
    for (table, expected) in cases {
        fixture.inject("front", response(table), BODY).await;
        let letter = fixture.take("front.dead").await;
        assert!(reason(&letter).contains(expected), "{}", reason(&letter));
    }
    assert_eq!(notes.all(), [""; 0], "no handler saw one");
    assert_eq!(fixture.depth("victim").await, 0);
}

#[tokio::test(start_paused = true)]
async fn with_a_secret_only_what_the_server_signed_is_answered_later() {
    let (fixture, notes) = (Fixture::new(), Notes::default());
    let _servers = sealed(&fixture, &notes).await;
    let client = fixture.client(&["front"]).await;
    let answer = client.to("front.start").param("n", 21).ask().await.expect("an answer");
    assert_eq!(answer.payload().get::<i64>("n").expect("a number"), 42);

    let forged = [
        later("client_app", "front.start", "amq.gen-other"),
        later("client_app", "front.start", "amq.gen-other").with(name("signature"), "AAAA"),
    ];
    for table in forged {
        fixture.inject("front", response(table), BODY).await;
        let letter = fixture.take("front.dead").await;
        assert!(reason(&letter).contains("not signed with this server's secret"), "{}", reason(&letter));
    }
    assert_eq!(notes.all(), ["42"], "the handler saw the answer that was asked for");
}

#[tokio::test(start_paused = true)]
async fn a_signed_address_is_known_to_a_replica_and_after_a_restart() {
    let (fixture, notes) = (Fixture::new(), Notes::default());
    let (front_server, back_server) = sealed(&fixture, &notes).await;
    let client = fixture.client(&["front"]).await;
    back_server.stop().await;
    let asked = tokio::spawn(async move {
        client.to("front.start").param("n", 1).ask().timeout(Duration::from_secs(300)).await
    });
    tokio::time::sleep(Duration::from_secs(1)).await;
    front_server.stop().await;
    let _servers = sealed(&fixture, &notes).await;
    assert!(asked.await.expect("no panic").is_ok());
}

#[tokio::test(start_paused = true)]
async fn the_property_reply_to_leads_to_reply_queues_alone() {
    let (fixture, notes) = (Fixture::new(), Notes::default());
    let _server = fixture.host(front(&notes)).await;
    let session = fixture.session().await;
    session.admin().declare_queue(&Queue::durable(name("victim"))).await.expect("a queue");
    for queue in ["victim", "front", "front.dead", "amq.rabbitmq.reply-to.AAAABBBB.CCCC"] {
        let mut request = Publication::new(name(""), name("front"), BODY);
        request.properties.headers = Some(request_headers("front.start", ""));
        request.properties.reply_to = Some(name(queue));
        session.publish(request).await.expect("the queue takes it");
        let letter = fixture.take("front.dead").await;
        assert!(reason(&letter).contains("the property 'reply_to'"), "{}", reason(&letter));
    }
    assert_eq!((fixture.depth("victim").await, fixture.depth("front").await), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn a_missing_parameter_is_an_error_for_any_json_too() {
    async fn any(value: serde_json::Value) -> serde_json::Value {
        serde_json::json!({ "value": value })
    }
    let fixture = Fixture::new();
    let _server = fixture.host(Service::new("any").rpc("any", params(["value"], any))).await;
    let client = fixture.client(&["any"]).await;
    let error = client.to("any.any").ask().await.expect_err("a parameter is missing");
    assert_eq!(error.failed().expect("the service answers").message(), "the parameter 'value' is missing");
    let null = client.to("any.any").param("value", ()).ask().await.expect("an answer");
    assert_eq!(null.payload().get::<Option<i64>>("value").expect("null"), None);
}
