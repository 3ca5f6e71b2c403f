//! [`Setup::run`]: one run, from a fresh runtime to a verdict.

mod judge;
mod panics;

use std::fmt;
use std::future::{Future, poll_fn};
use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use futures_util::FutureExt;
use tokio::runtime::Runtime;
use tokio::time::Instant;

use super::world::{Guard, Time, World};
use super::{Sim, SimClock, Stage};
use crate::fault::{Faults, Unmet};
use crate::laws::Waivers;
use crate::problem::{Problem, ProblemKind};
use crate::random::{self, Random};
use crate::schedule::{Deviations, Director, Policy};
use crate::trace::Trace;

/// How a run is made.
#[derive(Debug, Clone)]
pub struct Setup {
    /// Steers everything that is random in the run.
    pub seed: u64,
    /// How it decides what arrives next.
    pub policy: Policy,
    /// About how many messages arrive in a run of the scenario: [`Policy::Pct`] spreads its changes over so many.
    pub length: u32,
    /// What may go wrong at random.
    pub faults: Faults,
    /// A schedule to carry out, in place of decisions.
    pub replay: Option<Deviations>,
    /// How long the scenario may take, in virtual time.
    pub horizon: Duration,
    /// The laws that do not hold for the run.
    pub waived: Waivers,
    /// Whether every delivery is made twice.
    pub twice: bool,
}

impl Setup {
    /// A run of this seed by the default schedule, with an hour of virtual time.
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

    /// Waives a [law](crate::laws) by its name: it may be broken.
    ///
    /// # Panics
    ///
    /// When there is none of this name; the text lists those that there are.
    #[must_use]
    #[track_caller]
    pub fn waive(mut self, law: &str) -> Self {
        if let Err(unknown) = self.waived.waive(law) {
            panic!("{unknown}");
        }
        self
    }

    /// Delivers every message that needs a verdict twice: its first acknowledgement does not count. A handler for which that
    /// makes a difference breaks the law [`IDEMPOTENT`](crate::laws::IDEMPOTENT).
    ///
    /// The second time it may send what it sent the first time, since who receives it has to stand duplicates anyway, but nothing
    /// else; ids do not matter. An [effect](Sim::effect) that it reports again is one too many.
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
    /// Well.
    Passed,
    /// Not well.
    Failed(Box<Problem>),
}

/// A run that is over.
#[derive(Debug, Clone)]
pub struct Finished {
    /// How it ended.
    pub verdict: Verdict,
    /// Everything that happened.
    pub trace: Arc<Trace>,
    /// What was decided, other than the default.
    pub schedule: Deviations,
    /// The scripted faults whose places did not come to pass. Those that are not [optional](crate::fault::At::optional)
    /// fail a run that went well otherwise.
    pub unmet: Vec<Unmet>,
}

/// The result of a scenario: nothing, or an error.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no result of a scenario",
    note = "a scenario returns nothing or a `Result`, whose error can be printed with `{{:?}}`"
)]
pub trait Ended {
    /// The error's text.
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
    /// Makes one run of a scenario.
    ///
    /// # Panics
    ///
    /// Inside of a runtime.
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

    /// Makes one run that somebody else decides.
    pub(crate) fn run_by<F, Fut>(&self, director: Director, scenario: F) -> Finished
    where
        F: FnOnce(Sim) -> Fut,
        Fut: Future<Output: Ended>,
    {
        // Made inside of the runtime, whose clock it begins with.
        let stage: Arc<OnceLock<Stage>> = Arc::default();
        let runtime = self.runtime(&stage);
        let mut random = Random::new(random::join(self.seed, random::hash(b"select")));
        let _choosing = tavrida::select::choose_by(move |branches| random.below(branches));
        self.finish(runtime, async {
            let clock = SimClock::new(Instant::now());
            let stage = stage.get_or_init(|| Stage::new(World::new(director, Time::standing()), clock));
            stage.world().state().twice = self.twice;
            self.play(stage, scenario).await;
            stage.clone()
        })
    }

    /// One thread, paused time, and nothing from outside.
    fn runtime(&self, stage: &Arc<OnceLock<Stage>>) -> Runtime {
        let mut builder = tokio::runtime::Builder::new_current_thread();
        #[cfg(tokio_unstable)]
        builder.rng_seed(tokio::runtime::RngSeed::from_bytes(&self.seed.to_le_bytes()));
        // Weak, since wakers that the world keeps hold the runtime's handle, which holds these: nobody would ever be dropped.
        let (starting, parking) = (Arc::downgrade(stage), Arc::downgrade(stage));
        builder.enable_time().start_paused(true);
        builder.on_thread_start(move || {
            if let Some(stage) = starting.upgrade().as_ref().and_then(|stage| stage.get()) {
                stage.world().rest.thread_started();
            }
        });
        builder.on_thread_park(move || {
            if let Some(stage) = parking.upgrade().as_ref().and_then(|stage| stage.get()) {
                stage.idle();
            }
        });
        builder.build().expect("a runtime without I/O needs nothing from the system")
    }

    /// Plays on a runtime, and judges what happened.
    pub(super) fn finish(&self, runtime: Runtime, play: impl Future<Output = Stage>) -> Finished {
        let _watching = panics::watch();
        let stage = runtime.block_on(play);
        stage.retire();
        drop(runtime);
        if let Some(panic) = panics::take() {
            stage.world().fail(ProblemKind::Panic, panic);
        }
        stage.world().judge_threads();
        self.judge(&stage)
    }

    pub(super) async fn play<F, Fut>(&self, stage: &Stage, scenario: F)
    where
        F: FnOnce(Sim) -> Fut,
        Fut: Future<Output: Ended>,
    {
        let pump = tokio::spawn(pump(stage.clone()));
        tokio::select! {
            biased;
            () = stage.world().ruined.notified() => {}
            () = self.play_to_the_end(stage, scenario) => {}
        }
        pump.abort();
        let mut state = stage.world().state();
        state.ended = state.time.elapsed();
        state.over = true;
    }

    async fn play_to_the_end<F, Fut>(&self, stage: &Stage, scenario: F)
    where
        F: FnOnce(Sim) -> Fut,
        Fut: Future<Output: Ended>,
    {
        let sim = Sim::new(stage.clone(), self.seed);
        let scenario = AssertUnwindSafe(guarded(stage, async { scenario(sim).await })).catch_unwind();
        let ended = tokio::select! {
            biased;
            ended = scenario => Some(ended),
            () = tokio::time::sleep(self.horizon) => None,
        };
        let world = stage.world();
        match ended {
            None => {
                world.fail(ProblemKind::Stuck, format!("the scenario is not done after {:?}", self.horizon))
            }
            Some(Err(_)) => {
                world.fail(ProblemKind::Assertion, panics::take().unwrap_or_else(|| "a panic".to_owned()));
            }
            Some(Ok(ended)) => match ended.problem() {
                Some(text) => world.fail(ProblemKind::Error, text),
                None => stage.conclude(self.horizon).await,
            },
        }
    }
}

/// Makes sure that a run is not started inside of a runtime: it could not make its own.
#[track_caller]
pub(super) fn outside_of_runtimes() {
    if tokio::runtime::Handle::try_current().is_ok() {
        panic!(
            "a simulation makes a runtime of its own, and is started inside of another one: make the test a plain `#[test] fn`, \
             or `#[tavrida_testkit::test] async fn`, without `#[tokio::test]`"
        );
    }
}

/// A scenario that is watched in a simulation, as handlers are.
async fn guarded<F: Future>(stage: &Stage, scenario: F) -> F::Output {
    if stage.is_live() {
        return scenario.await;
    }
    let mut scenario = pin!(scenario);
    let mut guard = Guard::default();
    poll_fn(|cx| guard.poll(stage.world(), scenario.as_mut(), cx, || "the scenario".to_owned())).await
}

/// Wakes the runtime when something is due, so that it goes idle again.
async fn pump(stage: Stage) {
    loop {
        let at = stage.world().state().wake_at;
        let changed = stage.world().pump.notified();
        match at {
            Some(at) => {
                tokio::select! {
                    biased;
                    () = changed => {}
                    () = tokio::time::sleep_until(at) => {
                        let mut state = stage.world().state();
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
