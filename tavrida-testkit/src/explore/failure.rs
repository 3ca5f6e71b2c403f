//! [`Failure`]: a shrunk schedule that fails, with what is needed to find the cause.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use super::events::{SHOWN, last_events};
use crate::problem::{Problem, ProblemKind};
use crate::schedule::{Deviations, Policy, Replay};
use crate::sim::Finished;

/// A schedule under which a scenario fails.
///
/// Its text has what is wrong, the few decisions that lead there, a command that repeats the run, the last events, and a test to paste
/// unless the schedule is stored in a file.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Failure {
    /// Why the shrunk run fails.
    pub problem: Problem,
    /// The seed of the run.
    pub seed: u64,
    /// The origin of the schedule.
    pub origin: Origin,
    /// The schedule as it was found.
    pub found: Deviations,
    /// The smallest schedule found that fails in the same way.
    pub schedule: Deviations,
    /// How many runs shrinking took; 0 if it was not tried.
    pub replays: u32,
    /// Whether the schedule failed each time. If not, the run depends on something that its seed does not control.
    pub reproduced: bool,
    /// The file of regressions that stores the schedule, if any.
    pub kept: Option<PathBuf>,
    /// The run of the shrunk schedule.
    pub run: Finished,
    /// Whether every message was delivered twice.
    pub(super) twice: bool,
    pub(super) names: Names,
}

/// The origin of a schedule.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Origin {
    /// The search found it.
    Search {
        /// How many schedules ran before it.
        before: u64,
        /// The policy that made it; for a portfolio, the policy chosen by the seed.
        policy: Policy,
    },
    /// The caller gave it.
    Given,
    /// It failed before and was stored in a file.
    Regression {
        /// The file.
        file: PathBuf,
        /// The line, from 1.
        line: usize,
    },
}

/// The names of a test and its scenario.
#[derive(Debug, Clone, Default)]
pub(super) struct Names {
    /// The path of the test, if known.
    pub(super) test: Option<String>,
    /// The name of the scenario, if it has one.
    pub(super) scenario: Option<String>,
}

impl Failure {
    /// Returns the seed and the schedule, to repeat the run.
    pub fn replay(&self) -> Replay {
        Replay { seed: self.seed, schedule: self.schedule.clone() }
    }

    /// Returns when it failed, in virtual time.
    pub fn at(&self) -> Duration {
        self.problem.at
    }

    /// Returns the command that repeats the run.
    pub fn command(&self) -> String {
        let test = self.names.test.as_ref().map(|test| format!(" {test}")).unwrap_or_default();
        format!("TAVRIDA_REPLAY='{}' cargo test{test}", self.replay())
    }

    /// Returns the last events of the chain that shows the failure, as lines.
    pub fn events(&self) -> String {
        last_events(&self.run.trace, self.problem.chain.as_deref(), SHOWN)
    }

    /// Returns a test that fails as long as this schedule fails. It calls the scenario by the name it has where it was explored, or by
    /// `scenario` if it has none.
    pub fn regression_test(&self) -> String {
        let test = self.names.test.as_deref().unwrap_or("the_scenario");
        let test = test.rsplit("::").next().unwrap_or(test);
        let scenario = self.names.scenario.as_deref().unwrap_or("scenario");
        let replay = self.replay().labelled(&self.run.trace);
        let body = match self.twice {
            false => {
                format!("tavrida_testkit::replay(\n        \"{replay}\",\n        {scenario},\n    );")
            }
            true => format!(
                "let schedule = \"{replay}\";\n    tavrida_testkit::explore({scenario})\n        .delivering_twice()\n        \
                 .replay(schedule.parse().expect(\"a schedule\"))\n        .run()\n        .assert_ok();"
            ),
        };
        format!("#[test]\nfn {test}_on_a_schedule_that_failed() {{\n    {body}\n}}\n")
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Search { before, policy } => write!(f, "schedule {}, {policy}", before + 1),
            Self::Given => f.write_str("the given schedule"),
            Self::Regression { file, line } => {
                write!(f, "the schedule that failed before ({}:{line})", file.display())
            }
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (origin, seed) = (&self.origin, self.seed);
        writeln!(f, "{}", self.problem)?;
        writeln!(f, "\nfound by {origin}, seed {seed:#x}")?;
        let (found, left) = (self.found.len(), self.schedule.len());
        match (self.reproduced, self.replays) {
            (false, _) => writeln!(
                f,
                "IT DID NOT FAIL AGAIN: the run depends on something that its seed does not steer; {found} decisions:"
            )?,
            (true, 0) => writeln!(f, "{left} decisions other than the default:")?,
            (true, replays) => {
                writeln!(f, "{left} of {found} decisions are enough ({replays} replays):")?;
            }
        }
        writeln!(f, "  {}", self.schedule.labelled(&self.run.trace))?;
        if self.problem.kind == ProblemKind::Nondeterminism {
            writeln!(
                f,
                "no schedule replays such a run faithfully, since more than the schedule decides; a replay that passes is made \
                 again, and may go the same way both times"
            )?;
        }
        writeln!(f, "\nagain:\n  {}", self.command())?;
        let of =
            self.problem.chain.as_ref().map(|chain| format!(" of the chain {chain}")).unwrap_or_default();
        writeln!(f, "\nthe last events{of}:\n{}", self.events())?;
        match &self.kept {
            Some(file) => write!(f, "kept in {}, and tried first as long as it is there", file.display()),
            None => write!(f, "a test to paste:\n\n{}", self.regression_test()),
        }
    }
}
