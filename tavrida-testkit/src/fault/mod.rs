//! Faults: what can go wrong ([`Fault`]), and where ([`At`]).

mod at;
mod families;
mod point;
mod text;

pub use at::{At, Site};
pub use families::Faults;
pub use point::Point;
pub use text::NoFault;
pub(crate) use text::{in_milliseconds, milliseconds};

use std::fmt;
use std::time::Duration;

/// Something that goes wrong. Each has the [sites](Site) where it can happen; elsewhere it does nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Fault {
    /// Publish: the session breaks before the broker has the message.
    PublishLost,
    /// Publish: the broker has the message, and the session breaks before the confirm.
    ConfirmLost,
    /// Publish: a queue refuses the message, as a full one with `reject-publish` does.
    Nacked,
    /// Publish: the broker gets the message twice, as from a publisher that tried again.
    PublishedTwice,
    /// Deliver, Start, Ack: the session breaks; what is not acked is delivered again.
    ConnectionLost,
    /// Deliver: the broker closes the consumer's channel.
    ChannelClosed,
    /// Deliver: the broker cancels the consumer.
    ConsumerCancelled,
    /// Everywhere but Deliver: the process is killed, and started anew after this time.
    Crash(Duration),
    /// Ack: the acknowledgement does not count, and the message is delivered again.
    Redelivered,
    /// Deliver: the broker stops in good order and starts again.
    BrokerRestart,
    /// Deliver: the broker is killed and starts again.
    BrokerKilled,
    /// Start: the handler begins only after this time.
    Slow(Duration),
    /// Deliver: nothing goes between the receiver and the broker for this time, then its session breaks.
    Partition(Duration),
    /// Deliver: nothing arrives at the receiver for this time, though what it sends gets through.
    Deaf(Duration),
    /// Deliver: nothing that the receiver sends gets through for this time, though it still hears.
    Mute(Duration),
    /// Deliver: the wall clock jumps by so many seconds.
    ClockJump(i64),
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::PublishLost => f.write_str("publish-lost"),
            Self::ConfirmLost => f.write_str("confirm-lost"),
            Self::Nacked => f.write_str("nacked"),
            Self::PublishedTwice => f.write_str("published-twice"),
            Self::ConnectionLost => f.write_str("connection-lost"),
            Self::ChannelClosed => f.write_str("channel-closed"),
            Self::ConsumerCancelled => f.write_str("consumer-cancelled"),
            Self::Crash(down) => write!(f, "crash({}ms)", down.as_millis()),
            Self::Redelivered => f.write_str("redelivered"),
            Self::BrokerRestart => f.write_str("broker-restart"),
            Self::BrokerKilled => f.write_str("broker-killed"),
            Self::Slow(by) => write!(f, "slow({}ms)", by.as_millis()),
            Self::Partition(by) => write!(f, "partition({}ms)", by.as_millis()),
            Self::Deaf(by) => write!(f, "deaf({}ms)", by.as_millis()),
            Self::Mute(by) => write!(f, "mute({}ms)", by.as_millis()),
            Self::ClockJump(by) => write!(f, "clock-jump({by}s)"),
        }
    }
}
