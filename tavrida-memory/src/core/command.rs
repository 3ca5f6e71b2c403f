//! [`Command`]: everything that can happen to a broker.

use serde::{Deserialize, Serialize};
use tavrida::field::ShortString;

use super::method::Method;
use super::{ChannelId, ConnectionId};

/// Something that happens to the broker: a client does it, an operator, or time.
///
/// A command for a connection that is not there is ignored, as bytes for a closed socket are.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Command {
    /// A client connects and has logged in. A connection of that number that is still there is aborted first.
    Connect {
        /// The number of the new connection.
        connection: ConnectionId,
        /// Who connects, and what was negotiated.
        options: ConnectionOptions,
    },
    /// A client calls a method on a channel.
    Method {
        /// The channel.
        channel: ChannelId,
        /// The method.
        method: Method,
    },
    /// A client closes its connection in good order (`connection.close`).
    Close {
        /// The connection.
        connection: ConnectionId,
    },
    /// The socket of a connection is gone, without a word.
    Abort {
        /// The connection.
        connection: ConnectionId,
    },
    /// An operator intervenes, or a test in his place.
    Operator(Operator),
    /// Nothing happens but that time passes: what is due is done.
    Tick,
}

/// What was negotiated when a connection was opened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConnectionOptions {
    /// The login; a message's `user_id` must equal it.
    pub user: ShortString,
    /// Whether the client announced `consumer_cancel_notify`: only then is it told that the broker cancelled a consumer.
    pub cancel_notify: bool,
    /// How many channels may be open at a time.
    pub channel_max: u16,
}

impl Default for ConnectionOptions {
    /// User `guest`, cancel notifications, 2,047 channels: what lapin gets from a fresh RabbitMQ.
    fn default() -> Self {
        Self { user: ShortString::from_static("guest"), cancel_notify: true, channel_max: 2047 }
    }
}

/// An intervention from outside: what `rabbitmqctl`, an alarm or a crash would do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Operator {
    /// Closes a connection with 320, as `rabbitmqctl close_connection` does.
    CloseConnection {
        /// The connection.
        connection: ConnectionId,
        /// The reason, which becomes the text.
        reason: String,
    },
    /// Closes a channel with a code and text of the caller's choice.
    CloseChannel {
        /// The channel.
        channel: ChannelId,
        /// The reply code.
        code: u16,
        /// The whole text, `NAME - explanation` by custom.
        text: String,
    },
    /// Cancels a consumer, as a queue's failure does: the client is told by `basic.cancel`.
    CancelConsumer {
        /// The channel of the consumer.
        channel: ChannelId,
        /// Its tag.
        consumer_tag: ShortString,
    },
    /// The message that is next to arrive on a channel leaves its queue instead, as if it had waited there: it is
    /// dead-lettered or gone. Nothing happens where none is next, or where the broker awaits no verdict on it.
    Evict {
        /// The channel.
        channel: ChannelId,
        /// Why it leaves.
        why: Eviction,
    },
    /// Raises an alarm: a connection that publishes is blocked until the alarm is over.
    Block {
        /// What is short, such as `low on memory`.
        reason: String,
    },
    /// Ends the alarm.
    Unblock,
    /// Stops the node in good order and starts it again.
    Restart,
    /// Kills the node and starts it again.
    Kill,
}

/// Why a message leaves its queue unasked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Eviction {
    /// Its time to live is over.
    Expired,
    /// The queue is full, and drops what is oldest (`x-overflow: drop-head`).
    Overflow,
}
