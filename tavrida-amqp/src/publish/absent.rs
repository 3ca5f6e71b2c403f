//! Exchanges that the broker refused recently: publishes to them are refused here for a while.
//!
//! Each refusal by the broker closes a channel, and lapin (4.12.3) cannot use the number of such a channel again: a program that continues
//! to publish to a missing exchange would use up the numbers of its connection, and end it for all others.

use std::collections::BTreeMap;
use std::time::Duration;

use tavrida::field::ShortString;
use tavrida::transport::BrokerError;
use tokio::time::Instant;

use super::repair::names_exchange;

/// How long a first refusal counts; the time doubles each time that it is confirmed.
const FIRST: Duration = Duration::from_millis(100);

/// The maximum time for which a refusal counts: the numbers then last for five hours.
const MOST: Duration = Duration::from_secs(10);

/// The maximum number of remembered exchanges.
const CAPACITY: usize = 1024;

/// The refusal, and until when it counts.
#[derive(Default)]
pub(super) struct Absent(BTreeMap<ShortString, Known>);

struct Known {
    refusal: BrokerError,
    until: Instant,
    pause: Duration,
}

impl Absent {
    /// Records a refusal, if it concerns the exchange and not the message.
    pub(super) fn note(&mut self, exchange: &ShortString, refusal: &BrokerError, now: Instant) {
        let of_topic = refusal.text.contains("access to topic");
        if of_topic || !names_exchange(refusal, exchange) {
            return;
        }
        if self.0.len() >= CAPACITY {
            self.0.clear();
        }
        let pause = self.0.get(exchange).map_or(FIRST, |known| (known.pause * 2).min(MOST));
        let known = Known { refusal: refusal.clone(), until: now + pause, pause };
        self.0.insert(exchange.clone(), known);
    }

    /// Records that the exchange exists: it was declared, or accepted a message.
    pub(super) fn forget(&mut self, exchange: &str) {
        self.0.remove(exchange);
    }

    /// Returns the refusal if it still counts.
    pub(super) fn refusal(&self, exchange: &str, now: Instant) -> Option<&BrokerError> {
        let known = self.0.get(exchange)?;
        (now < known.until).then_some(&known.refusal)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn missing(exchange: &str) -> BrokerError {
        BrokerError::channel(404, format!("NOT_FOUND - no exchange '{exchange}' in vhost '/'"))
    }

    #[test]
    fn a_refusal_counts_for_longer_each_time_and_for_ten_seconds_at_most() {
        let (mut absent, name) = (Absent::default(), ShortString::from_static("gone"));
        let mut now = Instant::now();
        for pause in [100, 200, 400, 800, 1_600, 3_200, 6_400, 10_000, 10_000] {
            absent.note(&name, &missing("gone"), now);
            now += Duration::from_millis(pause - 1);
            assert_eq!(absent.refusal("gone", now), Some(&missing("gone")), "{pause}");
            now += Duration::from_millis(1);
            assert_eq!(absent.refusal("gone", now), None, "{pause}");
        }
    }

    #[test]
    fn a_refusal_of_a_message_or_a_topic_is_not_one_of_the_exchange() {
        let (mut absent, name) = (Absent::default(), ShortString::from_static("e"));
        let now = Instant::now();
        let user = BrokerError::channel(406, "PRECONDITION_FAILED - user_id property set to 'x'");
        absent.note(&name, &user, now);
        let topic =
            "ACCESS_REFUSED - access to topic 'a.b' in exchange 'e' in vhost '/' refused for user 'guest'";
        absent.note(&name, &BrokerError::channel(403, topic), now);
        assert_eq!(absent.refusal("e", now), None);
    }

    #[test]
    fn an_exchange_that_is_declared_is_published_to_at_once() {
        let (mut absent, name) = (Absent::default(), ShortString::from_static("gone"));
        let now = Instant::now();
        absent.note(&name, &missing("gone"), now);
        absent.forget("gone");
        assert_eq!(absent.refusal("gone", now), None);
    }
}
