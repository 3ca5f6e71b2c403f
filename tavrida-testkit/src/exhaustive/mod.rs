//! [`exhaustive`]: runs every schedule of a scenario, without equivalent ones.
//!
//! At each step, a run decides which of the possible messages arrives, which sender gets the confirm of its message, or who goes on at a
//! [yield point](crate::yield_point).
//! [`exhaustive`] runs each sequence of decisions, except those that differ only in the order of independent steps: two steps in different
//! processes that put no messages into the same queue. What remains is one schedule for each order of dependent steps. A confirm that lets no
//! handler go on, such as that of an answer, depends on nothing that other messages do: two requests through a chain of three services have 3
//! schedules, as many as if confirms came at once. If the report says [`Complete`](Ending::Complete), no order of arrivals and confirms breaks
//! the scenario, under the assumptions below. A failure is [shrunk](mod@crate::explore).
//!
//! ```
//! use tavrida::prelude::*;
//! use tavrida_testkit::exhaustive::exhaustive;
//! use tavrida_testkit::sim::Sim;
//!
//! fn hello() -> Service {
//!     async fn greet(name: String) -> Result<Greeting, Failure> {
//!         Ok(Greeting { text: format!("hello {name}") })
//!     }
//!     #[derive(serde::Serialize)]
//!     struct Greeting { text: String }
//!     Service::new("hello").rpc("greet", params(["name"], greet))
//! }
//!
//! let report = exhaustive(|sim: Sim| async move {
//!     let graph = sim.graph().service(hello).client("web").start().await;
//!     let ask = |name| graph.client("web").to("hello.greet").param("name", name).ask();
//!     let (ada, bob) = tokio::join!(ask("ada"), ask("bob"));
//!     assert_eq!(ada?.payload().get::<String>("text")?, "hello ada");
//!     assert_eq!(bob?.payload().get::<String>("text")?, "hello bob");
//!     Ok::<(), Failure>(())
//! })
//! .run();
//! println!("{report}"); // complete: 1 schedules in 2 runs, ...
//! # assert_eq!((report.schedules, report.runs), (1, 2));
//! report.assert_ok();
//! ```
//!
//! # What `Complete` assumes
//!
//! - Processes share nothing but messages, and what they touch behind [yield points](crate::yield_point): two services that write to one
//!   static variable, or to one stand-in of a database without them, are not tried in both orders. Within a process anything may be
//!   shared, and all orders of arrivals are tried. All clients of a graph, and the
//!   scenario, are one process.
//! - Tasks that outlive their handler are those of [`tavrida::task::spawn`]: others are neither waited for nor ended by a crash, and a note
//!   names them.
//! - What happens from one arrival, confirm or turn at a yield point to the next is one step. Other orders of a service's own tasks are not
//!   tried, and an await that is ready lets nothing else happen: over a stand-in that answers at once, two handlers never interleave. One
//!   with [yield points](crate::yield_point) lets all others in. The report names the entry points whose handlers waited for nothing in
//!   any run ([`Report::atomic`]).
//! - A confirm, or the return of a message that no queue takes, comes to its sender at any time after the message was sent, so that what a
//!   send causes may come before the next send. Those of asks come at once: who asks goes on when the answer comes. Answers to declares,
//!   binds and gets come at once, too.
//! - Nothing goes wrong but the [faults](Exhaustive::fault) that were added, at their sites, and at most
//!   [`max_faults`](Exhaustive::max_faults) in one run. At [`Site::Wait`] they are tried at every await of a handler that is not ready at
//!   once.
//! - Time passes only when nothing can arrive. To try a timeout that overtakes a message, add it as a fault: [`Fault::Delayed`] at
//!   [`Site::Deliver`] lets every timer of that time fire before the message arrives, [`Fault::Slow`] before its handler begins or goes on,
//!   for each message in turn. The passing of time is not a choice of the search, because any process may wait for time: such a step would
//!   depend on all others, and almost no order could be skipped. When several processes resume at one instant, they do so in the order in
//!   which they began to wait; the search detects this and tries those orders too.
//! - The scenario is [deterministic](crate::sim).

mod again;
mod footprint;
mod node;
mod races;
mod report;
mod search;

use parking_lot::Mutex;
use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

pub use crate::explore::Failure;
pub use report::{Ending, Report};

use crate::explore::{Environment, Origin, TestNames};
use crate::fault::{Fault, Point, Site};
use crate::problem::{Problem, ProblemKind};
use crate::schedule::{Candidate, Director, Guide};
use crate::sim::{Ended, Setup, Sim, Verdict};
use crate::trace::{ActorId, What};
use search::{Came, Next, OrderSearch};

/// Runs every schedule of a scenario: see [the module](self).
pub fn exhaustive<F, Fut>(scenario: F) -> Exhaustive<F>
where
    F: Fn(Sim) -> Fut,
    Fut: Future<Output: Ended>,
{
    Exhaustive {
        scenario,
        setup: Setup::new(0),
        max_runs: 100_000,
        max_faults: 1,
        alphabet: Vec::new(),
        failures: 1,
        reduce: true,
        progress: None,
        names: TestNames { takes_replay: false, ..TestNames::of::<F>() },
    }
}

/// A search through every schedule of a scenario.
#[must_use = "a search does nothing until it runs"]
pub struct Exhaustive<F> {
    scenario: F,
    setup: Setup,
    max_runs: u64,
    max_faults: usize,
    alphabet: Vec<(Site, Fault)>,
    failures: usize,
    reduce: bool,
    progress: Option<(u64, TellReport)>,
    names: TestNames,
}

/// Reports the progress of a search.
type TellReport = Box<dyn FnMut(&Report)>;

impl<F> Exhaustive<F> {
    /// Limits the number of runs. The default is 100,000.
    pub fn max_runs(mut self, runs: u64) -> Self {
        self.max_runs = runs;
        self
    }

    /// Adds a fault that may happen to every message that reaches this site; it is tried at each of them where it [can
    /// happen](Fault::sites). See [`max_faults`](Exhaustive::max_faults).
    pub fn fault(mut self, site: Site, fault: Fault) -> Self {
        self.alphabet.push((site, fault));
        self
    }

    /// Limits the number of [added faults](Exhaustive::fault) in one run. The default is 1. The number of schedules grows exponentially
    /// with this limit.
    pub fn max_faults(mut self, faults: usize) -> Self {
        self.max_faults = faults;
        self
    }

    /// Limits the scenario in virtual time. The default is one hour.
    pub fn horizon(mut self, horizon: Duration) -> Self {
        self.setup.horizon = horizon;
        self
    }

    /// Sets the seed of all runs. The default is 0.
    pub fn seed(mut self, seed: u64) -> Self {
        self.setup.seed = seed;
        self
    }

    /// Stops after this many failures. The default is 1.
    pub fn failures(mut self, failures: usize) -> Self {
        self.failures = failures;
        self
    }

    /// Also runs equivalent schedules, to check that they are equivalent. There are very many of them.
    pub fn with_all_orders(mut self) -> Self {
        self.reduce = false;
        self
    }

    /// Sets the path of the test in its crate, for the command that a failure prints. The default is the name of the thread, which is the
    /// path of the test under Rust's own harness.
    pub fn named(mut self, test: impl Into<String>) -> Self {
        self.names.test = Some(test.into());
        self
    }

    /// Calls `tell` with the progress after every `every` runs.
    pub fn progress(mut self, every: u64, tell: impl FnMut(&Report) + 'static) -> Self {
        self.progress = Some((every.max(1), Box::new(tell)));
        self
    }
}

impl<F, Fut> Exhaustive<F>
where
    F: Fn(Sim) -> Fut,
    Fut: Future<Output: Ended>,
{
    /// Runs the schedules. `TAVRIDA_REPLAY` and `TAVRIDA_TRACE` of the [environment](mod@crate::explore) apply, so that the command that a
    /// failure prints makes its run again.
    ///
    /// # Panics
    ///
    /// Panics inside a runtime, if one of these variables has an invalid value, or if a page cannot be written.
    pub fn run(self) -> Report {
        let environment = Environment::read().unwrap_or_else(|wrong| panic!("{wrong}"));
        if let Some(replay) = &environment.replay {
            return self.once(replay, environment.trace);
        }
        let report = self.search();
        if let Some(format) = environment.trace {
            report.failures.iter().for_each(|failure| failure.show(format));
        }
        report
    }

    fn search(mut self) -> Report {
        let asked = !self.alphabet.is_empty();
        let search = SharedSearch::new(OrderSearch::new(
            std::mem::take(&mut self.alphabet),
            self.max_faults,
            self.reduce,
        ));
        let mut report = Report { asked, ..Report::new() };
        let began = now();
        while report.runs < self.max_runs {
            let finished = self.setup.run_by(Director::guided(Box::new(search.clone())), &self.scenario);
            report.runs += 1;
            report.faults += finished.trace.faults().count() as u64;
            report.notes.extend(finished.trace.notes().map(str::to_owned));
            let came = search.0.lock().end_run();
            report.schedules += u64::from(came == Came::Through);
            let origin = Origin::Exhaustive { run: report.runs };
            match (came, &finished.verdict) {
                (Came::Astray, _) => report.failures.push(self.failure(went_astray(), origin, finished)),
                (_, Verdict::Failed(problem)) => {
                    let problem = (**problem).clone();
                    report.failures.push(self.shrunk(problem, origin, finished));
                }
                (_, Verdict::Passed) => {}
            }
            report.took = began.elapsed();
            if let Some((every, tell)) = &mut self.progress
                && report.runs.is_multiple_of(*every)
            {
                tell(&report);
            }
            if came == Came::Astray || report.failures.len() >= self.failures.max(1) {
                report.ending = Ending::Failed;
                break;
            }
            match search.0.lock().next_run() {
                Next::Run => {}
                Next::Anew => {
                    report.schedules = 0;
                    report.failures.clear();
                }
                Next::Nothing => {
                    report.ending = Ending::Complete;
                    break;
                }
            }
        }
        report.atomic.extend(search.0.lock().atomic().cloned());
        report
    }
}

impl<F> fmt::Debug for Exhaustive<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Exhaustive")
            .field("setup", &self.setup)
            .field("max_runs", &self.max_runs)
            .field("max_faults", &self.max_faults)
            .field("alphabet", &self.alphabet)
            .finish_non_exhaustive()
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "how long a search takes for those who wait for it; no run sees it"
)]
fn now() -> std::time::Instant {
    std::time::Instant::now()
}

/// Returns the problem of a run that diverged from an earlier one with the same decisions.
fn went_astray() -> Problem {
    Problem {
        kind: ProblemKind::Nondeterminism,
        text: "after the same decisions as before, other messages could arrive".to_owned(),
        at: Duration::ZERO,
        chain: None,
    }
}

/// A search that successive runs share.
#[derive(Clone)]
struct SharedSearch(Arc<Mutex<OrderSearch>>);

impl SharedSearch {
    fn new(search: OrderSearch) -> Self {
        Self(Arc::new(Mutex::new(search)))
    }
}

impl Guide for SharedSearch {
    fn pick(&mut self, candidates: &[Candidate]) -> Option<usize> {
        self.0.lock().pick(candidates)
    }

    fn has_faults(&self) -> bool {
        self.0.lock().has_faults()
    }

    fn fault(&mut self, point: Point, can: &dyn Fn(Fault) -> bool) -> Option<Fault> {
        self.0.lock().fault(point, can)
    }

    fn reached(&mut self, process: ActorId, queues: &mut dyn Iterator<Item = &str>) {
        self.0.lock().reached(process, queues);
    }

    fn entered(&mut self, process: ActorId) {
        self.0.lock().entered(process);
    }

    fn touched(&mut self, subject: u64) {
        self.0.lock().touched(subject);
    }

    fn handled(&mut self, entry_point: &str, waited: bool) {
        self.0.lock().handled(entry_point, waited);
    }

    fn told(&mut self, process: ActorId, what: &What) {
        self.0.lock().told(process, what);
    }

    fn outlived(&mut self, process: ActorId) {
        self.0.lock().outlived(process);
    }

    fn idle(&mut self) {
        self.0.lock().idle();
    }
}
