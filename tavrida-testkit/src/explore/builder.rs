//! [`Explore`]: what to explore, and how far.

use std::any::type_name;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use super::Progress;
use super::failure::Names;
use crate::fault::Faults;
use crate::schedule::{Policy, Replay};
use crate::sim::Setup;

/// Is told how far an exploration is.
type Tell = Arc<dyn Fn(&Progress) + Send + Sync>;

/// An exploration of a scenario, to be [run](Explore::run). See [`explore`](super::explore()).
#[must_use = "an exploration does nothing until it is run"]
pub struct Explore<F> {
    pub(super) scenario: F,
    pub(super) setup: Setup,
    pub(super) schedules: u64,
    pub(super) threads: Option<usize>,
    pub(super) budget: Option<Duration>,
    pub(super) keep_going: bool,
    pub(super) replays: u32,
    pub(super) replay: Option<Replay>,
    pub(super) regressions: Option<PathBuf>,
    pub(super) environment: bool,
    pub(super) names: Names,
    pub(super) every: Duration,
    pub(super) tell: Tell,
}

impl<F> Explore<F> {
    pub(super) fn new(scenario: F) -> Self {
        let test = thread::current().name().filter(|name| *name != "main").map(str::to_owned);
        let scenario_name = type_name::<F>().rsplit("::").next().unwrap_or_default();
        let is_name =
            !scenario_name.is_empty() && scenario_name.chars().all(|c| c.is_alphanumeric() || c == '_');
        Self {
            scenario,
            setup: Setup { policy: Policy::Portfolio, ..Setup::new(1) },
            schedules: 1000,
            threads: None,
            budget: None,
            keep_going: false,
            replays: 2000,
            replay: None,
            regressions: None,
            environment: true,
            names: Names { test, scenario: is_name.then(|| scenario_name.to_owned()) },
            every: Duration::from_secs(2),
            tell: Arc::new(|progress| eprintln!("exploring: {progress}")),
        }
    }

    /// How many schedules to try at most; 1,000 unless said otherwise, at least one. The first is always the default one: of seed 0,
    /// [`Fifo`](Policy::Fifo), without faults.
    pub fn schedules(mut self, schedules: u64) -> Self {
        self.schedules = schedules.max(1);
        self
    }

    /// The seed of the second schedule, from which those after it count up; 1 unless said otherwise.
    pub fn seed(mut self, seed: u64) -> Self {
        self.setup.seed = seed;
        self
    }

    /// How schedules are made up; [`Portfolio`](Policy::Portfolio) unless said otherwise.
    pub fn policy(mut self, policy: Policy) -> Self {
        self.setup.policy = policy;
        self
    }

    /// What may go wrong at random; nothing unless said otherwise.
    pub fn faults(mut self, faults: Faults) -> Self {
        self.setup.faults = faults;
        self
    }

    /// Delivers every message that needs a verdict twice in each run: see [`Setup::delivering_twice`].
    pub fn delivering_twice(mut self) -> Self {
        self.setup = self.setup.delivering_twice();
        self
    }

    /// How long a run may take, in virtual time; an hour unless said otherwise.
    pub fn horizon(mut self, horizon: Duration) -> Self {
        self.setup.horizon = horizon;
        self
    }

    /// How many threads search, at least one; as many as there are processors unless said otherwise, and fewer where that would
    /// be more than one for each 32 schedules. What is found does not depend on it.
    pub fn threads(mut self, threads: usize) -> Self {
        self.threads = Some(threads.max(1));
        self
    }

    /// Ends the search after so long, in real time. How many schedules were tried then depends on the machine.
    pub fn budget(mut self, budget: Duration) -> Self {
        self.budget = Some(budget);
        self
    }

    /// Tries all schedules, also after one has failed, and reports the first failure of each kind.
    pub fn keep_going(mut self) -> Self {
        self.keep_going = true;
        self
    }

    /// How many runs it may take at most to make the schedule of a failure short; 2,000 unless said otherwise.
    pub fn shrink_within(mut self, replays: u32) -> Self {
        self.replays = replays;
        self
    }

    /// Makes one run by this schedule, in place of a search. The environment does not change it.
    pub fn replay(mut self, replay: Replay) -> Self {
        self.replay = Some(replay);
        self
    }

    /// A file of schedules that failed before: they are tried first, and failures that are found are added to it. It is made when
    /// there is something to write; it belongs beside the test's source, named `<test>.tavrida-regressions`. Tests of cargo have their
    /// package as working folder.
    pub fn regressions(mut self, file: impl Into<PathBuf>) -> Self {
        self.regressions = Some(file.into());
        self
    }

    /// What the test is called, for the commands and the test that a failure prints; the name of the thread unless said otherwise,
    /// which is the test's where Rust's own harness runs it.
    pub fn named(mut self, test: impl Into<String>) -> Self {
        self.names.test = Some(test.into());
        self
    }

    /// Tells so often how far the search is, from whichever thread searches; every two seconds a line on stderr unless said
    /// otherwise.
    pub fn on_progress(mut self, every: Duration, tell: impl Fn(&Progress) + Send + Sync + 'static) -> Self {
        self.every = every;
        self.tell = Arc::new(tell);
        self
    }

    /// Does not look at the [environment](super::Environment).
    pub fn without_environment(mut self) -> Self {
        self.environment = false;
        self
    }
}

impl<F> fmt::Debug for Explore<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Explore")
            .field("setup", &self.setup)
            .field("schedules", &self.schedules)
            .field("threads", &self.threads)
            .finish_non_exhaustive()
    }
}
