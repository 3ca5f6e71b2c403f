//! [`HandlerLimit`]: the time limit of handlers.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// The time limit of handlers: as configured, and within the broker's consumer timeout once that is known.
///
/// RabbitMQ does not announce its `consumer_timeout` before it closes the channel of a consumer that exceeded it. The message of the slow
/// handler is then redelivered, and would be endlessly. From then on handlers therefore end before the timeout, by the failure policy,
/// while their deliveries can still be settled.
pub(crate) struct HandlerLimit {
    configured: Duration,
    /// In milliseconds; `u64::MAX` while it is unknown.
    consumer_timeout: AtomicU64,
}

impl HandlerLimit {
    pub(crate) fn new(configured: Duration) -> Self {
        Self { configured, consumer_timeout: AtomicU64::new(u64::MAX) }
    }

    /// Records the broker's consumer timeout. The shortest counts: nodes of a cluster may differ.
    pub(crate) fn learn(&self, consumer_timeout: Duration) {
        let milliseconds = u64::try_from(consumer_timeout.as_millis()).unwrap_or(u64::MAX);
        self.consumer_timeout.fetch_min(milliseconds, Ordering::Relaxed);
    }

    pub(crate) fn consumer_timeout(&self) -> Option<Duration> {
        let milliseconds = self.consumer_timeout.load(Ordering::Relaxed);
        (milliseconds != u64::MAX).then(|| Duration::from_millis(milliseconds))
    }

    /// A tenth of the consumer timeout is left for the reply, or the copy of the failed message, and the acknowledgement.
    pub(crate) fn get(&self) -> Duration {
        self.consumer_timeout().map_or(self.configured, |timeout| self.configured.min(timeout / 10 * 9))
    }
}

impl fmt::Display for HandlerLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.get())?;
        match self.consumer_timeout() {
            Some(timeout) => write!(f, " (the broker's consumer timeout is {timeout:?})"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_handler_ends_before_the_consumer_timeout_once_that_is_known() {
        let limit = HandlerLimit::new(Duration::from_secs(300));
        assert_eq!(limit.to_string(), "300s");
        limit.learn(Duration::from_secs(1800));
        assert_eq!(limit.get(), Duration::from_secs(300));
        limit.learn(Duration::from_secs(60));
        limit.learn(Duration::from_secs(90));
        assert_eq!(limit.to_string(), "54s (the broker's consumer timeout is 60s)");
    }
}
