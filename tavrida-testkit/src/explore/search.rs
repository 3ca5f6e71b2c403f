//! The search: threads that each take the next seed.

use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::future::Future;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use tokio::time::Instant;

use super::Progress;
use super::shrink::place;
use crate::fault::Faults;
use crate::problem::Problem;
use crate::schedule::Policy;
use crate::sim::{Ended, Finished, Setup, Sim, Verdict};
use crate::trace::What;

/// What to search, and its limits.
pub(super) struct Search<'a, F> {
    pub(super) scenario: &'a F,
    /// Of the first seed.
    pub(super) setup: Setup,
    pub(super) schedules: u64,
    pub(super) threads: usize,
    pub(super) budget: Option<Duration>,
    pub(super) keep_going: bool,
    /// The interval of progress reports.
    pub(super) every: Duration,
    pub(super) tell: &'a (dyn Fn(&Progress) + Sync),
}

/// A run that failed.
pub(super) struct FailedRun {
    /// The number of schedules before it.
    pub(super) before: u64,
    pub(super) setup: Setup,
    pub(super) problem: Problem,
    pub(super) finished: Finished,
}

/// What was found.
pub(super) struct SearchResult {
    /// The first failure of each kind.
    pub(super) hits: Vec<FailedRun>,
    pub(super) schedules: u64,
    pub(super) tried: u64,
    pub(super) failed: u64,
    /// What scenarios and services marked, with the number of runs in which it held.
    pub(super) marks: BTreeMap<String, u64>,
    /// How often each fault happened, by its kind and site.
    pub(super) faults: BTreeMap<String, u64>,
    /// What runs could not show, with the number of those runs.
    pub(super) notes: BTreeMap<String, u64>,
    /// In how many runs faults were ended before any message arrived.
    pub(super) healed_early: u64,
    pub(super) elapsed: Duration,
}

/// What the threads share.
struct SharedByThreads {
    /// The next schedule.
    next: AtomicU64,
    /// Schedules from here on are no longer needed.
    end: AtomicU64,
    tried: AtomicU64,
    failed: AtomicU64,
    /// By kind of failure.
    hits: Mutex<BTreeMap<String, FailedRun>>,
    marks: Mutex<BTreeMap<String, u64>>,
    faults: Mutex<BTreeMap<String, u64>>,
    notes: Mutex<BTreeMap<String, u64>>,
    healed_early: AtomicU64,
    began: Instant,
    told: Mutex<Instant>,
}

/// One of this many schedules runs twice, to check that it repeats.
const TWICE: u64 = 16;

impl<F, Fut> Search<'_, F>
where
    F: Fn(Sim) -> Fut + Sync,
    Fut: Future<Output: Ended>,
{
    /// Searches. The first schedule is the default.
    pub(super) fn run(mut self) -> SearchResult {
        // Outside any runtime this is real time.
        let began = Instant::now();
        let shared = SharedByThreads {
            next: AtomicU64::new(1),
            end: AtomicU64::new(self.schedules),
            tried: AtomicU64::new(0),
            failed: AtomicU64::new(0),
            hits: Mutex::default(),
            marks: Mutex::default(),
            faults: Mutex::default(),
            notes: Mutex::default(),
            healed_early: AtomicU64::new(0),
            began,
            told: Mutex::new(began),
        };
        let (first, finished) = self.default_run();
        self.judge(&shared, 0, first, finished);
        match self.threads {
            1 => self.work(&shared),
            threads => thread::scope(|scope| {
                for _ in 0..threads {
                    scope.spawn(|| self.work(&shared));
                }
            }),
        }
        let mut hits: Vec<FailedRun> = shared.hits.into_inner().into_values().collect();
        hits.sort_by_key(|hit| hit.before);
        let tried = shared.tried.into_inner();
        let (schedules, failed) = match hits.first() {
            Some(hit) if !self.keep_going => (hit.before + 1, 1),
            _ => (tried, shared.failed.into_inner()),
        };
        hits.truncate(if self.keep_going { usize::MAX } else { 1 });
        let marks = shared.marks.into_inner();
        let faults = shared.faults.into_inner();
        let notes = shared.notes.into_inner();
        let healed_early = shared.healed_early.into_inner();
        SearchResult {
            hits,
            schedules,
            tried,
            failed,
            marks,
            faults,
            notes,
            healed_early,
            elapsed: began.elapsed(),
        }
    }

    /// Runs the default schedule, with seed 0 and without faults: it shows how long a run is.
    fn default_run(&mut self) -> (Setup, Finished) {
        let first = Setup { seed: 0, policy: Policy::Fifo, faults: Faults::none(), ..self.setup.clone() };
        let finished = self.made(&first, 0);
        let arrivals =
            finished.trace.events().iter().filter(|event| matches!(event.what, What::Delivered { .. }));
        self.setup.length = u32::try_from(arrivals.count()).unwrap_or(u32::MAX).max(1);
        (first, finished)
    }

    /// Runs the default schedule, and that of the first seed if there are more.
    pub(super) fn first_runs(mut self) -> Vec<Finished> {
        let (_, default) = self.default_run();
        match self.schedules {
            1 => vec![default],
            _ => vec![default, self.setup.run(self.scenario)],
        }
    }

    /// Runs a schedule: one of [`TWICE`] twice, and the last if there are fewer.
    fn made(&self, setup: &Setup, index: u64) -> Finished {
        let is_last_of_few = self.schedules < TWICE && index + 1 == self.schedules;
        match is_last_of_few || index % TWICE == TWICE - 1 {
            true => setup.run_twice(self.scenario),
            false => setup.run(self.scenario),
        }
    }

    /// Runs schedules until there are no more.
    fn work(&self, shared: &SharedByThreads) {
        loop {
            if self.budget.is_some_and(|budget| shared.began.elapsed() >= budget) {
                return;
            }
            let index = shared.next.fetch_add(1, Ordering::Relaxed);
            if index >= shared.end.load(Ordering::Relaxed) {
                return;
            }
            let seed = self.setup.seed.wrapping_add(index - 1);
            let setup = Setup { seed, ..self.setup.clone() };
            let finished = self.made(&setup, index);
            self.judge(shared, index, setup, finished);
            self.progress(shared);
        }
    }

    fn judge(&self, shared: &SharedByThreads, before: u64, setup: Setup, finished: Finished) {
        shared.tried.fetch_add(1, Ordering::Relaxed);
        if !finished.trace.marks().is_empty() {
            let mut marks = shared.marks.lock();
            for (name, reached) in finished.trace.marks() {
                *marks.entry(name.clone()).or_default() += u64::from(*reached);
            }
        }
        shared.healed_early.fetch_add(u64::from(finished.trace.is_healed_early()), Ordering::Relaxed);
        let faults: Vec<&str> = finished.trace.faults().collect();
        if !faults.is_empty() {
            let mut all = shared.faults.lock();
            for fault in faults {
                *all.entry(of_kind(fault)).or_default() += 1;
            }
        }
        for note in finished.trace.notes() {
            *shared.notes.lock().entry(note.to_owned()).or_default() += 1;
        }
        let Verdict::Failed(problem) = &finished.verdict else { return };
        shared.failed.fetch_add(1, Ordering::Relaxed);
        if !self.keep_going {
            shared.end.fetch_min(before, Ordering::Relaxed);
        }
        let problem = Problem::clone(problem);
        let kind = match self.keep_going {
            true => format!("{} {:?}", problem.kind, place(&problem)),
            false => String::new(),
        };
        let mut hits = shared.hits.lock();
        if hits.get(&kind).is_none_or(|known| known.before > before) {
            hits.insert(kind, FailedRun { before, setup, problem, finished });
        }
    }

    fn progress(&self, shared: &SharedByThreads) {
        let Some(mut told) = shared.told.try_lock() else { return };
        if told.elapsed() < self.every {
            return;
        }
        *told = Instant::now();
        (self.tell)(&Progress {
            schedules: shared.tried.load(Ordering::Relaxed),
            of: self.schedules,
            failed: shared.failed.load(Ordering::Relaxed),
            elapsed: shared.began.elapsed(),
        });
    }
}

/// Returns a fault without its numbers: `crash at ack`, of `crash(4ms) at ack`.
fn of_kind(fault: &str) -> String {
    match (fault.split_once('('), fault.rsplit_once(')')) {
        (Some((kind, _)), Some((_, site))) => format!("{kind}{site}"),
        _ => fault.to_owned(),
    }
}
