//! [`Sim`]: one run of a simulation.
//!
//! A run has its own runtime, with one thread and paused time. Tasks run in tokio's order until none can continue; only then one message
//! arrives, or time passes. A run therefore depends only on its seed, as long as handlers use tokio's clock and this library's ids.
//! Violations are reported as listed below.
#![doc = ""]
#![doc = include_str!("determinism.md")]

mod clock;
mod ids;
#[cfg(feature = "live")]
mod live;
mod run;
mod harness;
mod transport;
mod store;
pub(crate) mod world;
mod yield_point;

use std::fmt;
use std::future::Future;
use std::panic::Location;
use std::time::Duration;

pub use clock::SimClock;
pub(crate) use harness::Harness;
pub use run::{Ended, Finished, Setup, Verdict};
pub use store::{Conflict, Store, Transaction};
use tavrida::id::IdSource;
pub use tavrida_memory::RabbitMq;
pub use transport::SimTransport;
pub use yield_point::yield_point;

use crate::fault::{At, Fault};
use crate::random::{self, Random};
use crate::run::Run;
use crate::trace::{ActorId, ActorKind, What};

/// One run of a simulation, as seen by its scenario. Clones are handles to the same run.
#[derive(Clone)]
pub struct Sim {
    pub(crate) harness: Harness,
    seed: u64,
}

impl Sim {
    pub(crate) fn new(harness: Harness, seed: u64) -> Self {
        Self { harness, seed }
    }

    /// Returns the seed of the run.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// Returns random numbers for the scenario: the same in every run of the seed, and independent of those that the run itself draws.
    pub fn random(&self) -> Random {
        Random::new(random::join(self.seed, random::hash(b"scenario")))
    }

    /// Returns the wall clock of the run.
    pub fn clock(&self) -> SimClock {
        self.harness.clock().clone()
    }

    /// Returns the source of ids for a client that the scenario builds on a [transport](Sim::transport) of this name: the same ids in every
    /// run of the seed.
    pub fn ids(&self, name: &str) -> impl IdSource + use<> {
        self.harness.ids_of(name)
    }

    /// Records an effect of a handler on the outside world: money charged, a mail sent. Effects are events of the run, and the law of
    /// idempotency compares them.
    pub fn effect(&self, name: impl Into<String>, value: impl fmt::Display) {
        self.tell_of_work(What::Effect { name: name.into().into(), value: value.to_string() });
    }

    /// Records an event of the handler that runs, or of the scenario.
    fn tell_of_work(&self, what: What) {
        let mut state = self.harness.world().state();
        match state.work() {
            Some(work) => state.tell_of(work.actor, work.message, work.delivery, what),
            None => state.tell(ActorId::of_peer(0), what),
        }
    }

    /// Waives a [law](crate::laws) for this run, by its name.
    ///
    /// # Panics
    ///
    /// Panics if no law has this name; the text lists the laws.
    #[track_caller]
    pub fn waive(&self, law: &str) -> &Self {
        let waived = self.harness.world().state().waived.waive(law);
        if let Err(unknown) = waived {
            panic!("{unknown}");
        }
        self
    }

    /// Adds a law of the test: it checks the finished run if nothing else failed. It is violated if it panics, as the assertions of [`Run`]
    /// do, or returns an error.
    ///
    /// ```
    /// # use tavrida_testkit::sim::{Setup, Sim, Verdict};
    /// # use tavrida::message::ErrorReply;
    /// # let finished = Setup::new(1).run(async |sim: Sim| {
    /// sim.law("no call is refused", |run| run.assert_none::<ErrorReply>());
    /// # });
    /// # assert_eq!(finished.verdict, Verdict::Passed);
    /// ```
    pub fn law<E: Ended>(&self, name: &str, holds: impl FnOnce(&Run) -> E + Send + 'static) -> &Self {
        let law = move |run: &Run| holds(run).problem();
        self.harness.world().state().own_laws.push((name.to_owned(), Box::new(law)));
        self
    }

    /// Marks whether an interesting state was reached: an exploration reports the marks that no run reached, such as a redelivery during a
    /// payment. Services mark states by [`tavrida::sometimes!`]. See [`Trace::marks`](crate::trace::Trace::marks).
    pub fn sometimes(&self, name: &str, reached: bool) {
        self.harness.world().state().trace.mark(name, reached);
    }

    /// Lets the broker of the run behave like a version of RabbitMQ; without it, like the [default](RabbitMq::default). A live broker stays
    /// what it is.
    ///
    /// ```
    /// # use tavrida_testkit::sim::{Setup, Verdict};
    /// use tavrida::Service;
    /// use tavrida_testkit::sim::{RabbitMq, Sim};
    ///
    /// # let finished = Setup::new(1).run(
    /// async |sim: Sim| {
    ///     sim.like(RabbitMq::V3_10);
    ///     let till = || Service::new("till").rpc("pay", async || {});
    ///     let graph = sim.graph().service(till).client("web").start().await;
    ///     graph.client("web").to("till.pay").ask().await.unwrap();
    /// }
    /// # );
    /// # assert_eq!(finished.verdict, Verdict::Passed);
    /// ```
    ///
    /// # Panics
    ///
    /// Panics if something was connected before, or another version was chosen.
    #[track_caller]
    pub fn like(&self, version: RabbitMq) -> &Self {
        assert!(self.harness.like(version), "`like` chooses the broker of the run: it comes first, and once");
        self
    }

    /// Returns a transport to the broker of the run for a peer that is neither a service nor a client: one not built with this library, or
    /// one that does what services and clients never do. Its events are recorded under `name`.
    ///
    /// A [`Client`](tavrida::Client) that the scenario builds on it needs the [ids](Sim::ids) and the [clock](Sim::clock) of the run: with
    /// random ids, two runs of one seed differ.
    pub fn transport(&self, name: &str) -> SimTransport {
        let mut state = self.harness.world().state();
        let actor = state.add_actor(name, ActorKind::Client);
        // The run does not wait for it to have a session.
        state.actor(actor).retired = true;
        drop(state);
        self.harness.transport(actor)
    }

    /// Adds a note to the events of the run.
    pub fn note(&self, note: impl Into<String>) {
        self.harness.world().state().tell(ActorId::of_peer(0), What::Note(note.into()));
    }

    /// Injects a fault at a place. A run that never reaches the place fails, unless the place is [optional](At::optional).
    ///
    /// # Panics
    ///
    /// Panics if this fault cannot happen at this place. Panics on a live broker, as do all methods that control the broker or time.
    #[track_caller]
    pub fn fault(&self, at: At, fault: Fault) -> &Self {
        self.harness.simulated("`fault`");
        fault.assert_can_happen(&at);
        self.harness.world().state().director.script(at, fault);
        self
    }

    /// Ends all faults, and waits until a condition holds, `within` this time at the latest: a liveness that is bounded. The condition is
    /// looked at after 1 ms, 2 ms, 4 ms, and so on, and at the end; one that holds and ceases to hold may be missed.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use tavrida_testkit::sim::{Setup, Verdict};
    /// use tavrida::Service;
    /// use tavrida_testkit::fault::{At, Fault};
    /// use tavrida_testkit::sim::Sim;
    ///
    /// # let finished = Setup::new(1).run(
    /// async |sim: Sim| {
    ///     let done = sim.store("done");
    ///     let works = { let done = done.clone(); move || {
    ///         let done = done.clone();
    ///         Service::new("works").rpc("weld", move || { let done = done.clone(); async move { done.put("weld", ()).await } })
    ///     } };
    ///     let graph = sim.graph().service(works).client("web").start().await;
    ///     sim.fault(At::start("works.weld"), Fault::Crash(Duration::from_secs(20)));
    ///     graph.client("web").to("works.weld").cast().await.unwrap();
    ///     sim.advance(Duration::from_secs(1)).await;
    ///     sim.eventually(Duration::from_secs(30), || done.rows().contains_key("weld")).await;
    /// }
    /// # );
    /// # assert_eq!(finished.verdict, Verdict::Passed);
    /// ```
    ///
    /// # Panics
    ///
    /// The future panics if the condition does not hold in time, with what is under way.
    ///
    /// # Cancel safety
    ///
    /// Dropped, the faults have ended.
    #[track_caller]
    pub fn eventually(&self, within: Duration, mut holds: impl FnMut() -> bool) -> impl Future<Output = ()> {
        let place = Location::caller();
        async move {
            if !self.is_live() {
                self.harness.world().state().trace.heal();
                self.harness.heal();
            }
            let (began, mut after) = (tokio::time::Instant::now(), Duration::from_millis(1));
            while !holds() {
                let passed = began.elapsed();
                assert!(
                    passed < within,
                    "the condition at {place} does not hold {within:?} after the end of the faults{}",
                    self.harness.waiting()
                );
                tokio::time::sleep_until(tavrida::time::later(began, after.min(within))).await;
                after = after.saturating_mul(2);
            }
        }
    }

    /// Returns whether the run uses a live broker.
    pub fn is_live(&self) -> bool {
        self.harness.is_live()
    }

    /// Lets virtual time pass by `time`, with all that happens meanwhile: TTLs, backoffs and deadlines advance.
    ///
    /// # Panics
    ///
    /// Panics on a live broker.
    pub async fn advance(&self, time: Duration) {
        self.harness.simulated("`advance`");
        tokio::time::sleep(time).await;
    }
}

impl fmt::Debug for Sim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sim").field("seed", &self.seed).finish_non_exhaustive()
    }
}
