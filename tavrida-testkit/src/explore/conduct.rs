//! [`Explore::run`]: runs earlier failures, then searches, then shrinks what failed.

use std::collections::BTreeMap;
use std::future::Future;
use std::num::NonZeroUsize;
use std::thread;
use std::time::Duration;

use tokio::time::Instant;

use super::env::{Environment, TraceFormat};
use super::failure::Origin;
use super::regressions::Regressions;
use super::search::{FailedRun, Search, SearchResult};
use super::second::{Part, Second};
use super::show::show;
use super::shrink::{is_same, shrink};
use super::{Explore, Failure, Report, live, second};
use crate::fault::Faults;
use crate::problem::ProblemKind;
use crate::schedule::{Choice, Deviations, Replay};
use crate::sim::{Ended, Finished, Setup, Sim, Verdict};

/// A thread with fewer schedules is not worth its start.
const WORTH_A_THREAD: u64 = 32;

// The bounds are those of the methods: an error then says what a scenario is, and not that there is no such method.
impl<F> Explore<F> {
    /// Runs schedules until one fails or all have run.
    ///
    /// # Panics
    ///
    /// Panics inside a runtime, if a variable of the [environment](super::Environment) has an invalid value, or if the file of regressions
    /// or a page cannot be read or written; the text names the culprit.
    #[track_caller]
    pub fn run<Fut>(mut self) -> Report
    where
        F: Fn(Sim) -> Fut + Sync,
        Fut: Future<Output: Ended>,
    {
        self.report()
    }

    /// [Runs](Self::run) the exploration as a test.
    ///
    /// The first two schedules are also run in a second process, if this is a test of Rust's harness of this [name](Self::named): the program
    /// is started once more, with the variable `TAVRIDA_SECOND_PROCESS` and the arguments `NAME --exact`. What the test does before and
    /// after the call is done there too. With `TAVRIDA_SECOND_PROCESS=off` there is no second process.
    ///
    /// Prints notes on stderr, also if the test passes: a [mark](Sim::sometimes) that was never reached, faults that never happened.
    ///
    /// # Panics
    ///
    /// Panics if the scenario fails, if a [mark](Self::reaches) was not reached, or if a stored or given schedule concerns nothing that
    /// happens; the message is the text of the [report](Report). Panics if the runs of the second process differ. Panics if the scenario
    /// fails on a [live](Self::live) broker, or cannot run there although its variable is set. Panics where [`run`](Self::run) does.
    #[track_caller]
    pub fn check<Fut>(mut self)
    where
        F: Fn(Sim) -> Fut + Sync,
        Fut: Future<Output: Ended>,
    {
        self.check_as_test();
    }
}

impl<F, Fut> Explore<F>
where
    F: Fn(Sim) -> Fut + Sync,
    Fut: Future<Output: Ended>,
{
    #[track_caller]
    fn check_as_test(&mut self) {
        let name = self.names.test().to_owned();
        let part = Part::of(&name);
        if let Some(Part::Second { of_this_test }) = part {
            // The search is for the first process.
            if of_this_test {
                second::write(&self.first_runs());
            }
            return;
        }
        let is_replay = || {
            let given = || Environment::read().is_ok_and(|environment| environment.replay.is_some());
            self.replay.is_some() || self.environment && given()
        };
        let compared = part.filter(|_| !is_replay()).and_then(|_| Second::start(&name));
        let compared = compared.map(|second| (second, self.first_runs()));
        let report = self.report();
        report.assert_ok();
        report.print_notes(&name);
        match compared.map(|(second, runs)| second.compare(&runs)) {
            Some(Ok(Some(problem))) => panic!("{problem}"),
            Some(Err(why)) => eprintln!("{name}: not compared with a second process: {why}"),
            Some(Ok(None)) | None => {}
        }
        if let Some(variable) = &self.live {
            live::check(&name, variable, self.setup.horizon, &self.scenario);
        }
    }

    #[track_caller]
    fn report(&mut self) -> Report {
        let environment = match self.environment {
            true => Environment::read().unwrap_or_else(|wrong| panic!("{wrong}")),
            false => Environment::default(),
        };
        let replay = self.replay.take().or(environment.replay);
        if let Some(replay) = replay {
            return self.once(&replay, environment.trace);
        }
        if let Some(seed) = environment.seed {
            self.setup.seed = seed;
            // The default schedule, and the one of the seed.
            self.schedules = 2;
            self.reaches.clear();
        }
        if let Some(schedules) = environment.schedules {
            self.schedules = schedules.saturating_add(1);
        }
        let report = self.explore();
        if let Some(format) = environment.trace {
            report.failures.iter().for_each(|failure| failure.show(format));
        }
        report
    }

    /// Runs one schedule.
    #[track_caller]
    fn once(&self, replay: &Replay, trace: Option<TraceFormat>) -> Report {
        let began = Instant::now();
        let finished = self.replayed(replay);
        if let Some(format) = trace {
            show(format, &finished, replay, self.names.test());
        }
        let mut report = Report { schedules: 1, tried: 1, ..Report::empty() };
        report.note_idle(&Origin::Given, replay, &finished);
        let failures: Vec<Failure> = self.failed(replay, Origin::Given, finished).into_iter().collect();
        report.failed = failures.len() as u64;
        report.failures = failures;
        report.elapsed = began.elapsed();
        report
    }

    /// Runs earlier failures, then searches.
    #[track_caller]
    fn explore(&self) -> Report {
        let read = |path| Regressions::read(path).unwrap_or_else(|unusable| panic!("{unusable}"));
        let regressions = self.regressions.as_deref().map(read);
        let mut report = self.known_failures(regressions.as_ref());
        if !report.is_ok() && !self.keep_going {
            return report;
        }
        let found = self.search();
        report.schedules = found.schedules;
        report.tried = found.tried;
        report.elapsed = found.elapsed;
        report.failed += found.failed;
        if found.hits.is_empty() {
            // After a failure, the number of runs depends on the threads.
            report.notes.extend(notes_of(&found, &self.setup.faults));
            let is_unreached = |mark: &&String| found.marks.get(*mark).is_none_or(|runs| *runs == 0);
            report.unreached = self.reaches.iter().filter(is_unreached).cloned().collect();
            report.marks = found.marks;
            report.faults = found.faults;
        }
        for hit in found.hits {
            if report.failures.iter().any(|known| is_same(&known.problem, &hit.problem)) {
                continue;
            }
            let mut failure = self.shrunk(hit);
            // The default schedule runs anyway, and a schedule that does not fail again would prove nothing.
            if let Some(regressions) = &regressions
                && failure.reproduced
                && failure.replay() != Replay::default()
            {
                regressions.add(&failure).unwrap_or_else(|unusable| panic!("{unusable}"));
                failure.kept.clone_from(&self.regressions);
            }
            report.failures.push(failure);
        }
        report
    }

    /// Runs the schedules that failed before: all of them, or those up to the first that still fails.
    fn known_failures(&self, regressions: Option<&Regressions>) -> Report {
        let mut report = Report::empty();
        for (line, known) in regressions.iter().flat_map(|regressions| &regressions.known) {
            let file = self.regressions.clone().unwrap_or_default();
            let finished = self.replayed(known);
            let origin = Origin::Regression { file, line: *line };
            report.note_idle(&origin, known, &finished);
            report.failures.extend(self.failed(known, origin, finished));
            if !report.failures.is_empty() && !self.keep_going {
                break;
            }
        }
        report.failed = report.failures.len() as u64;
        report
    }

    /// Runs the default schedule, and that of the first seed if there are more.
    fn first_runs(&self) -> Vec<Finished> {
        self.searching().first_runs()
    }

    fn search(&self) -> SearchResult {
        self.searching().run()
    }

    fn searching(&self) -> Search<'_, F> {
        let most = usize::try_from(self.schedules.div_ceil(WORTH_A_THREAD)).unwrap_or(usize::MAX);
        let processors = || thread::available_parallelism().map_or(1, NonZeroUsize::get).min(most);
        Search {
            scenario: &self.scenario,
            setup: self.setup.clone(),
            schedules: self.schedules,
            threads: self.threads.unwrap_or_else(processors),
            budget: self.budget,
            keep_going: self.keep_going,
            every: self.every,
            tell: &*self.tell,
        }
    }

    /// Returns the setup of a run with this schedule.
    fn by(&self, seed: u64, schedule: &Deviations) -> Setup {
        Setup { seed, replay: Some(schedule.clone()), ..self.setup.clone() }
    }

    /// Runs a schedule. If it passes, it runs again: the failure may have been nondeterminism.
    fn replayed(&self, replay: &Replay) -> Finished {
        let setup = self.by(replay.seed, &replay.schedule);
        let finished = setup.run(&self.scenario);
        match finished.verdict {
            Verdict::Passed => setup.run_again(finished, &self.scenario),
            Verdict::Failed(_) => finished,
        }
    }

    /// Returns the failure of a replayed run, if it failed.
    fn failed(&self, replay: &Replay, origin: Origin, run: Finished) -> Option<Failure> {
        let Verdict::Failed(problem) = &run.verdict else { return None };
        let kept = match &origin {
            Origin::Regression { file, .. } => Some(file.clone()),
            _ => None,
        };
        Some(Failure {
            problem: (**problem).clone(),
            seed: replay.seed,
            origin,
            kept,
            found: replay.schedule.clone(),
            schedule: replay.schedule.clone(),
            replays: 0,
            reproduced: true,
            setup: self.setup.clone(),
            run,
            names: self.names.clone(),
        })
    }

    /// Shrinks a failure.
    fn shrunk(&self, hit: FailedRun) -> Failure {
        let FailedRun { before, setup, problem, finished } = hit;
        let found = finished.schedule.clone();
        // One occurrence proves nothing if a run is nondeterministic: smaller schedules must be nondeterministic as well.
        let twice = problem.kind == ProblemKind::Nondeterminism;
        let shrunk = shrink(finished, problem, self.replays, |schedule| {
            let setup = self.by(setup.seed, schedule);
            if twice { setup.run_twice(&self.scenario) } else { setup.run(&self.scenario) }
        });
        let policy = setup.policy.of_seed(setup.seed);
        Failure {
            problem: shrunk.problem,
            seed: setup.seed,
            origin: Origin::Search { before, policy },
            found,
            schedule: shrunk.schedule,
            replays: shrunk.replays,
            kept: None,
            reproduced: shrunk.reproduced,
            setup: self.setup.clone(),
            run: shrunk.run,
            names: self.names.clone(),
        }
    }
}

/// Returns what a search without failures did not meet.
fn notes_of(found: &SearchResult, asked: &Faults) -> Vec<String> {
    let mut notes = Vec::new();
    for (name, _) in found.marks.iter().filter(|(_, runs)| **runs == 0) {
        notes.push(format!(
            "'{name}' was never so, in none of {} schedules: they do not show what it is there for",
            found.tried
        ));
    }
    if !asked.is_none() && found.faults.is_empty() {
        notes.push(format!("no fault happened in {} schedules, though there are {asked}", found.tried));
    }
    for (note, runs) in &found.notes {
        notes.push(format!("in {runs} of {} schedules, {note}", found.tried));
    }
    if found.healed_early > 0 {
        notes.push(format!(
            "`heal` was called before any message arrived, in {} of {} schedules: it ends all faults",
            found.healed_early, found.tried
        ));
    }
    notes
}

impl Report {
    fn empty() -> Self {
        Self {
            schedules: 0,
            tried: 0,
            failed: 0,
            failures: Vec::new(),
            notes: Vec::new(),
            void: Vec::new(),
            unreached: Vec::new(),
            elapsed: Duration::ZERO,
            marks: BTreeMap::new(),
            faults: BTreeMap::new(),
        }
    }

    /// Notes that decisions of a schedule concern nothing that happened, unless the run failed. A schedule of which that is true as a whole
    /// is void.
    fn note_idle(&mut self, origin: &Origin, replay: &Replay, run: &Finished) {
        if run.verdict != Verdict::Passed {
            return;
        }
        let kind = |choice: Choice| std::mem::discriminant(&choice);
        let made: Vec<_> = run.schedule.iter().map(|(point, choice)| (point, kind(choice))).collect();
        let idle = replay.schedule.iter().filter(|(point, choice)| !made.contains(&(*point, kind(*choice))));
        let idle: Deviations = idle.collect();
        let (idle_ones, all) = (idle.len(), replay.schedule.len());
        if idle_ones > 0 {
            let text =
                format!("{origin}: {idle_ones} of {all} decisions are about nothing that happened: {idle}");
            if idle_ones == all { &mut self.void } else { &mut self.notes }.push(text);
        }
    }
}
