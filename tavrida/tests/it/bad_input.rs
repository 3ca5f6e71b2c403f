//! Bad input: each case has a clear error, and a known place for the message.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::json;
use tavrida::field::{Table, Value};
use tavrida::prelude::*;
use tavrida::transport::{Binding, Publication, Queue};
use tavrida_memory::{MemoryBroker, RabbitMq};

use crate::fixture::{Fixture, exchange, name, registry, request_headers};

async fn add(a: i64, b: i64) -> serde_json::Value {
    json!({ "sum": a + b })
}

async fn echo(request: Request) -> Result<serde_json::Value> {
    Ok(json!({ "bytes": request.payload().as_str().len() }))
}

async fn read_as_tree(request: Request) -> Result<serde_json::Value> {
    let tree: serde_json::Value = request.payload().to()?;
    Ok(json!({ "keys": tree.as_object().map(serde_json::Map::len) }))
}

async fn panics() {
    panic!("the handler lost its head");
}

async fn never_returns() {
    std::future::pending().await
}

async fn list() -> Vec<i64> {
    vec![1, 2, 3]
}

fn calc() -> Service {
    Service::new("calc")
        .rpc("add", params(["a", "b"], add))
        .rpc("echo", echo)
        .rpc("tree", read_as_tree)
        .rpc("panics", panics)
        .rpc("never", never_returns)
        .rpc("list", list)
}

/// Asks. Returns the class and the text of the error.
async fn error_of(
    fixture: &Fixture,
    request: impl FnOnce(&Client) -> tavrida::proxy::RequestBuilder,
) -> (String, String) {
    let client = fixture.client(&["calc"]).await;
    let error = request(&client).ask().await.expect_err("an error");
    let reply = error.failed().unwrap_or_else(|| panic!("the service answers, and not: {error}"));
    (reply.name(), reply.message())
}

fn text_of(publication: &Publication, header: &str) -> String {
    publication.properties.headers().get(header).and_then(Value::as_str).unwrap_or_default().to_owned()
}

#[tokio::test(start_paused = true)]
async fn an_unknown_method_and_an_unknown_service_answer_the_caller_and_are_dead_lettered() {
    let fixture = Fixture::new();
    let _server = fixture.host(calc()).await;
    let (class, text) = error_of(&fixture, |client| client.to("calc.nope")).await;
    assert_eq!(
        (class.as_str(), text.as_str()),
        ("HandlerNotFound", "no handler for the request calc.nope here")
    );
    assert_eq!(text_of(&*fixture.take("calc.dead").await, "x-tavrida-reason"), "unwanted");

    let mut headers = request_headers("elsewhere.add", "");
    headers.insert(name("reply_to"), "");
    fixture.inject("calc", headers, r#"{"payload": {}, "context": {}}"#).await;
    let letter = fixture.take("calc.dead").await;
    assert!(text_of(&letter, "x-tavrida-error-message").contains("no service 'elsewhere' here"));
    assert_eq!(text_of(&letter, "x-tavrida-error-class"), "tavrida.exceptions.ServiceNotFound");
}

#[tokio::test(start_paused = true)]
async fn a_missing_and_an_ill_typed_parameter_are_named_and_a_surplus_one_is_ignored() {
    let fixture = Fixture::new();
    let _server = fixture.host(calc()).await;
    let (_, text) = error_of(&fixture, |client| client.to("calc.add").param("a", 1)).await;
    assert_eq!(text, "the parameter 'b' is missing");
    let (_, text) = error_of(&fixture, |client| client.to("calc.add").param("a", 1).param("b", "two")).await;
    assert!(text.starts_with("the parameter 'b' is ill-typed: invalid type: string, expected i64"), "{text}");
    let client = fixture.client(&["calc"]).await;
    let answer =
        client.to("calc.add").param("a", 1).param("b", 2).param("c", 3).ask().await.expect("an answer");
    assert_eq!(answer.payload().get::<i64>("sum").expect("a sum"), 3);
}

#[tokio::test(start_paused = true)]
async fn a_body_that_is_no_json_or_no_object_answers_the_caller_and_is_dead_lettered() {
    let fixture = Fixture::new();
    let _server = fixture.host(calc()).await;
    let session = fixture.session().await;
    let replies =
        session.admin().declare_queue(&tavrida::transport::Queue::exclusive()).await.expect("a queue").name;
    for (body, reason) in [
        ("{not json", "JSON"),
        ("[1, 2]", "object"),
        ("", "empty"),
        (r#"{"context": {}}"#, "payload"),
        (r#"{"payload": [1], "context": {}}"#, "payload"),
    ] {
        let mut publication = Publication::new(name(""), name("calc"), body);
        publication.properties.headers = Some(request_headers("calc.add", "stranger"));
        publication.properties.reply_to = Some(replies.clone());
        session.publish(publication).await.expect("the queue takes it");
        let letter = fixture.take("calc.dead").await;
        let text = text_of(&letter, "x-tavrida-error-message");
        assert!(text.contains(reason), "{body}: {text}");
        assert_eq!(&letter.body[..], body.as_bytes());
        let answer = session.get(&replies).await.expect("the session lives").expect("an answer");
        assert_eq!(text_of(answer.delivery.publication(), "message_type"), "error");
        assert_eq!(text_of(answer.delivery.publication(), "request_id"), "request-1");
        answer.delivery.ack().expect("the session lives");
    }
}

#[tokio::test(start_paused = true)]
async fn missing_ill_typed_and_unknown_headers_name_the_field_and_the_value() {
    let fixture = Fixture::new();
    let _server = fixture.host(calc()).await;
    let good = || request_headers("calc.add", "");
    let without = |header: &str| {
        let mut headers = good();
        headers.remove(header);
        headers
    };
    let with = |header: &str, value: Value| good().with(name(header), value);
    let cases: [(Table, &[&str]); 7] = [
        (Table::new(), &["correlation_id"]),
        (without("source"), &["source"]),
        (without("reply_to"), &["reply_to"]),
        (with("source", Value::I32(48)), &["source", "48"]),
        (with("source", "".into()), &["source"]),
        (with("message_type", "bogus".into()), &["message_type", "bogus"]),
        (with("destination", "a.b.c".into()), &["destination", "a.b.c"]),
    ];
    for (headers, named) in cases {
        fixture.inject("calc", headers, r#"{"payload": {}, "context": {}}"#).await;
        let text = text_of(&*fixture.take("calc.dead").await, "x-tavrida-error-message");
        assert!(named.iter().all(|name| text.contains(name)), "{named:?} in: {text}");
    }
}

/// The answer would need a source, and every receiver rejects one without.
#[tokio::test(start_paused = true)]
async fn a_call_to_nobody_is_dead_lettered_and_not_answered() {
    let fixture = Fixture::new();
    let _server = fixture.host(calc().discovery(registry(&["asker"]))).await;
    let session = fixture.session().await;
    session.admin().declare_queue(&Queue::transient(name("asker"))).await.expect("declared");
    let hears = Binding::queue(name("asker"), name(&exchange("asker")), name("#"));
    session.admin().bind(&hears).await.expect("bound");
    for (destination, why) in [("calc.nope", "no handler for"), ("", "no service '' here")] {
        fixture
            .inject("calc", request_headers(destination, "asker"), r#"{"payload": {}, "context": {}}"#)
            .await;
        let text = text_of(&*fixture.take("calc.dead").await, "x-tavrida-error-message");
        assert!(text.starts_with(why), "{text}");
        assert_eq!(fixture.depth("asker").await, 1, "the first is answered, the second is not");
    }
}

#[tokio::test(start_paused = true)]
async fn a_surplus_header_is_a_custom_header() {
    let fixture = Fixture::new();
    let _server = fixture.host(calc()).await;
    let client = fixture.client(&["calc"]).await;
    let answer = client.to("calc.echo").header("x-surplus", "kept").ask().await.expect("an answer");
    assert_eq!(answer.headers().get_str("x-surplus"), Some("kept"));
}

#[tokio::test(start_paused = true)]
async fn a_response_that_nobody_handles_is_dead_lettered() {
    let fixture = Fixture::new();
    let _server = fixture.host(calc()).await;
    let headers = request_headers("calc", "").with(name("message_type"), "response");
    fixture.inject("calc", headers, r#"{"payload": {}, "context": {}}"#).await;
    let text = text_of(&*fixture.take("calc.dead").await, "x-tavrida-error-message");
    assert_eq!(text, "no handler for the response stranger.main here");
}

#[tokio::test(start_paused = true)]
async fn a_panic_is_the_callers_error_and_the_service_works_on() {
    let fixture = Fixture::new();
    let _server = fixture.host(calc()).await;
    let (class, text) = error_of(&fixture, |client| client.to("calc.panics")).await;
    assert_eq!((class.as_str(), text.as_str()), ("Panic", "the handler lost its head"));
    let client = fixture.client(&["calc"]).await;
    client.to("calc.panics").cast().await.expect("sent");
    assert_eq!(
        text_of(&*fixture.take("calc.dead").await, "x-tavrida-error-message"),
        "the handler lost its head"
    );
    assert!(client.to("calc.echo").ask().await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_handler_that_never_returns_is_ended_by_its_deadline() {
    let fixture = Fixture::new();
    let _server = fixture.run(fixture.server(calc()).handler_deadline(Duration::from_secs(5))).await;
    let (class, text) = error_of(&fixture, |client| client.to("calc.never")).await;
    assert_eq!((class.as_str(), text.as_str()), ("Timeout", "the handler was not done within 5s"));
    fixture.client(&["calc"]).await.to("calc.never").cast().await.expect("sent");
    assert_eq!(
        text_of(&*fixture.take("calc.dead").await, "x-tavrida-error-class"),
        "tavrida.exceptions.Timeout"
    );
}

#[tokio::test(start_paused = true)]
async fn a_result_that_is_no_object_is_the_callers_error() {
    let fixture = Fixture::new();
    let _server = fixture.host(calc()).await;
    let (class, text) = error_of(&fixture, |client| client.to("calc.list")).await;
    assert_eq!(class, "WrongResponse");
    assert!(text.contains("is no object but an array"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn a_message_goes_through_up_to_the_largest_that_the_broker_takes_and_a_larger_one_is_refused() {
    for (version, mebibytes, goes_through) in
        [(RabbitMq::V3_10, 16, true), (RabbitMq::V4_0, 15, true), (RabbitMq::V4_0, 16, false)]
    {
        let fixture = Fixture { broker: MemoryBroker::builder().like(version).build() };
        let _server = fixture.host(calc()).await;
        let client = fixture.client(&["calc"]).await;
        let bytes = mebibytes << 20;
        let answer = client.to("calc.echo").param("much", "x".repeat(bytes)).ask().await;
        if goes_through {
            let answer = answer.expect("an answer");
            assert!(answer.payload().get::<usize>("bytes").expect("a size") > bytes, "{version}");
        } else {
            let refused = answer.expect_err("4.0 takes 16 MiB with the envelope").to_string();
            assert!(refused.contains("is larger than configured max size 16777216"), "{refused}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn ten_thousand_context_keys_travel_to_the_handler_and_back() {
    let fixture = Fixture::new();
    let _server = fixture.host(calc()).await;
    let client = fixture.client(&["calc"]).await;
    let context: std::collections::BTreeMap<String, u32> =
        (0..10_000).map(|n| (format!("key{n}"), n)).collect();
    let answer = client.to("calc.echo").context(&context).param("more", 1).ask().await.expect("an answer");
    assert_eq!(answer.context().object().members().names().count(), 10_001);
}

#[tokio::test(start_paused = true)]
async fn json_ten_thousand_levels_deep_passes_and_is_refused_only_by_who_reads_it_as_a_tree() {
    let fixture = Fixture::new();
    let _server = fixture.host(calc()).await;
    let deep = format!(r#"{{"deep": {}{}}}"#, "[".repeat(10_000), "]".repeat(10_000));
    let payload = tavrida::message::Payload::from(tavrida::json::Object::parse(deep).expect("it is JSON"));
    let client = fixture.client(&["calc"]).await;
    let answer = client.to("calc.echo").payload(payload.clone()).ask().await.expect("an answer");
    assert!(answer.payload().get::<usize>("bytes").expect("a size") > 20_000);
    let (_, text) = error_of(&fixture, |client| client.to("calc.tree").payload(payload)).await;
    assert!(text.contains("recursion limit"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn a_header_name_of_256_bytes_is_refused_before_anything_is_sent() {
    let fixture = Fixture::new();
    let _server = fixture.host(calc()).await;
    let client = fixture.client(&["calc"]).await;
    let error = client.to("calc.echo").header("h".repeat(256), "v").cast().await.expect_err("refused");
    assert!(error.to_string().contains("has 256 bytes; AMQP allows at most 255"), "{error}");
    assert_eq!(error.message().destination().as_str(), "calc.echo");
}

#[tokio::test(start_paused = true)]
async fn a_reserved_header_and_a_bad_address_are_refused_and_the_message_comes_back() {
    let fixture = Fixture::new();
    let client = fixture.client(&["calc"]).await;
    let error = client.to("calc.echo").header("reply_to", "forged").cast().await.expect_err("refused");
    assert!(error.to_string().contains("'reply_to' belongs to the wire format"), "{error}");
    let error = client.to("a.b.c").param("kept", 1).cast().await.expect_err("refused");
    assert!(error.to_string().contains("it has more than one dot"), "{error}");
    assert_eq!(error.into_message().payload().as_str(), r#"{"kept":1}"#);
}

#[tokio::test(start_paused = true)]
async fn a_number_that_json_does_not_have_is_refused_where_it_is_sent_or_answered() {
    let fixture = Fixture::new();
    let service = Service::new("calc").rpc("half", async || BTreeMap::from([("half", f32::NAN / 2.0)]));
    let _server = fixture.host(service).await;
    let client = fixture.client(&["calc"]).await;
    let error = client.to("calc.add").param("x", f64::NAN).param("y", 1).cast().await.unwrap_err();
    assert!(error.to_string().contains("the parameter 'x': NaN is no number of JSON"), "{error}");
    let error =
        client.to("calc.add").param("x", [Some(1.0), None, Some(f64::INFINITY)]).ask().await.unwrap_err();
    assert!(error.to_string().contains("the parameter 'x': inf at '[2]' is no number"), "{error}");
    let error =
        client.to("calc.add").context(&BTreeMap::from([("rate", f64::NAN)])).cast().await.unwrap_err();
    assert!(error.to_string().contains("NaN at 'rate' is no number of JSON"), "{error}");
    let (class, text) = error_of(&fixture, |client| client.to("calc.half")).await;
    assert_eq!(class, "WrongResponse");
    assert!(text.contains("NaN at 'half' is no number of JSON"), "{text}");
}
