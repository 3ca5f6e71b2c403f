//! Random operations.

use std::sync::Arc;

use tavrida::field::{ShortString, Table, Value};
use tavrida::transport::{Properties, Publication};
use tavrida_memory::core::{
    BasicConsume, ChannelId, ExchangeBind, ExchangeDeclare, Method, QueueBind, QueueDeclare,
};

use super::Generator;
use super::pools::{
    EXCHANGES, KEYS, PATTERNS, PREDECLARED, QUEUES, TAGS, TYPES, headers, match_arguments,
    strange_queue_arguments, table,
};
use crate::names::short;
use crate::program::{Mode, Op, Settle, Step, Tag, Verdict};
use crate::world::World;

/// The kinds of operations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Publish,
    Get,
    Consume,
    Cancel,
    Ack,
    Nack,
    Reject,
    Recover,
    Qos,
    CloseChannel,
    CloseConnection,
    Count,
    Purge,
    DeleteQueue,
    DeclareQueue,
    DeleteExchange,
    DeclareExchange,
    Bind,
    Unbind,
    BindExchange,
    UnbindExchange,
    Commit,
    Rollback,
    Odd,
}

const DEEP: [(u32, Kind); 23] = [
    (60, Kind::Publish),
    (16, Kind::Get),
    (22, Kind::Consume),
    (5, Kind::Cancel),
    (24, Kind::Ack),
    (24, Kind::Nack),
    (10, Kind::Reject),
    (4, Kind::Recover),
    (6, Kind::Qos),
    (2, Kind::CloseChannel),
    (1, Kind::CloseConnection),
    (8, Kind::Count),
    (2, Kind::Purge),
    (2, Kind::DeleteQueue),
    (4, Kind::DeclareQueue),
    (1, Kind::DeleteExchange),
    (4, Kind::DeclareExchange),
    (6, Kind::Bind),
    (2, Kind::Unbind),
    (2, Kind::BindExchange),
    (1, Kind::UnbindExchange),
    (8, Kind::Commit),
    (2, Kind::Rollback),
];

const SHALLOW: [(u32, Kind); 24] = [
    (12, Kind::Publish),
    (5, Kind::Get),
    (8, Kind::Consume),
    (4, Kind::Cancel),
    (4, Kind::Ack),
    (4, Kind::Nack),
    (2, Kind::Reject),
    (2, Kind::Recover),
    (4, Kind::Qos),
    (1, Kind::CloseChannel),
    (1, Kind::CloseConnection),
    (5, Kind::Count),
    (3, Kind::Purge),
    (4, Kind::DeleteQueue),
    (12, Kind::DeclareQueue),
    (4, Kind::DeleteExchange),
    (10, Kind::DeclareExchange),
    (8, Kind::Bind),
    (4, Kind::Unbind),
    (5, Kind::BindExchange),
    (3, Kind::UnbindExchange),
    (2, Kind::Commit),
    (1, Kind::Rollback),
    (3, Kind::Odd),
];

impl Generator {
    /// Declares what most programs need.
    pub(super) fn prepare(&mut self) {
        let channel = self.channel();
        for (name, kind) in EXCHANGES {
            if self.chance(60) {
                let declare = self.exchange(name, kind, false);
                self.add(Step { channel, op: Op::Call(Method::ExchangeDeclare(declare)) });
            }
        }
        for name in QUEUES {
            if self.chance(75) {
                let declare = self.queue(name, false);
                self.add(Step { channel, op: Op::Call(Method::QueueDeclare(declare)) });
                if self.chance(70) {
                    let bind = self.bind(false);
                    self.add(Step {
                        channel,
                        op: Op::Call(Method::QueueBind(QueueBind { queue: short(name), ..bind })),
                    });
                }
            }
        }
    }

    /// An operation that mostly succeeds.
    pub(super) fn deep(&mut self, channel: ChannelId) -> Op {
        let kind = self.weigh(&DEEP);
        let transaction = self.program.mode(channel) == Mode::Transaction;
        let idle = self.world.shadow.channel(channel).unacked.is_empty();
        match kind {
            Kind::Commit | Kind::Rollback if !transaction => self.make(Kind::Publish, channel, false),
            Kind::Ack | Kind::Nack | Kind::Reject if idle && self.rng.u8(..) < 250 => {
                let kinds = [Kind::Publish, Kind::Get, Kind::Consume];
                let kind = if self.flavour.chain { Kind::Get } else { self.pick(&kinds) };
                self.make(kind, channel, false)
            }
            kind => self.make(kind, channel, false),
        }
    }

    /// Any operation at any time.
    pub(super) fn shallow(&mut self, channel: ChannelId) -> Op {
        let kind = self.weigh(&SHALLOW);
        self.make(kind, channel, true)
    }

    fn make(&mut self, kind: Kind, channel: ChannelId, wild: bool) -> Op {
        Op::Call(match kind {
            Kind::Ack | Kind::Nack | Kind::Reject => return self.settle(kind),
            Kind::CloseConnection => return Op::CloseConnection,
            Kind::Publish => self.publish(channel, wild),
            Kind::Get => Method::BasicGet { queue: self.queue_name(wild), no_ack: self.chance(25) },
            Kind::Consume => Method::BasicConsume(self.consume(channel, wild)),
            Kind::Cancel => self.cancel(channel),
            Kind::Recover => match self.chance(60) {
                true => Method::BasicRecover { requeue: !wild || self.chance(90) },
                false => Method::BasicRecoverAsync { requeue: true },
            },
            Kind::Qos => Method::BasicQos {
                prefetch_size: if wild && self.chance(8) { 7 } else { 0 },
                prefetch_count: self.rng.u16(..4),
                global: self.chance(15),
            },
            Kind::CloseChannel => Method::ChannelClose,
            Kind::Count => self.count(wild),
            Kind::Purge => Method::QueuePurge { queue: self.queue_name(wild), nowait: self.chance(8) },
            Kind::DeleteQueue => Method::QueueDelete {
                queue: self.queue_name(wild),
                if_unused: self.chance(35),
                if_empty: self.chance(35),
                nowait: self.chance(8),
            },
            Kind::DeclareQueue => {
                let name = if wild { self.queue_name(true) } else { self.missing_queue() };
                Method::QueueDeclare(self.queue(&name, wild))
            }
            Kind::DeleteExchange => Method::ExchangeDelete {
                exchange: self.exchange_name(wild),
                if_unused: self.chance(40),
                nowait: self.chance(8),
            },
            Kind::DeclareExchange => {
                let (name, kind) = self.pick(&EXCHANGES);
                let name = if wild { self.exchange_name(true).to_string() } else { name.to_owned() };
                Method::ExchangeDeclare(self.exchange(&name, kind, wild))
            }
            Kind::Bind => Method::QueueBind(self.bind(wild)),
            Kind::Unbind => Method::QueueUnbind(self.rebind(wild)),
            Kind::BindExchange => Method::ExchangeBind(self.bind_exchange(wild)),
            Kind::UnbindExchange => Method::ExchangeUnbind(self.bind_exchange(wild)),
            Kind::Commit => Method::TxCommit,
            Kind::Rollback => Method::TxRollback,
            Kind::Odd => self.odd(),
        })
    }

    fn odd(&mut self) -> Method {
        match self.rng.usize(..6) {
            0 => Method::ChannelOpen,
            1 => Method::ChannelFlow { active: false },
            2 => Method::ChannelFlow { active: true },
            3 => Method::TxSelect,
            4 => Method::ConfirmSelect { nowait: self.chance(20) },
            _ => Method::BasicRecover { requeue: false },
        }
    }

    fn queue_name(&mut self, wild: bool) -> ShortString {
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

    /// A queue that is not there, most probably.
    fn missing_queue(&mut self) -> ShortString {
        let there = self.world.queues();
        let missing: Vec<&str> =
            QUEUES.into_iter().filter(|name| !there.iter().any(|queue| queue == *name)).collect();
        let any = missing.is_empty() || self.chance(15);
        short(if any { self.pick(&QUEUES) } else { self.pick(&missing) })
    }

    /// One of the things that there are.
    fn living(&mut self, which: impl Fn(&World) -> Vec<ShortString>) -> Option<ShortString> {
        let names = which(&self.world);
        (!names.is_empty()).then(|| names[self.rng.usize(..names.len())].clone())
    }

    fn exchange_name(&mut self, wild: bool) -> ShortString {
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

    fn exchange(&mut self, name: &str, kind: &str, wild: bool) -> ExchangeDeclare {
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

    fn queue(&mut self, name: &str, wild: bool) -> QueueDeclare {
        let arguments = match self.rng.u8(..100) {
            ..85 if self.flavour.chain && !wild => self.flavour.link_arguments(name).unwrap_or_default(),
            ..30 => Table::new(),
            30..70 if wild => strange_queue_arguments(&mut self.rng),
            _ => self.flavour.queue_arguments(&mut self.rng),
        };
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

    fn count(&mut self, wild: bool) -> Method {
        let queue = self.queue_name(wild);
        Method::QueueDeclare(QueueDeclare { queue, passive: true, ..Default::default() })
    }

    fn bind(&mut self, wild: bool) -> QueueBind {
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

    /// A binding, most probably one that was made.
    fn rebind(&mut self, wild: bool) -> QueueBind {
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

    fn bind_exchange(&mut self, wild: bool) -> ExchangeBind {
        let QueueBind { exchange, routing_key, nowait, arguments, .. } = self.bind(wild);
        ExchangeBind {
            destination: self.exchange_name(wild),
            source: exchange,
            routing_key,
            nowait,
            arguments,
        }
    }

    fn consume(&mut self, channel: ChannelId, wild: bool) -> BasicConsume {
        if self.flavour.replies && self.chance(40) {
            return BasicConsume {
                queue: short("amq.rabbitmq.reply-to"),
                consumer_tag: short("r"),
                no_ack: self.chance(92),
                ..Default::default()
            };
        }
        // A channel consumes one queue at a time: see the guards.
        let consumed = self.world.shadow.channel(channel).consumers.values().next().map(|c| c.queue.clone());
        let queue = match consumed {
            Some(queue) => queue,
            None => self.queue_name(wild),
        };
        let arguments = match self.rng.u8(..100) {
            ..30 => table(&[("x-priority", Value::I32(self.pick(&[-1, 0, 1, 5])))]),
            30..34 if wild => table(&[("x-priority", Value::from("5"))]),
            34..36 if wild => table(&[("x-stream-offset", Value::from("first"))]),
            _ => Table::new(),
        };
        BasicConsume {
            queue,
            consumer_tag: self.consumer_tag(channel, wild),
            no_local: self.chance(4),
            no_ack: self.chance(15),
            exclusive: self.chance(if wild { 10 } else { 3 }),
            nowait: false,
            arguments,
        }
    }

    /// A tag that the channel has not given to another consumer, most probably.
    fn consumer_tag(&mut self, channel: ChannelId, wild: bool) -> ShortString {
        let used: Vec<ShortString> = self.world.shadow.channel(channel).consumers.keys().cloned().collect();
        let free: Vec<&str> = TAGS.into_iter().filter(|tag| !used.iter().any(|used| used == *tag)).collect();
        match self.rng.u8(..100) {
            ..10 => ShortString::default(),
            10..13 => short(self.pick(&TAGS)),
            _ if wild || free.is_empty() => short(self.pick(&TAGS)),
            _ => short(self.pick(&free)),
        }
    }

    /// Cancels a consumer, most probably one of the channel's.
    fn cancel(&mut self, channel: ChannelId) -> Method {
        let tags: Vec<ShortString> = self.world.shadow.channel(channel).consumers.keys().cloned().collect();
        let consumer_tag = match self.chance(85) && !tags.is_empty() {
            true => tags[self.rng.usize(..tags.len())].clone(),
            false => short(self.pick(&TAGS)),
        };
        Method::BasicCancel { consumer_tag, nowait: self.chance(5) }
    }

    fn settle(&mut self, kind: Kind) -> Op {
        let verdict = match kind {
            Kind::Ack => Verdict::Ack,
            Kind::Nack => Verdict::Nack,
            _ => Verdict::Reject,
        };
        let chain = self.flavour.chain;
        let verdict = if chain && self.chance(60) { Verdict::Reject } else { verdict };
        let multiple = verdict != Verdict::Reject && self.chance(35);
        let tag = match self.rng.u8(..100) {
            ..10 if multiple => Tag::Number(0),
            10..12 => Tag::Number(self.rng.u64(..12)),
            _ => Tag::Nth(self.rng.usize(..5)),
        };
        Op::Settle(Settle { verdict, tag, multiple, requeue: verdict != Verdict::Ack && self.chance(if chain { 20 } else { 60 }) })
    }

    fn publish(&mut self, channel: ChannelId, wild: bool) -> Method {
        self.bodies += 1;
        let (exchange, routing_key) = match self.rng.u8(..100) {
            ..45 => (ShortString::default(), self.queue_name(false)),
            45..48 if self.flavour.replies => (ShortString::default(), short("$r1")),
            _ => (self.exchange_name(wild), short(self.pick(&KEYS))),
        };
        let reply = self.flavour.replies && (self.chance(25) && self.answers(channel) || self.chance(1));
        let body = match self.rng.u8(..100) {
            ..3 => String::new(),
            3..6 => format!("m{}-longer", self.bodies),
            _ => format!("m{}", self.bodies),
        };
        let mut properties = self.properties(wild);
        if reply {
            properties.reply_to = Some(short("amq.rabbitmq.reply-to"));
        }
        let publication =
            Publication { exchange, routing_key, mandatory: self.chance(50), properties, body: body.into() };
        Method::BasicPublish { publication: Arc::new(publication), immediate: wild && self.chance(2) }
    }

    /// Whether the channel consumes replies.
    fn answers(&self, channel: ChannelId) -> bool {
        self.world
            .shadow
            .channel(channel)
            .consumers
            .values()
            .any(|consumer| consumer.queue.starts_with("amq.rabbitmq"))
    }

    fn properties(&mut self, wild: bool) -> Properties {
        let mut properties = Properties::default();
        if self.flavour.priorities && self.chance(60) {
            properties.priority = Some(self.pick(&[0, 1, 2, 3, 9]));
        }
        if self.flavour.expiry && self.chance(20) {
            properties.expiration = Some(short(self.pick(&["0", "0", "600000", "+00"])));
        }
        if self.chance(35) {
            properties.headers = Some(headers(&mut self.rng));
        }
        if self.chance(15) {
            properties.delivery_mode = Some(self.pick(&[1, 2]));
            properties.message_id = Some(short("id"));
            properties.content_type = Some(short(self.pick(&["", "text/plain"])));
        }
        if self.chance(5) {
            properties.timestamp = Some(0);
            properties.correlation_id = Some(short("c"));
            properties.reply_to = Some(short("somewhere"));
            properties.kind = Some(short("k"));
            properties.app_id = Some(short("app"));
            properties.cluster_id = Some(short(""));
            properties.content_encoding = Some(short("gzip"));
        }
        if self.chance(4) {
            properties.user_id = Some(short(if wild { self.pick(&["guest", "zz", ""]) } else { "guest" }));
        }
        if wild && self.chance(8) {
            match self.rng.usize(..4) {
                0 => properties.delivery_mode = Some(3),
                1 => properties.headers = Some(table(&[("CC", Value::from("q0"))])),
                2 => properties.headers = Some(table(&[("BCC", Value::I32(1))])),
                _ => {
                    let odd = ["", "x", " 5", "5x", "1.5", "-1", "315360000001", "99999999999999999999"];
                    properties.expiration = Some(short(self.pick(&odd)));
                }
            }
        }
        properties
    }
}
