//! [`Failure`]: a schedule that fails, made short, with all that it takes to see why.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use super::events::{SHOWN, last_events};
use crate::problem::{Problem, ProblemKind};
use crate::schedule::{Deviations, Policy, Replay};
use crate::sim::Finished;

/// A schedule under which a scenario fails.
///
/// Its text has all that it takes to go on: what is wrong, which few decisions lead there, a line that makes the run again, the last
/// events, and a test to paste, unless the schedule is kept in a file.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Failure {
    /// Why the short run fails.
    pub problem: Problem,
    /// The seed of the run.
    pub seed: u64,
    /// Where the schedule comes from.
    pub origin: Origin,
    /// The schedule as it was found.
    pub found: Deviations,
    /// The shortest schedule that fails in the same way.
    pub schedule: Deviations,
    /// How many runs it took to make it short; 0 where it was not tried.
    pub replays: u32,
    /// Whether the schedule failed each time. Where it does not, the run depends on something that its seed does not steer.
    pub reproduced: bool,
    /// The file of regressions where the schedule is, if it is kept.
    pub kept: Option<PathBuf>,
    /// The run of the short schedule.
    pub run: Finished,
    /// Whether everything was delivered twice.
    pub(super) twice: bool,
    pub(super) names: Names,
}

/// Where a schedule comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Origin {
    /// It was searched for.
    Search {
        /// How many schedules were tried before it.
        before: u64,
        /// The policy that made it; of a portfolio the one that it stood for.
        policy: Policy,
    },
    /// It was given.
    Given,
    /// It failed before, and was written down there.
    Regression {
        /// The file.
        file: PathBuf,
        /// The line, from 1.
        line: usize,
    },
}

/// What a test and its scenario are called.
#[derive(Debug, Clone, Default)]
pub(super) struct Names {
    /// The test's path, where it is known.
    pub(super) test: Option<String>,
    /// The scenario's name, where it has one.
    pub(super) scenario: Option<String>,
}

impl Failure {
    /// The run, to be made again.
    pub fn replay(&self) -> Replay {
        Replay { seed: self.seed, schedule: self.schedule.clone() }
    }

    /// When it failed, in virtual time.
    pub fn at(&self) -> Duration {
        self.problem.at
    }

    /// The command that makes the run again.
    pub fn command(&self) -> String {
        let test = self.names.test.as_ref().map(|test| format!(" {test}")).unwrap_or_default();
        format!("TAVRIDA_REPLAY='{}' cargo test{test}", self.replay())
    }

    /// The last events of the chain that shows the failure, as lines.
    pub fn events(&self) -> String {
        last_events(&self.run.trace, self.problem.chain.as_deref(), SHOWN)
    }

    /// A test that fails as long as this schedule does: its scenario goes by the name that it has where it was explored, or by
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
