//! [`GraphBuilder`]: assembles a graph and starts it.

use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tavrida::discovery::{ByName, Discovery, Fallback};
use tavrida::server::{DeclareMode, ServerBuilder};
use tavrida::transport::Binding;
use tavrida::{Client, Server, Service};
use tavrida_memory::MemoryBroker;

use super::convention::Convention;
use super::keeper::{Keeper, Make, Process, Version};
use super::{Deployed, Graph, prepared};
use crate::problem::ProblemKind;
use crate::sim::{Harness, SimTransport};
use crate::trace::ActorKind;

/// Assembles a [`Graph`].
#[must_use = "a graph runs when it is started"]
pub struct GraphBuilder {
    harness: Harness,
    places: Vec<PlannedServer>,
    clients: Vec<String>,
    is_strict: bool,
}

/// A server of the graph.
pub(super) struct PlannedServer {
    name: String,
    kind: ActorKind,
    replicas: usize,
    late: Duration,
    /// By how many seconds its clock is fast.
    skew: i32,
    make: Making,
    configure: Vec<Configure>,
}

/// Sets options of a server.
type Configure = Arc<dyn Fn(ServerBuilder) -> ServerBuilder + Send + Sync>;

/// How its server is made.
pub(super) enum Making {
    /// A service on a server that follows the graph's convention.
    Service(Arc<dyn Fn() -> Service + Send + Sync>),
    /// A server that the caller configures.
    Server(Make),
}

impl GraphBuilder {
    pub(crate) fn new(harness: Harness) -> Self {
        Self { harness, places: Vec::new(), clients: Vec::new(), is_strict: false }
    }

    /// Gives the services only what they have in production.
    ///
    /// By default, each service finds all others of the graph, and an exchange for what it publishes, whatever its own discovery knows: a
    /// registration that is missing there fails in production alone. In a strict graph a service has its own discovery, or that which
    /// [`configure`](GraphBuilder::configure) gives to its server, and without one the exchanges are found [by
    /// name](tavrida::discovery::ByName). A server whose [declared events](Service::emits) or subscriptions lack an exchange fails the run
    /// as it fails its build in production.
    ///
    /// The server of a service has a queue of the service's name and the exchange `name_exchange`: where discoveries name another one, set
    /// it. Clients belong to the test: they reach each service at the exchange of its server.
    ///
    /// ```
    /// use tavrida::Service;
    /// use tavrida::discovery::Registry;
    /// # use tavrida_testkit::sim::{Setup, Sim, Verdict};
    ///
    /// fn billing() -> Service {
    ///     let registry = Registry::new().remote_service("orders", "orders_exchange");
    ///     Service::new("billing").rpc("charge", async || ()).publishes("charged").discovery(registry)
    /// }
    ///
    /// # let finished = Setup::new(1).run(async |sim: Sim| {
    /// let graph = sim.graph().service(billing).strict().client("web").start().await;
    /// # drop(graph);
    /// # });
    /// # let Verdict::Failed(problem) = finished.verdict else { panic!("it must not start") };
    /// // server 'billing' cannot be built: service 'billing' emits billing.charged: no discovery knows the local publisher 'billing'; ...
    /// # assert!(problem.text.contains("server 'billing' cannot be built: service 'billing' emits billing.charged"), "{problem}");
    /// ```
    pub fn strict(mut self) -> Self {
        self.is_strict = true;
        self
    }

    /// Adds a service on its own server, with a queue and an exchange of the service's name.
    ///
    /// # Panics
    ///
    /// Panics if the graph already has a server or stub of this name; so does [`server`](GraphBuilder::server).
    #[track_caller]
    pub fn service(self, make: impl Fn() -> Service + Send + Sync + 'static) -> Self {
        let first = make();
        let name = first.name().to_owned();
        // The name is known only from a service, so one is made here; it serves the first start.
        let first = Mutex::new(Some(first));
        let make = move || {
            let first = first.lock().take();
            first.unwrap_or_else(&make)
        };
        self.place(name, ActorKind::Service, Making::Service(Arc::new(make)))
    }

    /// Adds a server configured as in production: with its own queue, exchange, failure policy, and any number of services. `name` is its
    /// name in the test. Clients and services of the graph reach the services of this server; what these send they address by their own
    /// discoveries. `make` is called once more than the server starts, to learn its services.
    #[track_caller]
    pub fn server(
        self,
        name: &str,
        make: impl Fn(SimTransport) -> ServerBuilder + Send + Sync + 'static,
    ) -> Self {
        self.place(name.to_owned(), ActorKind::Service, Making::Server(Arc::new(make)))
    }

    /// Adds a stand-in for a service, under the graph's convention.
    #[track_caller]
    pub(super) fn stand_in(self, name: String, make: impl Fn() -> Service + Send + Sync + 'static) -> Self {
        self.place(name, ActorKind::Stub, Making::Service(Arc::new(make)))
    }

    #[track_caller]
    fn place(mut self, name: String, kind: ActorKind, make: Making) -> Self {
        let known = self.places.iter().find(|place| place.name == name);
        if let Some(known) = known {
            let is = |kind| if kind == ActorKind::Stub { "stub" } else { "server" };
            panic!(
                "the {} '{name}' cannot join the graph: it has a {} of this name",
                is(kind),
                is(known.kind)
            );
        }
        self.places.push(PlannedServer {
            name,
            kind,
            replicas: 1,
            late: Duration::ZERO,
            skew: 0,
            make,
            configure: Vec::new(),
        });
        self
    }

    /// Sets options of the server of a service: its prefetch, concurrency, deadline of handlers, failure policy. See [limits](super#limits)
    /// for the defaults.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use tavrida::{Retry, Service};
    /// # use tavrida_testkit::sim::{Setup, Sim, Verdict};
    ///
    /// # let finished = Setup::new(1).run(async |sim: Sim| {
    /// let billing = || Service::new("billing").rpc("charge", async || ());
    /// let graph = sim
    ///     .graph()
    ///     .service(billing)
    ///     .configure("billing", |server| {
    ///         let retry = Retry::times(3).then_dead_letter();
    ///         server.prefetch(8).concurrency(2).handler_deadline(Duration::from_secs(20)).on_failure(retry)
    ///     })
    ///     .client("web")
    ///     .start()
    ///     .await;
    /// # graph.client("web").to("billing.charge").ask().await.expect("it answers");
    /// # });
    /// # assert_eq!(finished.verdict, Verdict::Passed);
    /// ```
    ///
    /// # Panics
    ///
    /// Panics if the graph has no server of this name yet.
    #[track_caller]
    pub fn configure(
        mut self,
        name: &str,
        options: impl Fn(ServerBuilder) -> ServerBuilder + Send + Sync + 'static,
    ) -> Self {
        self.find(name).configure.push(Arc::new(options));
        self
    }

    /// Sets how many servers share the work of a service.
    ///
    /// # Panics
    ///
    /// Panics if the graph has no server of this name yet.
    #[track_caller]
    pub fn replicas(mut self, name: &str, replicas: usize) -> Self {
        self.find(name).replicas = replicas;
        self
    }

    /// Starts a server `by` after the others. What is sent to it before its first start is unroutable.
    ///
    /// # Panics
    ///
    /// Panics if the graph has no server of this name yet.
    #[track_caller]
    pub fn late(mut self, name: &str, by: Duration) -> Self {
        self.find(name).late = by;
        self
    }

    /// Sets the wall clock of a server, and of its replicas, fast by this many seconds, or slow if it is negative: the deadlines of asks and the
    /// timestamps of dead letters travel as times of day. Handlers that tell the time get the same clock as
    /// [`SimClock::skewed`](crate::sim::SimClock::skewed).
    ///
    /// # Panics
    ///
    /// Panics if the graph has no server of this name yet.
    #[track_caller]
    pub fn skew(mut self, name: &str, seconds: i32) -> Self {
        self.find(name).skew = seconds;
        self
    }

    #[track_caller]
    fn find(&mut self, name: &str) -> &mut PlannedServer {
        let place = self.places.iter_mut().find(|place| place.name == name);
        place.unwrap_or_else(|| panic!("no server '{name}' in the graph yet"))
    }

    /// Adds a client. Its name is also the source of what it sends.
    pub fn client(mut self, name: &str) -> Self {
        self.clients.push(name.to_owned());
        self
    }

    /// Starts everything, and waits until all servers consume and all clients are connected.
    ///
    /// # Panics
    ///
    /// Panics if a server or client cannot be built.
    pub async fn start(self) -> Graph {
        let Self { harness, places, clients, is_strict } = self;
        let convention = Convention::of(places.iter().flat_map(|place| place.services(is_strict)), is_strict);
        let fresh = !harness.is_live() && harness.world().state().is_fresh();
        let mut servers = BTreeMap::new();
        let mut keepers = Vec::new();
        let mut deployed = Vec::new();
        for mut place in places {
            if !harness.is_live() {
                place.late += harness.world().state().lateness(&place.name);
            }
            let furnished = fresh && place.late.is_zero() && matches!(place.make, Making::Service(_));
            let convention = (!is_strict).then_some(&convention);
            let make = place.make(convention, furnished);
            let clock = harness.clock().skewed(place.skew);
            for replica in 1..=place.replicas {
                let name = match place.replicas {
                    1 => place.name.clone(),
                    _ => format!("{}/{replica}", place.name),
                };
                let actor = harness.world().state().add_actor(&name, place.kind);
                let version = Version::new(make.clone());
                servers.insert(name, Deployed { actor, place: deployed.len(), version: version.clone() });
                let process = Process { harness: harness.clone(), actor, clock: clock.clone(), version };
                match process.build() {
                    Ok(server) => {
                        let first = furnished.then_some(server);
                        keepers.push(Keeper { process, late: place.late, first });
                    }
                    Err(error) => process.fail(format!("cannot be built: {error}")),
                }
            }
            deployed.push(place);
        }
        if fresh {
            furnish(&harness, &keepers).await;
        }
        let ready: Vec<_> = keepers.into_iter().filter_map(Keeper::start).collect();
        for ready in ready {
            if ready.await.is_err() {
                // The keeper has already reported what went wrong.
                break;
            }
        }
        let mut connected = BTreeMap::new();
        for name in clients {
            let client = match is_strict {
                true => connect(&harness, &name, by_name_beside(&convention)).await,
                false => connect(&harness, &name, convention.clone()).await,
            };
            connected.insert(name, client);
        }
        let convention = (!is_strict).then_some(convention);
        Graph { harness, clients: connected, servers, deployed, convention }
    }
}

impl PlannedServer {
    /// Returns the names of its services, each with the exchange that takes its requests.
    fn services(&self, is_strict: bool) -> Vec<(String, String)> {
        if matches!(self.make, Making::Service(_)) && !is_strict {
            return vec![(self.name.clone(), self.name.clone())];
        }
        // A server that cannot be built is reported where it is to start.
        let nowhere = SimTransport::new(MemoryBroker::new().transport());
        let Ok(server) = self.make(None, false)(nowhere).build() else { return Vec::new() };
        let of_service = |binding: &Binding| {
            // Bindings from other exchanges are subscriptions.
            let service = binding.routing_key.as_str().strip_suffix(".#")?;
            let is_own = binding.source == *server.exchange() && !service.contains('.');
            is_own.then(|| (service.to_owned(), server.exchange().to_owned()))
        };
        server.plan().bindings.iter().filter_map(of_service).collect()
    }

    /// Returns how its server is made: by the convention, or without one as in production. If `furnished`, its topology already exists on
    /// the broker.
    fn make(&self, convention: Option<&Convention>, furnished: bool) -> Make {
        self.make_of(&self.make, convention, furnished)
    }

    /// As [`make`](PlannedServer::make), for another version of it.
    pub(super) fn make_of(&self, making: &Making, convention: Option<&Convention>, furnished: bool) -> Make {
        let configure = self.configure.clone();
        let configured = move |server| configured(&configure, server);
        match making {
            Making::Server(make) => {
                let make = make.clone();
                Arc::new(move |transport| configured(make(transport)))
            }
            Making::Service(make) => {
                let mode = if furnished { DeclareMode::Skip } else { DeclareMode::Declare };
                let (make, name, convention) = (make.clone(), self.name.clone(), convention.cloned());
                Arc::new(move |transport| {
                    let server = Server::builder(transport).declare_mode(mode);
                    configured(match &convention {
                        None => server.service(make()),
                        Some(convention) => server
                            .queue(name.as_str())
                            .exchange(name.as_str())
                            .service(make().fallback_discovery(convention.clone())),
                    })
                })
            }
        }
    }
}

fn configured(configure: &[Configure], server: ServerBuilder) -> ServerBuilder {
    configure.iter().fold(server, |server, options| options(server))
}

/// Declares the topology of the servers that do not declare it themselves.
async fn furnish(harness: &Harness, keepers: &[Keeper]) {
    let plans = keepers.iter().filter_map(|keeper| keeper.first.as_ref().map(Server::plan)).collect();
    match prepared::broker_with(harness.version(), plans).await {
        Ok(broker) => harness.furnish(broker),
        Err(error) => harness.world().fail(ProblemKind::Server, format!("the graph's topology: {error}")),
    }
}

/// Returns how the clients of a strict graph find services, and publish.
fn by_name_beside(convention: &Convention) -> Fallback {
    Fallback { first: Arc::new(convention.clone()), second: Arc::new(ByName) }
}

async fn connect(harness: &Harness, name: &str, discovery: impl Discovery) -> Client {
    let actor = harness.world().state().add_actor(name, ActorKind::Client);
    let client = Client::builder(harness.transport(actor)).source(name).discovery(discovery);
    match client.ids(harness.ids(actor)).clock(harness.clock().clone()).build().await {
        Ok(client) => client,
        Err(error) => {
            harness.world().fail(ProblemKind::Server, format!("client '{name}': {error}"));
            panic!("client '{name}' cannot be built: {error}")
        }
    }
}
