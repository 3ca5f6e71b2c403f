//! [`Graph`]: services and clients around one broker, in a simulation.
//!
//! Services are given as factories, since replicas and restarts need fresh values: `fn orders() -> Service`, the same that
//! production serves. Each gets a server of its own with a queue and an exchange of its name, and finds all others.

mod builder;
mod convention;
mod furniture;
mod keeper;
mod stub;

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use tavrida::Client;

pub use builder::GraphBuilder;
pub use stub::Stub;

use crate::fault::{At, Fault};
use crate::run::Run;
use crate::sim::{Sim, Stage};
use crate::trace::{ActorId, What};

impl Sim {
    /// Begins to put a graph of services together.
    pub fn graph(&self) -> GraphBuilder {
        GraphBuilder::new(self.stage.clone())
    }
}

/// Services and clients that run.
pub struct Graph {
    stage: Stage,
    clients: BTreeMap<String, Client>,
    servers: BTreeMap<String, ActorId>,
}

impl Graph {
    /// A client of the graph.
    ///
    /// # Panics
    ///
    /// When there is none of this name; the text says which there are.
    #[track_caller]
    pub fn client(&self, name: &str) -> &Client {
        let known = || self.clients.keys().cloned().collect::<Vec<_>>();
        self.clients.get(name).unwrap_or_else(|| panic!("no client '{name}' in the graph, but {:?}", known()))
    }

    /// Lets something go wrong at a place. A run in which the place never comes to pass fails, unless it is
    /// [optional](At::optional).
    ///
    /// # Panics
    ///
    /// When this fault cannot happen at such a place; on a live broker, as everything here that steers the broker or time.
    #[track_caller]
    pub fn fault(&self, at: At, fault: Fault) -> &Self {
        self.stage.simulated("`fault`");
        fault.assert_can_happen(&at);
        self.stage.world().state().director.script(at, fault);
        self
    }

    /// Kills the process of a service, or of one replica (`billing/2`), and starts it anew after a time.
    ///
    /// # Panics
    ///
    /// When there is none of this name.
    #[track_caller]
    pub fn crash(&self, server: &str, down_for: Duration) {
        self.stage.simulated("`crash`");
        let actor = self.server(server);
        self.stage.world().state().kill(actor, down_for);
        self.stage.cut(actor, "the process was killed");
    }

    /// Breaks the session of a service, or of one replica.
    ///
    /// # Panics
    ///
    /// When there is none of this name.
    #[track_caller]
    pub fn cut(&self, server: &str) {
        self.stage.simulated("`cut`");
        self.stage.cut(self.server(server), "the connection broke");
    }

    /// Nothing goes between a server and the broker for this time, then its session breaks and comes back.
    ///
    /// # Panics
    ///
    /// When there is none of this name.
    #[track_caller]
    pub fn partition(&self, server: &str, time: Duration) {
        self.stage.simulated("`partition`");
        let actor = self.server(server);
        self.stage.world().state().isolate(actor, true, true, time);
    }

    /// Stops the broker in good order and starts it again.
    pub fn restart_broker(&self) {
        let broker = self.stage.simulated("`restart_broker`");
        self.stage.world().state().tell(ActorId::of_peer(0), What::Fault("broker-restart".into()));
        broker.restart();
    }

    /// Nothing goes wrong from now on, and what is cut off is there again.
    pub fn heal(&self) {
        self.stage.heal();
    }

    /// Lets so much virtual time pass, with everything that happens meanwhile: TTLs, backoffs and deadlines move.
    ///
    /// # Panics
    ///
    /// On a live broker.
    pub async fn advance(&self, time: Duration) {
        self.stage.simulated("`advance`");
        tokio::time::sleep(time).await;
    }

    /// Waits until nothing is under way any more, exactly: nothing on its way, no handler at work, everybody connected, no
    /// message waiting for its time. Virtual time moves only as far as that needs. Gives what happened so far.
    ///
    /// # Panics
    ///
    /// When it does not come to that within an hour of virtual time; on a live broker, within 30 seconds.
    pub async fn settle(&self) -> Run {
        let within = Duration::from_secs(if self.stage.is_live() { 30 } else { 3600 });
        let settled = self.settle_within(within).await;
        settled.unwrap_or_else(|unsettled| panic!("{unsettled}"))
    }

    /// As [`settle`](Graph::settle), at most so long. On a live broker, which cannot be seen through, everything counts as settled
    /// when all that the graph sent is confirmed, no handler works, and the queues of its servers were empty twice in a row.
    ///
    /// # Errors
    ///
    /// It does not come to that.
    ///
    /// # Cancel safety
    ///
    /// Safe.
    pub async fn settle_within(&self, time: Duration) -> Result<Run, UnsettledError> {
        if self.stage.settled(time).await { Ok(self.run()) } else { Err(UnsettledError { after: time }) }
    }

    /// What happened so far.
    pub fn run(&self) -> Run {
        Run::new(self.stage.world().state().trace.clone().into())
    }

    /// What is in the broker at the moment.
    ///
    /// # Panics
    ///
    /// On a live broker.
    #[track_caller]
    pub fn broker(&self) -> tavrida_memory::core::Snapshot {
        self.stage.simulated("`broker`").snapshot()
    }

    #[track_caller]
    fn server(&self, name: &str) -> ActorId {
        let known = || self.servers.keys().cloned().collect::<Vec<_>>();
        *self
            .servers
            .get(name)
            .unwrap_or_else(|| panic!("no server '{name}' in the graph, but {:?}", known()))
    }
}

impl fmt::Debug for Graph {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Graph")
            .field("servers", &self.servers.keys())
            .field("clients", &self.clients.keys())
            .finish_non_exhaustive()
    }
}

/// Something is still under way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnsettledError {
    /// How long was waited.
    pub after: Duration,
}

impl fmt::Display for UnsettledError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "something is still under way after {:?}", self.after)
    }
}

impl std::error::Error for UnsettledError {}
