//! [`Sim`]: one run of a simulation.
//!
//! A run has a runtime of its own, with one thread and paused time. Tasks run in tokio's order until none can go on; then, and
//! only then, one message arrives, or time passes. So a run depends on its seed and on nothing else, as long as handlers keep to
//! tokio's clock and to this library's ids. Where they do not, that is told.
#![doc = ""]
#![doc = include_str!("determinism.md")]

mod clock;
mod ids;
#[cfg(feature = "live")]
mod live;
mod run;
mod stage;
mod transport;
pub(crate) mod world;

use std::fmt;
use std::time::Duration;

pub use clock::SimClock;
pub use run::{Ended, Finished, Setup, Verdict};
pub(crate) use stage::Stage;
pub use transport::SimTransport;

use crate::fault::{At, Fault};
use crate::random::{self, Random};
use crate::run::Run;
use crate::trace::{ActorId, ActorKind, What};

/// One run of a simulation, as its scenario holds it. A clone is another handle to the same run.
#[derive(Clone)]
pub struct Sim {
    pub(crate) stage: Stage,
    seed: u64,
}

impl Sim {
    pub(crate) fn new(stage: Stage, seed: u64) -> Self {
        Self { stage, seed }
    }

    /// The seed of the run.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// Random numbers for the scenario: the same in every run of the seed, and apart from those that the run itself draws.
    pub fn random(&self) -> Random {
        Random::new(random::join(self.seed, random::hash(b"scenario")))
    }

    /// The wall clock of the run.
    pub fn clock(&self) -> SimClock {
        self.stage.clock().clone()
    }

    /// Tells an effect on the world outside that a handler had: money charged, a mail sent. Effects are part of the run's
    /// events, and what idempotency is judged by.
    pub fn effect(&self, name: impl Into<String>, value: impl fmt::Display) {
        let what = What::Effect { name: name.into().into(), value: value.to_string() };
        let mut state = self.stage.world().state();
        match world::at_work() {
            Some(work) => state.tell_of(work.actor, work.message, work.delivery, what),
            None => state.tell(ActorId::of_peer(0), what),
        }
    }

    /// Waives a [law](crate::laws) for this run, by its name.
    ///
    /// # Panics
    ///
    /// When there is none of this name; the text lists those that there are.
    #[track_caller]
    pub fn waive(&self, law: &str) -> &Self {
        let waived = self.stage.world().state().waived.waive(law);
        if let Err(unknown) = waived {
            panic!("{unknown}");
        }
        self
    }

    /// A law of the test's own: it is asked about the finished run, where nothing else failed. It breaks when it panics, as the
    /// assertions of [`Run`] do, or gives an error.
    ///
    /// ```
    /// # use tavrida_testkit::sim::{Setup, Sim, Verdict};
    /// # use tavrida::message::ErrorReply;
    /// # let finished = Setup::new(1).run(async |sim: Sim| {
    /// sim.law("nobody is refused", |run| run.none::<ErrorReply>());
    /// # });
    /// # assert_eq!(finished.verdict, Verdict::Passed);
    /// ```
    pub fn law<E: Ended>(&self, name: &str, holds: impl FnOnce(&Run) -> E + Send + 'static) -> &Self {
        let law = move |run: &Run| holds(run).problem();
        self.stage.world().state().own_laws.push((name.to_owned(), Box::new(law)));
        self
    }

    /// Marks that something interesting was so, or was not: an exploration tells which marks no run of it ever reached, such as a
    /// redelivery in the middle of a payment. See [`Trace::marks`](crate::trace::Trace::marks).
    pub fn sometimes(&self, name: &str, reached: bool) {
        self.stage.world().state().trace.mark(name, reached);
    }

    /// A way to the broker of the run for whatever is no service and no client: a peer that was not built with this library, or
    /// that does what those never do. What it does is told under its name.
    pub fn transport(&self, name: &str) -> SimTransport {
        let mut state = self.stage.world().state();
        let actor = state.add_actor(name, ActorKind::Client);
        // Nobody waits for it to have a session.
        state.actor(actor).retired = true;
        drop(state);
        self.stage.transport(actor)
    }

    /// Puts a note into the run's events.
    pub fn note(&self, note: impl Into<String>) {
        self.stage.world().state().tell(ActorId::of_peer(0), What::Note(note.into()));
    }

    /// Lets something go wrong at a place. A run in which the place never comes to pass fails, unless it is
    /// [optional](At::optional).
    ///
    /// # Panics
    ///
    /// When this fault cannot happen at such a place; on a live broker.
    #[track_caller]
    pub fn fault(&self, at: At, fault: Fault) -> &Self {
        self.stage.simulated("`fault`");
        fault.assert_can_happen(&at);
        self.stage.world().state().director.script(at, fault);
        self
    }

    /// Whether the run is one on a live broker, and no simulation.
    pub fn is_live(&self) -> bool {
        self.stage.is_live()
    }

    /// Lets so much virtual time pass, with everything that happens meanwhile.
    ///
    /// # Panics
    ///
    /// On a live broker.
    pub async fn advance(&self, time: Duration) {
        self.stage.simulated("`advance`");
        tokio::time::sleep(time).await;
    }
}

impl fmt::Debug for Sim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sim").field("seed", &self.seed).finish_non_exhaustive()
    }
}
