//! [`ServerBuilder`].

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use tokio::task::JoinSet;

use super::{DeclareMode, Plan, QueueType, RunningServer, Server, Worker};
use crate::asks::{Asks, ServerAsks};
use crate::client::seed_of;
use crate::counters::Tally;
use crate::discovery::{ByName, Discovery, Fallback, Registry, Role};
use crate::disposition::FailurePolicy;
use crate::error::{Error, Kind};
use crate::field::{ShortString, TooLongError};
use crate::id::{IdScope, IdSource, Purpose, RandomIds};
use crate::inbound::{Copies, HandlerLimit, Inbound, Queues};
use crate::link::{Carried, Link, Stop};
use crate::middleware::{self, Incoming};
use crate::outbound::{Outbound, OwnExchanges, Repair, Seal};
use crate::service::{Hosted, Router, Service};
use crate::slots::Slots;
use crate::time::{Clock, SystemClock};
use crate::transport::{Backoff, Transport};

/// Builds a [`Server`]. [`build`](ServerBuilder::build) returns configuration errors.
#[must_use = "nothing happens before `build`"]
pub struct ServerBuilder {
    transport: Arc<dyn Transport>,
    queue: ShortString,
    exchange: ShortString,
    services: Vec<Service>,
    discovery: Option<Arc<dyn Discovery>>,
    incoming: Vec<Arc<dyn Incoming>>,
    prefetch: u16,
    concurrency: usize,
    policy: FailurePolicy,
    declare_mode: DeclareMode,
    queue_type: QueueType,
    retry_queue_type: QueueType,
    deadline: Duration,
    drain: Duration,
    backoff: Option<Backoff>,
    retry_refused_start: bool,
    ids: Option<Arc<dyn IdSource>>,
    clock: Option<Arc<dyn Clock>>,
    log_payloads: bool,
    seal: Option<Arc<Seal>>,
    flaw: Option<Error>,
}

impl ServerBuilder {
    pub(super) fn new(transport: Arc<dyn Transport>) -> Self {
        Self {
            transport,
            queue: ShortString::default(),
            exchange: ShortString::default(),
            services: Vec::new(),
            discovery: None,
            incoming: Vec::new(),
            prefetch: 64,
            concurrency: 16,
            policy: FailurePolicy::default(),
            declare_mode: DeclareMode::default(),
            queue_type: QueueType::Classic,
            retry_queue_type: QueueType::quorum(),
            deadline: Duration::from_secs(300),
            drain: Duration::from_secs(30),
            backoff: None,
            retry_refused_start: false,
            ids: None,
            clock: None,
            log_payloads: false,
            seal: None,
            flaw: None,
        }
    }

    fn keep<T>(&mut self, result: Result<T, impl Into<Error>>) -> Option<T> {
        result.map_err(|error| self.flaw.get_or_insert(error.into())).ok()
    }

    /// Sets the queue for messages to all the services. Servers with the same queue share the work. Optional for a server of one service:
    /// its queue then has the name of the service.
    pub fn queue(mut self, queue: impl TryInto<ShortString, Error = impl Into<TooLongError>>) -> Self {
        self.queue = self.keep(queue.try_into().map_err(Into::into)).unwrap_or_default();
        self
    }

    /// Sets the exchange through which others send requests and replies to the services. Optional for a server of one service: the exchange
    /// of the service `x` is then `x_exchange`, where clients without a discovery [look for it](ByName).
    pub fn exchange(mut self, exchange: impl TryInto<ShortString, Error = impl Into<TooLongError>>) -> Self {
        self.exchange = self.keep(exchange.try_into().map_err(Into::into)).unwrap_or_default();
        self
    }

    /// Adds a service. Services of one server can call each other without a discovery.
    pub fn service(mut self, service: Service) -> Self {
        self.services.push(service);
        self
    }

    /// Sets where services and publishers are found, for all services without a [discovery](Service::discovery) of their own. The default
    /// is [by name](ByName).
    pub fn discovery(mut self, discovery: impl Discovery) -> Self {
        self.discovery = Some(Arc::new(discovery));
        self
    }

    /// Adds middleware around the handlers of all services, outside their own middleware; the first added sees a message first.
    pub fn incoming(mut self, middleware: impl Incoming) -> Self {
        self.incoming.push(Arc::new(middleware));
        self
    }

    /// Sets the prefetch: the maximum number of unsettled deliveries. The default is 64. 0 is rejected: without a limit one server takes
    /// all messages.
    ///
    /// It is also how many handlers can be at work or wait. Where all of them wait for answers of services of this very server, no
    /// request is delivered any more: the ask that would use up the prefetch fails at once, with an error that names the
    /// [cycle](crate::Error::is_cycle) (unless another server takes from the queue too).
    pub fn prefetch(mut self, prefetch: u16) -> Self {
        self.prefetch = prefetch;
        self
    }

    /// How many handlers run at a time. The default is 16.
    ///
    /// A handler that waits for the answer to an [ask](crate::proxy::Ask), and for nothing else, does not run: another may begin
    /// meanwhile, up to the [prefetch](ServerBuilder::prefetch). It continues when it has a slot again.
    ///
    /// 1 is ordered mode: messages are handled in the order of the queue, one after the other, and a handler that waits for an
    /// answer of another server holds up the others. One that asks a service of its own server lets those begin that are before its
    /// request in the queue.
    pub fn concurrency(mut self, concurrency: usize) -> Self {
        self.concurrency = concurrency;
        self
    }

    /// Sets what happens to messages whose handler failed. The default is [`FailurePolicy::dead_letter`].
    pub fn on_failure(mut self, policy: FailurePolicy) -> Self {
        self.policy = policy;
        self
    }

    /// Sets whether the server declares its topology (the default), checks it, or neither.
    pub fn declare_mode(mut self, mode: DeclareMode) -> Self {
        self.declare_mode = mode;
        self
    }

    /// Sets the type of the server's queue, and of the dead-letter queue. The default is [`QueueType::Classic`], which the Python original
    /// declares: RabbitMQ refuses to declare an existing queue with another type.
    pub fn queue_type(mut self, queue_type: QueueType) -> Self {
        self.queue_type = queue_type;
        self
    }

    /// Sets the type of the retry queues; a delivery limit has no effect there. The default is [`QueueType::quorum`]: such a queue keeps a
    /// message until it is safe in the server's own queue. A classic queue, for brokers before RabbitMQ 3.10, does not: what is in transit
    /// when the broker is killed can be lost.
    pub fn retry_queue_type(mut self, queue_type: QueueType) -> Self {
        self.retry_queue_type = queue_type;
        self
    }

    /// Sets the time limit of a handler; at the limit it is dropped, which counts as a failure. The default is 5 minutes, well below the 30
    /// minutes after which RabbitMQ closes the channel and requeues the message; [`Duration::MAX`] is no limit. If a handler
    /// exceeds the consumer timeout of the broker, the limit becomes nine tenths of that timeout.
    pub fn handler_deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// Sets how long a stopping server waits for its handlers. The default is 30 s; [`Duration::MAX`] waits for all.
    pub fn shutdown_timeout(mut self, drain: Duration) -> Self {
        self.drain = drain;
        self
    }

    /// Sets the delays between attempts to connect, and their limit. The default is that of the [transport](Transport::backoff).
    pub fn reconnect(mut self, backoff: Backoff) -> Self {
        self.backoff = Some(backoff);
        self
    }

    /// Retries a refusal at the start, too, as if the broker could not be reached.
    ///
    /// Without this, a [permanent refusal](crate::transport::BrokerError::is_permanent) (wrong password, unknown virtual host, missing
    /// permission, a queue that exists with other properties) before the first session ends the server with an error. After the first session
    /// it is retried in any case.
    pub fn retry_refused_start(mut self) -> Self {
        self.retry_refused_start = true;
        self
    }

    /// Sets the source of ids. The default is random uuids.
    pub fn ids(mut self, ids: impl IdSource) -> Self {
        self.ids = Some(Arc::new(ids));
        self
    }

    /// The clock of the timestamps on dead letters, and of the times until which askers wait: the system's by default.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Some(Arc::new(clock));
        self
    }

    /// Sets whether payloads are logged (at level debug). The default is not to log them: they may contain secrets.
    pub fn log_payloads(mut self, log: bool) -> Self {
        self.log_payloads = log;
        self
    }

    /// Signs the addresses of callers that are [answered later](crate::docs::later) with this secret, and accepts no others.
    ///
    /// Such an address travels with a call and returns with its answer. Without a secret, each user with write permission on this server's
    /// exchange can forge one: see [security](crate::docs::security) for the consequences. All servers of a queue need the same secret, of
    /// at least 32 random bytes. Answers that are on their way when it changes are dead-lettered.
    pub fn answer_secret(mut self, secret: impl AsRef<[u8]>) -> Self {
        self.seal = Some(Arc::new(Seal::new(secret.as_ref())));
        self
    }

    /// Checks everything and returns the server. It does not connect yet.
    ///
    /// # Errors
    ///
    /// The first configuration error, naming the culprit: a missing queue or exchange, two handlers or two services for the same entry
    /// point, a subscription or a declared event whose publisher no discovery knows, an argument that cannot be extracted, delayed retry in
    /// ordered mode, ...
    pub fn build(mut self) -> Result<Server, Error> {
        self.check()?;
        let tally = Arc::new(Tally::default());
        let ids = self.ids.take().unwrap_or_else(|| Arc::new(RandomIds));
        let clock: Arc<dyn Clock> = self.clock.take().unwrap_or_else(|| Arc::new(SystemClock));
        let root = IdScope::new(ids.clone(), self.queue.clone().into_text());
        let instance = root.next(Purpose::Instance);
        let backoff = self.backoff.take().unwrap_or_else(|| self.transport.backoff());
        let backoff = if self.retry_refused_start { backoff.retrying_refusals() } else { backoff };
        let link = Link::new(self.transport.clone(), backoff, seed_of(&instance), tally.clone());
        let (router, outbound) = self.host(&clock, &tally)?;
        let queues =
            Queues { name: self.queue.clone(), own: self.queue_type, waiting: self.retry_queue_type };
        let plan = Arc::new(Plan::of(router.services(), &queues, &self.exchange, self.policy.delays())?);
        outbound.repair.own(OwnExchanges {
            exchanges: plan.exchanges.clone(),
            bindings: plan.bindings.clone(),
            declares: self.declare_mode == DeclareMode::Declare,
        });
        let stop = Stop::default();
        let names = router.services().iter().map(|service| service.name.routing_key()).collect();
        let places = (self.queue.clone(), self.exchange.clone());
        let server_asks = ServerAsks::new(places, names, self.prefetch, self.concurrency == 1);
        let inbound = Arc::new(Inbound {
            router,
            policy: self.policy,
            copies: Arc::new(Copies::new(queues, clock.clone())),
            outbound,
            asks: Arc::new(Asks::new(instance, Some(self.exchange), tally.clone())),
            server_asks,
            clock,
            ids,
            tally,
            limit: HandlerLimit::new(self.deadline),
            log_payloads: self.log_payloads,
            overheard: AtomicBool::new(false),
        });
        let worker = Box::new(Worker {
            inbound: inbound.clone(),
            plan: plan.clone(),
            declare_mode: self.declare_mode,
            queue: self.queue,
            prefetch: self.prefetch,
            concurrency: self.concurrency,
            slots: Slots::new(self.concurrency),
            drain: self.drain,
            stop: stop.clone(),
            consumer: None,
            waiting: VecDeque::new(),
            tasks: JoinSet::new(),
        });
        Ok(Server { link: Carried(Arc::new(link)), inbound, plan, worker, stop })
    }

    /// [Builds](ServerBuilder::build) the server and [starts](Server::start) it: returns when it consumes.
    ///
    /// # Errors
    ///
    /// Those of [`build`](ServerBuilder::build) and of [`Server::start`].
    ///
    /// # Panics
    ///
    /// Panics outside a tokio runtime with time enabled.
    ///
    /// # Cancel safety
    ///
    /// As [`Server::start`].
    pub async fn start(self) -> Result<RunningServer, Error> {
        self.build()?.start().await
    }

    fn check(&mut self) -> Result<(), Error> {
        if let Some(flaw) = self.flaw.take() {
            return Err(flaw);
        }
        self.services.iter_mut().try_for_each(Service::check)?;
        self.discovery.as_ref().map_or(Ok(()), Discovery::check)?;
        self.name_after_the_service()?;
        let flaw = |text: &'static str| Err(Error::new(Kind::Build, text));
        if self.queue.is_empty() {
            return flaw("a server of several services needs a queue: `.queue(\"test_service\")`");
        }
        if self.exchange.is_empty() {
            return flaw("a server of several services needs an exchange: `.exchange(\"test_exchange\")`");
        }
        if self.services.is_empty() {
            return flaw("a server needs a service: `.service(...)`");
        }
        if self.prefetch == 0 || self.concurrency == 0 {
            return flaw("prefetch and concurrency of a server are at least 1");
        }
        if self.concurrency == 1 && self.policy.retries() > 0 {
            return flaw(
                "concurrency 1 keeps the order of messages, and a delayed retry breaks it: raise the concurrency, or take a \
                 failure policy without retries",
            );
        }
        Ok(())
    }

    /// Sets the default names of queue and exchange if there is one service.
    fn name_after_the_service(&mut self) -> Result<(), Error> {
        let [service] = &self.services[..] else { return Ok(()) };
        let name = service.name.as_str();
        if self.queue.is_empty() {
            self.queue = ShortString::try_from(name)?;
        }
        if self.exchange.is_empty() {
            self.exchange = ByName.find(Role::Service, name)?;
        }
        Ok(())
    }

    /// Builds the services as the server hosts them, and the server's own outbound.
    fn host(&mut self, clock: &Arc<dyn Clock>, tally: &Arc<Tally>) -> Result<(Router, Arc<Outbound>), Error> {
        let services = std::mem::take(&mut self.services);
        // Services of one server find each other, independent of their discoveries.
        let names = services.iter().map(|service| service.name.as_str());
        let neighbours: Arc<dyn Discovery> = Arc::new(
            names.fold(Registry::new(), |registry, name| registry.remote_service(name, &*self.exchange)),
        );
        let repair = Arc::new(Repair::new(tally.clone()));
        let mut own = None;
        let mut hosted = Vec::with_capacity(services.len());
        for service in services {
            let (discovery, emits) = match service.discovery.or_else(|| self.discovery.clone()) {
                Some(first) => (Fallback { first, second: neighbours.clone() }, service.emits.warning()),
                None => (Fallback { first: neighbours.clone(), second: Arc::new(ByName) }, service.emits),
            };
            let outbound = Arc::new(Outbound {
                discovery: Arc::new(discovery),
                emits,
                outgoing: middleware::shared(service.outgoing),
                clock: clock.clone(),
                tally: tally.clone(),
                repair: repair.clone(),
                seal: self.seal.clone(),
            });
            own.get_or_insert_with(|| outbound.clone());
            hosted.push(Arc::new(Hosted {
                name: service.name,
                dispatcher: service.dispatcher,
                incoming: self.incoming.iter().cloned().chain(service.incoming).collect(),
                outbound,
                state: Arc::new(service.state),
            }));
        }
        Ok((Router::new(hosted)?, own.expect("a server has a service")))
    }
}
