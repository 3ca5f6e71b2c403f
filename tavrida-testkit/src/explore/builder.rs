//! [`Explore`]: the settings of an exploration.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::Progress;
use super::again::TestNames;
use super::source::regressions_beside;
use crate::fault::Faults;
use crate::schedule::{Policy, Replay};
use crate::sim::Setup;

/// Receives the progress of an exploration.
type Tell = Arc<dyn Fn(&Progress) + Send + Sync>;

/// An exploration of a scenario, to be [checked](Explore::check) or [run](Explore::run). See [`explore`](super::explore()).
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
    pub(super) reaches: Vec<String>,
    pub(super) live: Option<String>,
    pub(super) environment: bool,
    pub(super) names: TestNames,
    pub(super) every: Duration,
    pub(super) tell: Tell,
}

impl<F> Explore<F> {
    pub(super) fn new(scenario: F) -> Self {
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
            reaches: Vec::new(),
            live: None,
            environment: true,
            names: TestNames::of::<F>(),
            every: Duration::from_secs(2),
            tell: Arc::new(|progress| eprintln!("exploring: {progress}")),
        }
    }

    /// Sets the maximum number of schedules, at least one. The default is 1,000. The first is the default schedule: seed 0,
    /// [`Fifo`](Policy::Fifo), without faults.
    pub fn schedules(mut self, schedules: u64) -> Self {
        self.schedules = schedules.max(1);
        self
    }

    /// Sets the seed of the second schedule; the following schedules count up from it. The default is 1.
    pub fn seed(mut self, seed: u64) -> Self {
        self.setup.seed = seed;
        self
    }

    /// Sets the policy that makes schedules. The default is [`Portfolio`](Policy::Portfolio).
    pub fn policy(mut self, policy: Policy) -> Self {
        self.setup.policy = policy;
        self
    }

    /// Sets the faults that may happen at random. The default is none.
    pub fn faults(mut self, faults: Faults) -> Self {
        self.setup.faults = faults;
        self
    }

    /// Delivers every message that needs an acknowledgement twice in each run: see [`Setup::delivering_twice`].
    pub fn delivering_twice(mut self) -> Self {
        self.setup = self.setup.delivering_twice();
        self
    }

    /// Limits a run in virtual time. The default is one hour.
    pub fn horizon(mut self, horizon: Duration) -> Self {
        self.setup.horizon = horizon;
        self
    }

    /// Fails the exploration if none of its schedules reaches one of these marks: those of services
    /// ([`sometimes!`](tavrida::sometimes!), [`reachable!`](tavrida::reachable!)) and of the [scenario](crate::sim::Sim::sometimes). They are
    /// not required of a replay, or if the [environment](super::Environment) sets a seed.
    ///
    /// ```
    /// use tavrida::Service;
    /// use tavrida_testkit::explore;
    /// use tavrida_testkit::sim::Sim;
    ///
    /// fn till() -> Service {
    ///     Service::new("till").rpc("pay", async || tavrida::reachable!("something is paid"))
    /// }
    ///
    /// let report = explore(async |sim: Sim| {
    ///     let graph = sim.graph().service(till).client("web").start().await;
    ///     graph.client("web").to("till.pay").ask().await.map(drop)
    /// })
    /// .schedules(16)
    /// .reaches(["something is paid"])
    /// .run();
    /// report.assert_ok();
    /// assert_eq!(report.marks()["something is paid"], 16);
    /// ```
    pub fn reaches(mut self, marks: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.reaches.extend(marks.into_iter().map(Into::into));
        self
    }

    /// Sets the number of threads, at least one. The default is the number of processors, but at most one thread for each 32 schedules. The
    /// result does not depend on it.
    pub fn threads(mut self, threads: usize) -> Self {
        self.threads = Some(threads.max(1));
        self
    }

    /// Ends the search after `budget` of real time. How many schedules run then depends on the machine.
    pub fn budget(mut self, budget: Duration) -> Self {
        self.budget = Some(budget);
        self
    }

    /// Runs all schedules, also after a failure, and reports the first failure of each kind.
    pub fn keep_going(mut self) -> Self {
        self.keep_going = true;
        self
    }

    /// Limits the number of runs that shrink the schedule of a failure. The default is 2,000.
    pub fn shrink_within(mut self, replays: u32) -> Self {
        self.replays = replays;
        self
    }

    /// Runs this schedule once instead of searching. The environment does not override it.
    pub fn replay(mut self, replay: Replay) -> Self {
        self.replay = Some(replay);
        self
    }

    /// Sets a file of schedules that failed before: they run first, and new failures are added to it. The file is created when there is
    /// something to write. It belongs beside the source of the test, as `<test>.tavrida-regressions`. Tests run by cargo have their package
    /// as working folder.
    pub fn regressions(mut self, file: impl Into<PathBuf>) -> Self {
        let file = file.into();
        self.names.regressions = Some(file.clone());
        self.regressions = Some(file);
        self
    }

    /// Sets the path of the test in its crate, for the command that a failure prints. The default is the name of the thread, which is the
    /// path of the test under Rust's own harness.
    pub fn named(mut self, test: impl Into<String>) -> Self {
        self.names.test = Some(test.into());
        self
    }

    /// Says where the test is, as [`macro@crate::test`] does: `package` is `env!("CARGO_MANIFEST_DIR")`, `file` is `file!()`, and `test` is
    /// `concat!(module_path!(), "::it_holds")`. [Names](Self::named) the test, and stores failed schedules beside its source, in
    /// `<file>.it_holds.tavrida-regressions`: see [`regressions`](Self::regressions).
    pub fn source(mut self, package: &str, file: &str, test: &str) -> Self {
        let test = test.split_once("::").map_or(test, |(_, path)| path);
        self.names.takes_replay = false;
        match regressions_beside(package, file, test.rsplit("::").next().unwrap_or(test)) {
            Some(file) => self.named(test).regressions(file),
            None => self.named(test),
        }
    }

    /// [`check`](Self::check) also runs the scenario once on a RabbitMQ, in real time and without faults, if this environment variable has
    /// its address. Prints on stderr whether it ran. This needs the feature `live` and a virtual host that nothing else uses meanwhile;
    /// tests of one process take turns.
    pub fn live(mut self, variable: impl Into<String>) -> Self {
        self.live = Some(variable.into());
        self
    }

    /// Calls `tell` with the progress at this interval, from any thread of the search. The default prints a line on stderr every two
    /// seconds.
    pub fn on_progress(mut self, every: Duration, tell: impl Fn(&Progress) + Send + Sync + 'static) -> Self {
        self.every = every;
        self.tell = Arc::new(tell);
        self
    }

    /// Ignores the [environment](super::Environment).
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
