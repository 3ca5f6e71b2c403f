//! [`Family`]: the kinds of fault that can be enabled at random.

use std::fmt;
use std::time::Duration;

use super::{Fault, Site};
use crate::random::{hash, join, scale};

/// A kind of fault. [The module](super) has the table of what happens in each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Family {
    /// A server starts after the others.
    LateStart,
    /// The session breaks before the broker has a message.
    PublishLost,
    /// The session breaks before the sender knows that the broker has its message.
    ConfirmLost,
    /// A sender learns late that the broker has its message.
    ConfirmLate,
    /// A full queue nacks a message.
    Nacked,
    /// A message is in its queue twice.
    PublishedTwice,
    /// A process is killed while it waits for a confirm.
    CrashAtPublish,
    /// A message arrives late.
    Delayed,
    /// Later messages arrive first.
    Overtaken,
    /// A session breaks.
    ConnectionLost,
    /// The broker closes a consumer's channel.
    ChannelClosed,
    /// The broker cancels a consumer.
    ConsumerCancelled,
    /// The broker stops and starts again.
    BrokerRestart,
    /// The broker is killed and starts again.
    BrokerKilled,
    /// A session is cut off in both directions.
    Partition,
    /// A session receives nothing.
    Deaf,
    /// Nothing that a session sends arrives.
    Mute,
    /// A message with a time to live expires in its queue.
    Expired,
    /// A full queue drops a message.
    Overflow,
    /// The wall clock jumps.
    ClockJump,
    /// A handler is slow to begin or to go on.
    Slow,
    /// A process is killed before its handler begins.
    CrashAtStart,
    /// A process is killed while its handler waits.
    CrashInHandler,
    /// A process is killed when its handler has ended and the delivery is not acknowledged.
    CrashBeforeAck,
    /// A process is killed right after the broker has the acknowledgement.
    CrashAfterAck,
    /// A message is delivered again although it was acknowledged.
    Redelivered,
}

impl Family {
    /// All families.
    pub const ALL: [Self; 26] = [
        Self::LateStart,
        Self::PublishLost,
        Self::ConfirmLost,
        Self::ConfirmLate,
        Self::Nacked,
        Self::PublishedTwice,
        Self::CrashAtPublish,
        Self::Delayed,
        Self::Overtaken,
        Self::ConnectionLost,
        Self::ChannelClosed,
        Self::ConsumerCancelled,
        Self::BrokerRestart,
        Self::BrokerKilled,
        Self::Partition,
        Self::Deaf,
        Self::Mute,
        Self::Expired,
        Self::Overflow,
        Self::ClockJump,
        Self::Slow,
        Self::CrashAtStart,
        Self::CrashInHandler,
        Self::CrashBeforeAck,
        Self::CrashAfterAck,
        Self::Redelivered,
    ];

    /// Returns the word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::LateStart => "late-start",
            Self::PublishLost => "publish-lost",
            Self::ConfirmLost => "confirm-lost",
            Self::ConfirmLate => "confirm-late",
            Self::Nacked => "nacked",
            Self::PublishedTwice => "published-twice",
            Self::CrashAtPublish => "crash-at-publish",
            Self::Delayed => "delayed",
            Self::Overtaken => "overtaken",
            Self::ConnectionLost => "connection-lost",
            Self::ChannelClosed => "channel-closed",
            Self::ConsumerCancelled => "consumer-cancelled",
            Self::BrokerRestart => "broker-restart",
            Self::BrokerKilled => "broker-killed",
            Self::Partition => "partition",
            Self::Deaf => "deaf",
            Self::Mute => "mute",
            Self::Expired => "expired",
            Self::Overflow => "overflow",
            Self::ClockJump => "clock-jump",
            Self::Slow => "slow",
            Self::CrashAtStart => "crash-at-start",
            Self::CrashInHandler => "crash-in-handler",
            Self::CrashBeforeAck => "crash-before-ack",
            Self::CrashAfterAck => "crash-after-ack",
            Self::Redelivered => "redelivered",
        }
    }

    /// Returns the families whose faults happen at a site.
    pub(super) const fn at(site: Site) -> &'static [Self] {
        match site {
            Site::Boot => &[Self::LateStart],
            Site::Publish => &[
                Self::PublishLost,
                Self::ConfirmLost,
                Self::Nacked,
                Self::PublishedTwice,
                Self::CrashAtPublish,
                Self::ConfirmLate,
            ],
            Site::Deliver => &[
                Self::Delayed,
                Self::Overtaken,
                Self::ConnectionLost,
                Self::ChannelClosed,
                Self::ConsumerCancelled,
                Self::BrokerRestart,
                Self::BrokerKilled,
                Self::Partition,
                Self::Deaf,
                Self::Mute,
                Self::Expired,
                Self::Overflow,
                Self::ClockJump,
            ],
            Site::Start => &[Self::ConnectionLost, Self::Slow, Self::CrashAtStart],
            Site::Wait => &[Self::ConnectionLost, Self::CrashInHandler, Self::Slow],
            Site::Ack => &[Self::ConnectionLost, Self::CrashBeforeAck, Self::Redelivered],
            Site::Done => &[Self::CrashAfterAck],
            Site::Yield => &[],
        }
    }

    /// Returns whether a service with at-least-once handling must survive it: whether it removes nothing from queues that exist.
    pub(super) const fn is_borne_at_least_once(self) -> bool {
        !matches!(self, Self::LateStart | Self::Expired | Self::Overflow | Self::ClockJump)
    }

    /// Returns the default rate in millionths. It leaves most messages alone, and is lower for faults that take down more.
    pub(super) const fn usual_rate(self) -> u32 {
        match self {
            Self::LateStart => 50_000,
            Self::Delayed | Self::Overtaken | Self::ConfirmLate => 40_000,
            Self::Slow | Self::PublishedTwice | Self::Redelivered | Self::ConfirmLost => 20_000,
            Self::PublishLost | Self::Nacked | Self::Expired | Self::Overflow | Self::ClockJump => 15_000,
            Self::ConnectionLost | Self::ChannelClosed | Self::ConsumerCancelled => 10_000,
            Self::CrashAtPublish
            | Self::CrashAtStart
            | Self::CrashInHandler
            | Self::CrashBeforeAck
            | Self::CrashAfterAck => 10_000,
            Self::Partition | Self::Deaf | Self::Mute => 5_000,
            Self::BrokerRestart | Self::BrokerKilled => 4_000,
        }
    }

    /// Returns one fault of the family, chosen by random bits.
    pub(super) fn fault(self, bits: u64) -> Fault {
        match self {
            Self::LateStart => Fault::LateStart(millis(bits, 10, 10_000)),
            Self::PublishLost => Fault::PublishLost,
            Self::ConfirmLost => Fault::ConfirmLost,
            Self::ConfirmLate => Fault::ConfirmLate(millis(bits, 1, 5_000)),
            Self::Nacked => Fault::Nacked,
            Self::PublishedTwice => Fault::PublishedTwice,
            Self::Delayed => Fault::Delayed(millis(bits, 1, 5_000)),
            Self::Overtaken => Fault::Overtaken(u32::try_from(between(bits, 1, 6)).expect("it is at most 6")),
            Self::ConnectionLost => Fault::ConnectionLost,
            Self::ChannelClosed => Fault::ChannelClosed,
            Self::ConsumerCancelled => Fault::ConsumerCancelled,
            Self::BrokerRestart => Fault::BrokerRestart,
            Self::BrokerKilled => Fault::BrokerKilled,
            Self::Partition => Fault::Partition(millis(bits, 10, 60_000)),
            Self::Deaf => Fault::Deaf(millis(bits, 10, 60_000)),
            Self::Mute => Fault::Mute(millis(bits, 10, 60_000)),
            Self::Expired => Fault::Expired,
            Self::Overflow => Fault::Overflow,
            Self::ClockJump => Fault::ClockJump(seconds(bits)),
            Self::Slow => Fault::Slow(millis(bits, 1, 20_000)),
            Self::CrashAtPublish
            | Self::CrashAtStart
            | Self::CrashInHandler
            | Self::CrashBeforeAck
            | Self::CrashAfterAck => Fault::Crash(millis(bits, 1, 10_000)),
            Self::Redelivered => Fault::Redelivered,
        }
    }

    /// Returns a salt that separates its draws from those of other families.
    pub(super) const fn salt(self) -> u64 {
        const SALTS: [u64; Family::ALL.len()] = {
            let mut salts = [0; Family::ALL.len()];
            let mut index = 0;
            while index < salts.len() {
                salts[index] = hash(Family::ALL[index].as_str().as_bytes());
                index += 1;
            }
            salts
        };
        SALTS[self as usize]
    }
}

/// Returns a number from `low` to `high`. Its logarithm is uniform, so that small and large numbers are equally frequent.
fn between(bits: u64, low: u64, high: u64) -> u64 {
    let doublings = u64::from((high / low).ilog2()) + 1;
    let top = low << scale(bits, doublings);
    (top + scale(join(bits, 1), top)).min(high)
}

fn millis(bits: u64, low: u64, high: u64) -> Duration {
    Duration::from_millis(between(bits, low, high))
}

/// Returns a number of seconds between one second and one day, positive or negative.
fn seconds(bits: u64) -> i64 {
    let seconds = i64::try_from(between(bits, 1, 86_400)).expect("a day has fewer seconds");
    if join(bits, 2) & 1 == 0 { seconds } else { -seconds }
}

impl fmt::Display for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Random;

    #[test]
    fn each_family_is_in_its_place_and_happens_somewhere() {
        for (place, family) in Family::ALL.into_iter().enumerate() {
            assert_eq!(family as usize, place, "{family}");
            let at: Vec<Site> =
                Site::ALL.into_iter().filter(|site| Family::at(*site).contains(&family)).collect();
            assert!(!at.is_empty(), "{family}");
            let sites = family.fault(0).sites();
            assert!(at.iter().all(|site| sites.contains(site)), "{family} at {at:?}, but only at {sites:?}");
        }
    }

    #[test]
    fn random_amounts_reach_from_the_least_to_the_most() {
        let mut random = Random::new(5);
        let drawn: Vec<u64> = (0..10_000).map(|_| between(random.draw(), 10, 60_000)).collect();
        assert!(drawn.iter().all(|amount| (10..=60_000).contains(amount)));
        assert!(drawn.iter().any(|amount| *amount < 20) && drawn.iter().any(|amount| *amount > 50_000));
    }
}
