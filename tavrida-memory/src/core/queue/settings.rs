//! [`Settings`]: the settings from a queue's arguments, checked as RabbitMQ checks them.

use std::fmt::Display;
use std::time::Duration;

use tavrida::field::{ShortString, Table, Value};
use tavrida_behaviour::Behaviour;

use crate::core::erlang;
use crate::core::errors::Fault;
use crate::core::message::expiration::check_range;

/// The settings from the arguments of a queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Settings {
    pub(crate) kind: QueueKind,
    pub(crate) ttl: Option<Duration>,
    pub(crate) expires: Option<Duration>,
    pub(crate) dead_letter: Option<DeadLetterAddress>,
    /// Whether it keeps dead letters until they are accepted.
    pub(crate) at_least_once: bool,
    pub(crate) max_length: Option<u64>,
    pub(crate) max_bytes: Option<u64>,
    pub(crate) overflow: Overflow,
    pub(crate) max_priority: u8,
    pub(crate) single_active: bool,
    pub(crate) delivery_limit: Option<u64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum QueueKind {
    Classic,
    Quorum,
}

impl QueueKind {
    /// Returns the name of the Erlang module, which error texts show.
    pub(crate) fn module(self) -> &'static str {
        match self {
            Self::Classic => "rabbit_classic_queue",
            Self::Quorum => "rabbit_quorum_queue",
        }
    }
}

/// The destination of dead letters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DeadLetterAddress {
    pub(crate) exchange: ShortString,
    /// An empty key counts as set.
    pub(crate) routing_key: Option<ShortString>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Overflow {
    DropHead,
    RejectPublish,
    RejectPublishDlx,
}

type Check = fn(&Value, &Table) -> Result<(), String>;

/// The arguments with their checks, in RabbitMQ's order, and the types of queue that know them.
const CHECKS: [(&str, Check, Known); 17] = [
    ("x-expires", check_expires, Known::BOTH),
    ("x-message-ttl", check_ttl, Known::BOTH),
    ("x-dead-letter-exchange", check_text, Known::BOTH),
    ("x-dead-letter-routing-key", check_dead_letter_key, Known::BOTH),
    ("x-dead-letter-strategy", check_dead_letter_strategy, Known::QUORUM),
    ("x-max-length", check_count, Known::BOTH),
    ("x-max-length-bytes", check_count, Known::BOTH),
    ("x-max-in-memory-length", check_count, Known::QUORUM),
    ("x-max-in-memory-bytes", check_count, Known::QUORUM),
    ("x-max-priority", check_max_priority, Known::CLASSIC),
    ("x-overflow", check_overflow, Known::BOTH),
    ("x-queue-mode", check_mode, Known::CLASSIC),
    ("x-queue-version", check_version, Known::CLASSIC),
    ("x-single-active-consumer", check_bool, Known::BOTH),
    ("x-quorum-initial-group-size", check_size, Known::QUORUM),
    ("x-initial-cluster-size", check_size, Known::NEITHER),
    ("x-queue-leader-locator", check_locator, Known::QUORUM),
];

/// Arguments that RabbitMQ knows and does not check here.
const UNCHECKED: [(&str, Known); 6] = [
    ("x-queue-type", Known::BOTH),
    ("x-queue-master-locator", Known::CLASSIC),
    ("x-delivery-limit", Known::QUORUM),
    ("x-max-age", Known::NEITHER),
    ("x-stream-max-segment-size-bytes", Known::NEITHER),
    (STREAM_FILTER, Known::NEITHER),
];

const STREAM_FILTER: &str = "x-stream-filter-size-bytes";

#[derive(Clone, Copy)]
struct Known {
    classic: bool,
    quorum: bool,
}

impl Known {
    const BOTH: Self = Self { classic: true, quorum: true };
    const CLASSIC: Self = Self { classic: true, quorum: false };
    const QUORUM: Self = Self { classic: false, quorum: true };
    const NEITHER: Self = Self { classic: false, quorum: false };

    fn to(self, kind: QueueKind, name: &str, behaviour: &Behaviour) -> bool {
        match kind {
            QueueKind::Classic if name == "x-queue-leader-locator" => {
                behaviour.classic_queues_accept_leader_locator
            }
            QueueKind::Classic => self.classic,
            QueueKind::Quorum => self.quorum,
        }
    }
}

impl Settings {
    /// Returns whether a full queue drops its oldest message.
    pub(crate) fn drops_head(&self) -> bool {
        self.overflow == Overflow::DropHead && (self.max_length.is_some() || self.max_bytes.is_some())
    }

    /// Checks the arguments of a new queue, and returns its type; `what` is the queue as error texts name it.
    pub(crate) fn check(
        arguments: &Table,
        what: &dyn Display,
        behaviour: &Behaviour,
    ) -> Result<QueueKind, Fault> {
        let kind = read_kind(arguments, what)?;
        for (name, check, known) in CHECKS {
            if let Some(value) = arguments.get(name).filter(|_| known.to(kind, name, behaviour)) {
                check(value, arguments).map_err(|reason| {
                    Fault::precondition_failed(format!("invalid arg '{name}' for {what}: {reason}"))
                })?;
            }
        }
        refuse_foreign(arguments, kind, what, behaviour)?;
        Ok(kind)
    }

    /// Returns the settings of arguments that passed the checks.
    pub(crate) fn of(kind: QueueKind, arguments: &Table, behaviour: &Behaviour) -> Self {
        let number = |name| arguments.get(name).and_then(Value::as_i64).and_then(|n| u64::try_from(n).ok());
        let overflow = match arguments.get("x-overflow").and_then(Value::as_str) {
            Some("reject-publish") => Overflow::RejectPublish,
            // A quorum queue accepts this value, logs a warning and drops the head.
            Some("reject-publish-dlx") if kind == QueueKind::Classic => Overflow::RejectPublishDlx,
            _ => Overflow::DropHead,
        };
        let dead_letter = read_dead_letter(arguments);
        let strategy = arguments.get("x-dead-letter-strategy").and_then(Value::as_str);
        Self {
            kind,
            // With another overflow RabbitMQ logs a warning, and dead-letters at most once.
            at_least_once: dead_letter.is_some()
                && kind == QueueKind::Quorum
                && strategy == Some("at-least-once")
                && overflow == Overflow::RejectPublish,
            ttl: number("x-message-ttl").map(Duration::from_millis),
            expires: number("x-expires").map(Duration::from_millis),
            dead_letter,
            max_length: number("x-max-length"),
            max_bytes: number("x-max-length-bytes"),
            overflow,
            max_priority: match kind {
                QueueKind::Classic => {
                    let asked = number("x-max-priority").and_then(|n| u8::try_from(n).ok());
                    asked.map_or(0, |asked| asked.max(behaviour.one_priority_at_least.into()))
                }
                QueueKind::Quorum => behaviour.quorum_priorities.into(),
            },
            single_active: arguments.get("x-single-active-consumer") == Some(&Value::Bool(true)),
            delivery_limit: match arguments.get("x-delivery-limit").and_then(Value::as_i64) {
                None => behaviour.default_delivery_limit.filter(|_| kind == QueueKind::Quorum),
                // Where it is no limit; otherwise every return is one too many.
                Some(..0) if behaviour.negative_limit_is_none => None,
                Some(limit) => Some(u64::try_from(limit).unwrap_or(0)),
            },
        }
    }
}

/// Returns the type of queue that the arguments request.
pub(crate) fn read_kind(arguments: &Table, what: &dyn Display) -> Result<QueueKind, Fault> {
    let reason = match arguments.get("x-queue-type") {
        None => return Ok(QueueKind::Classic),
        Some(Value::LongString(text)) => match &text[..] {
            b"classic" => return Ok(QueueKind::Classic),
            b"quorum" => return Ok(QueueKind::Quorum),
            b"stream" => return Err(Fault::not_implemented("stream queues are not modelled by this broker")),
            other => erlang::string(&format!("unsupported queue type '{}'", String::from_utf8_lossy(other))),
        },
        Some(other) => unacceptable(other),
    };
    Err(Fault::precondition_failed(format!("invalid arg 'x-queue-type' for {what}: {reason}")))
}

fn read_dead_letter(arguments: &Table) -> Option<DeadLetterAddress> {
    let text = |name| arguments.get(name).and_then(Value::as_str);
    let exchange = ShortString::try_from(text("x-dead-letter-exchange")?);
    let routing_key = text("x-dead-letter-routing-key").map(ShortString::try_from).transpose();
    match (exchange, routing_key) {
        (Ok(exchange), Ok(routing_key)) => Some(DeadLetterAddress { exchange, routing_key }),
        (Err(error), _) | (_, Err(error)) => {
            tracing::warn!(%error, "a queue's dead-letter address can never be reached; its dead messages are dropped");
            None
        }
    }
}

/// Refuses arguments of other types of queue; unknown arguments are ignored, as in RabbitMQ.
fn refuse_foreign(
    arguments: &Table,
    kind: QueueKind,
    what: &dyn Display,
    behaviour: &Behaviour,
) -> Result<(), Fault> {
    let mut names: Vec<&str> = arguments.iter().map(|(name, _)| name.as_str()).collect();
    names.sort_unstable();
    for name in names {
        let known = CHECKS.iter().map(|(known, _, types)| (known, types));
        let known = known.chain(UNCHECKED.iter().map(|(known, types)| (known, types)));
        let ignored = name == STREAM_FILTER && !behaviour.knows_stream_filters;
        match known.into_iter().find(|(known, _)| **known == name && !ignored) {
            Some((_, types)) if types.to(kind, name, behaviour) => {}
            Some(_) => {
                return Err(Fault::precondition_failed(format!(
                    "invalid arg '{name}' for {what} of queue type {}",
                    kind.module()
                )));
            }
            None => {
                tracing::warn!(argument = name, queue = %what, "ignored: RabbitMQ does not know this argument")
            }
        }
    }
    Ok(())
}

fn unacceptable(value: &Value) -> String {
    format!("{{unacceptable_type,{}}}", erlang::type_name(value))
}

pub(crate) fn check_integer(value: &Value, _: &Table) -> Result<(), String> {
    integer(value).map(|_| ())
}

fn integer(value: &Value) -> Result<i128, String> {
    match value {
        Value::Timestamp(_) => None,
        other => other.as_i64(),
    }
    .map(i128::from)
    .ok_or_else(|| erlang::string(&format!("expected integer, got {}", erlang::type_name(value))))
}

fn count(value: &Value) -> Result<i128, String> {
    match integer(value)? {
        negative if negative < 0 => Err(format!("{{value_negative,{negative}}}")),
        count => Ok(count),
    }
}

fn check_count(value: &Value, _: &Table) -> Result<(), String> {
    count(value).map(|_| ())
}

fn check_size(value: &Value, _: &Table) -> Result<(), String> {
    if count(value)? == 0 { Err("{value_zero,0}".to_owned()) } else { Ok(()) }
}

fn check_expires(value: &Value, arguments: &Table) -> Result<(), String> {
    if integer(value)? == 0 { Err("{value_zero,0}".to_owned()) } else { check_ttl(value, arguments) }
}

fn check_ttl(value: &Value, _: &Table) -> Result<(), String> {
    check_range(integer(value)?)
}

fn check_max_priority(value: &Value, _: &Table) -> Result<(), String> {
    match count(value)? {
        high if high > 255 => Err(format!("{{max_value_exceeded,{high}}}")),
        _ => Ok(()),
    }
}

pub(crate) fn check_bool(value: &Value, _: &Table) -> Result<(), String> {
    if matches!(value, Value::Bool(_)) { Ok(()) } else { Err(unacceptable(value)) }
}

fn check_text(value: &Value, _: &Table) -> Result<(), String> {
    if matches!(value, Value::LongString(_)) { Ok(()) } else { Err(unacceptable(value)) }
}

fn check_dead_letter_key(value: &Value, arguments: &Table) -> Result<(), String> {
    check_text(value, arguments)?;
    if arguments.contains("x-dead-letter-exchange") {
        Ok(())
    } else {
        Err("routing_key_but_no_dlx_defined".to_owned())
    }
}

fn check_one_of(value: &Value, known: &[&str], otherwise: impl Fn(&str) -> String) -> Result<(), String> {
    match value {
        Value::LongString(bytes) => {
            let text = String::from_utf8_lossy(bytes);
            if known.contains(&&*text) { Ok(()) } else { Err(otherwise(&text)) }
        }
        other => Err(unacceptable(other)),
    }
}

fn check_overflow(value: &Value, _: &Table) -> Result<(), String> {
    let known = ["drop-head", "reject-publish", "reject-publish-dlx"];
    check_one_of(value, &known, |_| "invalid_overflow".to_owned())
}

fn check_dead_letter_strategy(value: &Value, _: &Table) -> Result<(), String> {
    check_one_of(value, &["at-most-once", "at-least-once"], |_| "invalid_dlx_strategy".to_owned())
}

fn check_locator(value: &Value, _: &Table) -> Result<(), String> {
    let known = ["client-local", "balanced", "random", "least-leaders"];
    check_one_of(value, &known, |_| "invalid_queue_locator_arg".to_owned())
}

fn check_mode(value: &Value, _: &Table) -> Result<(), String> {
    check_one_of(value, &["default", "lazy"], |text| {
        erlang::string(&format!("unsupported queue mode '{text}'"))
    })
}

fn check_version(value: &Value, _: &Table) -> Result<(), String> {
    match count(value)? {
        1 | 2 => Ok(()),
        other => Err(erlang::string(&format!("unsupported queue version '{other}'"))),
    }
}
