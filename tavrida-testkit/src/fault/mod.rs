//! Faults: what can go wrong ([`Fault`]), where ([`At`]), and how often it does at random ([`Faults`]).
//!
//! A scripted fault happens at a place that a test names: `graph.fault(At::before_ack("billing.charge"), Fault::ConnectionLost)`.
//! Random ones are enabled by [`Family`]; a seed then decides for itself at each place.
//!
//! | family | at | what happens | what a correct service bears |
//! |---|---|---|---|
//! | late-start | boot | A server, with all its replicas, starts some time after the others. Its queue is not there until then. | What it sends to the server is refused or unroutable and the sender told; what was published meanwhile the server never hears. |
//! | publish-lost | publish | The session breaks before the broker has the message. | The outcome is ambiguous, and nothing arrived. |
//! | confirm-lost | publish | The broker has the message, and the session breaks before the confirm. | The outcome is ambiguous, and it arrived: sending again makes a second one. |
//! | nacked | publish | A full queue with `reject-publish` refuses the message. | The send is refused, and nothing arrived. |
//! | published-twice | publish | The broker gets the message twice, as from a sender that tried again. | It is handled twice, without a mark of redelivery; the message id is the same. |
//! | crash-at-publish | publish | The broker has the message, and the sender's process is killed. | What the handler did so far it does again. |
//! | delayed | deliver | The message, and what is behind it on its channel, arrives later. | Timeouts; an order between queues that is another one. |
//! | overtaken | deliver | Some messages of other queues arrive before it. | An order between queues that is another one. |
//! | connection-lost | deliver, start, wait, ack | The session breaks. | What is not acked is delivered again, marked; asks under way fail. |
//! | channel-closed | deliver | The broker closes the consumer's channel (406). | What is not acked is delivered again, marked. |
//! | consumer-cancelled | deliver | The broker cancels the consumer. | It consumes again; what had arrived can still be acked. |
//! | broker-restart | deliver | The broker stops in good order and starts again: all sessions end with 320. | Transient messages and exclusive queues are gone; persistent messages in durable queues are kept. |
//! | broker-killed | deliver | The broker is killed and starts again. | The same, and everything that is left is marked as redelivered. |
//! | partition | deliver | Nothing goes between the receiver and the broker for a time, then its session breaks. | Both of the one-way cuts; what was sent meanwhile is ambiguous. |
//! | deaf | deliver | Nothing arrives at the receiver for a time, confirms included. | Timeouts of asks that were answered. |
//! | mute | deliver | Nothing that the receiver sends gets through for a time, acks included. | Its confirms come late; its asks are answered late. |
//! | expired | deliver | A message with a time to live dies in its queue: it is dead-lettered or gone. | An ask that nobody answers. |
//! | overflow | deliver | A full queue that drops what is oldest drops the message: it is dead-lettered or gone. | A message that never comes, though it was confirmed. |
//! | clock-jump | deliver | The wall clock jumps, up to a day, either way. | Wall time that runs backwards; deadlines stay as they are. |
//! | slow | start | The handler begins some time after its message arrived. | Timeouts; a backlog. |
//! | crash-at-start | start | The process is killed before the handler begins, and started anew. | Its memory is empty; the message comes again, marked. |
//! | crash-in-handler | wait | The process is killed when the handler first waits for something. | The same, with what the handler did before. |
//! | crash-before-ack | ack | The process is killed when the handler is done and its delivery not acked. | The same, with all that the handler did. |
//! | crash-after-ack | done | The process is killed when the delivery was acked. | Its memory is empty, and the message does not come again. |
//! | redelivered | ack | The acknowledgement does not count. | The message comes again, marked, to the same process. |
//!
//! Clients cannot crash, since nobody would start them anew; only what has a time to live can expire, and only a queue with a length
//! limit overflows. At random such a fault does not happen there; a scripted one fails the run and says why.

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

/// Something that goes wrong. Each has the [sites](Fault::sites) where it can happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Fault {
    /// Boot: the server starts so long after the others. Until then its queue is not there.
    LateStart(Duration),
    /// Publish: the session breaks before the broker has the message.
    PublishLost,
    /// Publish: the broker has the message, and the session breaks before the confirm.
    ConfirmLost,
    /// Publish: a queue refuses the message, as a full one with `reject-publish` does.
    Nacked,
    /// Publish: the broker gets the message twice, as from a publisher that tried again.
    PublishedTwice,
    /// Deliver: it arrives only after this time, and so does what is behind it on its channel.
    Delayed(Duration),
    /// Deliver: so many messages on other channels arrive before it, as far as there are so many.
    Overtaken(u32),
    /// Deliver, Start, Wait, Ack: the session breaks; what is not acked is delivered again.
    ConnectionLost,
    /// Deliver: the broker closes the consumer's channel.
    ChannelClosed,
    /// Deliver: the broker cancels the consumer.
    ConsumerCancelled,
    /// At every station of a message: the process is killed, and started anew after this time. Its memory is gone; so is what it had not
    /// acked, which is delivered again.
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
    /// Deliver: the message, which has a time to live, dies in its queue.
    Expired,
    /// Deliver: the queue, which has a limit and drops what is oldest, drops the message.
    Overflow,
    /// Deliver: the wall clock jumps by so many seconds.
    ClockJump(i64),
}

impl Fault {
    /// Where it can happen.
    pub const fn sites(self) -> &'static [Site] {
        match self {
            Self::LateStart(_) => &[Site::Boot],
            Self::PublishLost | Self::ConfirmLost | Self::Nacked | Self::PublishedTwice => &[Site::Publish],
            Self::ConnectionLost => &[Site::Deliver, Site::Start, Site::Wait, Site::Ack],
            Self::Crash(_) => &[Site::Publish, Site::Deliver, Site::Start, Site::Wait, Site::Ack, Site::Done],
            Self::Redelivered => &[Site::Ack],
            Self::Slow(_) => &[Site::Start],
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

    /// Makes sure that it can happen at a place.
    ///
    /// # Panics
    ///
    /// When it cannot; the text says where it can.
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
