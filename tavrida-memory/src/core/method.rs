//! [`Method`]: the methods of a client on a channel, as AMQP 0-9-1 and RabbitMQ's extensions define them.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tavrida::field::{ShortString, Table};
use tavrida::transport::Publication;

use super::shared;

/// A method that a client calls on a channel.
///
/// Names may be empty where AMQP allows it: an empty queue name means a new name for `queue.declare`, and the queue last declared on this
/// channel elsewhere.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the fields are those of the AMQP methods, by their names")]
pub enum Method {
    ChannelOpen,
    ChannelFlow {
        active: bool,
    },
    ChannelClose,
    ChannelCloseOk,
    ExchangeDeclare(ExchangeDeclare),
    ExchangeDelete {
        exchange: ShortString,
        if_unused: bool,
        nowait: bool,
    },
    ExchangeBind(ExchangeBind),
    ExchangeUnbind(ExchangeBind),
    QueueDeclare(QueueDeclare),
    QueueBind(QueueBind),
    QueueUnbind(QueueBind),
    QueuePurge {
        queue: ShortString,
        nowait: bool,
    },
    QueueDelete {
        queue: ShortString,
        if_unused: bool,
        if_empty: bool,
        nowait: bool,
    },
    BasicQos {
        prefetch_size: u32,
        prefetch_count: u16,
        global: bool,
    },
    BasicConsume(BasicConsume),
    BasicCancel {
        consumer_tag: ShortString,
        nowait: bool,
    },
    BasicPublish {
        #[serde(with = "shared")]
        publication: Arc<Publication>,
        immediate: bool,
    },
    BasicGet {
        queue: ShortString,
        no_ack: bool,
    },
    BasicAck {
        delivery_tag: u64,
        multiple: bool,
    },
    BasicReject {
        delivery_tag: u64,
        requeue: bool,
    },
    BasicNack {
        delivery_tag: u64,
        multiple: bool,
        requeue: bool,
    },
    BasicRecover {
        requeue: bool,
    },
    BasicRecoverAsync {
        requeue: bool,
    },
    ConfirmSelect {
        nowait: bool,
    },
    TxSelect,
    TxCommit,
    TxRollback,
}

/// The fields of `exchange.declare`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the fields are those of the AMQP method, by their names")]
pub struct ExchangeDeclare {
    pub exchange: ShortString,
    /// `type` on the wire: `direct`, `fanout`, `topic`, `headers`.
    pub kind: ShortString,
    pub passive: bool,
    pub durable: bool,
    pub auto_delete: bool,
    pub internal: bool,
    pub nowait: bool,
    pub arguments: Table,
}

/// The fields of `exchange.bind` and `exchange.unbind`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the fields are those of the AMQP method, by their names")]
pub struct ExchangeBind {
    pub destination: ShortString,
    pub source: ShortString,
    pub routing_key: ShortString,
    pub nowait: bool,
    pub arguments: Table,
}

/// The fields of `queue.declare`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the fields are those of the AMQP method, by their names")]
pub struct QueueDeclare {
    pub queue: ShortString,
    pub passive: bool,
    pub durable: bool,
    pub exclusive: bool,
    pub auto_delete: bool,
    pub nowait: bool,
    pub arguments: Table,
}

/// The fields of `queue.bind` and `queue.unbind` (which has no `nowait`: it is ignored there).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the fields are those of the AMQP method, by their names")]
pub struct QueueBind {
    pub queue: ShortString,
    pub exchange: ShortString,
    pub routing_key: ShortString,
    pub nowait: bool,
    pub arguments: Table,
}

/// The fields of `basic.consume`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the fields are those of the AMQP method, by their names")]
pub struct BasicConsume {
    pub queue: ShortString,
    pub consumer_tag: ShortString,
    /// Ignored, as RabbitMQ ignores it.
    pub no_local: bool,
    pub no_ack: bool,
    pub exclusive: bool,
    pub nowait: bool,
    pub arguments: Table,
}

impl Method {
    /// Returns whether it means the queue that the channel declared last.
    pub(crate) fn names_last_queue(&self) -> bool {
        match self {
            Self::QueueBind(bind) | Self::QueueUnbind(bind) => bind.queue.is_empty(),
            Self::QueuePurge { queue, .. }
            | Self::QueueDelete { queue, .. }
            | Self::BasicGet { queue, .. } => queue.is_empty(),
            Self::BasicConsume(consume) => consume.queue.is_empty(),
            _ => false,
        }
    }

    /// Returns the class and method numbers on the wire, which an error names.
    pub fn id(&self) -> (u16, u16) {
        match self {
            Self::ChannelOpen => (20, 10),
            Self::ChannelFlow { .. } => (20, 20),
            Self::ChannelClose => (20, 40),
            Self::ChannelCloseOk => (20, 41),
            Self::ExchangeDeclare(_) => (40, 10),
            Self::ExchangeDelete { .. } => (40, 20),
            Self::ExchangeBind(_) => (40, 30),
            Self::ExchangeUnbind(_) => (40, 40),
            Self::QueueDeclare(_) => (50, 10),
            Self::QueueBind(_) => (50, 20),
            Self::QueuePurge { .. } => (50, 30),
            Self::QueueDelete { .. } => (50, 40),
            Self::QueueUnbind(_) => (50, 50),
            Self::BasicQos { .. } => (60, 10),
            Self::BasicConsume(_) => (60, 20),
            Self::BasicCancel { .. } => (60, 30),
            Self::BasicPublish { .. } => (60, 40),
            Self::BasicGet { .. } => (60, 70),
            Self::BasicAck { .. } => (60, 80),
            Self::BasicReject { .. } => (60, 90),
            Self::BasicRecoverAsync { .. } => (60, 100),
            Self::BasicRecover { .. } => (60, 110),
            Self::BasicNack { .. } => (60, 120),
            Self::ConfirmSelect { .. } => (85, 10),
            Self::TxSelect => (90, 10),
            Self::TxCommit => (90, 20),
            Self::TxRollback => (90, 30),
        }
    }
}
