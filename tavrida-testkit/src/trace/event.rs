//! [`Event`]: one thing that happened.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use tavrida::transport::PublishErrorKind;

use super::{ActorId, ChannelNumber, MessageId};

/// One thing that happened in a run.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Event {
    /// Virtual time since the beginning of the run.
    pub at: Duration,
    /// To whom it happened, or who did it.
    pub actor: ActorId,
    /// The message that it is about.
    pub message: Option<MessageId>,
    /// Which delivery of the message to a server or client it is about, from 1; 0 where it is about none.
    pub delivery: u32,
    /// The consumer's channel, where it is about a delivery or its verdict.
    pub channel: Option<ChannelNumber>,
    /// What happened.
    pub what: What,
}

/// The note of a consumer that learns that it is over, since the broker cancelled it.
pub(crate) const CONSUMER_CANCELLED: &str = "the broker cancelled a consumer";

/// What happened.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum What {
    /// A message was sent, and this became of it.
    Published(Outcome),
    /// A message arrived.
    Delivered {
        /// Whether it was handed out before.
        redelivered: bool,
    },
    /// A handler began to work a message. One delivery may be worked by several services of a server.
    Started {
        /// The attempt of the failure policy, from 1.
        attempt: u32,
    },
    /// A handler ended.
    Ended(Ending),
    /// The delivery was acknowledged, and the broker knows it.
    Acked,
    /// The delivery was rejected, and the broker knows it.
    Rejected,
    /// The delivery went back to its queue.
    Requeued,
    /// The acknowledgement did not reach the broker, which delivers the message again.
    AckLost,
    /// A verdict came from a process or session that is gone, and counted for nothing.
    Zombie,
    /// A session with the broker is open.
    Connected,
    /// A session with the broker is over, and why.
    Disconnected(Cow<'static, str>),
    /// The process was killed, with all that it had in memory.
    Crashed,
    /// The process was started anew.
    Restarted,
    /// The simulation did something to the run, such as a broker restart; the text names it.
    Fault(Cow<'static, str>),
    /// A handler told an effect on the world outside.
    Effect {
        /// What kind of effect.
        name: Cow<'static, str>,
        /// With which value, as text.
        value: String,
    },
    /// A note of the test.
    Note(String),
}

impl What {
    /// Whether it may concern others than whom it happened to, in other ways than by the messages that were sent.
    pub(crate) fn concerns_all(&self) -> bool {
        match self {
            Self::Published(Outcome::Routed)
            | Self::Delivered { .. }
            | Self::Started { .. }
            | Self::Ended(_)
            | Self::Acked
            | Self::Requeued
            | Self::Effect { .. }
            | Self::Note(_) => false,
            // What a queue has room for is known to all; a message without a queue is told to nobody else.
            Self::Published(outcome) => *outcome != Outcome::Unroutable,
            // The broker itself sends a rejected message on.
            Self::Rejected
            | Self::AckLost
            | Self::Zombie
            | Self::Connected
            | Self::Disconnected(_)
            | Self::Crashed
            | Self::Restarted
            | Self::Fault(_) => true,
        }
    }
}

/// What became of a message that was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// Queues have it, and its sender knows.
    Routed,
    /// No queue was bound for it, and its sender knows.
    Unroutable,
    /// A queue did not take it, and its sender knows.
    Nacked,
    /// The broker refused it with this text, and its sender knows.
    Refused(String),
    /// The session broke before the broker had it: its sender cannot know.
    Lost,
    /// The broker has it, and the session broke before its sender knew.
    ConfirmLost,
    /// The broker has it, and the sender's process was killed before it knew.
    Unseen,
    /// The broker has it, and what it says is held up on its way to the sender.
    Unconfirmed,
    /// It is held up on its way; another event tells when it is through.
    Held,
}

impl Outcome {
    /// The outcome of a publish that failed.
    pub(crate) fn of(reason: &PublishErrorKind) -> Self {
        match reason {
            PublishErrorKind::Unroutable => Self::Unroutable,
            PublishErrorKind::Nacked => Self::Nacked,
            PublishErrorKind::Ambiguous(_) => Self::Lost,
            other => Self::Refused(other.to_string()),
        }
    }

    /// Whether queues have it.
    pub fn is_taken(&self) -> bool {
        matches!(self, Self::Routed | Self::ConfirmLost | Self::Unseen | Self::Unconfirmed)
    }

    /// Whether its sender was told that queues have it.
    pub fn is_confirmed(&self) -> bool {
        matches!(self, Self::Routed)
    }
}

/// How a handler ended.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Ending {
    /// Well, without an answer.
    Quiet,
    /// Well, with an answer.
    Answered,
    /// With a failure: its class and text.
    Failed(String),
    /// With a panic.
    Panicked,
    /// It was dropped: its process was killed, or its deadline passed.
    Dropped,
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Routed => f.write_str("routed"),
            Self::Unroutable => f.write_str("unroutable"),
            Self::Nacked => f.write_str("nacked"),
            Self::Refused(text) => write!(f, "refused: {text}"),
            Self::Lost => f.write_str("lost"),
            Self::ConfirmLost => f.write_str("confirm lost"),
            Self::Unseen => f.write_str("confirm unseen"),
            Self::Unconfirmed => f.write_str("not confirmed yet"),
            Self::Held => f.write_str("held"),
        }
    }
}

impl fmt::Display for Ending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Quiet => f.write_str("done"),
            Self::Answered => f.write_str("answered"),
            Self::Failed(text) => write!(f, "failed: {text}"),
            Self::Panicked => f.write_str("panicked"),
            Self::Dropped => f.write_str("dropped"),
        }
    }
}

impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Published(outcome) => write!(f, "published, {outcome}"),
            Self::Delivered { redelivered: false } => f.write_str("delivered"),
            Self::Delivered { redelivered: true } => f.write_str("redelivered"),
            Self::Started { attempt: 1 } => f.write_str("handler begins"),
            Self::Started { attempt } => write!(f, "handler begins, attempt {attempt}"),
            Self::Ended(ending) => write!(f, "handler {ending}"),
            Self::Acked => f.write_str("acked"),
            Self::Rejected => f.write_str("rejected"),
            Self::Requeued => f.write_str("requeued"),
            Self::AckLost => f.write_str("ack lost"),
            Self::Zombie => f.write_str("verdict of a process that is gone"),
            Self::Connected => f.write_str("connected"),
            Self::Disconnected(why) => write!(f, "disconnected: {why}"),
            Self::Crashed => f.write_str("CRASHED"),
            Self::Restarted => f.write_str("restarted"),
            Self::Fault(what) => write!(f, "FAULT: {what}"),
            Self::Effect { name, value } => write!(f, "effect {name} = {value}"),
            Self::Note(note) => write!(f, "note: {note}"),
        }
    }
}
