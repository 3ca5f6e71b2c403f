//! [`Report`]: the result of an exhaustive search.

use std::collections::BTreeSet;
use std::fmt;
use std::time::Duration;

use crate::explore::Failure;

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
    /// How often the [added](super::Exhaustive::fault) faults happened, in all runs.
    pub faults: u64,
    /// What the runs could not show: see [`Trace::notes`](crate::trace::Trace::notes).
    pub notes: BTreeSet<String>,
    /// The entry points whose handlers never waited, in all runs: each handling is one step, and nothing came in between.
    pub atomic: BTreeSet<String>,
    /// Whether faults were added.
    pub(super) asked: bool,
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
    /// Only a given schedule was run.
    Replayed,
}

impl Report {
    pub(super) fn new() -> Self {
        Self {
            ending: Ending::BudgetReached,
            schedules: 0,
            runs: 0,
            failures: Vec::new(),
            faults: 0,
            notes: BTreeSet::new(),
            atomic: BTreeSet::new(),
            asked: false,
            took: Duration::ZERO,
        }
    }

    /// Returns whether every schedule was run, or the only one that was given, and none failed.
    pub fn is_ok(&self) -> bool {
        matches!(self.ending, Ending::Complete | Ending::Replayed) && self.failures.is_empty()
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
        let (schedules, runs, rate) = (self.schedules, self.runs, self.runs_per_second());
        match self.ending {
            Ending::Complete if !self.failures.is_empty() => {
                write!(f, "{} failed of all {schedules} schedules, in {runs} runs", self.failures.len())?;
            }
            Ending::Failed => write!(f, "failed after {schedules} schedules in {runs} runs")?,
            Ending::Complete => write!(f, "complete: {schedules} schedules in {runs} runs")?,
            Ending::BudgetReached => write!(f, "budget reached: {schedules} schedules in {runs} runs")?,
            Ending::Replayed => f.write_str("replayed: one given schedule")?,
        }
        write!(f, ", {rate:.0} runs per second")?;
        if self.asked && self.faults == 0 {
            write!(
                f,
                "\nnote: no fault happened, though some were added: no message reached a site where they can happen"
            )?;
        }
        if !self.atomic.is_empty() {
            let atomic: Vec<&str> = self.atomic.iter().map(String::as_str).collect();
            write!(f, "\nnote: each is one step here, since it waits for nothing: {}", atomic.join(", "))?;
        }
        for note in &self.notes {
            write!(f, "\nnote: {note}")?;
        }
        for (index, failure) in self.failures.iter().enumerate() {
            write!(f, "\n\nfailure {} of {}: {failure}", index + 1, self.failures.len())?;
        }
        Ok(())
    }
}
