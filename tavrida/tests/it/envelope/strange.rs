//! Unusual or large messages: each is decoded, and passed on unchanged.

use std::fmt::Write;

use tavrida::envelope::{decode, encode};
use tavrida::field::Value;

use super::{BODY, call, exchange, read, set};

#[test]
fn a_payload_of_16_mib_is_read_without_a_copy_and_written_again() {
    let body = format!(r#"{{"payload": {{"blob": "{}"}}, "context": {{}}}}"#, "x".repeat(16 << 20));
    let publication = call(&body);
    let message = decode(&publication).expect("size is no flaw");
    assert!(publication.body.as_ptr_range().contains(&message.payload().as_str().as_ptr()));
    assert_eq!(encode(&message, exchange()).body, body);
}

#[test]
fn a_context_of_ten_thousand_keys_is_read_and_written_again() {
    let mut keys = String::new();
    for n in 0..10_000 {
        write!(keys, r#"{}"key{n}": {n}"#, if n == 0 { "" } else { ", " }).expect("memory");
    }
    let message = read(&format!(r#"{{"payload": {{}}, "context": {{{keys}}}}}"#));
    assert_eq!(message.context().get::<i64>("key9999").expect("it is there"), 9999);
    assert_eq!(decode(&encode(&message, exchange())), Ok(message));
}

#[test]
fn ten_thousand_levels_are_passed_on_unread_and_refused_only_where_a_tree_is_asked_for() {
    let deep = format!("{}1{}", "[".repeat(10_000), "]".repeat(10_000));
    let message = read(&format!(r#"{{"payload": {{"deep": {deep}}}, "context": {{}}, "more": {deep}}}"#));
    assert_eq!(decode(&encode(&message, exchange())).as_ref(), Ok(&message));
    let error = message.payload().get::<serde_json::Value>("deep").expect_err("too deep for a tree");
    assert!(
        error.to_string().contains("'deep' is ill-typed") && error.to_string().contains("recursion limit")
    );
}

#[test]
fn surplus_headers_are_custom_ones_but_for_what_copies_gather() {
    let mut publication = call(BODY);
    for (name, value) in [
        ("x-trace", Value::from("abc")),
        ("x-list", vec![Value::F32(1.5)].into()),
        ("x-death", Value::Array(Vec::new())),
        ("x-first-death-reason", "expired".into()),
        ("x-first-death-queue", "q".into()),
        ("x-first-death-exchange", "".into()),
        ("x-last-death-queue", "q".into()),
        ("BCC", vec![Value::from("elsewhere")].into()),
        ("x-delivery-count", Value::I64(3)),
        ("CC", vec![Value::from("elsewhere")].into()),
        ("x-tavrida-attempt", Value::I32(2)),
    ] {
        set(&mut publication, name, value);
    }
    let message = decode(&publication).expect("surplus headers are no flaw");
    assert_eq!(
        message.headers().iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(),
        ["x-trace", "x-list"]
    );
}

#[test]
fn of_members_with_one_name_the_last_counts() {
    let message =
        read(r#"{"payload": 1, "context": {"a": 1}, "p\u0061yload": {"b": 1, "b": 2}, "context": null}"#);
    assert_eq!(message.payload().get::<i64>("b").expect("a number"), 2);
    assert!(message.context().object().is_empty());
}

#[test]
fn what_python_writes_and_json_does_not_know_is_read_as_null() {
    let message = read(r#"{"payload": {"a": NaN, "b": "NaN"}, "context": {"c": [-Infinity, Infinity]}}"#);
    assert_eq!(message.payload().as_str(), r#"{"a": null, "b": "NaN"}"#);
    assert_eq!(message.context().object().as_str(), r#"{"c": [null, null]}"#);
}

#[test]
fn half_a_surrogate_pair_anywhere_is_passed_on() {
    let body = r#"{"\ud800": 1, "payload": {"\udc00": "\ud800"}, "context": {}}"#;
    let message = read(body);
    assert_eq!(message.payload().as_str(), r#"{"\udc00": "\ud800"}"#);
    assert!(
        message
            .payload()
            .get::<String>("\u{fffd}")
            .expect_err("no such name")
            .to_string()
            .contains("missing")
    );
}

#[test]
fn an_id_that_is_too_long_for_a_property_travels_in_its_header() {
    let mut publication = call(BODY);
    let long = "i".repeat(256);
    set(&mut publication, "message_id", long.as_str());
    set(&mut publication, "correlation_id", long.as_str());
    let written = encode(&decode(&publication).expect("sound"), exchange());
    assert_eq!(
        (written.properties.message_id.as_ref(), written.properties.correlation_id.as_ref()),
        (None, None)
    );
    assert_eq!(written.properties.headers().get("message_id"), Some(&Value::from(long)));
}
