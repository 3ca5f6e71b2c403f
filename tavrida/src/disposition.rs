//! Decides the fate of a delivery from the outcome of its handling and one policy, in one table.

use std::fmt;
use std::time::Duration;

use crate::message::Failure;
use crate::time::{LONGEST_TIME_TO_LIVE, scaled};

/// What a server does with a failed delivery for which no caller waits: a cast, a notification, a response, an error; a reply that could
/// not be sent; and a call whose error is marked as [retryable](Failure::retryable).
///
/// The default dead-letters it at once. Nothing is dropped unless the policy says so. A failure that
/// [is permanent](Failure::permanent) is not retried.
///
/// ```
/// use std::time::Duration;
/// use tavrida::{FailurePolicy, Retry};
///
/// let policy: FailurePolicy =
///     Retry::times(5).between(Duration::from_millis(200), Duration::from_secs(30)).then_dead_letter();
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailurePolicy {
    times: u32,
    delays: Vec<Duration>,
    jitter: bool,
    last: Last,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Last {
    DeadLetter,
    Discard,
}

impl FailurePolicy {
    /// Dead-letters after the first failure: the default.
    pub fn dead_letter() -> Self {
        Self { times: 0, delays: Vec::new(), jitter: false, last: Last::DeadLetter }
    }

    /// Drops after the first failure, with a log line and a count. **Messages are lost.**
    pub fn discard() -> Self {
        Self { last: Last::Discard, ..Self::dead_letter() }
    }

    /// Returns the delays between attempts, ascending, without duplicates; empty if there is only one attempt.
    pub fn delays(&self) -> &[Duration] {
        &self.delays
    }

    /// Returns how often a message is retried.
    pub fn retries(&self) -> u32 {
        self.times
    }
}

impl Default for FailurePolicy {
    fn default() -> Self {
        Self::dead_letter()
    }
}

/// Delayed retries; [`then_dead_letter`](Retry::then_dead_letter) or [`then_discard`](Retry::then_discard) completes the policy.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use = "a retry is part of a policy once it is said how it ends"]
pub struct Retry {
    times: u32,
    first: Duration,
    most: Duration,
    jitter: bool,
}

impl Retry {
    /// The maximum number of different delays of a policy: each needs a separate queue on the broker.
    pub const MAX_STEPS: u32 = 8;

    /// The longest delay: the longest time to live of a message that every version of RabbitMQ accepts, about 49 days and 17 hours.
    pub const MAX_DELAY: Duration = LONGEST_TIME_TO_LIVE;

    /// Retries up to `times` times, with delays from 1 s to 60 s.
    pub fn times(times: u32) -> Self {
        Self { times, first: Duration::from_secs(1), most: Duration::from_secs(60), jitter: false }
    }

    /// Sets the delay before the first and before the last retry; those between grow by an equal factor. Whole milliseconds, from 1 up to
    /// [`MAX_DELAY`](Retry::MAX_DELAY); a longer delay is cut to that.
    ///
    /// There are at most [`MAX_STEPS`](Retry::MAX_STEPS) different delays; after these the last one repeats.
    pub fn between(mut self, first: Duration, most: Duration) -> Self {
        self.first = first;
        self.most = most.max(first);
        self
    }

    /// Randomly uses the previous delay for half of the messages, to spread retries.
    pub fn jitter(mut self) -> Self {
        self.jitter = true;
        self
    }

    /// Publishes the message to the dead-letter queue after the last retry.
    pub fn then_dead_letter(self) -> FailurePolicy {
        self.then(Last::DeadLetter)
    }

    /// Drops the message after the last retry, with a log line and a count. **Messages are lost.**
    pub fn then_discard(self) -> FailurePolicy {
        self.then(Last::Discard)
    }

    fn then(self, last: Last) -> FailurePolicy {
        let steps = self.times.min(Self::MAX_STEPS);
        let first = self.first.clamp(Duration::from_millis(1), Self::MAX_DELAY);
        let most = self.most.clamp(first, Self::MAX_DELAY);
        let ratio = most.as_secs_f64() / first.as_secs_f64();
        let step = |n: u32| match steps {
            0 | 1 => first,
            _ => scaled(first, ratio.powf(f64::from(n) / f64::from(steps - 1))),
        };
        let whole = |delay: Duration| {
            Duration::from_millis(u64::try_from(delay.as_millis()).unwrap_or(u64::MAX)).min(Self::MAX_DELAY)
        };
        let mut delays: Vec<Duration> = (0..steps).map(|n| whole(step(n))).collect();
        delays.dedup();
        FailurePolicy { times: self.times, delays, jitter: self.jitter, last }
    }
}

/// The outcome of handling a delivery.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// A handler handled it, and what it sent is confirmed.
    Handled,
    /// A copy of an answer to an ask, which arrives through another queue.
    NotOurs,
    /// Its asker waits no longer, and no handler has begun.
    Expired,
    /// It cannot be decoded, or no handler matches it. A retry cannot help.
    Hopeless(Failure),
    /// The handler failed.
    Failed(Failure),
    /// The session was lost meanwhile: the broker redelivers it in any case.
    Lost,
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Handled => f.write_str("handled"),
            Self::NotOurs => f.write_str("not ours"),
            Self::Expired => f.write_str("expired"),
            Self::Hopeless(failure) => write!(f, "unwanted: {failure}"),
            Self::Failed(failure) => write!(f, "failed: {failure}"),
            Self::Lost => f.write_str("lost with its session"),
        }
    }
}

/// The action on a delivery.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Disposition {
    /// Acknowledge it.
    Ack,
    /// Schedule a copy after this delay, then ack.
    Retry(Duration),
    /// Publish a copy to the dead-letter queue, then ack.
    DeadLetter(&'static str),
    /// Ack, and count the loss.
    Discard,
    /// Nothing: it can no longer be settled.
    Leave,
}

impl FailurePolicy {
    /// Returns the action from the table. `attempt` is 1 at the first attempt; `key` spreads messages if there is jitter.
    pub(crate) fn decide(&self, outcome: &Outcome, attempt: u32, key: &str) -> Disposition {
        match (outcome, self.last) {
            (Outcome::Handled | Outcome::NotOurs | Outcome::Expired, _) => Disposition::Ack,
            (Outcome::Lost, _) => Disposition::Leave,
            (Outcome::Hopeless(_), _) => Disposition::DeadLetter("unwanted"),
            (Outcome::Failed(failure), _) if self.retries_after(attempt, failure) => {
                Disposition::Retry(self.delay(attempt, key))
            }
            (Outcome::Failed(_), Last::DeadLetter) => Disposition::DeadLetter("failed"),
            (Outcome::Failed(_), Last::Discard) => Disposition::Discard,
        }
    }

    /// Returns whether a failure at this attempt is retried.
    pub(crate) fn retries_after(&self, attempt: u32, failure: &Failure) -> bool {
        attempt <= self.times && !failure.is_permanent()
    }

    fn delay(&self, attempt: u32, key: &str) -> Duration {
        let last = self.delays.len().saturating_sub(1);
        let step = (attempt as usize - 1).min(last);
        let earlier = self.jitter
            && key.bytes().fold(0_u8, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte)) % 2 == 1;
        self.delays[step.saturating_sub(usize::from(earlier))]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failed() -> Outcome {
        Outcome::Failed(Failure::new("a.B", "no"))
    }

    fn ms(n: u64) -> Duration {
        Duration::from_millis(n)
    }

    #[test]
    fn delays_grow_by_an_equal_factor_from_first_to_most() {
        let policy = Retry::times(3).between(ms(100), ms(1600)).then_dead_letter();
        assert_eq!(policy.delays(), [ms(100), ms(400), ms(1600)]);
    }

    #[test]
    fn many_retries_share_eight_delays_and_the_last_repeats() {
        let policy = Retry::times(100).between(ms(1), ms(128)).then_dead_letter();
        assert_eq!(policy.delays().len(), 8);
        assert_eq!(policy.decide(&failed(), 100, ""), Disposition::Retry(ms(128)));
    }

    #[test]
    fn the_table() {
        let policy = Retry::times(2).between(ms(10), ms(20)).then_dead_letter();
        assert_eq!(policy.decide(&Outcome::Handled, 1, ""), Disposition::Ack);
        assert_eq!(policy.decide(&Outcome::Lost, 1, ""), Disposition::Leave);
        assert_eq!(policy.decide(&failed(), 1, ""), Disposition::Retry(ms(10)));
        assert_eq!(policy.decide(&failed(), 2, ""), Disposition::Retry(ms(20)));
        assert_eq!(policy.decide(&failed(), 3, ""), Disposition::DeadLetter("failed"));
        let permanent = Outcome::Failed(Failure::new("a.B", "never").permanent());
        assert_eq!(policy.decide(&permanent, 1, ""), Disposition::DeadLetter("failed"));
        let hopeless = Outcome::Hopeless(Failure::new("a.B", "unreadable"));
        assert_eq!(policy.decide(&hopeless, 1, ""), Disposition::DeadLetter("unwanted"));
    }

    #[test]
    fn nothing_is_dropped_unless_asked_for() {
        assert_eq!(FailurePolicy::default().decide(&failed(), 1, ""), Disposition::DeadLetter("failed"));
        assert_eq!(FailurePolicy::discard().decide(&failed(), 1, ""), Disposition::Discard);
        let hopeless = Outcome::Hopeless(Failure::new("a.B", "unreadable"));
        assert_eq!(FailurePolicy::discard().decide(&hopeless, 1, ""), Disposition::DeadLetter("unwanted"));
    }

    #[test]
    fn jitter_chooses_among_the_delays() {
        let policy = Retry::times(2).between(ms(10), ms(20)).jitter().then_dead_letter();
        let delays: std::collections::BTreeSet<String> =
            ["a", "b"].iter().map(|key| format!("{:?}", policy.decide(&failed(), 2, key))).collect();
        assert_eq!(delays.len(), 2, "{delays:?}");
    }
}
