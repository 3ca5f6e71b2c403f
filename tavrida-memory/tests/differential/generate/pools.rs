//! The material of random programs: few names, so that they collide, and arguments worth combining.

use tavrida::field::{Decimal, Table, Value};

use super::SHORT_LIFE;
use crate::names::short;

/// Exchanges with their types; `e1` has an alternate exchange, `e3` deletes itself.
pub(super) const EXCHANGES: [(&str, &str); 5] =
    [("e0", "topic"), ("e1", "direct"), ("e2", "fanout"), ("e3", "topic"), ("e4", "headers")];
pub(super) const TYPES: [&str; 4] = ["direct", "fanout", "topic", "headers"];
/// The predeclared exchanges.
pub(super) const PREDECLARED: [&str; 5] =
    ["amq.direct", "amq.fanout", "amq.topic", "amq.headers", "amq.match"];
pub(super) const QUEUES: [&str; 4] = ["q0", "q1", "q2", "q3"];
pub(super) const KEYS: [&str; 9] = ["a", "b", "a.b", "a.b.c", "", "q0", "q1", "q2", "a."];
pub(super) const PATTERNS: [&str; 12] =
    ["#", "*", "a.*", "a.#", "#.b", "a", "a.b", "*.b.#", "q0", "#.*", "b", ""];
pub(super) const TAGS: [&str; 5] = ["t1", "t2", "b", "a", "z"];

pub(super) fn table(entries: &[(&str, Value)]) -> Table {
    entries.iter().map(|(name, value)| (short(name), value.clone())).collect()
}

fn text(text: &str) -> Value {
    Value::from(text)
}

fn texts(items: &[&str]) -> Value {
    Value::Array(items.iter().map(|item| text(item)).collect())
}

/// Headers of messages.
pub(super) fn headers(rng: &mut fastrand::Rng) -> Table {
    match rng.usize(..18) {
        0 => table(&[]),
        1 => table(&[("a", Value::I32(1))]),
        2 => table(&[("a", text("x")), ("b", Value::Bool(true))]),
        3 => table(&[("CC", texts(&["a.b", "q1"]))]),
        4 => table(&[("BCC", texts(&["q0", "b"]))]),
        5 => table(&[("CC", texts(&["q2"])), ("BCC", texts(&["a"])), ("k", Value::Void)]),
        6 => table(&[("a", Value::F64(1.0)), ("x-b", Value::I8(2))]),
        7 => table(&[("a", Value::I64(1)), ("n", Value::Array(vec![Value::I32(1), text("s")]))]),
        8 => table(&[("b", Value::Decimal(Decimal { scale: 1, value: 10 })), ("t", Value::Timestamp(5))]),
        9 => table(&[("a", nested(rng.bool()))]),
        14 => table(&[("y", Value::Void), ("a", Value::F64(-0.0)), ("b", Value::I32(5000))]),
        15 | 16 => table(&[("x-death", forged_deaths(rng)), ("x-first-death-queue", text("mine"))]),
        17 => table(&[("x-death", forged_deaths(rng)), ("CC", texts(&["q1"]))]),
        10 => table(&[("x-death", texts(&[]))]),
        11 => table(&[("x-death", text("no")), ("x-first-death-queue", text("mine"))]),
        12 => table(&[("a", Value::Bytes("x".into())), ("z", Value::U16(7)), ("c", Value::U32(8))]),
        _ => table(&[("CC", Value::Array(vec![Value::I32(1), text("q0")])), ("b", Value::I16(-3))]),
    }
}

/// A table in one of two orders.
fn nested(swapped: bool) -> Value {
    let mut entries = [("x", Value::U8(1)), ("y", Value::F32(0.5))];
    if swapped {
        entries.reverse();
    }
    Value::Table(table(&entries))
}

/// A history that a client made up.
fn forged_deaths(rng: &mut fastrand::Rng) -> Value {
    let death = |rng: &mut fastrand::Rng| {
        let mut death = table(&[
            ("count", Value::I64(rng.i64(1..5))),
            ("reason", text(["rejected", "expired", "maxlen", "delivery_limit"][rng.usize(..4)])),
            ("queue", text(QUEUES[rng.usize(..QUEUES.len())])),
            ("time", Value::Timestamp(7)),
            ("exchange", text("")),
            ("routing-keys", texts(&["a"])),
        ]);
        if rng.u8(..) < 40 {
            death.remove("count");
        }
        Value::Table(death)
    };
    let count = rng.usize(1..4);
    Value::Array((0..count).map(|_| death(rng)).collect())
}

/// Arguments of bindings to a headers exchange.
pub(super) fn match_arguments(rng: &mut fastrand::Rng) -> Table {
    match rng.usize(..15) {
        11 => table(&[("x-match", text("any")), ("a", nested(rng.bool()))]),
        12 => table(&[("a", nested(rng.bool())), ("k", Value::Void)]),
        13 => table(&[("x-match", text("any")), ("a", Value::F64(0.0)), ("t", Value::I32(5000))]),
        14 => table(&[("x-match", text("any-with-x")), ("x-death", Value::Void), ("t", Value::I32(5))]),

        0 => table(&[]),
        1 => table(&[("x-match", text("any"))]),
        2 => table(&[("a", Value::I32(1))]),
        3 => table(&[("x-match", text("any")), ("a", Value::I64(1)), ("b", Value::Bool(true))]),
        4 => table(&[("x-match", text("all")), ("a", text("x")), ("b", Value::Void)]),
        5 => table(&[("x-match", text("all-with-x")), ("x-b", Value::I32(2))]),
        6 => table(&[("x-match", text("any-with-x")), ("x-b", Value::F64(2.0)), ("z", Value::I32(7))]),
        7 => table(&[("a", Value::Void)]),
        8 => table(&[("x-match", text("any")), ("x-b", Value::I32(2))]),
        9 => table(&[("b", Value::Decimal(Decimal { scale: 1, value: 10 }))]),
        _ => table(&[("x-match", text("any")), ("n", Value::Array(vec![Value::I32(1), text("s")]))]),
    }
}

/// The features of a program's queues.
#[derive(Debug, Clone, Copy)]
pub(super) struct Flavour {
    pub(super) dead_letters: bool,
    pub(super) priorities: bool,
    pub(super) expiry: bool,
    /// What queue `q0` gets may live only shortly.
    pub(super) short_lives: bool,
    pub(super) single_active: bool,
    pub(super) transactions: bool,
    pub(super) replies: bool,
    pub(super) limits: bool,
    /// An operator sets policies.
    pub(super) policies: bool,
    pub(super) quorum: bool,
    /// There are alarms. What is held during one goes to one queue, and nothing else depends on when.
    pub(super) alarms: bool,
    /// Each queue dead-letters into the next.
    pub(super) chain: bool,
}

impl Flavour {
    pub(super) fn random(rng: &mut fastrand::Rng) -> Self {
        let quorum = rng.bool();
        let chain = rng.u8(..) < 36;
        let priorities = rng.u8(..) < 90;
        let short_lives = !priorities && rng.u8(..) < 8;
        let dead_letters = chain || rng.u8(..) < 100;
        Self {
            dead_letters,
            alarms: !dead_letters && !short_lives && rng.u8(..) < 60,
            priorities,
            short_lives,
            expiry: !priorities && (short_lives || rng.bool()),
            single_active: rng.u8(..) < 50,
            transactions: rng.u8(..) < 40,
            replies: rng.u8(..) < 60,
            limits: rng.u8(..) < 150,
            policies: rng.u8(..) < 40,
            quorum,
            chain,
        }
    }

    /// Returns arguments of a queue that RabbitMQ accepts.
    pub(super) fn queue_arguments(self, rng: &mut fastrand::Rng) -> Table {
        if self.quorum && rng.u8(..) < 150 {
            return self.quorum_arguments(rng);
        }
        let mut arguments = Table::new();
        let mut add = |name: &'static str, value: Value| drop(arguments.insert(short(name), value));
        if self.limits && rng.u8(..) < 140 {
            if rng.u8(..) < 200 {
                add("x-max-length", Value::I32(rng.i32(0..3)));
            } else {
                add("x-max-length-bytes", Value::I32(5));
            }
            match rng.usize(..7) {
                0 => add("x-overflow", text("drop-head")),
                1 | 2 | 4 => add("x-overflow", text("reject-publish")),
                3 => add("x-overflow", text("reject-publish-dlx")),
                _ => {}
            }
        }
        if self.priorities && rng.bool() {
            add("x-max-priority", Value::I32(rng.i32(0..4)));
        }
        if self.expiry && rng.u8(..) < 40 {
            add("x-message-ttl", Value::I32(if rng.bool() { 0 } else { 600_000 }));
        }
        if self.single_active && rng.bool() {
            add("x-single-active-consumer", Value::Bool(rng.u8(..) < 230));
        }
        if self.dead_letters && rng.bool() {
            add("x-dead-letter-exchange", text(["", "", "e0", "e1", "e2"][rng.usize(..5)]));
            if rng.u8(..) < 170 {
                add("x-dead-letter-routing-key", text(["q0", "q1", "q2", "q3", "a.b", ""][rng.usize(..6)]));
            }
        }
        // A message that was read back from disk has lost its expiration when it is dead-lettered (R83).
        if !self.expiry && rng.u8(..) < 12 {
            add("x-queue-mode", text(if rng.bool() { "lazy" } else { "default" }));
        }
        if rng.u8(..) < 6 {
            add("x-unknown", Value::Void);
        }
        arguments
    }
}

impl Flavour {
    /// Lets a queue or what it gets live only shortly. A quorum queue looks only every few seconds whether it is unused.
    pub(super) fn shorten_life(self, arguments: &mut Table, rng: &mut fastrand::Rng) {
        let quorum = arguments.contains("x-queue-type");
        let name = if quorum || rng.u8(..) < 200 { "x-message-ttl" } else { "x-expires" };
        arguments.insert(short(name), Value::I32(SHORT_LIFE));
    }

    /// Returns arguments of a link in a chain of dead letters: RabbitMQ orders the history of a message by its length (R82).
    pub(super) fn link_arguments(self, queue: &str) -> Option<Table> {
        let place = QUEUES.iter().position(|name| *name == queue).filter(|_| self.chain)?;
        let next = QUEUES[(place + 1) % QUEUES.len()];
        Some(table(&[("x-dead-letter-exchange", text("")), ("x-dead-letter-routing-key", text(next))]))
    }

    /// Returns arguments of a quorum queue. It refuses publishes some time after it is full: its limits only drop (R133).
    fn quorum_arguments(self, rng: &mut fastrand::Rng) -> Table {
        let mut arguments = table(&[("x-queue-type", text("quorum"))]);
        let mut add = |name: &'static str, value: Value| drop(arguments.insert(short(name), value));
        if rng.bool() {
            add("x-delivery-limit", Value::I32(rng.i32(-1..3)));
        }
        if self.limits && rng.u8(..) < 90 {
            add("x-max-length", Value::I32(rng.i32(1..3)));
        } else if self.limits && rng.u8(..) < 30 {
            add("x-max-length-bytes", Value::I32(rng.i32(2..6)));
        }
        if self.expiry && rng.u8(..) < 40 {
            add("x-message-ttl", Value::I32(600_000));
        }
        if self.single_active && rng.bool() {
            add("x-single-active-consumer", Value::Bool(true));
        }
        if self.dead_letters && rng.bool() {
            add("x-dead-letter-exchange", text(["", "e0", "e2"][rng.usize(..3)]));
            if rng.u8(..) < 170 {
                add("x-dead-letter-routing-key", text(["q0", "q1", "q2", "a.b"][rng.usize(..4)]));
            }
        }
        arguments
    }
}

/// Returns arguments of a queue, most of which RabbitMQ refuses.
pub(super) fn strange_queue_arguments(rng: &mut fastrand::Rng) -> Table {
    let (name, value) = [
        ("x-max-length", Value::I32(-1)),
        ("x-max-length", text("1")),
        ("x-max-length", Value::I64(2)),
        ("x-max-length-bytes", Value::Bool(true)),
        ("x-expires", Value::I32(0)),
        ("x-expires", Value::I64(315_360_000_001)),
        ("x-expires", Value::I32(600_000)),
        ("x-message-ttl", Value::F64(1.0)),
        ("x-message-ttl", Value::I32(-5)),
        ("x-max-priority", Value::I32(256)),
        ("x-max-priority", Value::U8(0)),
        ("x-overflow", text("drop-tail")),
        ("x-overflow", Value::I32(1)),
        ("x-dead-letter-routing-key", text("k")),
        ("x-dead-letter-exchange", Value::I32(1)),
        ("x-queue-mode", text("zz")),
        ("x-queue-type", text("classic")),
        ("x-queue-type", text("zz")),
        ("x-queue-type", Value::I32(1)),
        ("x-queue-version", Value::I32(3)),
        ("x-queue-version", Value::I32(2)),
        ("x-single-active-consumer", text("yes")),
        ("x-delivery-limit", Value::I32(2)),
        ("x-max-age", text("1h")),
        ("x-max-in-memory-length", Value::I32(1)),
        ("x-quorum-initial-group-size", Value::I32(1)),
    ][rng.usize(..26)]
    .clone();
    let mut arguments = table(&[(name, value)]);
    if rng.u8(..) < 60 {
        arguments.insert(short("x-max-length"), Value::I16(1));
    }
    arguments
}
