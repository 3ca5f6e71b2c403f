//! Parses a [`Fault`] from the text that its `Display` writes.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use super::Fault;

/// What [`Fault::from_str`] reads.
const EXPECTED: &str = "a fault, such as 'connection-lost', 'crash(200ms)' or 'clock-jump(-30s)'";

impl FromStr for Fault {
    type Err = FaultError;

    fn from_str(text: &str) -> Result<Self, FaultError> {
        read(text).ok_or_else(|| FaultError(text.to_owned()))
    }
}

fn read(text: &str) -> Option<Fault> {
    let Some((word, rest)) = text.split_once('(') else { return of_word(text) };
    let argument = rest.strip_suffix(')')?;
    if word == "clock-jump" {
        return argument.strip_suffix('s')?.parse().ok().map(Fault::ClockJump);
    }
    if word == "overtaken" {
        return argument.parse().ok().map(Fault::Overtaken);
    }
    let time = milliseconds(argument)?;
    Some(match word {
        "late-start" => Fault::LateStart(time),
        "confirm-late" => Fault::ConfirmLate(time),
        "delayed" => Fault::Delayed(time),
        "crash" => Fault::Crash(time),
        "slow" => Fault::Slow(time),
        "partition" => Fault::Partition(time),
        "deaf" => Fault::Deaf(time),
        "mute" => Fault::Mute(time),
        _ => return None,
    })
}

fn of_word(word: &str) -> Option<Fault> {
    Some(match word {
        "publish-lost" => Fault::PublishLost,
        "confirm-lost" => Fault::ConfirmLost,
        "nacked" => Fault::Nacked,
        "published-twice" => Fault::PublishedTwice,
        "expired" => Fault::Expired,
        "overflow" => Fault::Overflow,
        "connection-lost" => Fault::ConnectionLost,
        "channel-closed" => Fault::ChannelClosed,
        "consumer-cancelled" => Fault::ConsumerCancelled,
        "redelivered" => Fault::Redelivered,
        "broker-restart" => Fault::BrokerRestart,
        "broker-killed" => Fault::BrokerKilled,
        _ => return None,
    })
}

/// Parses a time in whole milliseconds, as `40ms`.
pub(crate) fn milliseconds(text: &str) -> Option<Duration> {
    text.strip_suffix("ms")?.parse().ok().map(Duration::from_millis)
}

/// Truncates a time to whole milliseconds: tokio's paused clock and the text have no finer unit.
pub(crate) fn in_milliseconds(time: Duration) -> Duration {
    Duration::from_millis(u64::try_from(time.as_millis()).unwrap_or(u64::MAX))
}

impl Fault {
    /// Returns the duration of the fault, if it has one.
    pub(crate) fn time(&mut self) -> Option<&mut Duration> {
        match self {
            Self::Crash(time)
            | Self::ConfirmLate(time)
            | Self::LateStart(time)
            | Self::Delayed(time)
            | Self::Slow(time)
            | Self::Partition(time)
            | Self::Deaf(time)
            | Self::Mute(time) => Some(time),
            _ => None,
        }
    }
}

/// The text names no [`Fault`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FaultError(String);

impl fmt::Display for FaultError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "'{}' is not {EXPECTED}", self.0)
    }
}

impl std::error::Error for FaultError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_reads_as_it_was_written() {
        let time = Duration::from_millis(1500);
        let all = [
            Fault::PublishLost,
            Fault::ConfirmLost,
            Fault::ConfirmLate(time),
            Fault::Nacked,
            Fault::PublishedTwice,
            Fault::LateStart(time),
            Fault::Delayed(time),
            Fault::Overtaken(3),
            Fault::Expired,
            Fault::Overflow,
            Fault::ConnectionLost,
            Fault::ChannelClosed,
            Fault::ConsumerCancelled,
            Fault::Crash(time),
            Fault::Redelivered,
            Fault::BrokerRestart,
            Fault::BrokerKilled,
            Fault::Slow(time),
            Fault::Partition(time),
            Fault::Deaf(time),
            Fault::Mute(time),
            Fault::ClockJump(-30),
        ];
        for fault in all {
            assert_eq!(fault.to_string().parse(), Ok(fault));
        }
    }

    #[test]
    fn what_is_no_fault_is_named() {
        for text in ["crash", "crash(5)", "crash(5ms", "crash(-1ms)", "nacked(5ms)", "clock-jump(1ms)", ""] {
            let error = text.parse::<Fault>().expect_err("it is no fault").to_string();
            assert!(error.starts_with(&format!("'{text}' is not a fault, such as ")), "{error}");
        }
    }
}
