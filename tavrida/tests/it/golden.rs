//! The golden capture: what the original sent, and what it rejected.

use std::io::Write;

use serde_json::{Value as Json, json};
use tavrida::Error;
use tavrida::envelope::{decode, encode};
use tavrida::field::{ShortString, Table, Value};
use tavrida::message::{CorrelationId, Message, MessageKind};

use crate::capture::{Row, rows};

const SEVEN: [&str; 7] =
    ["message_type", "correlation_id", "request_id", "message_id", "source", "destination", "reply_to"];

/// Messages injected with another routing key, to show that the original reads only the headers.
const INJECTED_ELSEWHERE: [&str; 8] = [
    "i13_empty_destination",
    "i20_wrong_service_destination",
    "i37_response_wrong_destination",
    "i40_notification_direct_to_service_exchange",
    "i41_notification_no_subscription",
    "i42_notification_with_reply_and_dst",
    "i45_service_routing_key",
    "i46_deep_routing_key",
];

/// What is rejected: the row, the variant of the reason, the code of the error, its text.
const REFUSED: [(&str, &str, i64, &str); 22] = [
    ("i03_no_headers_at_all", "NoHeaders", 1001, "the message has no headers; the wire format has seven"),
    ("i04_empty_headers", "MissingHeader", 1001, "the header 'correlation_id' is missing"),
    ("i05_no_correlation_id", "MissingHeader", 1001, "the header 'correlation_id' is missing"),
    ("i06_no_message_id", "MissingHeader", 1001, "the header 'message_id' is missing"),
    ("i07_no_request_id", "MissingHeader", 1001, "the header 'request_id' is missing"),
    ("i08_no_message_type", "MissingHeader", 1001, "the header 'message_type' is missing"),
    ("i09_no_source", "MissingHeader", 1001, "the header 'source' is missing"),
    ("i10_no_destination", "MissingHeader", 1001, "the header 'destination' is missing"),
    ("i11_no_reply_to", "MissingHeader", 1001, "the header 'reply_to' is missing"),
    (
        "i12_empty_source",
        "EmptySource",
        1003,
        "the header 'source' is empty; it must say who sent the message",
    ),
    (
        "i14_bad_message_type",
        "UnknownMessageType",
        1002,
        "the header 'message_type' is 'bogus'; it must be 'request', 'response', 'error' or 'notification'",
    ),
    (
        "i18_three_part_destination",
        "BadAddress",
        1006,
        "the header 'destination': 'test_hello.ret_dict.more' is no entry point (`service.method` or `service`): \
         it has more than one dot",
    ),
    (
        "i21_bad_json",
        "BodyNotJson",
        1031,
        "the body is no JSON: key must be a string at line 1 column 2, in {not json",
    ),
    ("i22_empty_body", "EmptyBody", 1031, "the body is empty; it must be a JSON object"),
    ("i23_body_list", "BodyNotObject", 1031, "the body is no JSON object but [1,2]"),
    ("i24_no_payload", "MissingMember", 1001, "the body has no 'payload'"),
    ("i25_no_context", "MissingMember", 1001, "the body has no 'context'"),
    ("i27_list_payload", "MemberNotObject", 1002, "the body's 'payload' is no JSON object but [1]"),
    ("i28_list_context", "MemberNotObject", 1002, "the body's 'context' is no JSON object but [1]"),
    ("i31_latin1_body", "BodyNotUtf8", 1031, "the body is not UTF-8 from its byte 24 (counted from 0)"),
    (
        "i48_source_int",
        "HeaderNotText",
        1002,
        "the header 'source' is I32(48), of the AMQP type 'I'; it must be text ('S')",
    ),
    ("i57_bom", "ByteOrderMark", 1031, "the body begins with a byte order mark, which JSON does not allow"),
];

#[test]
fn what_the_original_refuses_is_refused_for_its_reason_and_all_else_is_read() {
    let (mut decoded, mut refused) = (0, Vec::new());
    for row in rows() {
        match decode(&row.publication()) {
            Ok(_) => decoded += 1,
            Err(undecodable) => refused.push((row, undecodable.error)),
        }
    }
    // Printed around the test harness, which would capture it: a reader looks for the count.
    writeln!(std::io::stdout(), "golden capture: {decoded} decoded, {} refused", refused.len())
        .expect("written");
    let found: Vec<_> = refused
        .into_iter()
        .map(|(row, error)| {
            let variant = format!("{error:?}").split([' ', '{']).next().unwrap_or_default().to_owned();
            let text = error.to_string();
            (row.name().to_owned(), variant, Error::from(error).code(), text)
        })
        .collect();
    let found: Vec<_> =
        found.iter().map(|(row, variant, code, text)| (&**row, &**variant, *code, &**text)).collect();
    assert_eq!(found, REFUSED);
    assert_eq!(decoded, 188);
}

#[test]
fn what_is_read_is_what_the_row_says() {
    for (row, message) in decoded() {
        let name = row.name();
        assert_eq!(message.kind().as_str(), row.text("message_type"), "{name}");
        assert_eq!(message.request_id(), row.text("request_id"), "{name}");
        assert_eq!(message.message_id(), row.text("message_id"), "{name}");
        assert_eq!(message.source().as_str(), row.text("source"), "{name}");
        assert_eq!(message.destination().as_str(), row.text("destination"), "{name}");
        assert_eq!(message.reply_to().as_str(), row.text("reply_to"), "{name}");
        assert_eq!(Some(message.correlation_id().as_value()), row.headers().get("correlation_id"), "{name}");

        let mut custom = row.headers();
        custom.retain(|name, _| !SEVEN.contains(&name.as_str()));
        let found: Table =
            message.headers().iter().map(|(name, value)| (name.clone(), value.clone())).collect();
        assert_eq!(found, custom, "{name}");

        let is_call = row.text("message_type") == "request" && !row.text("reply_to").is_empty();
        assert_eq!(message.is_call(), is_call, "{name}");
        assert_eq!(body(&message), normal(row.body()), "{name}");
    }
}

#[test]
fn what_was_read_is_written_as_it_came_and_reads_the_same_again() {
    for (row, message) in decoded() {
        let name = row.name();
        let publication = encode(&message, ShortString::from_static("test_exchange"));
        let mut headers = row.headers();
        if row.name() == "i17_reply_to_null" {
            headers.insert(ShortString::from_static("reply_to"), "");
        }
        assert_eq!(publication.properties.headers(), &headers, "{name}");
        if INJECTED_ELSEWHERE.contains(&name) {
            let address = if message.kind() == MessageKind::Notification { "source" } else { "destination" };
            assert_eq!(publication.routing_key, row.text(address), "{name}");
        } else {
            assert_eq!(publication.routing_key, row.routing_key(), "{name}");
        }
        let written: Json = serde_json::from_slice(&publication.body).expect("we write JSON");
        assert_eq!(written, normal(row.body()), "{name}");
        assert_eq!(decode(&publication).as_ref(), Ok(&message), "{name}");
    }
}

#[test]
fn the_properties_of_amqp_say_what_the_headers_say() {
    for (row, message) in decoded() {
        let name = row.name();
        let publication = encode(&message, ShortString::from_static("test_exchange"));
        let properties = &publication.properties;
        assert!(publication.mandatory, "{name}");
        assert_eq!(properties.content_type.as_deref(), Some("application/json"), "{name}");
        assert_eq!(properties.delivery_mode, Some(2), "{name}");
        assert_eq!(properties.kind.as_deref(), Some(row.text("message_type")), "{name}");
        assert_eq!(properties.message_id.as_deref().unwrap_or_default(), row.text("message_id"), "{name}");
        assert_eq!(
            properties.correlation_id.as_deref().unwrap_or_default(),
            row.text("correlation_id"),
            "{name}"
        );
        assert_eq!(properties.reply_to, None, "{name}");
        assert_eq!((properties.expiration.as_ref(), properties.app_id.as_ref()), (None, None), "{name}");
    }
}

#[test]
fn a_number_or_nothing_as_correlation_id_comes_back_with_its_type() {
    let of = |name: &str| {
        let (_, message) = decoded().find(|(row, _)| row.name() == name).expect("in the capture");
        let request = message.into_request().expect("a request");
        request.respond(tavrida::message::Payload::EMPTY).correlation_id().clone()
    };
    assert_eq!(of("i47_correlation_int"), CorrelationId::from(Value::I32(47)));
    assert_eq!(of("i49_correlation_null"), CorrelationId::from(Value::Void));
    assert_eq!(of("i15_empty_correlation_id"), CorrelationId::from(""));
}

#[test]
fn a_reply_goes_where_the_originals_reply_went() {
    let rows = rows();
    let replies = rows.iter().filter(|row| matches!(row.text("message_type"), "response" | "error"));
    let mut pairs = 0;
    for reply in replies {
        let asked = |row: &&Row| {
            row.text("message_type") == "request" && row.text("request_id") == reply.text("request_id")
        };
        let Some(request) = rows.iter().find(asked) else { continue };
        let message = decode(&request.publication()).expect("it was answered");
        let made = message.into_request().expect("a request").respond(tavrida::message::Payload::EMPTY);
        let publication = encode(&made.into(), ShortString::from_static("exchange"));
        let mut headers = publication.properties.headers.expect("seven headers");
        for header in ["message_id", "message_type"] {
            headers.insert(ShortString::from_static(header), reply.text(header));
        }
        assert_eq!(headers, reply.headers(), "{}", reply.name());
        assert_eq!(publication.routing_key, reply.routing_key(), "{}", reply.name());
        pairs += 1;
    }
    assert!(pairs > 40, "only {pairs} replies have their request in the capture");
}

fn decoded() -> impl Iterator<Item = (Row, Message)> {
    rows().into_iter().filter_map(|row| decode(&row.publication()).ok().map(|message| (row, message)))
}

/// Returns payload and context of a message, as values.
fn body(message: &Message) -> Json {
    let payload: Json = message.payload().to().expect("JSON");
    let context: Json = message.context().object().to().expect("JSON");
    json!({ "payload": payload, "context": context })
}

/// Normalises a body: two members, and a missing context is an empty one.
fn normal(mut body: Json) -> Json {
    let context = match body["context"].take() {
        Json::Null => json!({}),
        context => context,
    };
    json!({ "payload": body["payload"].take(), "context": context })
}
