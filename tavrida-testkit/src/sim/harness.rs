//! [`Harness`]: a world with its broker. When no task can continue, it makes the next thing happen.

mod idle;
#[cfg(test)]
mod tests;

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tavrida_memory::core::Broker;
use tavrida_memory::{MemoryBroker, RabbitMq};

use super::clock::SimClock;
use super::ids::CausalIds;
#[cfg(feature = "live")]
use super::live::Recorder;
use super::transport::SimTransport;
use super::world::{Action, World};
use crate::laws::Remains;
use crate::problem::ProblemKind;
use crate::random::hash;
use crate::trace::ActorId;
use crate::waits::Waits;

/// A world with its broker. Clones are handles to the same harness.
#[derive(Clone)]
pub(crate) struct Harness(Arc<Inner>);

struct Inner {
    world: Arc<World>,
    broker: BrokerOfRun,
    clock: SimClock,
}

/// The broker of a run.
enum BrokerOfRun {
    /// A broker of the run, which the harness controls: made when it is first needed, so that a scenario can choose what it is like.
    Simulated(OnceLock<(MemoryBroker, RabbitMq)>),
    /// An external RabbitMQ.
    #[cfg(feature = "live")]
    Live(Arc<dyn tavrida::transport::Transport>),
}

impl Inner {
    fn broker_like(&self, version: RabbitMq) -> (MemoryBroker, RabbitMq) {
        let builder = MemoryBroker::builder().like(version).frame_max(131_072);
        (builder.clock(Arc::new(self.clock.clone())).network(self.world.clone()).build(), version)
    }
}

impl Harness {
    pub(crate) fn new(world: World, clock: SimClock) -> Self {
        Self(Arc::new(Inner {
            world: Arc::new(world),
            broker: BrokerOfRun::Simulated(OnceLock::new()),
            clock,
        }))
    }

    #[cfg(feature = "live")]
    pub(crate) fn live(
        world: World,
        clock: SimClock,
        broker: Arc<dyn tavrida::transport::Transport>,
    ) -> Self {
        Self(Arc::new(Inner { world: Arc::new(world), broker: BrokerOfRun::Live(broker), clock }))
    }

    pub(crate) fn world(&self) -> &World {
        &self.0.world
    }

    /// Returns the broker of a simulation.
    fn broker(&self) -> &MemoryBroker {
        self.simulated("what a simulation does by itself")
    }

    /// Returns the broker of a simulation.
    ///
    /// # Panics
    ///
    /// Panics on a live broker; the text says that `what` needs a simulation.
    #[track_caller]
    pub(crate) fn simulated(&self, what: &str) -> &MemoryBroker {
        &self.simulated_like(what).0
    }

    #[track_caller]
    fn simulated_like(&self, what: &str) -> &(MemoryBroker, RabbitMq) {
        // Without the feature `live` every broker is a simulation's.
        let _ = what;
        match &self.0.broker {
            BrokerOfRun::Simulated(broker) => broker.get_or_init(|| self.0.broker_like(RabbitMq::default())),
            #[cfg(feature = "live")]
            BrokerOfRun::Live(_) => panic!("{what} needs a simulation: a live broker cannot be steered"),
        }
    }

    /// Makes the broker of a simulation. Returns whether there was none; a live broker is what it is.
    pub(crate) fn like(&self, version: RabbitMq) -> bool {
        match &self.0.broker {
            BrokerOfRun::Simulated(broker) => broker.set(self.0.broker_like(version)).is_ok(),
            #[cfg(feature = "live")]
            BrokerOfRun::Live(_) => true,
        }
    }

    pub(crate) fn is_live(&self) -> bool {
        !matches!(self.0.broker, BrokerOfRun::Simulated(_))
    }

    pub(crate) fn clock(&self) -> &SimClock {
        &self.0.clock
    }

    pub(crate) fn transport(&self, actor: ActorId) -> SimTransport {
        match &self.0.broker {
            BrokerOfRun::Simulated(_) => SimTransport::new(self.broker().transport_of(actor.peer())),
            #[cfg(feature = "live")]
            BrokerOfRun::Live(broker) => {
                SimTransport::new(Recorder { inner: broker.clone(), world: self.0.world.clone(), actor })
            }
        }
    }

    /// Returns the source of ids of an actor.
    pub(crate) fn ids(&self, actor: ActorId) -> CausalIds {
        let state = self.world().state();
        self.ids_of(state.trace.actor(actor).name())
    }

    /// Returns the source of ids of the actor of this name.
    pub(crate) fn ids_of(&self, name: &str) -> CausalIds {
        CausalIds { actor: hash(name.as_bytes()), book: self.world().ids.clone(), random: self.is_live() }
    }

    /// Breaks the session of an actor, if it has one.
    pub(crate) fn cut(&self, actor: ActorId, why: &str) {
        let session = self.world().state().actor(actor).session;
        if let Some(session) = session {
            self.broker().cut(session, why);
        }
    }

    /// Waits up to `within` until the run is quiescent. Returns whether that happened.
    pub(crate) async fn settled(&self, within: Duration) -> bool {
        #[cfg(feature = "live")]
        if let BrokerOfRun::Live(broker) = &self.0.broker {
            return self.settled_live(broker, within).await;
        }
        let settled = self.world().settled.notified();
        let _waiting = Waiting::begin(self.world());
        tokio::time::timeout(within, settled).await.is_ok()
    }

    /// Returns who waits for whom, as lines below a heading; empty if nobody does.
    pub(crate) fn waiting(&self) -> String {
        let state = self.world().state();
        let (trace, now) = (state.told(), state.time.elapsed());
        let disconnected = state.disconnected();
        let tasks: Vec<String> = state.tasks_alive().collect();
        drop(state);
        let waits = Waits::at_end(&trace, now);
        let planned = disconnected.iter().map(|name| format!("  {name} has no session with the broker\n"));
        let planned: String = planned.chain(tasks.iter().map(|task| format!("  {task}\n"))).collect();
        match waits.is_empty() && planned.is_empty() {
            true => String::new(),
            false => format!("\nunder way:\n{waits}{planned}").trim_end().to_owned(),
        }
    }

    /// Ends a scenario: faults stop, the run becomes quiescent, and all its tasks end.
    pub(crate) async fn conclude(&self, within: Duration) {
        self.world().state().dismiss_clients();
        self.heal();
        if !self.settled(within).await {
            let waiting = self.waiting();
            let text =
                format!("something is still under way {within:?} after the end of the scenario{waiting}");
            self.world().fail(ProblemKind::Stuck, text);
        }
    }

    /// Stops all faults from now on and restores all connections.
    pub(crate) fn heal(&self) {
        let mut state = self.world().state();
        state.director.heal();
        let planned: Vec<Action> = std::mem::take(&mut state.agenda).into_values().collect();
        drop(state);
        planned.into_iter().for_each(|action| self.act(action));
    }

    /// Marks the run as finished: only the laws still read its broker.
    pub(crate) fn retire(&self) {
        if !self.is_live() {
            self.broker().retire();
        }
    }

    /// Returns the contents of the broker. `None` for a live one.
    pub(crate) fn remains(&self) -> Option<Remains> {
        match &self.0.broker {
            BrokerOfRun::Simulated(_) => Some(Remains {
                queues: self
                    .broker()
                    .snapshot()
                    .queues
                    .into_iter()
                    .map(|queue| queue.name.to_string())
                    .collect(),
                queued: self.broker().queued(),
            }),
            #[cfg(feature = "live")]
            BrokerOfRun::Live(_) => None,
        }
    }

    /// Returns the version of RabbitMQ that the broker of a simulation behaves like.
    pub(crate) fn version(&self) -> RabbitMq {
        self.simulated_like("what a broker is like").1
    }

    /// Starts with a broker that already has a topology, and behaves like this one.
    pub(crate) fn furnish(&self, core: Broker) {
        self.broker().replace(core);
    }
}

/// A task that waits until the run is quiescent.
struct Waiting<'a>(&'a World);

impl<'a> Waiting<'a> {
    fn begin(world: &'a World) -> Self {
        world.state().settlers += 1;
        Self(world)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.state().settlers -= 1;
    }
}
