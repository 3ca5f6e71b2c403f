//! [`ClientBuilder`].

use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use tokio::sync::Mutex;

use super::{Client, Idle, Inner};
use crate::asks::Asks;
use crate::contract::Event;
use crate::counters::Tally;
use crate::discovery::{ByName, Discovery};
use crate::entry_point::{EntryPoint, EntryPointError};
use crate::error::{Error, Kind};
use crate::field::{ShortString, TooLongError, Value};
use crate::id::{IdScope, IdSource, Purpose, RandomIds};
use crate::json::Object;
use crate::link::{Carried, Health, Link, Stop};
use crate::message::{Context, Headers, ReservedHeaderError};
use crate::middleware::{self, Outgoing};
use crate::outbound::{Emits, Outbound, Repair};
use crate::proxy::{Identity, Route, Sender};
use crate::task::OwnTask;
use crate::time::{Clock, SystemClock};
use crate::transport::{Backoff, Transport, check_name};

/// Builds a [`Client`]. [`build`](ClientBuilder::build) returns configuration errors.
#[must_use = "nothing happens before `build`"]
pub struct ClientBuilder {
    transport: Arc<dyn Transport>,
    source: EntryPoint,
    discovery: Option<Arc<dyn Discovery>>,
    outgoing: Vec<Arc<dyn Outgoing>>,
    /// The events that it declares to publish. They are topics once the source is known.
    events: Vec<String>,
    context: Object,
    headers: Headers,
    reply_exchange: Option<ShortString>,
    direct_replies: bool,
    backoff: Option<Backoff>,
    retry_refused_start: bool,
    patience: Duration,
    ids: Option<Arc<dyn IdSource>>,
    clock: Option<Arc<dyn Clock>>,
    flaw: Option<Error>,
}

impl ClientBuilder {
    pub(super) fn new(transport: Arc<dyn Transport>) -> Self {
        Self {
            transport,
            source: EntryPoint::NONE,
            discovery: None,
            outgoing: Vec::new(),
            events: Vec::new(),
            context: Object::EMPTY,
            headers: Headers::new(),
            reply_exchange: None,
            direct_replies: false,
            backoff: None,
            retry_refused_start: false,
            patience: Duration::from_secs(10),
            ids: None,
            clock: None,
            flaw: None,
        }
    }

    fn keep<T>(&mut self, result: Result<T, impl Into<Error>>) -> Option<T> {
        result.map_err(|error| self.flaw.get_or_insert(error.into())).ok()
    }

    /// Sets the source of what it sends: its own name, such as `client_app`, or an entry point. Required.
    pub fn source(mut self, source: impl TryInto<EntryPoint, Error = impl Into<EntryPointError>>) -> Self {
        self.source = self.keep(source.try_into().map_err(Into::into)).unwrap_or_default();
        self
    }

    /// Sets how to find services and publishers. The default is [by name](ByName).
    pub fn discovery(mut self, discovery: impl Discovery) -> Self {
        self.discovery = Some(Arc::new(discovery));
        self
    }

    /// Declares that the client publishes an event of a [contract](crate::contract): the build fails if the discovery does not know where
    /// the publisher sends its notifications. See [`Service::emits`](crate::Service::emits).
    pub fn emits<E: Event>(self) -> Self {
        self.publishes(E::TOPIC)
    }

    /// As [`emits`](ClientBuilder::emits), for an event without a type. See [`Service::publishes`](crate::Service::publishes).
    pub fn publishes(mut self, event: &str) -> Self {
        self.events.push(event.to_owned());
        self
    }

    /// Adds middleware for outgoing messages; the middleware says [which kinds](Outgoing::sees) it sees.
    pub fn outgoing(mut self, middleware: impl Outgoing) -> Self {
        self.outgoing.push(Arc::new(middleware));
        self
    }

    /// Sets the initial context of each send: a value that serialises to an object. The default is empty.
    pub fn context(mut self, context: &(impl Serialize + ?Sized)) -> Self {
        let context = Object::from_serialize(context)
            .map_err(|error| Error::new(Kind::WrongParameters, format!("the client's context: {error}")));
        self.context = self.keep(context).unwrap_or_default();
        self
    }

    /// Adds a custom header to all messages that it sends.
    pub fn header(
        mut self,
        name: impl TryInto<ShortString, Error = impl Into<ReservedHeaderError>>,
        value: impl Into<Value>,
    ) -> Self {
        let inserted = self.headers.insert(name, value);
        self.keep(inserted);
        self
    }

    /// Sets the client's own exchange (topic, durable), which it declares, and through which services of the Python original answer its
    /// asks: they must know it as the exchange of the client's source. Services of this library do not need it.
    pub fn reply_exchange(
        mut self,
        exchange: impl TryInto<ShortString, Error = impl Into<TooLongError>>,
    ) -> Self {
        self.reply_exchange = self.keep(exchange.try_into().map_err(Into::into));
        self
    }

    /// Receives answers to asks through RabbitMQ's direct reply-to instead of a private reply queue: this declares nothing, which suits a
    /// client that asks rarely and ends soon. (With many concurrent asks a queue is faster.)
    ///
    /// Services of this library answer either way; those of the Python original answer only through a [reply
    /// exchange](ClientBuilder::reply_exchange), and a client cannot have both. A service cannot tell whether the client still waits: its
    /// counters do not count a late answer.
    pub fn direct_replies(mut self) -> Self {
        self.direct_replies = true;
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
    /// permission, a queue that exists with other properties) before the first session ends the client with an error. After the first session
    /// it is retried in any case.
    pub fn retry_refused_start(mut self) -> Self {
        self.retry_refused_start = true;
        self
    }

    /// Sets how long a send waits for a session, and how long [`build`](ClientBuilder::build) waits for the first one. The default is 10 s.
    pub fn patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// Sets the source of ids. The default is random uuids.
    pub fn ids(mut self, ids: impl IdSource) -> Self {
        self.ids = Some(Arc::new(ids));
        self
    }

    /// The clock that says until when an ask waits, for the service that is asked: the system's by default.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Some(Arc::new(clock));
        self
    }

    /// Connects and returns the client.
    ///
    /// # Errors
    ///
    /// A configuration error, such as a declared event whose publisher the discovery does not know; no session within the
    /// [patience](ClientBuilder::patience) or the limit of attempts.
    ///
    /// # Panics
    ///
    /// Panics outside a tokio runtime with its clock enabled.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future abandons the client.
    pub async fn build(mut self) -> Result<Client, Error> {
        if let Some(flaw) = self.flaw.take() {
            return Err(flaw);
        }
        if self.source.is_none() {
            return Err(Error::new(
                Kind::FieldMustFullyDefined,
                "a client needs a source: `.source(\"client_app\")`",
            ));
        }
        if self.direct_replies && self.reply_exchange.is_some() {
            return Err(Error::new(
                Kind::Build,
                "a client has direct replies or a reply exchange: no answer comes through an exchange without a queue",
            ));
        }
        self.discovery.as_ref().map_or(Ok(()), Discovery::check)?;
        self.reply_exchange.as_deref().map_or(Ok(()), |name| check_name("reply exchange", name))?;
        let emits = self.declared()?;
        let client = self.start(emits);
        match client.0.link.current_session().wait(client.0.sender.patience()).await {
            Ok(_) => Ok(client),
            Err(error) => Err(match client.health() {
                Health::Reconnecting { why, .. } | Health::Failed { why } => {
                    Error::new(Kind::Transport, format!("the client is not connected: {why}"))
                        .caused_by(error)
                }
                _ => error,
            }),
        }
    }

    /// Returns the events that it declares, whose exchanges are known.
    fn declared(&self) -> Result<Emits, Error> {
        let mut emits = Emits::default();
        self.events.iter().try_for_each(|event| emits.add(&self.source, event))?;
        if let Some(discovery) = &self.discovery {
            emits.exchanges(&format!("client '{}'", self.source), discovery)?;
        }
        Ok(emits)
    }

    fn start(self, emits: Emits) -> Client {
        let stop = Stop::default();
        let tally = Arc::new(Tally::default());
        let ids = self.ids.unwrap_or_else(|| Arc::new(RandomIds));
        let root = IdScope::new(ids, self.source.as_str().into());
        let instance = root.next(Purpose::Instance);
        let backoff = self.backoff.unwrap_or_else(|| self.transport.backoff());
        let backoff = if self.retry_refused_start { backoff.retrying_refusals() } else { backoff };
        let link = Arc::new(Link::new(self.transport, backoff, seed_of(&instance), tally.clone()));
        let outbound = Outbound {
            discovery: self.discovery.unwrap_or_else(|| Arc::new(ByName)),
            emits,
            outgoing: middleware::shared(self.outgoing),
            clock: self.clock.unwrap_or_else(|| Arc::new(SystemClock)),
            tally: tally.clone(),
            repair: Arc::new(Repair::new(tally.clone())),
            seal: None,
        };
        let identity = Identity {
            source: self.source,
            correlation_id: None,
            context: Context::from(self.context),
            headers: self.headers,
        };
        let asks = Arc::new(match self.direct_replies {
            true => Asks::direct(instance.clone(), tally.clone()),
            false => Asks::new(instance.clone(), self.reply_exchange.clone(), tally.clone()),
        });
        let route = Route::Current { link: link.clone(), patience: self.patience };
        let sender = Sender::new(identity, route, Arc::new(outbound), asks, root.child(instance));
        let mut idle = Idle { reply_exchange: self.reply_exchange, stop: stop.clone() };
        // Boxed: a task is moved several times before it runs, and this one is not small.
        let task = tokio::spawn({
            let (link, stop, own) = (Carried(link.clone()), stop.clone(), OwnTask::begin());
            Box::pin(async move {
                let _own = own;
                link.run(&mut idle, &stop).await
            })
        });
        Client(Arc::new(Inner { sender, link, tally, stop, task: Mutex::new(Some(task)) }))
    }
}

/// Derives a seed for the jitter of reconnects from an id: the only randomness is the id source's.
pub(crate) fn seed_of(id: &str) -> u64 {
    id.bytes()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3))
}
