//! [`Event`]: a single event of a run.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use tavrida::transport::{ConnectionLost, PublishErrorKind};

use super::{ActorId, ChannelNumber, MessageId};

/// A single event of a run.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Event {
    /// Virtual time since the beginning of the run.
    pub at: Duration,
    /// The actor that it happened to, or that did it.
    pub actor: ActorId,
    /// The message that it is about.
    pub message: Option<MessageId>,
    /// Which delivery of the message to a server or client it is about, from 1; 0 if it is about none.
    pub delivery: u32,
    /// The consumer's channel, if it is about a delivery or its settlement.
    pub channel: Option<ChannelNumber>,
    /// What happened.
    pub what: What,
}

/// The note of a consumer that ended because the broker cancelled it.
pub(crate) const CONSUMER_CANCELLED: &str = "the broker cancelled a consumer";

/// The note about a confirm that did not come at once.
pub(crate) const CONFIRM_CAME: &str = "the late confirm came";

/// What happened.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum What {
    /// A message was sent, with this outcome.
    Published(Outcome),
    /// A message arrived.
    Delivered {
        /// Whether it was delivered before.
        redelivered: bool,
    },
    /// A handler began to handle a message. Several services of a server may handle one delivery.
    Started {
        /// The attempt of the failure policy, from 1.
        attempt: u32,
    },
    /// A handler ended.
    Ended(Ending),
    /// The delivery was acknowledged, and the broker has the acknowledgement.
    Acked,
    /// The delivery was rejected, and the broker has the rejection.
    Rejected,
    /// The delivery was requeued.
    Requeued,
    /// The acknowledgement did not reach the broker, which delivers the message again.
    AckLost,
    /// An acknowledgement or rejection came from a process or session that had ended, and had no effect.
    Zombie,
    /// An ask had no answer when its deadline passed.
    TimedOut {
        /// How long its asker waited.
        after: Duration,
    },
    /// A session with the broker is open.
    Connected,
    /// A session with the broker ended, and why.
    Disconnected(Cow<'static, str>),
    /// The process was killed and lost its memory.
    Crashed,
    /// The process was restarted.
    Restarted,
    /// The simulation did something to the run, such as a broker restart; the text names it.
    Fault(Cow<'static, str>),
    /// Code went on at the yield point that it reached as its nth, from 1, behind others.
    TookTurn {
        /// The number of the yield point.
        nth: u32,
    },
    /// A handler reported an effect on the outside world.
    Effect {
        /// What kind of effect.
        name: Cow<'static, str>,
        /// Its value, as text.
        value: String,
    },
    /// A note of the test.
    Note(String),
}

impl What {
    /// Returns whether a session ended without its own side closing it.
    pub(crate) fn is_loss(&self) -> bool {
        matches!(self, Self::Disconnected(why) if *why != ConnectionLost::closed_here().to_string())
    }

    /// Returns whether it is a confirm that did not come at once.
    pub(crate) fn is_late_confirm(&self) -> bool {
        matches!(self, Self::Note(note) if note == CONFIRM_CAME)
    }

    /// Returns whether it may affect other actors, other than by the messages that were sent.
    pub(crate) fn concerns_all(&self) -> bool {
        match self {
            Self::Published(Outcome::Routed)
            | Self::Delivered { .. }
            | Self::Started { .. }
            | Self::Ended(_)
            | Self::Acked
            | Self::Requeued
            | Self::TimedOut { .. }
            | Self::TookTurn { .. }
            | Self::Effect { .. }
            | Self::Note(_) => false,
            // A queue's free space is visible to all; a message without a queue affects no other actor.
            Self::Published(outcome) => *outcome != Outcome::Unroutable,
            // The broker itself dead-letters a rejected message.
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

/// The outcome of a publish.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// Queues have it, and the sender knows.
    Routed,
    /// No queue was bound for it, and the sender knows.
    Unroutable,
    /// A queue did not take it, and the sender knows.
    Nacked,
    /// The broker refused it with this text, and the sender knows.
    Refused(String),
    /// The session broke before the broker had it: the sender cannot know.
    Lost,
    /// The broker has it, and the session broke before the sender knew.
    ConfirmLost,
    /// The broker has it, and the sender's process was killed before it knew.
    Unseen,
    /// The broker has it, and its confirm is delayed on the way to the sender.
    Unconfirmed,
    /// It is delayed on its way to the broker; another event follows when it arrives.
    Held,
}

impl Outcome {
    /// Returns the outcome of a failed publish.
    pub(crate) fn of(reason: &PublishErrorKind) -> Self {
        match reason {
            PublishErrorKind::Unroutable => Self::Unroutable,
            PublishErrorKind::Nacked => Self::Nacked,
            PublishErrorKind::Ambiguous(_) => Self::Lost,
            other => Self::Refused(other.to_string()),
        }
    }

    /// Returns whether queues have it.
    pub fn is_taken(&self) -> bool {
        matches!(self, Self::Routed | Self::ConfirmLost | Self::Unseen | Self::Unconfirmed)
    }

    /// Returns whether the sender knows the outcome.
    pub(crate) fn is_known(&self) -> bool {
        matches!(self, Self::Routed | Self::Unroutable | Self::Nacked | Self::Refused(_))
    }

    /// Returns whether the sender got the confirm.
    pub fn is_confirmed(&self) -> bool {
        matches!(self, Self::Routed)
    }
}

/// How a handler ended.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Ending {
    /// It succeeded, without an answer.
    Quiet,
    /// It succeeded, with an answer.
    Answered,
    /// It failed: class and text.
    Failed(String),
    /// It panicked.
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
            Self::TimedOut { after } => write!(f, "TIMED OUT: no answer within {after:?}"),
            Self::Connected => f.write_str("connected"),
            Self::Disconnected(why) => write!(f, "disconnected: {why}"),
            Self::Crashed => f.write_str("CRASHED"),
            Self::Restarted => f.write_str("restarted"),
            Self::Fault(what) => write!(f, "FAULT: {what}"),
            Self::TookTurn { nth } => write!(f, "goes on at yield point {nth}"),
            Self::Effect { name, value } => write!(f, "effect {name} = {value}"),
            Self::Note(note) => write!(f, "note: {note}"),
        }
    }
}
