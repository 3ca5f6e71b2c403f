//! Where an answer goes, also for a call that cannot be decoded.

use tavrida::Error;
use tavrida::envelope::{decode, encode, encode_to_queue};
use tavrida::field::{ShortString, Table, Value};
use tavrida::message::{Failure, Message, Payload};

use super::{BODY, call, exchange, headers, read, set};

#[test]
fn a_call_that_cannot_be_read_can_still_be_answered() {
    let mut publication = call(r#"{"payload": [], "context": {"how": "plain"}}"#);
    set(&mut publication, "x-trace", "abc");
    let refused = decode(&publication).expect_err("refused");
    let asker = refused.asker.expect("somebody waits");
    let failure = Failure::from(Error::from(refused.error));
    let publication = encode(&asker.fail(&failure).into(), exchange());
    let answer = decode(&publication).expect("an answer").into_error().expect("of errors");
    assert_eq!(publication.routing_key, "client");
    assert_eq!(answer.message(), "the body's 'payload' is no JSON object but []");
    assert_eq!((answer.name().as_str(), answer.code()), ("UnsuitableFieldValue", Some(1002)));
    assert_eq!((answer.request_id(), answer.correlation_id().as_str()), ("r-1", Some("c-1")));
    assert_eq!((answer.source().as_str(), answer.headers().get_str("x-trace")), ("shop.buy", Some("abc")));
}

#[test]
fn a_refused_call_brings_along_what_could_be_read_of_it() {
    let mut publication = call(r#"{"payload": {}, "context": {"how": "plain"}}"#);
    set(&mut publication, "source", Value::I32(48));
    set(&mut publication, "message_id", Value::I32(49));
    headers(&mut publication).remove("correlation_id");
    let asker = decode(&publication).expect_err("refused").asker.expect("somebody waits");
    assert_eq!(asker.context().get::<String>("how").expect("kept"), "plain");
    assert_eq!(
        (asker.request_id(), asker.message_id(), asker.correlation_id().as_str()),
        ("r-1", "", Some(""))
    );
    assert!(asker.source().is_none() && asker.payload().is_empty());
}

#[test]
fn what_the_askers_library_wants_back_is_echoed_and_shown_to_nobody() {
    let mut publication = call(BODY);
    let later = Table::new().with(ShortString::from_static("request_id"), "r-0");
    set(&mut publication, "tavrida-later", later.clone());
    let request = decode(&publication).expect("a call").into_request().expect("a request");
    assert!(request.headers().is_empty(), "{:?}", request.headers());
    for reply in
        [request.respond(Payload::EMPTY).into(), Message::from(request.fail(&Failure::new("class", "no")))]
    {
        let reply = encode(&reply, exchange());
        assert_eq!(reply.properties.headers().get("tavrida-later"), Some(&Value::Table(later.clone())));
    }
}

#[test]
fn an_ask_that_cannot_be_read_is_answered_through_its_queue() {
    let mut publication = call("");
    set(&mut publication, "reply_to", "");
    publication.properties.reply_to = Some(ShortString::from_static("amq.gen-1"));
    let refused = decode(&publication).expect_err("refused");
    let answer = refused.asker.expect("somebody waits").fail(&Failure::new("class", "no"));
    let publication = encode_to_queue(&answer.into(), ShortString::from_static("amq.gen-1"));
    assert_eq!((publication.exchange.as_str(), publication.routing_key.as_str()), ("", "amq.gen-1"));
    assert_eq!((publication.mandatory, publication.properties.reply_to.as_ref()), (true, None));
    decode(&publication).expect("an answer");
}

#[test]
fn nobody_is_told_of_what_is_no_call_or_does_not_say_whose() {
    let asker = |header: &'static str, value: &str| {
        let mut publication = call("");
        set(&mut publication, header, value);
        decode(&publication).expect_err("refused").asker
    };
    assert!(asker("source", "").is_some(), "the answer goes to the reply address");
    for (header, value) in [
        ("message_type", "notification"),
        ("message_type", "response"),
        ("message_type", "bogus"),
        ("reply_to", ""),
        ("reply_to", "a.b.c"),
        ("destination", ""),
        ("destination", "a.b.c"),
    ] {
        assert_eq!(asker(header, value), None, "{header} = '{value}'");
    }
}

#[test]
fn a_queue_waits_for_the_answer_to_a_request_and_only_of_that() {
    let queue = ShortString::from_static("amq.gen-1");
    let mut publication = call(BODY);
    publication.properties.reply_to = Some(queue.clone());
    set(&mut publication, "reply_to", "");
    let request = decode(&publication).expect("sound");
    assert!(request.is_call());
    assert_eq!(encode(&request, exchange()).properties.reply_to, Some(queue));

    set(&mut publication, "message_type", "response");
    let response = decode(&publication).expect("sound");
    let written = encode(&response, exchange());
    assert_eq!(written.properties.reply_to, None);
    assert_eq!(decode(&written), Ok(response), "what came with it is no queue that it answers to");

    set(&mut publication, "message_type", "request");
    publication.properties.reply_to = Some(ShortString::default());
    assert!(!decode(&publication).expect("sound").is_call());
}

#[test]
fn a_direct_reply_is_not_mandatory_since_the_broker_returns_those_it_delivers() {
    let message = read(BODY);
    let direct = ShortString::from_static("amq.rabbitmq.reply-to.g1h2AA5yZXBseUA2OTA");
    assert!(!encode_to_queue(&message, direct).mandatory);
}
