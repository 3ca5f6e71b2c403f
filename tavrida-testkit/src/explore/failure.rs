//! [`Failure`]: a shrunk schedule that fails, with what is needed to find the cause.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use super::again::TestNames;
use super::env::{REPLAY, TRACE};
use super::events::{events, waiting};
use crate::problem::{Problem, ProblemKind};
use crate::schedule::{Deviations, Policy, Replay};
use crate::sim::{Finished, Setup};

/// A schedule under which a scenario fails.
///
/// Its text has what is wrong, the few decisions that lead there, a command that repeats the run, the events that matter, and a test to paste
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
    /// The settings of the run.
    pub(crate) setup: Setup,
    pub(crate) names: TestNames,
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
    /// An exhaustive search found it.
    Exhaustive {
        /// The number of the run, from 1.
        run: u64,
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

impl Failure {
    /// Returns the seed and the schedule, to repeat the run.
    pub fn replay(&self) -> Replay {
        Replay { seed: self.seed, schedule: self.schedule.clone() }
    }

    /// Returns when it failed, in virtual time.
    pub fn at(&self) -> Duration {
        self.problem.at
    }

    /// Returns the command that repeats the run; without the command if the test that found it has no name.
    pub fn command(&self) -> String {
        let command = self.names.command().map(|command| format!(" {command}")).unwrap_or_default();
        format!("{REPLAY}='{}'{command}", self.replay())
    }

    /// Returns the events that matter, as lines: faults and decisions with what is around them, the chain that shows the failure, and the
    /// end.
    pub fn events(&self) -> String {
        events(&self.run.trace, self.problem.chain.as_deref(), &self.schedule)
    }

    /// Returns a test that fails as long as this schedule fails, to be put anywhere from where the scenario can be called. `None` if no
    /// other function can call it, since it is a closure, generic, or inside of its test.
    pub fn regression_test(&self) -> Option<String> {
        let scenario = self.names.scenario.as_deref()?;
        let test = self.names.test.as_deref().unwrap_or("the_scenario");
        let test = test.rsplit("::").next().unwrap_or(test);
        let replay = self.replay().labelled(&self.run.trace);
        let usual = Setup::new(0);
        let (horizon, twice) = (self.setup.horizon, self.setup.twice);
        let body = if horizon == usual.horizon && !twice {
            format!("tavrida_testkit::replay(\n        \"{replay}\",\n        {scenario},\n    );")
        } else {
            let twice = if twice { "\n        .delivering_twice()" } else { "" };
            let millis = horizon.as_millis();
            let horizon = format!("\n        .horizon(std::time::Duration::from_millis({millis}))");
            let horizon = if millis == usual.horizon.as_millis() { "" } else { &horizon };
            format!(
                "let schedule = \"{replay}\";\n    tavrida_testkit::explore({scenario}){twice}{horizon}\n        \
                 .replay(schedule.parse().expect(\"a schedule\"))\n        .run()\n        .assert_ok();"
            )
        };
        Some(format!("#[test]\nfn {test}_on_a_schedule_that_failed() {{\n    {body}\n}}\n"))
    }

    /// Returns the line by which a file of regressions stores the schedule.
    pub(super) fn line(&self) -> String {
        format!("{} # {}", self.replay().labelled(&self.run.trace), self.problem.kind)
    }

    /// Writes how the schedule can be kept.
    fn write_keeping(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(file) = &self.kept {
            return writeln!(f, "\nkept in {}, and tried first as long as it is there", file.display());
        }
        if !self.reproduced {
            return Ok(());
        }
        if self.replay() == Replay::default() {
            return writeln!(f, "\nit is the default schedule, with which every exploration begins");
        }
        if let Some(file) = &self.names.regressions {
            let (file, line) = (file.display(), self.line());
            return writeln!(f, "\na line for {file}, to try it first in each run of the test:\n\n{line}");
        }
        if let Some(test) = self.regression_test() {
            return write!(f, "\na test to paste:\n\n{test}");
        }
        if !self.names.takes_replay {
            return Ok(());
        }
        let replay = self.replay().labelled(&self.run.trace);
        writeln!(
            f,
            "\na line to paste before `.run()` or `.check()`, to run this schedule alone:\n\n    \
             .replay(\"{replay}\".parse().expect(\"a schedule\"))"
        )
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Search { before, policy } => write!(f, "schedule {}, {policy}", before + 1),
            Self::Exhaustive { run } => write!(f, "run {run} of all orders"),
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
        writeln!(f, "  {TRACE}=html beside it writes the run as a page, {TRACE}=text prints all its events")?;
        write!(f, "\nwhat happened:\n{}{}", self.events(), waiting(&self.run.trace, self.at()))?;
        for note in self.run.trace.notes() {
            writeln!(f, "note: {note}")?;
        }
        self.write_keeping(f)
    }
}
