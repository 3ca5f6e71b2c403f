//! Shrinks the schedule of a failure.

use super::reduce::Reducer;
use crate::problem::{Problem, ProblemKind};
use crate::schedule::Deviations;
use crate::sim::{Finished, Verdict};

/// A shrunk schedule.
pub(crate) struct Shrunk {
    pub(crate) schedule: Deviations,
    pub(crate) problem: Problem,
    pub(crate) run: Finished,
    /// How many runs shrinking took.
    pub(crate) replays: u32,
    /// Whether the schedule failed again.
    pub(crate) reproduced: bool,
}

/// Shrinks the schedule of a failed run, with a limited number of runs.
pub(crate) fn shrink(
    failed: Finished,
    problem: Problem,
    limit: u32,
    run: impl Fn(&Deviations) -> Finished,
) -> Shrunk {
    let mut best =
        Shrunk { schedule: failed.schedule.clone(), problem, run: failed, replays: 1, reproduced: true };
    let again = run(&best.schedule);
    if !best.takes(again) {
        best.reproduced = false;
        return best;
    }
    let mut reducer = Reducer::new(&best.schedule);
    while best.replays < limit {
        let Some(proposed) = reducer.propose() else { break };
        best.replays += 1;
        match best.takes(run(&proposed)) {
            true => reducer.failed(&best.run.schedule),
            false => reducer.passed(),
        }
    }
    best.schedule = best.run.schedule.clone();
    best
}

impl Shrunk {
    /// Accepts a run if it fails in the same way. Returns whether it does.
    fn takes(&mut self, run: Finished) -> bool {
        let Verdict::Failed(problem) = &run.verdict else { return false };
        let same = is_same(&self.problem, problem);
        if same {
            self.problem = Problem::clone(problem);
            self.run = run;
        }
        same
    }
}

/// Returns whether two failures are of one kind; panics must come from the same line.
pub(super) fn is_same(one: &Problem, other: &Problem) -> bool {
    let panics = matches!(one.kind, ProblemKind::Assertion | ProblemKind::Panic);
    one.kind == other.kind && (!panics || place(one) == place(other))
}

/// Returns the location of a panic: the text in brackets at its end.
pub(super) fn place(problem: &Problem) -> Option<&str> {
    problem.text.strip_suffix(')')?.rsplit_once(" (").map(|(_, place)| place)
}
