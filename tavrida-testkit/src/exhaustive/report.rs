//! [`Report`]: what came of going through all schedules.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::problem::Problem;
use crate::schedule::Replay;
use crate::trace::Trace;

/// What came of going through all schedules.
#[derive(Debug, Clone)]
#[must_use = "a failure that nobody looks at is no failure; `assert_ok` panics with it"]
pub struct Report {
    /// How far it came.
    pub ending: Ending,
    /// Schedules that were run to their end: no two of them differ only in the order of independent steps.
    pub schedules: u64,
    /// All runs: the schedules, and those that were given up where they came to what was seen already.
    pub runs: u64,
    /// The runs that failed.
    pub failures: Vec<Failure>,
    /// How long it took, in real time.
    pub took: Duration,
}

/// How far a search came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// To the end: there is no other schedule.
    Complete,
    /// The runs that it was allowed were used up; there are schedules that were not run.
    BudgetReached,
    /// It found as many failures as it was to find; there may be schedules that were not run.
    Failed,
}

/// A run that failed.
#[derive(Debug, Clone)]
pub struct Failure {
    /// Why.
    pub problem: Problem,
    /// What makes the run again: its seed, and its schedule for [`Setup::replay`](crate::sim::Setup::replay).
    pub replay: Replay,
    /// Everything that happened.
    pub trace: Arc<Trace>,
    /// Which run it was, from 1.
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

    /// Whether every schedule was run, and none failed.
    pub fn is_ok(&self) -> bool {
        self.ending == Ending::Complete && self.failures.is_empty()
    }

    /// How many runs were made for each second of real time.
    pub fn runs_per_second(&self) -> f64 {
        self.runs as f64 / self.took.as_secs_f64().max(f64::MIN_POSITIVE)
    }

    /// Every schedule was run, and none failed.
    ///
    /// # Panics
    ///
    /// Otherwise, with the first failure and its schedule.
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
