//! [`Report`]: the result of an exploration.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use super::Failure;
use super::failure::Origin;

/// The result of an exploration.
#[derive(Debug, Clone)]
#[must_use = "a failure is seen only if the report is looked at: `assert_ok()`"]
pub struct Report {
    pub(super) schedules: u64,
    pub(super) failed: u64,
    pub(super) failures: Vec<Failure>,
    pub(super) elapsed: Duration,
    pub(super) notes: Vec<String>,
    /// Schedules that prove nothing, since all their decisions concern nothing that happens.
    pub(super) void: Vec<String>,
    /// Marks that [had to be reached](super::Explore::reaches), and were not.
    pub(super) unreached: Vec<String>,
    pub(super) marks: BTreeMap<String, u64>,
    pub(super) faults: BTreeMap<String, u64>,
    /// How many schedules ran in that time: threads may be ahead of the first failure.
    pub(super) tried: u64,
}

impl Report {
    /// Returns how many schedules ran, up to the first failure if the exploration ends there. The number does not depend on the number of
    /// threads, unless a [budget](super::Explore::budget) ran out.
    pub fn schedules(&self) -> u64 {
        self.schedules
    }

    /// Returns how many schedules failed.
    pub fn failed(&self) -> u64 {
        self.failed
    }

    /// Returns the shrunk failures: the first, or the first of each kind if the exploration [kept going](super::Explore::keep_going).
    pub fn failures(&self) -> &[Failure] {
        &self.failures
    }

    /// Returns the first failure.
    pub fn failure(&self) -> Option<&Failure> {
        self.failures.first()
    }

    /// Returns whether nothing failed, each given or stored schedule was about something that happened, and the marks were reached that [had
    /// to be](super::Explore::reaches).
    pub fn is_ok(&self) -> bool {
        self.failures.is_empty() && self.void.is_empty() && self.unreached.is_empty()
    }

    /// Returns how many schedules it took to find the first failure, including that one. `None` if nothing failed.
    pub fn found_after(&self) -> Option<u64> {
        self.failures.iter().find_map(|failure| match failure.origin {
            Origin::Search { before, .. } => Some(before + 1),
            _ => None,
        })
    }

    /// Returns oddities that are not failures: part of a given or stored schedule concerns something that does not happen, a mark was never
    /// reached, a fault never happened, a [run](crate::trace::Trace::notes) neither waited for a task nor ended it.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// Returns what the scenario and the services marked ([`Sim::sometimes`](crate::sim::Sim::sometimes), [`tavrida::mark`]), with the number of
    /// schedules in which it held, if none failed. A mark that never held is also a [note](Report::notes): a search that never met a
    /// redelivery proves nothing about redeliveries.
    pub fn marks(&self) -> &BTreeMap<String, u64> {
        &self.marks
    }

    /// Returns how often each fault happened in the search, by its kind and site, as `crash at ack`, if no schedule failed.
    pub fn faults(&self) -> &BTreeMap<String, u64> {
        &self.faults
    }

    /// Prints the notes on stderr, past the capture of Rust's harness: also a test that passes shows them.
    pub(crate) fn print_notes(&self, test: &str) {
        use std::io::Write;

        let notes: String = self.notes.iter().map(|note| format!("{test}: note: {note}\n")).collect();
        // Nobody may listen.
        let _ = std::io::stderr().write_all(notes.as_bytes());
    }

    /// Returns the duration of the search in real time.
    pub fn elapsed(&self) -> Duration {
        self.elapsed
    }

    /// Returns the number of schedules for each second of real time.
    pub fn schedules_per_second(&self) -> f64 {
        self.tried as f64 / self.elapsed.as_secs_f64().max(1e-9)
    }

    /// Asserts that the report [is ok](Self::is_ok).
    ///
    /// # Panics
    ///
    /// Panics if it is not, with the text of the report.
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
        let counts = |counts: &BTreeMap<String, u64>| {
            let counts: Vec<String> = counts.iter().map(|(name, count)| format!("{name} {count}")).collect();
            counts.join(", ")
        };
        for (name, all) in [("faults", &self.faults), ("marks", &self.marks)] {
            if !all.is_empty() {
                writeln!(f, "{name}: {}", counts(all))?;
            }
        }
        for mark in &self.unreached {
            writeln!(f, "not reached: '{mark}', in none of {} schedules", self.tried)?;
        }
        self.void.iter().try_for_each(|void| writeln!(f, "void: {void}"))?;
        self.notes.iter().try_for_each(|note| writeln!(f, "note: {note}"))?;
        for (index, failure) in self.failures.iter().enumerate() {
            let of = self.failures.len();
            let title = if of > 1 { format!("failure {} of {of}: ", index + 1) } else { String::new() };
            write!(f, "\n{title}{failure}")?;
        }
        Ok(())
    }
}
