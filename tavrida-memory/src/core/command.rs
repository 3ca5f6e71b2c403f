//! [`Command`]: everything that can happen to a broker.

use serde::{Deserialize, Serialize};
use tavrida::field::ShortString;

use super::method::Method;
use super::topology::policy::Policy;
use super::{ChannelId, ConnectionId};

/// An event for the broker: from a client, from an operator, or from time.
///
/// A command for a connection that does not exist is ignored, like bytes for a closed socket.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Command {
    /// A client connects and has logged in. An existing connection of that number is aborted first.
    Connect {
        /// The number of the new connection.
        connection: ConnectionId,
        /// The login, and what was negotiated.
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
    /// The socket of a connection broke, without a close.
    Abort {
        /// The connection.
        connection: ConnectionId,
    },
    /// An operator, or a test, intervenes.
    Operator(Operator),
    /// Only time passes: what is due is handled.
    Tick,
}

/// What was negotiated when a connection was opened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConnectionOptions {
    /// The login; the `user_id` of a message must equal it.
    pub user: ShortString,
    /// Whether the client announced `consumer_cancel_notify`: only then it receives a `basic.cancel` for a consumer that the broker
    /// cancelled.
    pub cancel_notify: bool,
    /// The maximum number of open channels.
    pub channel_max: u16,
}

impl Default for ConnectionOptions {
    /// User `guest`, cancel notifications, 2,047 channels: what lapin gets from a new RabbitMQ.
    fn default() -> Self {
        Self { user: ShortString::from_static("guest"), cancel_notify: true, channel_max: 2047 }
    }
}

/// An external intervention, as by `rabbitmqctl`, an alarm or a crash.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Operator {
    /// Closes a connection with 320, as `rabbitmqctl close_connection` does.
    CloseConnection {
        /// The connection.
        connection: ConnectionId,
        /// The reason, which becomes the text.
        reason: String,
    },
    /// Closes a channel with a chosen code and text.
    CloseChannel {
        /// The channel.
        channel: ChannelId,
        /// The reply code.
        code: u16,
        /// The whole text, usually `NAME - explanation`.
        text: String,
    },
    /// Cancels a consumer, as the failure of a queue does: the client gets a `basic.cancel`.
    CancelConsumer {
        /// The channel of the consumer.
        channel: ChannelId,
        /// Its tag.
        consumer_tag: ShortString,
    },
    /// Removes the next arrival of a channel from its queue instead, as if it had waited there: it is dead-lettered or dropped. Nothing
    /// happens if there is no next arrival, or if the broker awaits no settlement of it.
    Evict {
        /// The channel.
        channel: ChannelId,
        /// Why it leaves.
        why: Eviction,
    },
    /// Raises an alarm: a publishing connection is blocked until the alarm is cleared.
    Block {
        /// The reason, such as `low on memory`.
        reason: String,
    },
    /// Clears the alarm.
    Unblock,
    /// Sets a policy, or replaces the one of its name: queues and exchanges follow it at once.
    SetPolicy(Policy),
    /// Removes a policy.
    ClearPolicy {
        /// Its name.
        name: ShortString,
    },
    /// Stops the node in good order and restarts it.
    Restart,
    /// Kills the node and restarts it.
    Kill,
}

/// Why a message leaves its queue without a consumer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Eviction {
    /// Its time to live has passed.
    Expired,
    /// The queue is full, and drops its oldest message (`x-overflow: drop-head`).
    Overflow,
}
