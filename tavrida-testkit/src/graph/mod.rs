//! [`Graph`]: services and clients around one broker, in a simulation.
//!
//! Services are given as factories (`fn orders() -> Service`, the same as in production), since replicas and restarts need fresh values.
//! Each gets its own server with a queue and an exchange of its name, and finds all others; in a [strict](GraphBuilder::strict) graph it
//! finds those that it finds in production.
//!
//! # Limits
//!
//! All are of virtual time, and none is waited for.
//!
//! | limit | default | set by |
//! |---|---|---|
//! | an ask waits for its answer | 30 s | `.ask().timeout(..)` |
//! | a handler works on a delivery; then it is dropped, and its message fails | 5 min | [`configure`](GraphBuilder::configure): `handler_deadline` |
//! | a server works on this many deliveries at once | 16 | `configure`: `concurrency` |
//! | a server has this many unsettled deliveries | 64 | `configure`: `prefetch` |
//! | a failed message is tried again | never: it is dead-lettered | `configure`: `on_failure` |
//! | [`settle`](Graph::settle) waits | 1 h | [`settle_within`](Graph::settle_within) |
//! | a scenario runs: the horizon of its run | 1 h | [`Explore::horizon`](crate::explore::Explore::horizon) |

mod builder;
mod convention;
mod keeper;
mod prepared;
mod stub;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tavrida::server::ServerBuilder;
use tavrida::{Client, Service};

pub use builder::GraphBuilder;
pub use stub::Stub;

use builder::{Making, PlannedServer};
use convention::Convention;
use keeper::Version;

use crate::run::Run;
use crate::sim::{Harness, Sim, SimTransport, yield_point};
use crate::trace::{ActorId, What};

impl Sim {
    /// Starts to assemble a graph of services.
    pub fn graph(&self) -> GraphBuilder {
        GraphBuilder::new(self.harness.clone())
    }
}

/// Running services and clients.
pub struct Graph {
    harness: Harness,
    clients: BTreeMap<String, Client>,
    servers: BTreeMap<String, Deployed>,
    /// How the servers were planned.
    deployed: Vec<PlannedServer>,
    /// How services find each other, unless the graph is strict.
    convention: Option<Convention>,
}

/// A server that was started.
struct Deployed {
    actor: ActorId,
    /// The index of its plan.
    place: usize,
    version: Arc<Version>,
}

impl Graph {
    /// Returns a client of the graph.
    ///
    /// # Panics
    ///
    /// Panics if the graph has no client of this name; the text lists the clients.
    #[track_caller]
    pub fn client(&self, name: &str) -> &Client {
        let known = || self.clients.keys().cloned().collect::<Vec<_>>();
        self.clients.get(name).unwrap_or_else(|| panic!("no client '{name}' in the graph, but {:?}", known()))
    }

    /// Kills the process of a service, or of one replica (`billing/2`), and restarts it after `down_for`.
    ///
    /// # Panics
    ///
    /// Panics if there is no server of this name.
    #[track_caller]
    pub fn crash(&self, server: &str, down_for: Duration) {
        self.harness.simulated("`crash`");
        let actor = self.server(server);
        self.harness.world().state().kill(actor, down_for);
        self.harness.cut(actor, "the process was killed");
    }

    /// Deploys another version of a [service](GraphBuilder::service): its process ends in good order, with what its handlers do, and starts
    /// again in the new version, which finds the messages that came meanwhile. Comes back when that consumes. All replicas are upgraded, one
    /// after the other; by the name of one (`billing/2`) only this, so that two versions share a queue.
    ///
    /// ```
    /// use tavrida::Service;
    /// # use tavrida_testkit::sim::{Setup, Sim, Verdict};
    ///
    /// # let finished = Setup::new(1).run(async |sim: Sim| {
    /// let old = || Service::new("billing").rpc("charge", async || ());
    /// let new = || Service::new("billing").rpc("charge", async || ()).rpc("refund", async || ());
    /// let graph = sim.graph().service(old).client("web").start().await;
    /// graph.client("web").to("billing.charge").cast().await.unwrap(); // for the old version, or the new one
    /// graph.upgrade("billing", new).await;
    /// graph.client("web").to("billing.refund").ask().await.unwrap();
    /// # });
    /// # assert_eq!(finished.verdict, Verdict::Passed, "{}", finished.trace.text());
    /// ```
    ///
    /// # Panics
    ///
    /// Panics if there is no server of this name, or if it cannot be built.
    ///
    /// # Cancel safety
    ///
    /// Dropped, the upgrade goes on, of the replica that it was at.
    pub async fn upgrade(&self, service: &str, make: impl Fn() -> Service + Send + Sync + 'static) {
        self.deploy(service, &Making::Service(Arc::new(make))).await;
    }

    /// As [`upgrade`](Graph::upgrade), for a [server](GraphBuilder::server) configured as in production.
    ///
    /// # Panics
    ///
    /// As [`upgrade`](Graph::upgrade).
    pub async fn upgrade_server(
        &self,
        server: &str,
        make: impl Fn(SimTransport) -> ServerBuilder + Send + Sync + 'static,
    ) {
        self.deploy(server, &Making::Server(Arc::new(make))).await;
    }

    async fn deploy(&self, name: &str, making: &Making) {
        self.harness.simulated("`upgrade`");
        let replicas = self.servers.iter().filter(|(known, _)| {
            *known == name || known.split_once('/').is_some_and(|(service, _)| service == name)
        });
        let mut any = false;
        for (known, Deployed { place, version, .. }) in replicas {
            any = true;
            // Messages may come before the upgrade begins.
            yield_point().await;
            let make = self.deployed[*place].make_of(making, self.convention.as_ref(), false);
            let consumes = version.upgrade(make).await;
            assert!(consumes.is_ok(), "server '{known}' does not start in its new version");
        }
        assert!(any, "{}", self.unknown(name));
    }

    /// Breaks the session of a service or of one replica.
    ///
    /// # Panics
    ///
    /// Panics if there is no server of this name.
    #[track_caller]
    pub fn cut(&self, server: &str) {
        self.harness.simulated("`cut`");
        self.harness.cut(self.server(server), "the connection broke");
    }

    /// Cuts a server off from the broker for this time; then its session breaks, and is opened again.
    ///
    /// # Panics
    ///
    /// Panics if there is no server of this name.
    #[track_caller]
    pub fn partition(&self, server: &str, time: Duration) {
        self.harness.simulated("`partition`");
        let actor = self.server(server);
        self.harness.world().state().isolate(actor, true, true, time);
    }

    /// Stops the broker in good order and restarts it.
    pub fn restart_broker(&self) {
        let broker = self.harness.simulated("`restart_broker`");
        self.harness.world().state().tell(ActorId::of_peer(0), What::Fault("broker-restart".into()));
        broker.restart();
    }

    /// Stops all faults from now on and restores all connections.
    pub fn heal(&self) {
        self.harness.world().state().trace.heal();
        self.harness.heal();
    }

    /// Waits until the graph is quiescent: no message under way, no handler running, no task that a handler has spawned by
    /// [`tavrida::task::spawn`], all sessions connected, no message waiting for its time. This is exact, but for tasks of `tokio::spawn`,
    /// which are not waited for: a [note](crate::trace::Trace::notes) names them. Virtual time advances only as far as needed. Returns what
    /// happened so far.
    ///
    /// # Panics
    ///
    /// Panics if the graph is not quiescent within one hour of virtual time; on a live broker, within 30 seconds.
    pub async fn settle(&self) -> Run {
        let within = Duration::from_secs(if self.harness.is_live() { 30 } else { 3600 });
        let settled = self.settle_within(within).await;
        settled.unwrap_or_else(|unsettled| panic!("{unsettled}"))
    }

    /// As [`settle`](Graph::settle), with a limit of `time`. A live broker cannot be observed completely: there, the graph counts as
    /// settled when all that it sent is confirmed, no handler runs, and the queues of its servers were empty twice in a row.
    ///
    /// # Errors
    ///
    /// The graph is not quiescent within `time`.
    ///
    /// # Cancel safety
    ///
    /// Safe.
    pub async fn settle_within(&self, time: Duration) -> Result<Run, UnsettledError> {
        match self.harness.settled(time).await {
            true => Ok(self.run()),
            false => Err(UnsettledError { after: time, waiting: self.harness.waiting() }),
        }
    }

    /// Returns what happened so far.
    pub fn run(&self) -> Run {
        Run::new(self.harness.world().state().told().into())
    }

    /// Returns the current state of the broker.
    ///
    /// # Panics
    ///
    /// Panics on a live broker.
    #[track_caller]
    pub fn broker(&self) -> tavrida_memory::core::Snapshot {
        let broker = self.harness.simulated("`broker`");
        self.harness.world().state().trace.look_at_dead_letters();
        broker.snapshot()
    }

    #[track_caller]
    fn server(&self, name: &str) -> ActorId {
        let known = self.servers.get(name);
        known.unwrap_or_else(|| panic!("{}", self.unknown(name))).actor
    }

    fn unknown(&self, name: &str) -> String {
        format!("no server '{name}' in the graph, but {:?}", self.servers.keys().collect::<Vec<_>>())
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
    /// How long the call waited.
    pub after: Duration,
    /// What is under way: who waits for whom, one line each.
    pub waiting: String,
}

impl fmt::Display for UnsettledError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "something is still under way after {:?}{}", self.after, self.waiting)
    }
}

impl std::error::Error for UnsettledError {}
