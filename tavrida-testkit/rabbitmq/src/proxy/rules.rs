//! What may pass at this moment; pumps wait here until they may continue.

use std::time::Duration;

use parking_lot::Mutex;
use tokio::{sync::Notify, time};

/// A throttled direction writes about this often, so that a slow rate is a steady trickle and not occasional bursts.
const BEAT: Duration = Duration::from_millis(20);

#[derive(Debug, Default)]
pub(super) struct Rules {
    rule: Mutex<Rule>,
    changed: Notify,
}

#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Rule {
    pub(super) held: bool,
    /// `None` is no limit.
    pub(super) bytes_per_second: Option<u64>,
}

impl Rules {
    pub(super) fn change(&self, change: impl FnOnce(&mut Rule)) {
        change(&mut self.rule.lock());
        self.changed.notify_waiters();
    }

    /// Waits until at least one byte may pass. Returns how many of `length` may, and how long they take. Cancel safe.
    pub(super) async fn admit(&self, length: usize) -> (usize, Duration) {
        loop {
            let changed = self.changed.notified();
            if let Some(admitted) = self.rule().admit(length) {
                return admitted;
            }
            changed.await;
        }
    }

    /// Waits until nothing is held. Cancel safe.
    pub(super) async fn released(&self) {
        loop {
            let changed = self.changed.notified();
            if !self.rule().held {
                return;
            }
            changed.await;
        }
    }

    /// Waits as long as the bytes take to pass, or until the rules change. Cancel safe.
    pub(super) async fn pace(&self, duration: Duration) {
        let changed = self.changed.notified();
        // May miss a change that came just before: by the bytes of one beat at most.
        let _ = time::timeout(duration, changed).await;
    }

    fn rule(&self) -> Rule {
        *self.rule.lock()
    }
}

impl Rule {
    fn admit(self, length: usize) -> Option<(usize, Duration)> {
        match self.bytes_per_second {
            _ if self.held => None,
            Some(0) => None,
            None => Some((length, Duration::ZERO)),
            Some(rate) => {
                let beat = usize::try_from(rate.saturating_mul(BEAT.as_millis() as u64) / 1000)
                    .unwrap_or(usize::MAX);
                let admitted = length.min(beat.max(1));
                Some((admitted, Duration::from_secs_f64(admitted as f64 / rate as f64)))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(held: bool, bytes_per_second: Option<u64>) -> Rule {
        Rule { held, bytes_per_second }
    }

    #[test]
    fn everything_passes_at_once_without_a_rule() {
        assert_eq!(rule(false, None).admit(9000), Some((9000, Duration::ZERO)));
    }

    #[test]
    fn a_rate_admits_a_beat_of_bytes_at_a_time_and_always_one() {
        assert_eq!(rule(false, Some(100_000)).admit(9000), Some((2000, Duration::from_millis(20))));
        assert_eq!(rule(false, Some(100_000)).admit(500), Some((500, Duration::from_millis(5))));
        assert_eq!(rule(false, Some(2)).admit(9000), Some((1, Duration::from_millis(500))));
    }

    #[test]
    fn nothing_passes_while_held_or_at_rate_zero() {
        assert_eq!(rule(true, None).admit(9000), None);
        assert_eq!(rule(true, Some(5)).admit(9000), None);
        assert_eq!(rule(false, Some(0)).admit(9000), None);
    }

    #[tokio::test(start_paused = true)]
    async fn a_change_of_the_rules_wakes_who_waits() {
        let rules = Rules::default();
        rules.change(|rule| rule.held = true);

        let waiting = async { tokio::join!(rules.admit(10), rules.released()).0 };
        let releasing = async {
            time::sleep(Duration::from_secs(1)).await;
            rules.change(|rule| rule.held = false);
        };
        let (admitted, ()) = tokio::join!(waiting, releasing);

        assert_eq!(admitted, (10, Duration::ZERO));
    }
}
