//! Faults: what can go wrong ([`Fault`]), where ([`At`]), and how often at random ([`Faults`]).
//!
//! A scripted fault happens at a place that a test names: `sim.fault(At::before_ack("billing.charge"), Fault::ConnectionLost)`. Random
//! faults are enabled by [`Family`]; the seed then decides at each place.
//!
//! | family | at | what happens | what a correct service must handle |
//! |---|---|---|---|
//! | late-start | boot | A server, with all its replicas, starts some time after the others. Its queue does not exist until then. | What is sent to the server is refused or unroutable, and the sender gets that error; the server never receives what was published meanwhile. |
//! | publish-lost | publish | The session breaks before the broker has the message. | The outcome is ambiguous, and nothing arrived. |
//! | confirm-lost | publish | The broker has the message, and the session breaks before the confirm. | The outcome is ambiguous, and it arrived: sending again makes a second one. |
//! | confirm-late | publish | The broker has the message, and the confirm comes some time later. | What the message causes happens before its sender goes on. |
//! | nacked | publish | A full queue with `reject-publish` refuses the message. | The send is refused, and nothing arrived. |
//! | published-twice | publish | The broker gets the message twice, as from a sender that tried again. | It is handled twice, without the redelivered flag; the message id is the same. |
//! | crash-at-publish | publish | The broker has the message, and the sender's process is killed. | The handler repeats what it did so far. |
//! | delayed | deliver | The message, and what is behind it on its channel, arrives later. | Timeouts; a different order between queues. |
//! | overtaken | deliver | Some messages of other queues arrive before it. | A different order between queues. |
//! | connection-lost | deliver, start, wait, ack | The session breaks. | What is not acked is redelivered; asks under way fail. |
//! | channel-closed | deliver | The broker closes the consumer's channel (406). | What is not acked is redelivered. |
//! | consumer-cancelled | deliver | The broker cancels the consumer. | It consumes again; deliveries that had arrived can still be acked. |
//! | broker-restart | deliver | The broker stops in good order and starts again: all sessions end with 320. | Transient messages and exclusive queues are lost; persistent messages in durable queues are kept. |
//! | broker-killed | deliver | The broker is killed and starts again. | The same, and all remaining messages are marked as redelivered. |
//! | partition | deliver | Nothing passes between the receiver and the broker for a time, then its session breaks. | The effects of both one-way cuts; what was sent meanwhile is ambiguous. |
//! | deaf | deliver | Nothing arrives at the receiver for a time, confirms included. | Timeouts of asks that were answered. |
//! | mute | deliver | Nothing that the receiver sends arrives for a time, acks included. | Its confirms come late; its asks are answered late. |
//! | expired | deliver | A message with a time to live expires in its queue: it is dead-lettered or dropped. | An ask that gets no answer. |
//! | overflow | deliver | A full queue that drops its oldest messages drops the message: it is dead-lettered or lost. | A message that never comes, although it was confirmed. |
//! | clock-jump | deliver | The wall clock jumps, up to a day, either way. | Wall time that runs backwards; deadlines do not change. |
//! | slow | start, wait | The handler begins, or goes on, some time later. | Timeouts; a backlog. |
//! | crash-at-start | start | The process is killed before the handler begins, and restarted. | Its memory is empty; the message is redelivered. |
//! | crash-in-handler | wait | The process is killed while the handler waits, at any of its awaits. | The same, and the handler repeats what it did before. |
//! | crash-before-ack | ack | The process is killed when the handler has ended and its delivery is not acked. | The same, and the handler repeats all that it did. |
//! | crash-after-ack | done | The process is killed when the delivery was acked. | Its memory is empty, and the message is not redelivered. |
//! | redelivered | ack | The acknowledgement is lost. | The message is redelivered to the same process. |
//!
//! Clients cannot crash, since nothing would restart them; only a message with a time to live can expire, and only a queue with a length
//! limit overflows. Elsewhere, random faults of these kinds do not happen, and a scripted one fails the run with the reason.

mod at;
mod families;
mod family;
mod means;
mod point;
mod text;

pub use at::{At, Site, Unmet};
pub use families::Faults;
pub use family::Family;
pub(crate) use means::Means;
pub use point::Point;
pub use text::FaultError;
pub(crate) use text::{in_milliseconds, milliseconds};

use std::fmt;
use std::time::Duration;

/// A fault. Each has the [sites](Fault::sites) where it can happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Fault {
    /// Boot: the server starts this long after the others. Until then its queue does not exist.
    LateStart(Duration),
    /// Publish: the session breaks before the broker has the message.
    PublishLost,
    /// Publish: the broker has the message, and the session breaks before the confirm.
    ConfirmLost,
    /// Publish: the broker has the message, and its confirm comes only after this time.
    ConfirmLate(Duration),
    /// Publish: a queue refuses the message, as a full one with `reject-publish` does.
    Nacked,
    /// Publish: the broker gets the message twice, as from a publisher that tried again.
    PublishedTwice,
    /// Deliver: it arrives only after this time, and so does what is behind it on its channel.
    Delayed(Duration),
    /// Deliver: up to this many messages on other channels arrive before it.
    Overtaken(u32),
    /// Deliver, Start, Wait, Ack: the session breaks; what is not acked is delivered again.
    ConnectionLost,
    /// Deliver: the broker closes the consumer's channel.
    ChannelClosed,
    /// Deliver: the broker cancels the consumer.
    ConsumerCancelled,
    /// Any site of a message: the process is killed, and restarted after this time. It loses its memory; what it had not acked is
    /// redelivered. Tasks that its handlers have spawned by [`tavrida::task::spawn`] end; those of `tokio::spawn` go on, without their
    /// connection, and the report names them.
    Crash(Duration),
    /// Ack: the acknowledgement is lost, and the message is redelivered.
    Redelivered,
    /// Deliver: the broker stops in good order and starts again.
    BrokerRestart,
    /// Deliver: the broker is killed and starts again.
    BrokerKilled,
    /// Start, Wait: the handler begins, or goes on, only after this time.
    Slow(Duration),
    /// Deliver: nothing passes between the receiver and the broker for this time, then its session breaks.
    Partition(Duration),
    /// Deliver: nothing arrives at the receiver for this time, but what it sends arrives.
    Deaf(Duration),
    /// Deliver: nothing that the receiver sends arrives for this time, but it still receives.
    Mute(Duration),
    /// Deliver: the message, which has a time to live, expires in its queue.
    Expired,
    /// Deliver: the queue, which has a limit and drops its oldest messages, drops the message.
    Overflow,
    /// Deliver: the wall clock jumps by this many seconds.
    ClockJump(i64),
}

impl Fault {
    /// Returns the sites where it can happen.
    pub const fn sites(self) -> &'static [Site] {
        match self {
            Self::LateStart(_) => &[Site::Boot],
            Self::PublishLost
            | Self::ConfirmLost
            | Self::ConfirmLate(_)
            | Self::Nacked
            | Self::PublishedTwice => &[Site::Publish],
            Self::ConnectionLost => &[Site::Deliver, Site::Start, Site::Wait, Site::Ack],
            Self::Crash(_) => &[Site::Publish, Site::Deliver, Site::Start, Site::Wait, Site::Ack, Site::Done],
            Self::Redelivered => &[Site::Ack],
            Self::Slow(_) => &[Site::Start, Site::Wait],
            Self::Delayed(_)
            | Self::Overtaken(_)
            | Self::ChannelClosed
            | Self::ConsumerCancelled
            | Self::BrokerRestart
            | Self::BrokerKilled
            | Self::Partition(_)
            | Self::Deaf(_)
            | Self::Mute(_)
            | Self::Expired
            | Self::Overflow
            | Self::ClockJump(_) => &[Site::Deliver],
        }
    }

    /// Returns whether something comes later because of it, and nothing else is changed, for anybody.
    pub(crate) const fn only_takes_time(self) -> bool {
        matches!(self, Self::Delayed(_) | Self::ConfirmLate(_) | Self::Slow(_))
    }

    /// Asserts that the fault can happen at a place.
    ///
    /// # Panics
    ///
    /// Panics if it cannot; the text says where it can.
    #[track_caller]
    pub(crate) fn assert_can_happen(self, at: &At) {
        let sites = self.sites();
        let known = || sites.iter().map(|site| site.as_str()).collect::<Vec<_>>().join(", ");
        assert!(
            sites.contains(&at.site()),
            "{self} cannot happen at {at}: it happens at these sites: {}",
            known()
        );
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::LateStart(by) => write!(f, "late-start({}ms)", by.as_millis()),
            Self::PublishLost => f.write_str("publish-lost"),
            Self::ConfirmLost => f.write_str("confirm-lost"),
            Self::ConfirmLate(by) => write!(f, "confirm-late({}ms)", by.as_millis()),
            Self::Nacked => f.write_str("nacked"),
            Self::PublishedTwice => f.write_str("published-twice"),
            Self::Delayed(by) => write!(f, "delayed({}ms)", by.as_millis()),
            Self::Overtaken(times) => write!(f, "overtaken({times})"),
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
            Self::Expired => f.write_str("expired"),
            Self::Overflow => f.write_str("overflow"),
            Self::ClockJump(by) => write!(f, "clock-jump({by}s)"),
        }
    }
}
