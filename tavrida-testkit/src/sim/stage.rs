//! [`Stage`]: a world with its broker. When nothing else can go on, it lets the next thing happen.

mod idle;

use std::sync::Arc;
use std::time::Duration;

use tavrida_memory::core::Broker;
use tavrida_memory::{MemoryBroker, MemoryTransport};

use super::clock::SimClock;
use super::ids::CausalIds;
use super::problem::ProblemKind;
use super::random::hash;
use super::world::{Action, World};
use crate::trace::ActorId;

/// A world with its broker. A clone is another handle to the same.
#[derive(Clone)]
pub(crate) struct Stage(Arc<Inner>);

struct Inner {
    world: Arc<World>,
    broker: MemoryBroker,
    clock: SimClock,
}

impl Stage {
    pub(crate) fn new(world: World, clock: SimClock) -> Self {
        let world = Arc::new(world);
        let broker = MemoryBroker::builder().clock(Arc::new(clock.clone())).network(world.clone()).build();
        Self(Arc::new(Inner { world, broker, clock }))
    }

    pub(crate) fn world(&self) -> &World {
        &self.0.world
    }

    pub(crate) fn broker(&self) -> &MemoryBroker {
        &self.0.broker
    }

    pub(crate) fn clock(&self) -> &SimClock {
        &self.0.clock
    }

    /// How an actor reaches the broker.
    pub(crate) fn transport(&self, actor: ActorId) -> MemoryTransport {
        self.0.broker.transport_of(actor.peer())
    }

    /// Where an actor's ids come from.
    pub(crate) fn ids(&self, actor: ActorId) -> CausalIds {
        let name = hash(self.world().state().trace.actor(actor).name().as_bytes());
        CausalIds { actor: name, book: self.world().ids.clone() }
    }

    /// Breaks the session of an actor, if it has one.
    pub(crate) fn cut(&self, actor: ActorId, why: &str) {
        let session = self.world().state().actor(actor).session;
        if let Some(session) = session {
            self.0.broker.cut(session, why);
        }
    }

    /// Waits until nothing is under way any more.
    pub(crate) async fn settled(&self) {
        let settled = self.world().settled.notified();
        let _waiting = Waiting::begin(self.world());
        settled.await;
    }

    /// The end of a scenario: nothing goes wrong any more, everything comes to rest, and nobody is left behind.
    pub(crate) async fn conclude(&self, within: Duration) {
        self.heal();
        if tokio::time::timeout(within, self.settled()).await.is_err() {
            let text = format!("something is still under way {within:?} after the end of the scenario");
            self.world().fail(ProblemKind::Stuck, text);
        }
    }

    /// Nothing goes wrong from now on, and what is cut off is there again.
    pub(crate) fn heal(&self) {
        let mut state = self.world().state();
        state.director.heal();
        let planned: Vec<Action> = std::mem::take(&mut state.agenda).into_values().collect();
        drop(state);
        planned.into_iter().for_each(|action| self.act(action));
    }

    /// Begins with a broker where something is there already.
    pub(crate) fn furnish(&self, core: Broker) {
        self.0.broker.replace(core);
    }
}

/// Somebody who waits for the end of everything.
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
