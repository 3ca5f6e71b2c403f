//! [`Options`]: how a scenario is tried.

use std::time::Duration;

use super::source::Source;
use crate::fault::Faults;
use crate::schedule::Policy;

/// How a scenario is tried.
#[derive(Debug, Clone)]
#[must_use = "options are for `check`"]
pub struct Options {
    pub(super) seeds: u64,
    pub(super) policy: Policy,
    pub(super) faults: Faults,
    pub(super) threads: Option<usize>,
    pub(super) horizon: Duration,
    pub(super) live: Option<String>,
    pub(super) source: Option<Source>,
}

impl Options {
    /// 64 schedules of the portfolio, without faults, with an hour of virtual time each.
    pub fn new() -> Self {
        Self {
            seeds: 64,
            policy: Policy::Portfolio,
            faults: Faults::none(),
            threads: None,
            horizon: Duration::from_secs(3600),
            live: None,
            source: None,
        }
    }

    /// How many schedules are tried; the first is the default one, without faults.
    pub fn seeds(mut self, seeds: u64) -> Self {
        self.seeds = seeds;
        self
    }

    /// How they are made up.
    pub fn policy(mut self, policy: Policy) -> Self {
        self.policy = policy;
        self
    }

    /// What may go wrong at random.
    pub fn faults(mut self, faults: Faults) -> Self {
        self.faults = faults;
        self
    }

    /// How many threads try schedules. What is found does not depend on it.
    pub fn threads(mut self, threads: usize) -> Self {
        self.threads = Some(threads);
        self
    }

    /// How long a run may take, in virtual time.
    pub fn horizon(mut self, horizon: Duration) -> Self {
        self.horizon = horizon;
        self
    }

    /// Runs the scenario once on a RabbitMQ as well, in real time and without faults, if this variable of the environment has its
    /// address. Whether it did is told on stderr. It needs the feature `live`, and a virtual host that nobody else uses meanwhile;
    /// tests of one process take turns.
    pub fn live(mut self, variable: impl Into<String>) -> Self {
        self.live = Some(variable.into());
        self
    }

    /// Keeps the schedules that fail beside the test's source, in `<file>.<test>.tavrida-regressions`, and tries them first from
    /// then on. `package` is `env!("CARGO_MANIFEST_DIR")`, `file` is `file!()`.
    pub fn source(mut self, package: &str, file: &str) -> Self {
        self.source = Some(Source::new(package, file));
        self
    }
}

impl Default for Options {
    fn default() -> Self {
        Self::new()
    }
}
