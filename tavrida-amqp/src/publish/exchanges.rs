//! What is known of exchanges: which ones accepted a message in this session, and which ones the broker refused recently.
//!
//! Publishes to a recently refused exchange are refused here for a while: each refusal by the broker closes a channel, and lapin (4.12.3)
//! cannot use the number of such a channel again. A program that continues to publish to a missing exchange would use up the numbers of its
//! connection, and end it for all others.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use tavrida::field::ShortString;
use tavrida::transport::BrokerError;
use tokio::time::Instant;

/// How long a first refusal counts; the time doubles each time that it is confirmed.
const FIRST: Duration = Duration::from_millis(100);

/// The maximum time for which a refusal counts: the numbers then last for five hours.
const MOST: Duration = Duration::from_secs(10);

/// The maximum number of remembered refusals.
const CAPACITY: usize = 1024;

/// The exchanges that accepted or refused a message.
#[derive(Default)]
pub(super) struct KnownExchanges {
    /// They exist, may be published to, and are not internal.
    accepted: BTreeSet<ShortString>,
    refused: BTreeMap<ShortString, Refused>,
}

struct Refused {
    refusal: BrokerError,
    until: Instant,
    pause: Duration,
}

impl KnownExchanges {
    /// Returns whether the exchange accepted a message in this session.
    pub(super) fn accepts(&self, exchange: &str) -> bool {
        self.accepted.contains(exchange)
    }

    /// Returns the refusal of the exchange if it still counts.
    pub(super) fn refusal(&self, exchange: &str, now: Instant) -> Option<&BrokerError> {
        let refused = self.refused.get(exchange)?;
        (now < refused.until).then_some(&refused.refusal)
    }

    /// Records that the exchange was declared.
    pub(super) fn note_declared(&mut self, exchange: &str) {
        self.refused.remove(exchange);
    }

    /// Records that the exchange accepted a message.
    pub(super) fn note_accepted(&mut self, exchange: ShortString) {
        self.refused.remove(&exchange);
        self.accepted.insert(exchange);
    }

    /// Records a refusal, if it concerns the exchange and not the message.
    pub(super) fn note_refused(&mut self, exchange: &ShortString, refusal: &BrokerError, now: Instant) {
        let of_topic = refusal.text.contains("access to topic");
        if of_topic || !names_exchange(refusal, exchange) {
            return;
        }
        if self.refused.len() >= CAPACITY {
            self.refused.clear();
        }
        let pause = self.refused.get(exchange).map_or(FIRST, |refused| (refused.pause * 2).min(MOST));
        let refused = Refused { refusal: refusal.clone(), until: now + pause, pause };
        self.refused.insert(exchange.clone(), refused);
    }

    /// Records that the broker closed the main channel for a message to this exchange.
    pub(super) fn note_closed(&mut self, exchange: &ShortString, refusal: &BrokerError, now: Instant) {
        self.note_refused(exchange, refusal, now);
        self.accepted.remove(exchange);
    }

    /// Forgets which exchanges accepted a message: the broker closed the main channel for an unknown one.
    pub(super) fn forget_accepted(&mut self) {
        self.accepted.clear();
    }
}

/// Returns whether the broker's text names this exchange.
pub(super) fn names_exchange(refusal: &BrokerError, exchange: &str) -> bool {
    let name = if exchange.is_empty() { "amq.default" } else { exchange };
    refusal.text.contains(&format!("exchange '{name}' in vhost"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn missing(exchange: &str) -> BrokerError {
        BrokerError::channel(404, format!("NOT_FOUND - no exchange '{exchange}' in vhost '/'"))
    }

    #[test]
    fn a_refusal_counts_for_longer_each_time_and_for_ten_seconds_at_most() {
        let (mut exchanges, name) = (KnownExchanges::default(), ShortString::from_static("gone"));
        let mut now = Instant::now();
        for pause in [100, 200, 400, 800, 1_600, 3_200, 6_400, 10_000, 10_000] {
            exchanges.note_refused(&name, &missing("gone"), now);
            now += Duration::from_millis(pause - 1);
            assert_eq!(exchanges.refusal("gone", now), Some(&missing("gone")), "{pause}");
            now += Duration::from_millis(1);
            assert_eq!(exchanges.refusal("gone", now), None, "{pause}");
        }
    }

    #[test]
    fn a_refusal_of_a_message_or_a_topic_is_not_one_of_the_exchange() {
        let (mut exchanges, name) = (KnownExchanges::default(), ShortString::from_static("e"));
        let now = Instant::now();
        let user = BrokerError::channel(406, "PRECONDITION_FAILED - user_id property set to 'x'");
        exchanges.note_refused(&name, &user, now);
        let topic =
            "ACCESS_REFUSED - access to topic 'a.b' in exchange 'e' in vhost '/' refused for user 'guest'";
        exchanges.note_refused(&name, &BrokerError::channel(403, topic), now);
        assert_eq!(exchanges.refusal("e", now), None);
    }

    #[test]
    fn an_exchange_that_is_declared_is_published_to_at_once() {
        let (mut exchanges, name) = (KnownExchanges::default(), ShortString::from_static("gone"));
        let now = Instant::now();
        exchanges.note_refused(&name, &missing("gone"), now);
        exchanges.note_declared("gone");
        assert_eq!(exchanges.refusal("gone", now), None);
    }
}
