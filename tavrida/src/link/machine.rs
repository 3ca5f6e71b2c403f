//! Recovery as a pure state machine: an event goes in, the next step comes out. No clock, no I/O, no tasks.

use std::time::Duration;

use tokio::time::Instant;

use super::Health;
use crate::transport::Backoff;

/// An event.
#[derive(Debug)]
pub(crate) enum Input {
    /// A session is open.
    Connected,
    /// It is ready: topology and consumers exist.
    Prepared,
    /// Connecting or preparing failed, and why.
    Failed(String),
    /// The ready session ended, and why.
    Lost(String),
    /// Its consumer ended, and why; the session is alive.
    ConsumerEnded(String),
    /// The delay has passed.
    Waited,
    /// The work has stopped.
    Stopped,
}

/// The next step.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Step {
    /// Open a session.
    Connect,
    /// Declare and consume on it.
    Prepare,
    /// Work.
    Serve,
    /// Wait for this long.
    Wait(Duration),
    /// Finish.
    Stop,
    /// Give up: the attempts are used up, and why the last one failed.
    GiveUp(String),
}

pub(crate) struct Machine {
    backoff: Backoff,
    random: fastrand::Rng,
    health: Health,
    /// Consecutive failures, including the initial loss. Drives the backoff.
    failed: u32,
    /// Whether they began with the loss of a ready session, which is not a failed attempt.
    began_with_loss: bool,
    /// Whether there ever was a ready session.
    was_ready: bool,
    /// When the ready session became ready.
    ready_at: Option<Instant>,
    /// What to do after the delay: a session that lost only its consumer is prepared again.
    after_wait: Step,
}

impl Machine {
    pub(crate) fn new(backoff: Backoff, seed: u64) -> Self {
        Self {
            backoff,
            random: fastrand::Rng::with_seed(seed),
            health: Health::Starting,
            failed: 0,
            began_with_loss: false,
            was_ready: false,
            ready_at: None,
            after_wait: Step::Connect,
        }
    }

    pub(crate) fn first(&self) -> Step {
        Step::Connect
    }

    pub(crate) fn health(&self) -> Health {
        self.health.clone()
    }

    pub(crate) fn next(&mut self, input: Input, now: Instant) -> Step {
        match input {
            Input::Connected => Step::Prepare,
            Input::Prepared => {
                self.ready_at = Some(now);
                self.was_ready = true;
                self.health = Health::Ready;
                Step::Serve
            }
            Input::Failed(why) => self.retreat(why, now, Step::Connect),
            Input::Lost(why) => {
                self.forgive(now);
                self.retreat(why, now, Step::Connect)
            }
            Input::ConsumerEnded(why) => {
                self.forgive(now);
                self.retreat(why, now, Step::Prepare)
            }
            Input::Waited => self.after_wait.clone(),
            Input::Stopped => {
                self.health = Health::Stopped;
                Step::Stop
            }
        }
    }

    /// Forgets failed attempts once a session has lasted longer than the delay they led to; a session that ends at once each time (because
    /// of an impossible consumer, for example) keeps its growing delay.
    fn forgive(&mut self, now: Instant) {
        let held = self.ready_at.take().map_or(Duration::ZERO, |ready| now.saturating_duration_since(ready));
        if self.failed == 0 || held > self.backoff.delay(self.failed, &mut self.random) {
            self.failed = 0;
            self.began_with_loss = true;
        }
    }

    fn is_used_up(&self) -> bool {
        match self.was_ready {
            true => self.backoff.is_used_up(self.failed - u32::from(self.began_with_loss)),
            false => self.backoff.is_used_up_at_first(self.failed),
        }
    }

    fn retreat(&mut self, why: String, now: Instant, after_wait: Step) -> Step {
        self.failed += 1;
        if self.is_used_up() {
            self.health = Health::Failed { why: why.clone() };
            return Step::GiveUp(why);
        }
        let since = match self.health {
            Health::Reconnecting { since, .. } => since,
            _ => now,
        };
        self.health = Health::Reconnecting { since, attempts: self.failed, why };
        self.after_wait = after_wait;
        Step::Wait(self.backoff.delay(self.failed, &mut self.random))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn machine() -> (Machine, Instant) {
        let backoff = Backoff::between(Duration::from_millis(100), Duration::from_secs(10));
        (Machine::new(backoff, 1), Instant::now())
    }

    fn delay(step: Step) -> Duration {
        match step {
            Step::Wait(delay) => delay,
            other => panic!("expected a wait, not {other:?}"),
        }
    }

    #[test]
    fn a_good_start_connects_prepares_and_serves() {
        let (mut machine, now) = machine();
        assert_eq!(machine.first(), Step::Connect);
        assert_eq!(machine.health(), Health::Starting);
        assert_eq!(machine.next(Input::Connected, now), Step::Prepare);
        assert_eq!(machine.next(Input::Prepared, now), Step::Serve);
        assert_eq!(machine.health(), Health::Ready);
        assert_eq!(machine.next(Input::Stopped, now), Step::Stop);
        assert_eq!(machine.health(), Health::Stopped);
    }

    #[test]
    fn a_loss_waits_and_connects_again_and_health_says_since_when() {
        let (mut machine, now) = machine();
        machine.next(Input::Connected, now);
        machine.next(Input::Prepared, now);
        assert!(delay(machine.next(Input::Lost("gone".into()), now)) <= Duration::from_millis(100));
        let later = now + Duration::from_secs(1);
        assert_eq!(machine.next(Input::Waited, later), Step::Connect);
        delay(machine.next(Input::Failed("refused".into()), later));
        assert_eq!(machine.health(), Health::Reconnecting { since: now, attempts: 2, why: "refused".into() });
    }

    #[test]
    fn a_consumer_that_ended_is_prepared_again_on_the_same_session() {
        let (mut machine, now) = machine();
        machine.next(Input::Connected, now);
        machine.next(Input::Prepared, now);
        delay(machine.next(Input::ConsumerEnded("queue deleted".into()), now));
        assert_eq!(machine.next(Input::Waited, now), Step::Prepare);
    }

    #[test]
    fn delays_grow_while_sessions_die_young_and_start_anew_after_one_that_held() {
        let (mut machine, mut now) = machine();
        let mut last = Duration::ZERO;
        for _ in 0..6 {
            machine.next(Input::Connected, now);
            machine.next(Input::Prepared, now);
            last = delay(machine.next(Input::Lost("at once".into()), now));
        }
        assert!(last > Duration::from_secs(1), "{last:?}");
        machine.next(Input::Prepared, now);
        now += Duration::from_secs(60);
        let after_an_hour = delay(machine.next(Input::Lost("later".into()), now));
        assert!(after_an_hour <= Duration::from_millis(100), "{after_an_hour:?}");
    }

    #[test]
    fn limited_attempts_are_used_up() {
        let now = Instant::now();
        let mut machine = Machine::new(Backoff::default().max_attempts(2), 1);
        delay(machine.next(Input::Failed("first".into()), now));
        assert_eq!(machine.next(Input::Failed("second".into()), now), Step::GiveUp("second".into()));
        assert_eq!(machine.health(), Health::Failed { why: "second".into() });
    }

    /// Returns a machine that was ready once.
    fn ready(backoff: Backoff) -> (Machine, Instant) {
        let (mut machine, now) = (Machine::new(backoff, 1), Instant::now());
        machine.next(Input::Connected, now);
        machine.next(Input::Prepared, now);
        (machine, now)
    }

    #[test]
    fn a_loss_is_no_failed_attempt() {
        let (mut machine, now) = ready(Backoff::default().max_attempts(2));
        delay(machine.next(Input::Lost("gone".into()), now));
        delay(machine.next(Input::Failed("first".into()), now));
        assert_eq!(machine.next(Input::Failed("second".into()), now), Step::GiveUp("second".into()));
    }

    #[test]
    fn with_no_attempts_a_loss_is_final() {
        let (mut machine, now) = ready(Backoff::default().max_attempts(0));
        assert_eq!(machine.next(Input::Lost("gone".into()), now), Step::GiveUp("gone".into()));
    }

    #[test]
    fn sessions_that_die_young_use_up_the_attempts() {
        let (mut machine, now) = ready(Backoff::default().max_attempts(2));
        delay(machine.next(Input::Lost("gone".into()), now));
        machine.next(Input::Prepared, now);
        delay(machine.next(Input::Lost("at once".into()), now));
        machine.next(Input::Prepared, now);
        assert_eq!(machine.next(Input::Lost("again".into()), now), Step::GiveUp("again".into()));
    }

    #[test]
    fn the_start_has_attempts_of_its_own() {
        let backoff = Backoff::default().max_attempts(None).max_first_attempts(1);
        let mut machine = Machine::new(backoff.clone(), 1);
        let now = Instant::now();
        assert_eq!(machine.next(Input::Failed("no".into()), now), Step::GiveUp("no".into()));
        let (mut machine, now) = ready(backoff);
        for _ in 0..9 {
            delay(machine.next(Input::Lost("gone".into()), now));
        }
    }
}
