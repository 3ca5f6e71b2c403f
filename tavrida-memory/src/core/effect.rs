//! [`Effect`]: the broker's answers, and [`Arrival`]: what it sends on its own.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tavrida::field::ShortString;
use tavrida::transport::Publication;

use super::{ChannelId, ConnectionId, shared};

/// A message from the broker to a client, caused by a command.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Effect {
    /// The answer to a method.
    Reply {
        /// The channel on which the method was called.
        channel: ChannelId,
        /// The answer.
        reply: MethodReply,
    },
    /// A mandatory message that reached no queue is returned (`basic.return`); its confirm follows.
    Return {
        /// The channel that published it.
        channel: ChannelId,
        /// 312.
        code: u16,
        /// `NO_ROUTE`.
        text: ShortString,
        /// The message, without a `BCC` header.
        #[serde(with = "shared")]
        publication: Arc<Publication>,
    },
    /// A publish is confirmed (`basic.ack` or `basic.nack` from the broker). Each publish is confirmed separately.
    Confirm {
        /// The channel that published.
        channel: ChannelId,
        /// The number of the publish on this channel, from 1.
        delivery_tag: u64,
        /// Whether every queue accepted it; `false` is a nack.
        ack: bool,
    },
    /// The outbox of this channel was empty and is not any more: see [`Broker::take`](super::Broker::take).
    Arrived {
        /// The channel.
        channel: ChannelId,
    },
    /// The broker closed a channel. What the client still sends on it is ignored until `channel.close-ok`.
    ChannelClosed {
        /// The channel.
        channel: ChannelId,
        /// Why.
        reason: CloseReason,
    },
    /// The broker closed a connection, with all its channels.
    ConnectionClosed {
        /// The connection.
        connection: ConnectionId,
        /// The reason. `None` if the socket just broke.
        reason: Option<CloseReason>,
    },
    /// A connection was closed by its client (`connection.close-ok`).
    ConnectionCloseOk {
        /// The connection.
        connection: ConnectionId,
    },
    /// The connection published during an alarm: nothing that it sends is read until `Unblocked`, from the body of this message on.
    Blocked {
        /// The connection.
        connection: ConnectionId,
        /// The reason of the alarm.
        reason: String,
    },
    /// The alarm is cleared; what the connection sent meanwhile was executed right after this.
    Unblocked {
        /// The connection.
        connection: ConnectionId,
    },
}

impl Effect {
    /// Returns the connection that it concerns.
    pub fn connection(&self) -> ConnectionId {
        match self {
            Self::Reply { channel, .. }
            | Self::Return { channel, .. }
            | Self::Confirm { channel, .. }
            | Self::Arrived { channel }
            | Self::ChannelClosed { channel, .. } => channel.connection,
            Self::ConnectionClosed { connection, .. }
            | Self::ConnectionCloseOk { connection }
            | Self::Blocked { connection, .. }
            | Self::Unblocked { connection } => *connection,
        }
    }
}

/// The answer to a method.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the variants and fields are those of the AMQP methods, by their names")]
pub enum MethodReply {
    ChannelOpenOk,
    ChannelFlowOk { active: bool },
    ChannelCloseOk,
    ExchangeDeclareOk,
    ExchangeDeleteOk,
    ExchangeBindOk,
    ExchangeUnbindOk,
    QueueDeclareOk { queue: ShortString, message_count: u32, consumer_count: u32 },
    QueueBindOk,
    QueueUnbindOk,
    QueuePurgeOk { message_count: u32 },
    QueueDeleteOk { message_count: u32 },
    BasicQosOk,
    BasicConsumeOk { consumer_tag: ShortString },
    BasicCancelOk { consumer_tag: ShortString },
    BasicGetOk(Got),
    BasicGetEmpty,
    BasicRecoverOk,
    ConfirmSelectOk,
    TxSelectOk,
    TxCommitOk,
    TxRollbackOk,
}

/// The result of `basic.get`. Exchange and routing key are the publication's.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Got {
    /// The delivery tag.
    pub delivery_tag: u64,
    /// Whether it was delivered before.
    pub redelivered: bool,
    /// How many ready messages are left.
    pub message_count: u32,
    /// The message.
    #[serde(with = "shared")]
    pub publication: Arc<Publication>,
}

/// What the broker has sent on a channel.
#[derive(Debug, Clone, PartialEq)]
pub struct Sent {
    /// Its number: the broker numbers what it sends, from 0, over all channels.
    pub number: u64,
    /// What was sent.
    pub arrival: Arrival,
}

/// What the broker sends on its own on a channel, in order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Arrival {
    /// A message for a consumer.
    Delivery(Delivered),
    /// The broker cancelled a consumer (`basic.cancel`): its queue was deleted.
    Cancel {
        /// The consumer.
        consumer_tag: ShortString,
    },
}

/// A message for a consumer (`basic.deliver`). Exchange and routing key are the publication's.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Delivered {
    /// The consumer.
    pub consumer_tag: ShortString,
    /// The delivery tag.
    pub delivery_tag: u64,
    /// Whether it was delivered before.
    pub redelivered: bool,
    /// The message.
    #[serde(with = "shared")]
    pub publication: Arc<Publication>,
}

/// The code and text with which the broker closes a channel or a connection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CloseReason {
    /// The reply code.
    pub code: u16,
    /// `NAME - explanation`, at most 255 bytes.
    pub text: String,
    /// The class of the method at fault; 0 if there is none.
    pub class: u16,
    /// The method at fault; 0 if there is none.
    pub method: u16,
}

impl fmt::Display for CloseReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {:?} ({},{})", self.code, self.text, self.class, self.method)
    }
}

/// A buffer of effects, in the order in which they happened. The caller owns and reuses it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Effects(Vec<Effect>);

impl Effects {
    /// Returns an empty buffer, without an allocation.
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// Returns the effects so far.
    pub fn as_slice(&self) -> &[Effect] {
        &self.0
    }

    /// Removes the effects and keeps the allocation.
    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// Drains the effects and keeps the allocation.
    pub fn drain(&mut self) -> impl Iterator<Item = Effect> {
        self.0.drain(..)
    }

    pub(crate) fn push(&mut self, effect: Effect) {
        self.0.push(effect);
    }

    pub(crate) fn reply(&mut self, channel: ChannelId, reply: MethodReply) {
        self.push(Effect::Reply { channel, reply });
    }
}

impl IntoIterator for Effects {
    type Item = Effect;
    type IntoIter = std::vec::IntoIter<Effect>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}
