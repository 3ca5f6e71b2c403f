//! [`Options`]: how a scenario is tested.

use std::time::Duration;

use super::source::Source;
use crate::fault::Faults;
use crate::schedule::Policy;

/// How a scenario is tested.
#[derive(Debug, Clone)]
#[must_use = "options are for `check`"]
pub struct Options {
    pub(super) schedules: u64,
    pub(super) policy: Policy,
    pub(super) faults: Faults,
    pub(super) threads: Option<usize>,
    pub(super) horizon: Duration,
    pub(super) reaches: Vec<String>,
    pub(super) live: Option<String>,
    pub(super) source: Option<Source>,
}

impl Options {
    /// Returns the defaults: 64 schedules of the portfolio, without faults, with a horizon of one hour of virtual time.
    pub fn new() -> Self {
        Self {
            schedules: 64,
            policy: Policy::Portfolio,
            faults: Faults::none(),
            threads: None,
            horizon: Duration::from_secs(3600),
            reaches: Vec::new(),
            live: None,
            source: None,
        }
    }

    /// Sets how many schedules are run. The first is the default schedule, without faults.
    pub fn schedules(mut self, schedules: u64) -> Self {
        self.schedules = schedules;
        self
    }

    /// Sets the policy that makes the schedules.
    pub fn policy(mut self, policy: Policy) -> Self {
        self.policy = policy;
        self
    }

    /// Sets the faults that may happen at random.
    pub fn faults(mut self, faults: Faults) -> Self {
        self.faults = faults;
        self
    }

    /// Sets how many threads run schedules. The result does not depend on it.
    pub fn threads(mut self, threads: usize) -> Self {
        self.threads = Some(threads);
        self
    }

    /// Sets how long a run may take, in virtual time.
    pub fn horizon(mut self, horizon: Duration) -> Self {
        self.horizon = horizon;
        self
    }

    /// Fails the test if none of its schedules reaches one of these marks: see [`Explore::reaches`](crate::explore::Explore::reaches).
    pub fn reaches(mut self, marks: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.reaches.extend(marks.into_iter().map(Into::into));
        self
    }

    /// Also runs the scenario once on a RabbitMQ, in real time and without faults, if this environment variable has its address. Prints on
    /// stderr whether it ran. This needs the feature `live` and a virtual host that nothing else uses meanwhile; tests of one process take
    /// turns.
    pub fn live(mut self, variable: impl Into<String>) -> Self {
        self.live = Some(variable.into());
        self
    }

    /// Stores failing schedules beside the source of the test, in `<file>.<test>.tavrida-regressions`; later runs try them first. `package`
    /// is `env!("CARGO_MANIFEST_DIR")`, `file` is `file!()`.
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
