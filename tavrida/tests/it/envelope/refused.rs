//! Invalid messages: each is rejected with an error that names the culprit.

use tavrida::Error;
use tavrida::envelope::{DecodeError, decode};
use tavrida::field::Value;
use tavrida::transport::Publication;

use super::{BODY, SEVEN, call, headers, set};

#[test]
fn ten_thousand_brackets_that_nobody_closes_are_no_json() {
    let error = refusal(&"[".repeat(10_000));
    let beginning = "[".repeat(64);
    assert_eq!(
        error.to_string(),
        format!("the body is no JSON: EOF while parsing a list at line 1 column 10000, in {beginning}...")
    );
}

#[test]
fn each_missing_header_is_named() {
    for header in SEVEN {
        let mut publication = call(BODY);
        headers(&mut publication).remove(header).expect("it was there");
        let error = decode(&publication).expect_err("refused").error;
        assert_eq!(error, DecodeError::MissingHeader { header });
        assert_eq!(error.to_string(), format!("the header '{header}' is missing"));
        assert_eq!(Error::from(error).code(), 1001);
    }
}

#[test]
fn of_two_faults_the_first_in_the_originals_order_is_told() {
    let mut publication = call("no JSON");
    let expect = |publication: &Publication, text: &str| {
        let error = decode(publication).expect_err("refused").to_string();
        assert!(error.starts_with(text), "{error}");
    };
    set(&mut publication, "destination", "a.b.c");
    expect(&publication, "the body is no JSON");
    set(&mut publication, "source", "");
    expect(&publication, "the header 'source' is empty");
    set(&mut publication, "message_type", "bogus");
    expect(&publication, "the header 'message_type' is 'bogus'");
    headers(&mut publication).remove("destination");
    expect(&publication, "the header 'destination' is missing");
}

#[test]
fn an_ill_typed_header_is_named_with_its_type_and_value() {
    for header in ["request_id", "message_id", "source", "destination", "reply_to"] {
        let mut publication = call(BODY);
        set(&mut publication, header, Value::F64(1.5));
        let error = decode(&publication).expect_err("refused").error;
        assert_eq!(
            error.to_string(),
            format!("the header '{header}' is F64(1.5), of the AMQP type 'd'; it must be text ('S')")
        );
        assert_eq!(Error::from(error).code(), 1002);
    }
}

#[test]
fn text_that_is_not_utf8_is_shown_by_its_bytes() {
    let mut publication = call(BODY);
    set(&mut publication, "destination", Value::LongString(b"d\xe9j\xe0".into()));
    let error = decode(&publication).expect_err("refused").to_string();
    assert_eq!(error, r#"the header 'destination' is LongString(b"d\xe9j\xe0"), which is not UTF-8"#);
}

#[test]
fn a_value_is_shown_by_its_beginning_only() {
    let mut publication = call(BODY);
    set(&mut publication, "message_type", "x".repeat(1 << 20));
    let error = decode(&publication).expect_err("refused").to_string();
    let beginning = "x".repeat(63);
    assert!(
        error.starts_with(&format!("the header 'message_type' is '{beginning}...; it must be")),
        "{error}"
    );
}

#[test]
fn an_address_of_256_bytes_is_refused_with_the_limit() {
    let mut publication = call(BODY);
    set(&mut publication, "source", "s".repeat(256));
    let error = decode(&publication).expect_err("refused").error;
    assert!(error.to_string().contains("it has over 255 bytes"), "{error}");
    assert_eq!(Error::from(error).code(), 1006);
}

#[test]
fn an_unknown_message_type_is_refused_with_the_four_that_are_known() {
    for wrong in [Value::from("Request"), Value::from(""), Value::Void, Value::I32(1)] {
        let mut publication = call(BODY);
        set(&mut publication, "message_type", wrong);
        let error = decode(&publication).expect_err("refused").error;
        assert!(matches!(error, DecodeError::UnknownMessageType { .. }), "{error:?}");
        assert!(
            error.to_string().ends_with("must be 'request', 'response', 'error' or 'notification'"),
            "{error}"
        );
        assert_eq!(Error::from(error).code(), 1002);
    }
}

#[test]
fn a_body_that_is_no_json_object_says_what_it_is() {
    let told = |body: &str| refusal(body).to_string();
    assert_eq!(told(" \n"), "the body is empty; it must be a JSON object");
    assert_eq!(told("\"text\""), "the body is no JSON object but \"text\"");
    assert_eq!(told("null"), "the body is no JSON object but null");
    assert_eq!(told("{} {}"), "the body is no JSON: trailing characters at line 1 column 4, in {} {}");
    assert_eq!(
        told(r#"{"payload": null, "context": {}}"#),
        "the body's 'payload' is no JSON object but null"
    );
    assert_eq!(
        told(r#"{"payload": {}, "context": "x"}"#),
        "the body's 'context' is no JSON object but \"x\""
    );
    assert_eq!(told("[NaN]"), "the body is no JSON object but [NaN]");
    assert!(told(r#"{"payload": {"a": NaNa}, "context": {}}"#).starts_with("the body is no JSON: "));
}

fn refusal(body: &str) -> DecodeError {
    decode(&call(body)).expect_err("it is refused").error
}
