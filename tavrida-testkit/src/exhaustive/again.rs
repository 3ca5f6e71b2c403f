//! One given schedule of an exhaustive search, and the failures of runs.

use std::future::Future;

use super::{Ending, Exhaustive, Failure, Report, now};
use crate::explore::{Origin, TraceFormat, show, shrink};
use crate::problem::Problem;
use crate::schedule::Replay;
use crate::sim::{Ended, Finished, Setup, Sim, Verdict};

/// How many runs the shrinking of a failure may take.
const MAX_REPLAYS: u32 = 500;

impl<F, Fut> Exhaustive<F>
where
    F: Fn(Sim) -> Fut,
    Fut: Future<Output: Ended>,
{
    /// Runs one schedule; if it passes, it runs again, and both runs must be equal.
    pub(super) fn once(self, replay: &Replay, trace: Option<TraceFormat>) -> Report {
        let began = now();
        let setup = Setup { seed: replay.seed, replay: Some(replay.schedule.clone()), ..self.setup.clone() };
        let finished = setup.run_twice(&self.scenario);
        if let Some(format) = trace {
            show(format, &finished, replay, self.names.test());
        }
        let mut report = Report { ending: Ending::Replayed, schedules: 1, runs: 1, ..Report::new() };
        report.notes.extend(finished.trace.notes().map(str::to_owned));
        if let Verdict::Failed(problem) = &finished.verdict {
            let problem = (**problem).clone();
            let failure = self.failure(problem, Origin::Given, finished);
            report.failures.push(Failure { seed: replay.seed, schedule: replay.schedule.clone(), ..failure });
        }
        report.took = began.elapsed();
        report
    }

    /// Returns the failure of a run, shrunk.
    pub(super) fn shrunk(&self, problem: Problem, origin: Origin, run: Finished) -> Failure {
        let shrunk = shrink(run.clone(), problem, MAX_REPLAYS, |schedule| {
            Setup { replay: Some(schedule.clone()), ..self.setup.clone() }.run(&self.scenario)
        });
        Failure {
            schedule: shrunk.schedule,
            replays: shrunk.replays,
            reproduced: shrunk.reproduced,
            found: run.schedule,
            ..self.failure(shrunk.problem, origin, shrunk.run)
        }
    }

    pub(super) fn failure(&self, problem: Problem, origin: Origin, run: Finished) -> Failure {
        Failure {
            problem,
            seed: self.setup.seed,
            origin,
            found: run.schedule.clone(),
            schedule: run.schedule.clone(),
            replays: 0,
            reproduced: true,
            kept: None,
            run,
            setup: self.setup.clone(),
            names: self.names.clone(),
        }
    }
}
