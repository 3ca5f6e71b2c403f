//! Random names, exchanges, queues and bindings.

use tavrida::field::{ShortString, Table, Value};
use tavrida_memory::core::{
    ApplyTo, Definition, ExchangeBind, ExchangeDeclare, Method, NamePattern, Operator, Policy, QueueBind,
    QueueDeclare,
};

use super::Generator;
use super::pools::{
    EXCHANGES, PATTERNS, PREDECLARED, QUEUES, TYPES, match_arguments, strange_queue_arguments, table,
};
use crate::names::short;
use crate::program::Op;
use crate::world::World;

/// How many steps come before what lives only shortly expires.
pub(super) const SOON: usize = 5;

impl Generator {
    pub(super) fn queue_name(&mut self, wild: bool) -> ShortString {
        match self.rng.u8(..100) {
            ..6 => ShortString::default(),
            6..14 if wild => short("q9"),
            14..16 if wild => short("amq.q"),
            16..18 => short("$q1"),
            18..20 => short(self.pick(&QUEUES)),
            _ if wild => short(self.pick(&QUEUES)),
            _ => self.living(|world| world.queues()).unwrap_or_else(|| short(self.pick(&QUEUES))),
        }
    }

    /// Returns a queue that probably does not exist.
    pub(super) fn missing_queue(&mut self) -> ShortString {
        let there = self.world.queues();
        let missing: Vec<&str> =
            QUEUES.into_iter().filter(|name| !there.iter().any(|queue| queue == *name)).collect();
        let any = missing.is_empty() || self.chance(15);
        short(if any { self.pick(&QUEUES) } else { self.pick(&missing) })
    }

    /// Returns one of the existing things.
    pub(super) fn living(&mut self, which: impl Fn(&World) -> Vec<ShortString>) -> Option<ShortString> {
        let names = which(&self.world);
        (!names.is_empty()).then(|| names[self.rng.usize(..names.len())].clone())
    }

    pub(super) fn exchange_name(&mut self, wild: bool) -> ShortString {
        match self.rng.u8(..100) {
            ..5 if wild => ShortString::default(),
            5..10 if wild => short("e9"),
            10..13 if wild => short("amq.x"),
            13..16 if wild => short("amq.rabbitmq.trace"),
            16..22 => short(self.pick(&PREDECLARED)),
            22..24 => short(self.pick(&EXCHANGES).0),
            _ if wild => short(self.pick(&EXCHANGES).0),
            _ => self.living(|world| world.exchanges()).unwrap_or_else(|| short(self.pick(&PREDECLARED))),
        }
    }

    pub(super) fn exchange(&mut self, name: &str, kind: &str, wild: bool) -> ExchangeDeclare {
        let mut arguments = Table::new();
        if (name == "e1" && self.chance(60)) || self.chance(6) {
            let alternate = self.pick(&["e2", "e2", "e0", "", "e9", "e1"]);
            arguments = table(&[("alternate-exchange", Value::from(alternate))]);
        } else if wild && self.chance(4) {
            arguments = table(&[("alternate-exchange", Value::I32(1))]);
        }
        let kind = match self.rng.u8(..100) {
            ..15 if wild => self.pick(&TYPES),
            15..17 if wild => self.pick(&["x-none", "", "rabbit"]),
            _ => kind,
        };
        ExchangeDeclare {
            exchange: short(name),
            kind: short(kind),
            passive: wild && self.chance(15),
            durable: self.chance(if wild { 15 } else { 3 }),
            auto_delete: (name == "e3") != self.chance(if wild { 15 } else { 3 }),
            internal: self.chance(if wild { 8 } else { 2 }),
            nowait: self.chance(5),
            arguments,
        }
    }

    pub(super) fn queue(&mut self, name: &str, wild: bool) -> QueueDeclare {
        let arguments = match self.rng.u8(..100) {
            ..85 if self.flavour.chain && !wild => self.flavour.link_arguments(name).unwrap_or_default(),
            ..30 => Table::new(),
            30..70 if wild => strange_queue_arguments(&mut self.rng),
            _ => self.flavour.queue_arguments(&mut self.rng),
        };
        let mut arguments = arguments;
        if self.flavour.short_lives && name == "q0" && self.chance(60) {
            self.flavour.shorten_life(&mut arguments, &mut self.rng);
            self.due = self.due.or(Some(SOON));
        }
        let quorum =
            arguments.get("x-queue-type").and_then(Value::as_str) == Some("quorum") && self.chance(95);
        QueueDeclare {
            queue: short(name),
            passive: wild && self.chance(10),
            durable: quorum || self.chance(if wild { 20 } else { 5 }),
            exclusive: !quorum && self.chance(if wild || name == "q3" { 12 } else { 1 }),
            auto_delete: !quorum
                && ((name == "q2" && self.chance(60)) || self.chance(if wild { 8 } else { 1 })),
            nowait: false,
            arguments,
        }
    }

    /// Sets or clears one of two policies, which differ in their priorities.
    pub(super) fn policy(&mut self) -> Operator {
        let (name, priority) = self.pick(&[("p0", 1), ("p1", 2)]);
        if self.chance(25) {
            return Operator::ClearPolicy { name: short(name) };
        }
        let prefix = self.pick(&["q", "e", ""]);
        let pattern = match self.rng.u8(..3) {
            0 => NamePattern::All,
            1 => NamePattern::Prefix(short(prefix)),
            _ => NamePattern::Name(short(self.pick(&["q0", "q1", "q2", "e0", "e1"]))),
        };
        let mut definition = Definition::default();
        for _ in 0..self.rng.usize(1..4) {
            match self.rng.usize(..9) {
                0 | 1 => definition.max_length = Some(self.rng.u64(0..3)),
                2 => definition.max_length_bytes = Some(5),
                3 => definition.dead_letter_exchange = Some(short(self.pick(&["", "e0", "e2"]))),
                4 => {
                    definition.dead_letter_exchange = Some(short(""));
                    definition.dead_letter_routing_key = Some(short(self.pick(&["q0", "q1", "q2"])));
                }
                5 if self.flavour.quorum => definition.delivery_limit = Some(self.rng.u32(0..3)),
                6 if !self.flavour.priorities => definition.message_ttl = Some(600_000),
                // A quorum queue refuses publishes some time after it is full.
                7 if !self.flavour.quorum => definition.overflow = Some(short("reject-publish")),
                _ => definition.alternate_exchange = Some(short(self.pick(&["e2", "e0", "e9"]))),
            }
        }
        let apply_to = self.pick(&[ApplyTo::All, ApplyTo::Queues, ApplyTo::Exchanges]);
        Operator::SetPolicy(Policy { name: short(name), pattern, apply_to, priority, definition })
    }

    pub(super) fn count(&mut self, wild: bool) -> Method {
        let queue = self.queue_name(wild);
        Method::QueueDeclare(QueueDeclare { queue, passive: true, ..Default::default() })
    }

    pub(super) fn bind(&mut self, wild: bool) -> QueueBind {
        let exchange = self.exchange_name(wild);
        let mut arguments = Table::new();
        if exchange == "e4" || exchange == "amq.headers" || exchange == "amq.match" || self.chance(3) {
            arguments = match_arguments(&mut self.rng);
            if wild && self.chance(10) {
                let odd = self.pick(&["some", "ALL", ""]);
                arguments
                    .insert(short("x-match"), if self.chance(50) { Value::from(odd) } else { Value::I32(5) });
            }
        }
        QueueBind {
            queue: self.queue_name(wild),
            exchange,
            routing_key: short(self.pick(&PATTERNS)),
            nowait: self.chance(4),
            arguments,
        }
    }

    /// Returns a binding, probably an existing one.
    pub(super) fn rebind(&mut self, wild: bool) -> QueueBind {
        let mut made: Vec<&QueueBind> = Vec::new();
        for step in &self.program.steps {
            if let Op::Call(Method::QueueBind(bind)) = &step.op {
                made.push(bind);
            }
        }
        if made.is_empty() || self.rng.u8(..) < 60 {
            return self.bind(wild);
        }
        made[self.rng.usize(..made.len())].clone()
    }

    pub(super) fn bind_exchange(&mut self, wild: bool) -> ExchangeBind {
        let QueueBind { exchange, routing_key, nowait, arguments, .. } = self.bind(wild);
        ExchangeBind {
            destination: self.exchange_name(wild),
            source: exchange,
            routing_key,
            nowait,
            arguments,
        }
    }
}
