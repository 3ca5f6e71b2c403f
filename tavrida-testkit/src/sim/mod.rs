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
use crate::trace::{ActorId, What};

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
        self.stage.world().state().tell(ActorId::of_peer(0), what);
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
