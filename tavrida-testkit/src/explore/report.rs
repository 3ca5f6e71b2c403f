//! [`Report`]: what came of an exploration.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use super::Failure;
use super::failure::Origin;

/// What came of an exploration.
#[derive(Debug, Clone)]
#[must_use = "a failure is seen only if the report is looked at: `assert_ok()`"]
pub struct Report {
    pub(super) schedules: u64,
    pub(super) failed: u64,
    pub(super) failures: Vec<Failure>,
    pub(super) elapsed: Duration,
    pub(super) notes: Vec<String>,
    pub(super) marks: BTreeMap<String, u64>,
    /// How many schedules were tried in that time: threads may be ahead of the first failure.
    pub(super) tried: u64,
}

impl Report {
    /// How many schedules were tried, up to the first that fails where the exploration ends there. The same for each number of
    /// threads, unless a [budget](super::Explore::budget) ran out.
    pub fn schedules(&self) -> u64 {
        self.schedules
    }

    /// How many of them failed.
    pub fn failed(&self) -> u64 {
        self.failed
    }

    /// The failures, made short: the first, or the first of each kind where the exploration
    /// [kept going](super::Explore::keep_going).
    pub fn failures(&self) -> &[Failure] {
        &self.failures
    }

    /// The first failure.
    pub fn failure(&self) -> Option<&Failure> {
        self.failures.first()
    }

    /// Whether nothing failed.
    pub fn is_ok(&self) -> bool {
        self.failures.is_empty()
    }

    /// How many schedules it took to find the first failure, that one included; none where nothing was found.
    pub fn found_after(&self) -> Option<u64> {
        self.failures.iter().find_map(|failure| match failure.origin {
            Origin::Search { before, .. } => Some(before + 1),
            _ => None,
        })
    }

    /// What is odd, though it is no failure: a schedule that was given or written down is about something that does not happen any
    /// more, and so says nothing.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// What the scenario [marked](crate::sim::Sim::sometimes) as something that happens sometimes, and in how many schedules it was
    /// so, where none failed. One that never was so is told as a [note](Report::notes): a search that never met a redelivery
    /// says nothing about redeliveries.
    pub fn marks(&self) -> &BTreeMap<String, u64> {
        &self.marks
    }

    /// How long the search took, in real time.
    pub fn elapsed(&self) -> Duration {
        self.elapsed
    }

    /// How many schedules were tried in a second of real time.
    pub fn schedules_per_second(&self) -> f64 {
        self.tried as f64 / self.elapsed.as_secs_f64().max(1e-9)
    }

    /// That nothing failed.
    ///
    /// # Panics
    ///
    /// Something failed; the text is the report's.
    #[track_caller]
    pub fn assert_ok(&self) {
        assert!(self.is_ok(), "{self}");
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (schedules, failed) = (self.schedules, self.failed);
        let seconds = self.elapsed.as_secs_f64();
        writeln!(
            f,
            "{schedules} schedules in {seconds:.1} s ({:.0} a second), {failed} failed",
            self.schedules_per_second()
        )?;
        self.notes.iter().try_for_each(|note| writeln!(f, "note: {note}"))?;
        for (index, failure) in self.failures.iter().enumerate() {
            let of = self.failures.len();
            let title = if of > 1 { format!("failure {} of {of}: ", index + 1) } else { String::new() };
            write!(f, "\n{title}{failure}")?;
        }
        Ok(())
    }
}
