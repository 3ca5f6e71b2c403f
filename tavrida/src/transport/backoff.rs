//! [`Backoff`]: the delays between attempts to connect to a broker.

use std::time::Duration;

use crate::time::scaled;

/// The delays between attempts to connect: exponential, up to a limit, and each randomly shortened by up to half, so that many clients of
/// one broker do not reconnect at the same moment.
#[derive(Debug, Clone, PartialEq)]
pub struct Backoff {
    first: Duration,
    most: Duration,
    attempts: Option<u32>,
    /// The limit before the first session; `None`: the same as `attempts`.
    first_attempts: Option<Option<u32>>,
    /// Whether a permanent refusal before the first session is retried, too.
    retries_refusals: bool,
}

impl Backoff {
    /// Creates delays from `first` up to `most`, without a limit of attempts.
    pub fn between(first: Duration, most: Duration) -> Self {
        Self { first, most: most.max(first), attempts: None, first_attempts: None, retries_refusals: false }
    }

    /// Sets the maximum number of consecutive failed attempts, at the start or after a loss; `None` is no limit. With 0 a loss is final.
    #[must_use = "the backoff is returned with the limit"]
    pub fn max_attempts(mut self, limit: impl Into<Option<u32>>) -> Self {
        self.attempts = limit.into();
        self
    }

    /// Sets the maximum number of failed attempts before the first session, instead of the limit after a loss; `None` is no limit. There is
    /// at least one attempt.
    #[must_use = "the backoff is returned with the limit"]
    pub fn max_first_attempts(mut self, limit: impl Into<Option<u32>>) -> Self {
        self.first_attempts = Some(limit.into());
        self
    }

    /// Retries permanent refusals at the start like any failure.
    #[must_use = "the backoff comes back with the setting"]
    pub(crate) fn retrying_refusals(self) -> Self {
        Self { retries_refusals: true, ..self }
    }

    pub(crate) fn retries_refusals(&self) -> bool {
        self.retries_refusals
    }

    /// Returns whether `failed` consecutive attempts at the start are too many.
    pub(crate) fn is_used_up_at_first(&self, failed: u32) -> bool {
        self.first_attempts.unwrap_or(self.attempts).is_some_and(|attempts| failed >= attempts)
    }

    /// Returns whether `failed` consecutive attempts after a loss are too many.
    pub(crate) fn is_used_up(&self, failed: u32) -> bool {
        self.attempts.is_some_and(|attempts| failed >= attempts)
    }

    /// Returns the delay after `failed` consecutive attempts; `failed` is at least one.
    pub(crate) fn delay(&self, failed: u32, random: &mut fastrand::Rng) -> Duration {
        let doublings = failed.saturating_sub(1).min(32);
        let full = self.first.saturating_mul(2_u32.saturating_pow(doublings)).min(self.most);
        scaled(full, 1.0 - random.f64() / 2.0).min(full)
    }
}

impl Default for Backoff {
    /// Returns delays from 100 ms to 3 s, without a limit of attempts: in the median, a session is back within 2 s of the end of an outage.
    fn default() -> Self {
        Self::between(Duration::from_millis(100), Duration::from_secs(3))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_double_up_to_the_limit_and_lose_at_most_half() {
        let backoff = Backoff::between(Duration::from_millis(100), Duration::from_secs(1));
        let mut random = fastrand::Rng::with_seed(7);
        for (failed, full) in [(1, 100), (2, 200), (3, 400), (4, 800), (5, 1000), (60, 1000)] {
            let delay = backoff.delay(failed, &mut random).as_millis();
            assert!((full / 2..=full).contains(&delay), "{delay} after {failed}");
        }
    }

    #[test]
    fn no_limit_is_never_used_up() {
        assert!(!Backoff::default().max_attempts(None).is_used_up(u32::MAX));
        assert!(Backoff::default().max_attempts(3).is_used_up(3));
        assert!(!Backoff::default().max_attempts(3).is_used_up(2));
    }

    #[test]
    fn the_start_has_the_same_limit_unless_it_has_one_of_its_own() {
        let both = Backoff::default().max_attempts(3);
        assert!(both.is_used_up_at_first(3));
        let patient = both.max_first_attempts(None);
        assert!(!patient.is_used_up_at_first(u32::MAX));
        assert!(patient.is_used_up(3));
        assert!(Backoff::default().max_first_attempts(2).is_used_up_at_first(2));
        assert!(!Backoff::default().max_first_attempts(2).is_used_up(2));
    }
}
