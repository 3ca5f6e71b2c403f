//! Round trips of contract types through the wire, also between versions.

use serde_json::json;

use super::*;
use crate::message::{Addresses, ErrorReply, Failure, Message, MessageKind, Payload, Request};

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Charge {
    order: u64,
    #[serde(default)]
    express: bool,
    #[serde(rename = "amount", alias = "cents")]
    cents: u64,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
enum Declined {
    Blocked,
    NoFunds { left: u64 },
}

impl fmt::Display for Declined {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("declined")
    }
}

impl std::error::Error for Declined {}

impl Rpc for Charge {
    const ENTRY_POINT: &'static str = "billing.charge";
    type Reply = ();
    type Error = Declined;

    fn error_code(error: &Declined) -> i64 {
        if *error == Declined::Blocked { 4003 } else { 4002 }
    }
}

fn answered_with(failure: &Failure) -> ErrorReply {
    Request(Message::new(MessageKind::Request, "chain".into(), Addresses::default())).fail(failure)
}

#[test]
fn a_declared_error_comes_back_as_the_same_value_whatever_its_json_is() {
    for error in [Declined::Blocked, Declined::NoFunds { left: 3 }] {
        let reply = answered_with(&failure_of::<Charge>(&error));
        assert_eq!(CallError::<Charge>::of(&reply), CallError::Declared(error));
    }
}

#[test]
fn a_declared_error_has_class_message_and_code_for_those_who_do_not_know_the_type() {
    let failure = failure_of::<Charge>(&Declined::NoFunds { left: 3 });
    assert_eq!(
        answered_with(&failure).payload().as_str(),
        r#"{"class":"billing.Declined","message":"declined","code":4002,"detail":{"NoFunds":{"left":3}}}"#
    );
}

#[test]
fn an_error_of_another_class_or_with_a_strange_detail_is_another_error() {
    let same_detail = Failure::new("stock.Declined", "no").with_detail("Blocked").unwrap();
    let strange_detail = Failure::new("billing.Declined", "no").with_detail("Unheard of").unwrap();
    let no_detail = Failure::new("billing.Declined", "no");
    for failure in [same_detail, strange_detail, no_detail] {
        let refusal = CallError::<Charge>::of(&answered_with(&failure));
        assert_eq!(refusal, CallError::Other(failure));
    }
}

#[test]
fn a_newer_sender_and_an_older_one_are_both_understood() {
    let newer =
        Payload::new(&json!({"order": 7, "express": true, "amount": 500, "currency": "EUR"})).unwrap();
    assert_eq!(
        <Charge as Wire>::from_payload(&newer).unwrap(),
        Charge { order: 7, express: true, cents: 500 }
    );
    let older = Payload::new(&json!({"order": 7, "cents": 500})).unwrap();
    assert_eq!(
        <Charge as Wire>::from_payload(&older).unwrap(),
        Charge { order: 7, express: false, cents: 500 }
    );
}

#[test]
fn what_is_nothing_in_rust_is_the_empty_object_on_the_wire() {
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Ping;
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Pong {}

    for payload in [payload_of(&()), payload_of(&Ping), payload_of(&Pong {}), payload_of(&None::<Charge>)] {
        assert_eq!(payload.unwrap(), Payload::EMPTY);
    }
    <() as Wire>::from_payload(&Payload::EMPTY).unwrap();
    assert_eq!(<Ping as Wire>::from_payload(&Payload::EMPTY).unwrap(), Ping);
    assert_eq!(<Pong as Wire>::from_payload(&Payload::EMPTY).unwrap(), Pong {});
    assert_eq!(<Option<Charge> as Wire>::from_payload(&Payload::EMPTY).unwrap(), None);
}

#[test]
fn what_is_no_object_is_refused_with_what_it_is() {
    let error = payload_of(&[1, 2]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "a payload is a JSON object or nothing: the value is no object but an array"
    );
    let error = <Charge as Wire>::from_payload(&Payload::EMPTY).unwrap_err();
    assert!(error.to_string().contains("missing field `order`"), "{error}");
}

#[test]
fn an_error_that_has_no_values_never_comes_back() {
    #[derive(Serialize, Deserialize)]
    struct Plain {}
    impl Rpc for Plain {
        const ENTRY_POINT: &'static str = "billing.plain";
        type Reply = ();
        type Error = NoError;
    }
    let failure = Failure::new("billing.NoError", "").with_detail(&json!({})).unwrap();
    assert_eq!(CallError::<Plain>::of(&answered_with(&failure)), CallError::Other(failure));
}
