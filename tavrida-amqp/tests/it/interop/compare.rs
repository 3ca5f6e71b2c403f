//! Compares our messages on the wire with the original's; every permitted difference is listed here, with its reason.

use serde_json::Value as Json;
use tavrida::field::Table;

use super::capture::Row;
use super::wire::Seen;

const SEVEN: [&str; 7] =
    ["message_type", "correlation_id", "request_id", "message_id", "source", "destination", "reply_to"];

/// Errors that the library makes, not a handler: ours have their own class and text. The code is the same.
const OWN_WORDS: [&str; 3] = ["cast_chain_noparam", "call_default_param", "call_missing_param"];

/// Answers that we send in addition, where the original does not answer the caller of a request that it cannot handle: scenario,
/// destination, code.
pub(super) const ANSWERED_HERE: [(&str, &str, i64); 21] = [
    // The method, or the service, does not exist.
    ("cast_chain_unknown_handler", "test_hello", 1004),
    ("call_nope", "client_app", 1004),
    ("i19_service_only_destination", "client_app", 1004),
    ("i20_wrong_service_destination", "client_app", 1022),
    // The handler's value is not an object.
    ("call_ret_list", "client_app", 1009),
    ("call_ret_unserializable", "client_app", 1009),
    // The original crashes on its error text.
    ("call_boom_unicode", "client_app", 1000),
    // The message is malformed, but has a reply address.
    ("i06_no_message_id", "client_app", 1001),
    ("i07_no_request_id", "client_app", 1001),
    ("i09_no_source", "client_app", 1001),
    ("i12_empty_source", "client_app", 1003),
    ("i21_bad_json", "client_app", 1031),
    ("i22_empty_body", "client_app", 1031),
    ("i23_body_list", "client_app", 1031),
    ("i24_no_payload", "client_app", 1001),
    ("i25_no_context", "client_app", 1001),
    ("i27_list_payload", "client_app", 1002),
    ("i28_list_context", "client_app", 1002),
    ("i31_latin1_body", "client_app", 1031),
    ("i48_source_int", "client_app", 1002),
    ("i57_bom", "client_app", 1031),
];

/// Returns how `ours` differs from the row of the original's, beyond what is permitted.
///
/// Permitted, with the reason:
/// - `request_id` of requests and notifications, and `message_id` of everything: random, but of the same form. A reply has the request's
///   `request_id` on both sides; the original gives it the request's `message_id` too, ours has its own (nothing reads it, and ids should
///   distinguish messages).
/// - Custom headers of the handled message are added to requests too (in the original, only to notifications), and added ones come in
///   addition instead of replacing them. None that the original sends is missing.
/// - Properties: the original sets none, and reads none.
/// - `class` and `message` of an error that the library makes ([`OWN_WORDS`]).
pub(super) fn differences(row: &Row, ours: &Seen) -> Vec<String> {
    let mut found = Vec::new();
    let mut same = |what: &str, theirs: &dyn std::fmt::Debug, ours: &dyn std::fmt::Debug| {
        let (theirs, ours) = (format!("{theirs:?}"), format!("{ours:?}"));
        if theirs != ours {
            found.push(format!("{what}: {ours}, and the original has {theirs}"));
        }
    };
    same("exchange", &row.publication().exchange.as_str(), &ours.exchange);
    same("routing key", &row.routing_key(), &ours.key);
    let theirs = row.headers();
    for header in ["message_type", "correlation_id", "source", "destination", "reply_to"] {
        same(header, &theirs.get(header), &ours.headers.get(header));
    }
    for id in ["request_id", "message_id"] {
        same(&format!("form of {id}"), &is_id(row.text(id)), &is_id(ours.text(id)));
    }
    for (name, value) in theirs.iter().filter(|(name, _)| !SEVEN.contains(&name.as_str())) {
        same(name, &Some(value), &ours.headers.get(name));
    }
    if OWN_WORDS.contains(&row.name()) && row.text("message_type") == "error" {
        same("code", &row.body()["payload"]["code"], &ours.body["payload"]["code"]);
        same("context", &row.body()["context"], &ours.body["context"]);
    } else {
        same("body", &row.body(), &ours.body);
    }
    found
}

/// Returns whether a text is 32 hexadecimal digits, without dashes.
fn is_id(text: &str) -> bool {
    text.len() == 32 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// Returns whether a row and a message are the same step of their conversation: they have the same route and, among equals, the same
/// content.
pub(super) fn is_same_step(row: &Row, ours: &Seen) -> bool {
    let way = ["message_type", "source", "destination"];
    let own_words = OWN_WORDS.contains(&row.name());
    way.iter().all(|header| row.text(header) == ours.text(header))
        && (own_words || payload(&row.body()) == payload(&ours.body))
}

/// Returns each row with our message of that step, which is taken out of `ours`; `None` if there is none.
///
/// Two steps of a conversation may differ in nothing but their context, and arrive in any order: so a message that equals a row belongs to
/// that row, whichever came first.
pub(super) fn paired<'a>(rows: &'a [Row], ours: &mut Vec<Seen>) -> Vec<(&'a Row, Option<Seen>)> {
    let mut pairs: Vec<_> = rows.iter().map(|row| (row, None)).collect();
    for may_differ in [false, true] {
        for (row, found) in pairs.iter_mut().filter(|(_, found)| found.is_none()) {
            let fits =
                |seen: &Seen| is_same_step(row, seen) && (may_differ || differences(row, seen).is_empty());
            *found = ours.iter().position(fits).map(|at| ours.remove(at));
        }
    }
    pairs
}

fn payload(body: &Json) -> Option<&Json> {
    body.get("payload")
}

/// Returns custom headers that no earlier message had.
pub(super) fn invented(ours: &Table, handled: &Table, added: &[&str]) -> Vec<String> {
    let known = |name: &str| SEVEN.contains(&name) || handled.contains(name) || added.contains(&name);
    ours.iter().map(|(name, _)| name.to_string()).filter(|name| !known(name)).collect()
}

/// Returns properties that the chapter on the wire format does not list.
pub(super) fn odd_properties(ours: &Seen) -> Vec<String> {
    let properties = &ours.properties;
    let text = |value: &Option<lapin::types::ShortString>| value.as_ref().map(ToString::to_string);
    let told = |header: &str| match ours.text(header) {
        "" => None,
        text => Some(text.to_owned()),
    };
    let expected = [
        ("content_type", text(properties.content_type()), Some("application/json".into())),
        ("type", text(properties.kind()), told("message_type")),
        ("message_id", text(properties.message_id()), told("message_id")),
        ("correlation_id", text(properties.correlation_id()), told("correlation_id")),
        ("delivery_mode", properties.delivery_mode().map(|mode| mode.to_string()), Some("2".into())),
        ("content_encoding", text(properties.content_encoding()), None),
        ("reply_to", text(properties.reply_to()), None),
        ("expiration", text(properties.expiration()), None),
        ("user_id", text(properties.user_id()), None),
        ("app_id", text(properties.app_id()), None),
        ("priority", properties.priority().map(|priority| priority.to_string()), None),
        ("timestamp", properties.timestamp().map(|time| time.to_string()), None),
    ];
    let odd = expected.into_iter().filter(|(_, found, expected)| found != expected);
    odd.map(|(name, found, expected)| format!("{name}: {found:?}, not {expected:?}")).collect()
}
