//! [`Report`]: the result of an exhaustive search.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::problem::Problem;
use crate::schedule::Replay;
use crate::trace::Trace;

/// The result of an exhaustive search.
#[derive(Debug, Clone)]
#[must_use = "a failure that nobody looks at is no failure; `assert_ok` panics with it"]
pub struct Report {
    /// How the search ended.
    pub ending: Ending,
    /// Schedules that were run to the end: no two of them differ only in the order of independent steps.
    pub schedules: u64,
    /// All runs: the schedules, and the runs that were stopped where they repeated an earlier one.
    pub runs: u64,
    /// The runs that failed.
    pub failures: Vec<Failure>,
    /// The duration in real time.
    pub took: Duration,
}

/// How a search ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// All schedules were run.
    Complete,
    /// The limit of runs was reached; some schedules were not run.
    BudgetReached,
    /// The limit of failures was reached; some schedules may not have been run.
    Failed,
}

/// A run that failed.
#[derive(Debug, Clone)]
pub struct Failure {
    /// Why it failed.
    pub problem: Problem,
    /// The seed and the schedule, for [`Setup::replay`](crate::sim::Setup::replay).
    pub replay: Replay,
    /// Everything that happened.
    pub trace: Arc<Trace>,
    /// The number of the run, from 1.
    pub run: u64,
}

impl Report {
    pub(super) fn new() -> Self {
        Self {
            ending: Ending::BudgetReached,
            schedules: 0,
            runs: 0,
            failures: Vec::new(),
            took: Duration::ZERO,
        }
    }

    /// Returns whether every schedule was run and none failed.
    pub fn is_ok(&self) -> bool {
        self.ending == Ending::Complete && self.failures.is_empty()
    }

    /// Returns the number of runs for each second of real time.
    pub fn runs_per_second(&self) -> f64 {
        self.runs as f64 / self.took.as_secs_f64().max(f64::MIN_POSITIVE)
    }

    /// Asserts that every schedule was run and none failed.
    ///
    /// # Panics
    ///
    /// Panics otherwise, with the first failure and its schedule.
    #[track_caller]
    pub fn assert_ok(&self) {
        assert!(self.is_ok(), "{self}");
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.ending {
            Ending::Complete => f.write_str("complete")?,
            Ending::BudgetReached => f.write_str("budget reached")?,
            Ending::Failed => f.write_str("failed")?,
        }
        let (schedules, runs, rate) = (self.schedules, self.runs, self.runs_per_second());
        write!(f, ": {schedules} schedules in {runs} runs, {rate:.0} runs per second")?;
        for Failure { problem, replay, run, .. } in &self.failures {
            write!(f, "\nrun {run}: {problem}\n  {replay}")?;
        }
        Ok(())
    }
}
