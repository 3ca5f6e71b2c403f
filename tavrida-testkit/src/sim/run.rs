//! [`Setup::run`]: one run, from a new runtime to a verdict.

mod hooks;
mod judge;
mod panics;

use std::fmt;
use std::future::{Future, poll_fn};
use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use futures_util::FutureExt;
use tavrida::task::OwnTask;
use tokio::runtime::{Handle, Runtime};
use tokio::time::Instant;

use super::world::{Guard, Time, World};
use super::{Harness, Sim, SimClock, yield_point};
use crate::fault::{Faults, Unmet};
use crate::laws::Waivers;
use crate::problem::{Problem, ProblemKind};
use crate::random::{self, Random};
use crate::schedule::{Deviations, Director, Policy};
use crate::trace::Trace;

/// The settings of a run.
#[derive(Debug, Clone)]
pub struct Setup {
    /// Controls everything random in the run.
    pub seed: u64,
    /// How the run decides what arrives next.
    pub policy: Policy,
    /// The approximate number of arrivals in a run: [`Policy::Pct`] spreads its changes over them.
    pub length: u32,
    /// The faults that may happen at random.
    pub faults: Faults,
    /// A schedule to replay instead of making decisions.
    pub replay: Option<Deviations>,
    /// The limit of the scenario in virtual time.
    pub horizon: Duration,
    /// The laws that are not checked.
    pub waived: Waivers,
    /// Whether every message is delivered twice.
    pub twice: bool,
}

impl Setup {
    /// Returns the setup of a run with this seed and the default schedule, with one hour of virtual time.
    pub fn new(seed: u64) -> Self {
        Self {
            seed,
            policy: Policy::Fifo,
            length: 64,
            faults: Faults::none(),
            replay: None,
            horizon: Duration::from_secs(3600),
            waived: Waivers::default(),
            twice: false,
        }
    }

    /// Waives a [law](crate::laws) by its name: the run may violate it.
    ///
    /// # Panics
    ///
    /// Panics if no law has this name; the text lists the laws.
    #[must_use]
    #[track_caller]
    pub fn waive(mut self, law: &str) -> Self {
        if let Err(unknown) = self.waived.waive(law) {
            panic!("{unknown}");
        }
        self
    }

    /// Delivers every message that needs an acknowledgement twice: its first acknowledgement is lost. A handler that is not idempotent
    /// violates the law [`IDEMPOTENT`](crate::laws::IDEMPOTENT).
    ///
    /// The second handling may send what the first sent, since receivers must handle duplicates anyway, but nothing else; ids may differ.
    /// An [effect](Sim::effect) that it reports again violates the law.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use std::sync::atomic::{AtomicI64, Ordering};
    /// use tavrida::Service;
    /// use tavrida_testkit::laws;
    /// use tavrida_testkit::problem::ProblemKind;
    /// use tavrida_testkit::sim::{Setup, Sim, Verdict};
    ///
    /// let finished = Setup::new(1).delivering_twice().run(async |sim: Sim| {
    ///     let total = Arc::new(AtomicI64::new(0));
    ///     let till = move || {
    ///         let total = total.clone();
    ///         Service::new("till").rpc("pay", move || {
    ///             let total = total.fetch_add(5, Ordering::Relaxed) + 5;
    ///             async move { tavrida::message::Payload::new(&std::collections::BTreeMap::from([("total", total)])) }
    ///         })
    ///     };
    ///     let graph = sim.graph().service(till).client("web").start().await;
    ///     let answer = graph.client("web").to("till.pay").ask().await;
    ///     assert_eq!(answer.map(|answer| answer.payload().get("total").ok()).ok(), Some(Some(5)));
    /// });
    /// let Verdict::Failed(problem) = finished.verdict else { panic!("it counts twice") };
    /// assert_eq!(problem.kind, ProblemKind::Law(laws::IDEMPOTENT.to_owned()));
    /// assert!(problem.text.contains("the handler of till.pay at till"), "{problem}");
    /// ```
    #[must_use]
    pub fn delivering_twice(mut self) -> Self {
        self.twice = true;
        self
    }
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It passed.
    Passed,
    /// It failed.
    Failed(Box<Problem>),
}

/// A finished run.
#[derive(Debug, Clone)]
pub struct Finished {
    /// How it ended.
    pub verdict: Verdict,
    /// Everything that happened.
    pub trace: Arc<Trace>,
    /// The decisions that differ from the default.
    pub schedule: Deviations,
    /// The scripted faults whose places were not reached. Those that are not [optional](crate::fault::At::optional) fail a run that passed
    /// otherwise.
    pub unmet: Vec<Unmet>,
}

/// The result of a scenario: `()`, or a `Result`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no result of a scenario",
    note = "a scenario returns nothing or a `Result`, whose error can be printed with `{{:?}}`"
)]
pub trait Ended {
    /// Returns the text of the error.
    fn problem(self) -> Option<String>;
}

impl Ended for () {
    fn problem(self) -> Option<String> {
        None
    }
}

impl<T, E: fmt::Debug> Ended for Result<T, E> {
    fn problem(self) -> Option<String> {
        self.err().map(|error| format!("{error:?}"))
    }
}

impl Setup {
    /// Runs a scenario once.
    ///
    /// # Panics
    ///
    /// Panics inside a runtime.
    #[track_caller]
    pub fn run<F, Fut>(&self, scenario: F) -> Finished
    where
        F: FnOnce(Sim) -> Fut,
        Fut: Future<Output: Ended>,
    {
        outside_of_runtimes();
        let director = match &self.replay {
            Some(schedule) => Director::replaying(schedule.clone()),
            None => Director::new(self.policy, self.faults.clone(), self.seed, self.length),
        };
        self.run_by(director, scenario)
    }

    /// Runs a scenario once, with decisions by this director.
    pub(crate) fn run_by<F, Fut>(&self, director: Director, scenario: F) -> Finished
    where
        F: FnOnce(Sim) -> Fut,
        Fut: Future<Output: Ended>,
    {
        // Created inside the runtime, whose clock it starts with.
        let harness: Arc<OnceLock<Harness>> = Arc::default();
        let runtime = self.runtime(&harness);
        let mut random = Random::new(random::join(self.seed, random::hash(b"select")));
        let _choosing = tavrida::select::choose_by(move |branches| random.below(branches));
        let _watching = hooks::watch(&harness);
        let _entered = yield_point::enter(&harness);
        self.finish(runtime, async {
            let clock = SimClock::new(Instant::now());
            let harness = harness.get_or_init(|| Harness::new(World::new(director, Time::standing()), clock));
            {
                let mut state = harness.world().state();
                state.twice = self.twice;
                state.tasks.watch(Handle::current().metrics());
            }
            self.play(harness, scenario).await;
            harness.clone()
        })
    }

    /// Builds a runtime with one thread, paused time, and no IO.
    fn runtime(&self, harness: &Arc<OnceLock<Harness>>) -> Runtime {
        let mut builder = tokio::runtime::Builder::new_current_thread();
        #[cfg(tokio_unstable)]
        builder.rng_seed(tokio::runtime::RngSeed::from_bytes(&self.seed.to_le_bytes()));
        // Weak: wakers in the world hold the runtime's handle, which holds these callbacks. A strong reference would be a cycle.
        let (starting, parking) = (Arc::downgrade(harness), Arc::downgrade(harness));
        builder.enable_time().start_paused(true);
        builder.on_thread_start(move || {
            if let Some(harness) = starting.upgrade().as_ref().and_then(|harness| harness.get()) {
                harness.world().rest.thread_started();
            }
        });
        builder.on_thread_park(move || {
            if let Some(harness) = parking.upgrade().as_ref().and_then(|harness| harness.get()) {
                harness.idle();
            }
        });
        builder.build().expect("a runtime without I/O needs nothing from the system")
    }

    /// Runs `play` on a runtime, and judges what happened.
    pub(super) fn finish(&self, runtime: Runtime, play: impl Future<Output = Harness>) -> Finished {
        let _watching = panics::watch();
        let harness = runtime.block_on(play);
        harness.retire();
        drop(runtime);
        let explanation = panics::explanations();
        if let Some(panic) = panics::take() {
            harness.world().fail(ProblemKind::Panic, panic);
        }
        if let Some(text) = explanation
            && let Some(problem) = &mut harness.world().state().problem
        {
            // Before the place of a panic, which is the end of its text.
            problem.text = format!("{text}\n{}", problem.text);
        }
        harness.world().judge_threads();
        self.judge(&harness)
    }

    pub(super) async fn play<F, Fut>(&self, harness: &Harness, scenario: F)
    where
        F: FnOnce(Sim) -> Fut,
        Fut: Future<Output: Ended>,
    {
        let own = OwnTask::begin();
        let pumped = harness.clone();
        let pump = tokio::spawn(async move {
            let _own = own;
            pump(pumped).await;
        });
        tokio::select! {
            biased;
            () = harness.world().ruined.notified() => {}
            () = self.play_to_the_end(harness, scenario) => {}
        }
        pump.abort();
        let mut state = harness.world().state();
        state.ended = state.time.elapsed();
        state.over = true;
    }

    async fn play_to_the_end<F, Fut>(&self, harness: &Harness, scenario: F)
    where
        F: FnOnce(Sim) -> Fut,
        Fut: Future<Output: Ended>,
    {
        let sim = Sim::new(harness.clone(), self.seed);
        let scenario = AssertUnwindSafe(guarded(harness, async { scenario(sim).await })).catch_unwind();
        let ended = tokio::select! {
            biased;
            ended = scenario => Some(ended),
            () = tokio::time::sleep(self.horizon) => None,
        };
        let world = harness.world();
        match ended {
            None => {
                let (horizon, waiting) = (self.horizon, harness.waiting());
                world
                    .fail(ProblemKind::Stuck, format!("the scenario is not done after {horizon:?}{waiting}"));
            }
            Some(Err(_)) => {
                world.fail(ProblemKind::Assertion, panics::take().unwrap_or_else(|| "a panic".to_owned()));
            }
            Some(Ok(ended)) => match ended.problem() {
                Some(text) => world.fail(ProblemKind::Error, text),
                None => harness.conclude(self.horizon).await,
            },
        }
    }
}

/// Panics inside a runtime, where a run cannot create its own.
#[track_caller]
pub(super) fn outside_of_runtimes() {
    if tokio::runtime::Handle::try_current().is_ok() {
        panic!(
            "a simulation makes a runtime of its own, and is started inside of another one: make the test a plain `#[test] fn`, \
             or `#[tavrida_testkit::test] async fn`, without `#[tokio::test]`"
        );
    }
}

/// Watches a scenario in a simulation, as handlers are watched.
async fn guarded<F: Future>(harness: &Harness, scenario: F) -> F::Output {
    if harness.is_live() {
        return scenario.await;
    }
    let mut scenario = pin!(scenario);
    let mut guard = Guard::default();
    poll_fn(|cx| guard.poll(harness.world(), scenario.as_mut(), cx, || "the scenario".to_owned())).await
}

/// Wakes the runtime when something is due, so that it becomes idle again.
async fn pump(harness: Harness) {
    loop {
        let at = harness.world().state().wake_at;
        let changed = harness.world().pump.notified();
        match at {
            Some(at) => {
                tokio::select! {
                    biased;
                    () = changed => {}
                    () = tokio::time::sleep_until(at) => {
                        let mut state = harness.world().state();
                        if state.wake_at == Some(at) {
                            state.wake_at = None;
                        }
                    }
                }
            }
            None => changed.await,
        }
    }
}
