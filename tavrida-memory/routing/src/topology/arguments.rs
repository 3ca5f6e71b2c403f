//! The checks of a node for the arguments of a new queue, and the comparison with those of an existing one.

use tavrida_behaviour::Behaviour;

use crate::broker_error::BrokerError;
use crate::erlang;
use crate::value::{Table, Value};

use super::parts::QueueType;

/// Ten years, in milliseconds.
const LONGEST_TTL: i64 = 315_360_000_000;

type Check = fn(&Value, &Table) -> Result<(), String>;

/// The arguments that a node knows, in the order of its checks; the letters are the types of queue that take them (classic, quorum,
/// stream).
const KNOWN: [(&str, &str, Check); 23] = [
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
    ("x-max-age", "s", max_age),
    ("x-stream-max-segment-size-bytes", "s", |value, _| count(value).map(drop)),
    (STREAM_FILTER, "s", |value, _| count(value).map(drop)),
    ("x-initial-cluster-size", "s", size),
    (LOCATOR, "qs", locator),
    (QUEUE_TYPE, "cqs", |_, _| Ok(())),
    ("x-queue-master-locator", "c", |_, _| Ok(())),
    ("x-delivery-limit", "q", |_, _| Ok(())),
];

const QUEUE_TYPE: &str = "x-queue-type";
const STREAM_FILTER: &str = "x-stream-filter-size-bytes";
const LOCATOR: &str = "x-queue-leader-locator";

/// Arguments that a second declaration must repeat, in the order in which a node compares them (R54).
const COMPARED_CLASSIC: [&str; 14] = [
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
    QUEUE_TYPE,
    "x-queue-master-locator",
    LOCATOR,
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
    QUEUE_TYPE,
    "x-max-age",
    "x-stream-max-segment-size-bytes",
    "x-initial-cluster-size",
    "x-quorum-initial-group-size",
    "x-delivery-limit",
    "x-message-ttl",
    LOCATOR,
];

/// Checks the arguments of a new queue; `what` is the queue as the texts name it.
pub(crate) fn check(arguments: &Table, what: &str, behaviour: &Behaviour) -> Result<QueueType, BrokerError> {
    let invalid = |name: &str, reason: String| {
        BrokerError::precondition_failed(format_args!("invalid arg '{name}' for {what}: {reason}"))
    };
    let dead_letter_exchange = arguments.get("x-dead-letter-exchange");
    exchange_name("x-dead-letter-exchange", what, dead_letter_exchange)?;
    let kind = kind_of(arguments).map_err(|reason| invalid(QUEUE_TYPE, reason))?;
    for (name, _, check) in KNOWN {
        if let Some(value) = arguments.get(name).filter(|_| takes(kind, name, behaviour) == Some(true)) {
            check(value, arguments).map_err(|reason| invalid(name, reason))?;
        }
    }
    for (name, _) in arguments {
        if takes(kind, name, behaviour) == Some(false) {
            let module = format!("rabbit_{}_queue", kind.as_str());
            return Err(BrokerError::precondition_failed(format_args!(
                "invalid arg '{name}' for {what} of queue type {module}"
            )));
        }
    }
    Ok(kind)
}

/// Returns whether queues of a type take an argument. `None` if no queue does: it is ignored.
fn takes(kind: QueueType, name: &str, behaviour: &Behaviour) -> Option<bool> {
    let (_, types, _) = KNOWN.iter().find(|(known, ..)| *known == name)?;
    match name {
        STREAM_FILTER if !behaviour.knows_stream_filters => None,
        LOCATOR if behaviour.classic_queues_accept_leader_locator => Some(true),
        _ => Some(types.contains(&kind.as_str()[..1])),
    }
}

fn kind_of(arguments: &Table) -> Result<QueueType, String> {
    QueueType::of(arguments).ok_or_else(|| match arguments.get(QUEUE_TYPE) {
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

/// A number and a unit: years, months, days, hours, minutes or seconds.
fn max_age(value: &Value, _: &Table) -> Result<(), String> {
    let text = value.as_str().ok_or_else(|| unacceptable(value))?;
    let unit = text.trim_start_matches(|c: char| c.is_ascii_digit());
    let is_positive = text[..text.len() - unit.len()].contains(|c| c != '0');
    let valid = is_positive && ["Y", "M", "D", "h", "m", "s"].contains(&unit);
    if valid { Ok(()) } else { Err("invalid_max_age".to_owned()) }
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
    behaviour: &Behaviour,
) -> Result<(), BrokerError> {
    let kind = QueueType::of(current).unwrap_or(QueueType::Classic);
    let names: &[&str] = if kind == QueueType::Classic { &COMPARED_CLASSIC } else { &COMPARED_REPLICATED };
    for name in names.iter().filter(|name| takes(kind, name, behaviour) == Some(true)) {
        if *name == QUEUE_TYPE && QueueType::of(received) == Some(kind) {
            // Without the argument the queue is classic.
        } else if *name == QUEUE_TYPE && behaviour.declares_types {
            equivalent(name, what, &typed(current), &typed(received))?;
        } else {
            equivalent(name, what, current, received)?;
        }
    }
    Ok(())
}

/// Adds the type of a queue that is declared without one.
fn typed(arguments: &Table) -> Table {
    if arguments.contains(QUEUE_TYPE) {
        arguments.clone()
    } else {
        arguments.clone().with(QUEUE_TYPE, QueueType::Classic.as_str())
    }
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
