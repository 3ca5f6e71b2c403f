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
    /// The same, with a reason that waiting does not change.
    Refused(String),
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
    /// Give up: no further attempt is allowed, or none helps; and why the last one failed.
    GiveUp(String),
}

/// How long a session has to be ready before the failures that preceded it are forgotten.
const STEADY: Duration = Duration::from_secs(1);

pub(crate) struct Machine {
    backoff: Backoff,
    random: fastrand::Rng,
    health: Health,
    /// Consecutive failures, including the initial loss and sessions that ended young. Drives the backoff.
    failed: u32,
    /// Whether they began with the loss of a steady session, which is not a failed attempt.
    began_with_loss: bool,
    /// Attempts that failed since the last ready session.
    attempts: u32,
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
            attempts: 0,
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
                self.attempts = 0;
                self.health = Health::Ready;
                Step::Serve
            }
            Input::Failed(why) => {
                self.attempts = self.attempts.saturating_add(1);
                self.retreat(why, now, Step::Connect)
            }
            Input::Refused(why) if !self.was_ready && !self.backoff.retries_refusals() => {
                self.health = Health::Failed { why: why.clone() };
                Step::GiveUp(why)
            }
            Input::Refused(why) => self.next(Input::Failed(why), now),
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

    /// Forgets earlier failures if the session was [steady](STEADY). A session that ends at once each time (because of an impossible
    /// consumer, for example) keeps its growing delay.
    fn forgive(&mut self, now: Instant) {
        let ready_for = self.ready_at.take().map(|ready_at| now.saturating_duration_since(ready_at));
        if self.failed == 0 || ready_for.is_some_and(|ready_for| ready_for >= STEADY) {
            self.failed = 0;
            self.began_with_loss = true;
        }
    }

    fn is_used_up(&self) -> bool {
        match self.was_ready {
            true => self.backoff.is_used_up(self.failed.saturating_sub(u32::from(self.began_with_loss))),
            false => self.backoff.is_used_up_at_first(self.failed),
        }
    }

    fn retreat(&mut self, why: String, now: Instant, after_wait: Step) -> Step {
        self.failed = self.failed.saturating_add(1);
        if self.is_used_up() {
            self.health = Health::Failed { why: why.clone() };
            return Step::GiveUp(why);
        }
        let since = match self.health {
            Health::Reconnecting { since, .. } => since,
            _ => now,
        };
        self.health = Health::Reconnecting { since, attempts: self.attempts, why };
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
        assert_eq!(machine.health(), Health::Reconnecting { since: now, attempts: 1, why: "refused".into() });
    }

    #[test]
    fn a_refusal_ends_the_start_and_is_retried_where_that_is_wanted_or_it_once_worked() {
        let (mut first, now) = machine();
        first.next(Input::Connected, now);
        assert_eq!(first.next(Input::Refused("403".into()), now), Step::GiveUp("403".into()));
        assert_eq!(first.health(), Health::Failed { why: "403".into() });

        let mut patient = Machine::new(Backoff::default().retrying_refusals(), 1);
        delay(patient.next(Input::Refused("403".into()), now));

        let (mut later, now) = machine();
        later.next(Input::Connected, now);
        later.next(Input::Prepared, now);
        later.next(Input::Lost("gone".into()), now);
        delay(later.next(Input::Refused("403".into()), now));
        assert_eq!(later.health(), Health::Reconnecting { since: now, attempts: 1, why: "403".into() });
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

    /// A machine that became ready after eleven failed attempts.
    fn ready_after_eleven_failures() -> (Machine, Instant) {
        let (mut machine, now) = (Machine::new(Backoff::default(), 1), Instant::now());
        for _ in 0..11 {
            delay(machine.next(Input::Failed("down".into()), now));
        }
        machine.next(Input::Connected, now);
        machine.next(Input::Prepared, now);
        (machine, now)
    }

    #[test]
    fn a_loss_after_a_steady_session_counts_no_earlier_failures() {
        let (mut machine, ready) = ready_after_eleven_failures();
        let lost = ready + Duration::from_secs(20);
        let first = delay(machine.next(Input::Lost("forced".into()), lost));
        assert!(first <= Duration::from_millis(100), "{first:?}");
        let since_this_loss = Health::Reconnecting { since: lost, attempts: 0, why: "forced".into() };
        assert_eq!(machine.health(), since_this_loss);
    }

    #[test]
    fn a_session_that_is_lost_young_shows_no_failed_attempts_and_keeps_its_delay() {
        let (mut machine, ready) = ready_after_eleven_failures();
        let next = delay(machine.next(Input::Lost("at once".into()), ready));
        assert!(next > Duration::from_secs(1), "{next:?}");
        assert!(matches!(machine.health(), Health::Reconnecting { attempts: 0, .. }), "{}", machine.health());
    }

    #[test]
    fn a_session_that_is_lost_while_it_waits_for_a_new_consumer_is_connected_again() {
        let (mut machine, ready) = ready_after_eleven_failures();
        let ended = ready + Duration::from_secs(20);
        delay(machine.next(Input::ConsumerEnded("queue deleted".into()), ended));
        delay(machine.next(Input::Lost("virtual host deleted".into()), ended));
        assert_eq!(machine.next(Input::Waited, ended), Step::Connect);
        assert!(matches!(machine.health(), Health::Reconnecting { attempts: 0, .. }), "{}", machine.health());
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
