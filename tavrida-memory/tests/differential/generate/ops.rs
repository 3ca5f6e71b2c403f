//! Random operations.

use std::sync::Arc;

use tavrida::field::ShortString;
use tavrida::transport::Publication;
use tavrida_memory::core::{ChannelId, Method, Operator, QueueBind};

use super::Generator;
use super::pools::{EXCHANGES, QUEUES};
use crate::names::short;
use crate::program::{CHANNELS, CONNECTIONS, Mode, Op, Step, Tag, Verdict};

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
    Abort,
    Pipeline,
    Simultaneous,
    Policy,
}

const DEEP: [(u32, Kind); 27] = [
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
    (1, Kind::Abort),
    (4, Kind::Pipeline),
    (8, Kind::Simultaneous),
    (6, Kind::Policy),
];

const SHALLOW: [(u32, Kind); 27] = [
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
    (1, Kind::Abort),
    (6, Kind::Pipeline),
    (6, Kind::Simultaneous),
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

    /// Returns an operation that usually succeeds.
    pub(super) fn deep(&mut self, channel: ChannelId) -> Op {
        let kind = self.weigh(&DEEP);
        let transaction = self.program.mode(channel) == Mode::Transaction;
        let idle = self.world.shadow.channel(channel).unacked.is_empty();
        match kind {
            Kind::Policy if !self.flavour.policies => self.make(Kind::Publish, channel, false),
            Kind::Commit | Kind::Rollback if !transaction => self.make(Kind::Publish, channel, false),
            Kind::Ack | Kind::Nack | Kind::Reject if idle && self.rng.u8(..) < 250 => {
                let kinds = [Kind::Publish, Kind::Get, Kind::Consume];
                let kind = if self.flavour.chain { Kind::Get } else { self.pick(&kinds) };
                self.make(kind, channel, false)
            }
            kind => self.make(kind, channel, false),
        }
    }

    /// Returns any operation, at any time.
    pub(super) fn shallow(&mut self, channel: ChannelId) -> Op {
        let kind = self.weigh(&SHALLOW);
        self.make(kind, channel, true)
    }

    fn make(&mut self, kind: Kind, channel: ChannelId, wild: bool) -> Op {
        Op::Call(match kind {
            Kind::Ack => return self.settle(Verdict::Ack),
            Kind::Nack => return self.settle(Verdict::Nack),
            Kind::Reject => return self.settle(Verdict::Reject),
            Kind::CloseConnection => return Op::CloseConnection,
            Kind::Abort => return Op::Abort,
            Kind::Policy => return Op::Operate(self.policy()),
            Kind::Pipeline => return self.pipeline(channel, wild),
            Kind::Simultaneous => return self.simultaneous(channel, wild),
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
                global: self.chance(35) && !self.flavour.alarms,
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

    /// Several calls on one channel, sent before the answers.
    fn pipeline(&mut self, channel: ChannelId, wild: bool) -> Op {
        let kinds = [
            Kind::Publish,
            Kind::Publish,
            Kind::Purge,
            Kind::DeclareQueue,
            Kind::DeclareExchange,
            Kind::DeleteExchange,
            Kind::Bind,
            Kind::Bind,
            Kind::Unbind,
            Kind::BindExchange,
            Kind::UnbindExchange,
            Kind::Qos,
        ];
        let count = self.rng.usize(2..5);
        let calls = (0..count).filter_map(|_| {
            let kind = self.pick(&kinds);
            match self.make(kind, channel, wild) {
                // Names that are completed, or made up, meet a channel that may be closing.
                Op::Call(method) if !names_no_queue(&method) => Some((channel, method)),
                _ => None,
            }
        });
        Op::Together(calls.collect())
    }

    /// One call on each of some channels, at the same time.
    fn simultaneous(&mut self, channel: ChannelId, wild: bool) -> Op {
        let mut channels: Vec<ChannelId> = CONNECTIONS
            .iter()
            .flat_map(|connection| (1..=CHANNELS).map(|number| connection.channel(number)))
            .collect();
        channels.retain(|other| *other != channel);
        let count = self.rng.usize(1..3);
        self.rng.shuffle(&mut channels);
        let kinds = [
            Kind::Publish,
            Kind::Publish,
            Kind::Get,
            Kind::Consume,
            Kind::Count,
            Kind::Bind,
            Kind::Ack,
            Kind::Nack,
        ];
        let calls = std::iter::once(channel).chain(channels.into_iter().take(count)).filter_map(|channel| {
            let kind = self.pick(&kinds);
            match self.make(kind, channel, wild) {
                Op::Call(method) if !names_no_queue(&method) => Some((channel, method)),
                Op::Settle(settle) => {
                    let Tag::Nth(n) = settle.tag else { return None };
                    let tag = self.world.shadow.nth_unacked(channel, n)?;
                    Some((channel, settle.into_method(tag)))
                }
                _ => None,
            }
        });
        Op::Together(calls.collect())
    }

    /// A publish that an alarm holds, while the other connection works.
    pub(super) fn alarm(&mut self, channel: ChannelId) {
        self.add(Step { channel, op: Op::Operate(crate::text::alarm()) });
        if let Method::BasicPublish { publication, .. } = self.publish(channel, false) {
            let mut publication = Publication::clone(&publication);
            (publication.exchange, publication.routing_key) =
                (ShortString::default(), short(self.pick(&QUEUES)));
            publication.properties.headers = None;
            let publication = Arc::new(publication);
            self.add(Step { channel, op: Op::Call(Method::BasicPublish { publication, immediate: false }) });
        }
        let other = CONNECTIONS.into_iter().find(|connection| *connection != channel.connection);
        let other = other.expect("there are two").channel(channel.number);
        let kinds = [Kind::Get, Kind::Count, Kind::Consume, Kind::Cancel, Kind::Ack, Kind::Nack, Kind::Bind];
        for _ in 0..self.rng.usize(..4) {
            let kind = self.pick(&kinds);
            let op = self.make(kind, other, false);
            self.add(Step { channel: other, op });
        }
        self.add(Step { channel, op: Op::Operate(Operator::Unblock) });
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
}

/// Returns whether a method leaves a name to the broker: of the last queue, of a new one, or of a consumer.
fn names_no_queue(method: &Method) -> bool {
    match method {
        Method::QueueDeclare(declare) => declare.queue.is_empty(),
        Method::QueueBind(bind) | Method::QueueUnbind(bind) => bind.queue.is_empty(),
        Method::QueuePurge { queue, .. } | Method::BasicGet { queue, .. } => queue.is_empty(),
        Method::BasicConsume(consume) => {
            consume.queue.is_empty() || consume.consumer_tag.is_empty() || consume.queue.starts_with("amq.")
        }
        _ => false,
    }
}
