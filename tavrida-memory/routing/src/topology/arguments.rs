//! The checks of a node for the arguments of a new queue, and the comparison with those of an existing one.

use crate::broker_error::BrokerError;
use crate::erlang;
use crate::value::{Table, Value};
use crate::version::RabbitMq;

use super::parts::QueueType;

/// Ten years, in milliseconds.
const LONGEST_TTL: i64 = 315_360_000_000;

type Check = fn(&Value, &Table) -> Result<(), String>;

/// The arguments that a node knows, in the order of its checks; the letters are the types of queue that take them (classic, quorum,
/// stream).
const KNOWN: [(&str, &str, Check); 22] = [
    ("x-expires", "cq", expires),
    ("x-message-ttl", "cq", ttl),
    ("x-dead-letter-exchange", "cq", text),
    ("x-dead-letter-routing-key", "cq", dead_letter_key),
    ("x-dead-letter-strategy", "q", |value, _| {
        one_of(value, &["at-most-once", "at-least-once"], "invalid_dlx_strategy")
    }),
    ("x-max-length", "cq", |value, _| count(value).map(drop)),
    ("x-max-length-bytes", "cqs", |value, _| count(value).map(drop)),
    ("x-max-in-memory-length", "q", |value, _| count(value).map(drop)),
    ("x-max-in-memory-bytes", "q", |value, _| count(value).map(drop)),
    ("x-max-priority", "c", max_priority),
    ("x-overflow", "cq", |value, _| {
        one_of(value, &["drop-head", "reject-publish", "reject-publish-dlx"], "invalid_overflow")
    }),
    ("x-queue-mode", "c", mode),
    ("x-queue-version", "c", queue_version),
    ("x-single-active-consumer", "cq", boolean),
    ("x-quorum-initial-group-size", "q", size),
    ("x-initial-cluster-size", "s", size),
    ("x-queue-leader-locator", "qs", locator),
    ("x-queue-type", "cqs", |_, _| Ok(())),
    ("x-queue-master-locator", "c", |_, _| Ok(())),
    ("x-delivery-limit", "q", |_, _| Ok(())),
    ("x-max-age", "s", |_, _| Ok(())),
    ("x-stream-max-segment-size-bytes", "s", |_, _| Ok(())),
];

/// Arguments that a second declaration must repeat, in the order in which a node compares them (R54).
const COMPARED_CLASSIC: [&str; 13] = [
    "x-expires",
    "x-message-ttl",
    "x-dead-letter-exchange",
    "x-dead-letter-routing-key",
    "x-max-length",
    "x-max-length-bytes",
    "x-max-priority",
    "x-overflow",
    "x-queue-mode",
    "x-queue-version",
    "x-single-active-consumer",
    "x-queue-type",
    "x-queue-master-locator",
];

const COMPARED_REPLICATED: [&str; 18] = [
    "x-dead-letter-exchange",
    "x-dead-letter-routing-key",
    "x-dead-letter-strategy",
    "x-expires",
    "x-max-length",
    "x-max-length-bytes",
    "x-max-in-memory-length",
    "x-max-in-memory-bytes",
    "x-overflow",
    "x-single-active-consumer",
    "x-queue-type",
    "x-quorum-initial-group-size",
    "x-delivery-limit",
    "x-message-ttl",
    "x-queue-leader-locator",
    "x-max-age",
    "x-stream-max-segment-size-bytes",
    "x-initial-cluster-size",
];

/// Checks the arguments of a new queue; `what` is the queue as the texts name it.
pub(crate) fn check(arguments: &Table, what: &str, version: RabbitMq) -> Result<QueueType, BrokerError> {
    let invalid = |name: &str, reason: String| {
        BrokerError::precondition_failed(format_args!("invalid arg '{name}' for {what}: {reason}"))
    };
    let dead_letter_exchange = arguments.get("x-dead-letter-exchange");
    exchange_name("x-dead-letter-exchange", what, dead_letter_exchange)?;
    let kind = kind_of(arguments).map_err(|reason| invalid("x-queue-type", reason))?;
    for (name, types, check) in KNOWN {
        if let Some(value) = arguments.get(name).filter(|_| takes(types, kind)) {
            check(value, arguments).map_err(|reason| invalid(name, reason))?;
        }
    }
    for (name, _) in arguments {
        let Some((_, types, _)) = KNOWN.iter().find(|(known, ..)| known == name) else { continue };
        let ignored = version >= RabbitMq::V4_0 && name == "x-queue-leader-locator";
        if !takes(types, kind) && !ignored {
            let module = format!("rabbit_{}_queue", kind.as_str());
            return Err(BrokerError::precondition_failed(format_args!(
                "invalid arg '{name}' for {what} of queue type {module}"
            )));
        }
    }
    Ok(kind)
}

fn takes(types: &str, kind: QueueType) -> bool {
    types.contains(&kind.as_str()[..1])
}

fn kind_of(arguments: &Table) -> Result<QueueType, String> {
    QueueType::of(arguments).ok_or_else(|| match arguments.get("x-queue-type") {
        Some(Value::LongString(name)) => erlang::string(&format!("unsupported queue type '{name}'")),
        other => unacceptable(other.unwrap_or(&Value::Void)),
    })
}

/// Checks that an argument that names an exchange is text (R20, R56).
pub(crate) fn exchange_name(name: &str, what: &str, value: Option<&Value>) -> Result<(), BrokerError> {
    match value {
        None | Some(Value::LongString(_)) => Ok(()),
        Some(other) => {
            let kind = erlang::type_name(other);
            Err(BrokerError::precondition_failed(format_args!(
                "invalid type '{kind}' for arg '{name}' in {what}"
            )))
        }
    }
}

fn unacceptable(value: &Value) -> String {
    format!("{{unacceptable_type,{}}}", erlang::type_name(value))
}

fn integer(value: &Value) -> Result<i64, String> {
    value
        .as_i64()
        .ok_or_else(|| erlang::string(&format!("expected integer, got {}", erlang::type_name(value))))
}

fn count(value: &Value) -> Result<i64, String> {
    let number = integer(value)?;
    if number < 0 { Err(format!("{{value_negative,{number}}}")) } else { Ok(number) }
}

fn size(value: &Value, _: &Table) -> Result<(), String> {
    if count(value)? == 0 { Err("{value_zero,0}".to_owned()) } else { Ok(()) }
}

fn ttl(value: &Value, _: &Table) -> Result<(), String> {
    let number = integer(value)?;
    if number > LONGEST_TTL { Err(format!("{{value_too_large,{number}}}")) } else { count(value).map(drop) }
}

fn expires(value: &Value, arguments: &Table) -> Result<(), String> {
    if integer(value)? == 0 { Err("{value_zero,0}".to_owned()) } else { ttl(value, arguments) }
}

fn max_priority(value: &Value, _: &Table) -> Result<(), String> {
    let number = count(value)?;
    if number > 255 { Err(format!("{{max_value_exceeded,{number}}}")) } else { Ok(()) }
}

fn boolean(value: &Value, _: &Table) -> Result<(), String> {
    if matches!(value, Value::Bool(_)) { Ok(()) } else { Err(unacceptable(value)) }
}

fn text(value: &Value, _: &Table) -> Result<(), String> {
    value.as_str().map(drop).ok_or_else(|| unacceptable(value))
}

fn dead_letter_key(value: &Value, arguments: &Table) -> Result<(), String> {
    text(value, arguments)?;
    let known = arguments.contains("x-dead-letter-exchange");
    if known { Ok(()) } else { Err("routing_key_but_no_dlx_defined".to_owned()) }
}

fn one_of(value: &Value, known: &[&str], otherwise: &str) -> Result<(), String> {
    let text = value.as_str().ok_or_else(|| unacceptable(value))?;
    if known.contains(&text) { Ok(()) } else { Err(otherwise.to_owned()) }
}

fn mode(value: &Value, _: &Table) -> Result<(), String> {
    let name = value.as_str().unwrap_or_default();
    one_of(value, &["default", "lazy"], &erlang::string(&format!("unsupported queue mode '{name}'")))
}

fn locator(value: &Value, _: &Table) -> Result<(), String> {
    let known = ["client-local", "balanced", "random", "least-leaders"];
    one_of(value, &known, "invalid_queue_locator_arg")
}

fn queue_version(value: &Value, _: &Table) -> Result<(), String> {
    match count(value)? {
        1 | 2 => Ok(()),
        other => Err(erlang::string(&format!("unsupported queue version '{other}'"))),
    }
}

// -- Declaring again --

/// Compares the arguments of a queue that exists with those of another declaration.
pub(crate) fn equivalent_queue(
    current: &Table,
    received: &Table,
    what: &str,
    version: RabbitMq,
) -> Result<(), BrokerError> {
    let kind = QueueType::of(current).unwrap_or(QueueType::Classic);
    let names: &[&str] = if kind == QueueType::Classic { &COMPARED_CLASSIC } else { &COMPARED_REPLICATED };
    for name in names {
        if *name == "x-queue-type" {
            // Without the argument the queue is classic.
            let received = QueueType::of(received);
            if received == Some(kind) {
                continue;
            }
            if let (RabbitMq::V4_0, Some(received)) = (version, received) {
                field(name, what, kind.as_str(), received.as_str())?;
            }
        }
        equivalent(name, what, current, received)?;
    }
    Ok(())
}

/// Compares a plain field (R19, R51).
pub(crate) fn field<T: PartialEq + std::fmt::Display>(
    name: &str,
    what: &str,
    current: T,
    received: T,
) -> Result<(), BrokerError> {
    if current == received {
        return Ok(());
    }
    Err(inequivalent(name, what, &format!("'{received}'"), &format!("'{current}'")))
}

/// Compares one argument (R19, R54).
pub(crate) fn equivalent(
    name: &str,
    what: &str,
    current: &Table,
    received: &Table,
) -> Result<(), BrokerError> {
    let (received, current) = match (received.get(name), current.get(name)) {
        (None, None) => return Ok(()),
        (Some(received), Some(current)) if same(received, current) => return Ok(()),
        (Some(received), Some(current)) => {
            (format!("'{}'", plain(received)), format!("'{}'", plain(current)))
        }
        (received, current) => (with_type(received), with_type(current)),
    };
    Err(inequivalent(name, what, &received, &current))
}

fn inequivalent(name: &str, what: &str, received: &str, current: &str) -> BrokerError {
    BrokerError::precondition_failed(format_args!(
        "inequivalent arg '{name}' for {what}: received {received} but current is {current}"
    ))
}

/// Equal by value whatever the type of the integer; a float does not equal an integer, and bytes are text.
fn same(a: &Value, b: &Value) -> bool {
    let integer = |value: &Value| match value {
        Value::Timestamp(seconds) => Some(i128::from(*seconds)),
        other => other.as_i64().map(i128::from),
    };
    match (integer(a), integer(b), a.as_f64(), b.as_f64()) {
        (Some(a), Some(b), ..) => a == b,
        (_, _, Some(a), Some(b)) => a == b,
        _ => match (a, b) {
            (Value::LongString(text), Value::Bytes(bytes))
            | (Value::Bytes(bytes), Value::LongString(text)) => text.as_bytes() == bytes,
            _ => a == b,
        },
    }
}

fn with_type(value: Option<&Value>) -> String {
    match value {
        None => "none".to_owned(),
        Some(value) => format!("the value '{}' of type '{}'", plain(value), erlang::type_name(value)),
    }
}

fn plain(value: &Value) -> String {
    match value {
        Value::LongString(text) => text.clone(),
        Value::Bytes(bytes) => String::from_utf8_lossy(bytes).into_owned(),
        other => erlang::term(other),
    }
}
