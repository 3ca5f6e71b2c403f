//! Compares a declaration with what exists, with RabbitMQ's error texts (R19, R51, R54).

use std::fmt::Display;

use tavrida::field::{Table, Value};
use tavrida_behaviour::Behaviour;

use crate::core::erlang;
use crate::core::errors::Fault;
use crate::core::queue::settings::QueueKind;

/// The arguments of classic queues that are compared.
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

/// The arguments of quorum queues that are compared.
const COMPARED_QUORUM: [&str; 15] = [
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
];

/// Returns the arguments that a declaration of such a queue must repeat, in the order in which RabbitMQ compares them (R54).
pub(crate) fn compared(kind: QueueKind, behaviour: &Behaviour) -> impl Iterator<Item = &'static str> {
    let (names, last) = match kind {
        QueueKind::Classic if behaviour.classic_queues_accept_leader_locator => {
            (&COMPARED_CLASSIC[..], Some("x-queue-leader-locator"))
        }
        QueueKind::Classic => (&COMPARED_CLASSIC[..], None),
        QueueKind::Quorum => (&COMPARED_QUORUM[..], None),
    };
    names.iter().copied().chain(last)
}

/// Compares a plain field.
pub(crate) fn field<T: PartialEq + Display>(
    name: &str,
    what: &dyn Display,
    current: T,
    received: T,
) -> Result<(), Fault> {
    if current == received {
        return Ok(());
    }
    Err(inequivalent(name, what, &format!("'{received}'"), &format!("'{current}'")))
}

/// Compares one argument.
pub(crate) fn argument(
    name: &str,
    what: &dyn Display,
    current: &Table,
    received: &Table,
) -> Result<(), Fault> {
    let (current, received) = (current.get(name), received.get(name));
    let (received, current) = match (received, current) {
        (None, None) => return Ok(()),
        (Some(received), Some(current)) if same(received, current) => return Ok(()),
        (Some(received), Some(current)) => {
            (format!("'{}'", print(received)), format!("'{}'", print(current)))
        }
        (received, current) => (with_type(received), with_type(current)),
    };
    Err(inequivalent(name, what, &received, &current))
}

fn inequivalent(name: &str, what: &dyn Display, received: &str, current: &str) -> Fault {
    Fault::precondition_failed(format!(
        "inequivalent arg '{name}' for {what}: received {received} but current is {current}"
    ))
}

/// Compares by value, whatever the width or kind of the integer; a float does not equal an integer, and bytes are text.
fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::LongString(a) | Value::Bytes(a), Value::LongString(b) | Value::Bytes(b)) => a == b,
        (Value::F32(a), Value::F64(b)) | (Value::F64(b), Value::F32(a)) => f64::from(*a) == *b,
        _ => match (integer(a), integer(b)) {
            (Some(a), Some(b)) => a == b,
            _ => a == b,
        },
    }
}

fn integer(value: &Value) -> Option<i128> {
    match value {
        Value::Timestamp(n) => Some((*n).into()),
        other => other.as_i64().map(i128::from),
    }
}

fn with_type(value: Option<&Value>) -> String {
    match value {
        None => "none".to_owned(),
        Some(value) => format!("the value '{}' of type '{}'", print(value), erlang::type_name(value)),
    }
}

fn print(value: &Value) -> String {
    match value {
        Value::LongString(bytes) | Value::Bytes(bytes) => String::from_utf8_lossy(bytes).into_owned(),
        other => erlang::term(other),
    }
}
