//! [`ClientBuilder`].

use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use tokio::sync::Mutex;

use super::{Client, Idle, Inner};
use crate::asks::Asks;
use crate::counters::Tally;
use crate::discovery::{Discovery, Registry};
use crate::entry_point::{EntryPoint, EntryPointError};
use crate::error::{Error, Kind};
use crate::field::{ShortString, TooLongError, Value};
use crate::id::{IdScope, IdSource, Purpose, RandomIds};
use crate::json::Object;
use crate::link::{Health, Link, Stop};
use crate::message::{Context, Headers, ReservedHeaderError};
use crate::middleware::{self, Outgoing};
use crate::outbound::{Neighbours, Outbound};
use crate::proxy::{Identity, Route, Sender};
use crate::transport::{Backoff, Transport};

/// Builds a [`Client`]. Flaws are kept and told by [`build`](ClientBuilder::build).
#[must_use = "nothing happens before `build`"]
pub struct ClientBuilder {
    transport: Arc<dyn Transport>,
    source: EntryPoint,
    discovery: Option<Arc<dyn Discovery>>,
    outgoing: Vec<Arc<dyn Outgoing>>,
    context: Object,
    headers: Headers,
    reply_exchange: Option<ShortString>,
    direct_replies: bool,
    backoff: Option<Backoff>,
    patience: Duration,
    ids: Option<Arc<dyn IdSource>>,
    flaw: Option<Error>,
}

impl ClientBuilder {
    pub(super) fn new(transport: Arc<dyn Transport>) -> Self {
        Self {
            transport,
            source: EntryPoint::NONE,
            discovery: None,
            outgoing: Vec::new(),
            context: Object::EMPTY,
            headers: Headers::new(),
            reply_exchange: None,
            direct_replies: false,
            backoff: None,
            patience: Duration::from_secs(10),
            ids: None,
            flaw: None,
        }
    }

    fn keep<T>(&mut self, result: Result<T, impl Into<Error>>) -> Option<T> {
        result.map_err(|error| self.flaw.get_or_insert(error.into())).ok()
    }

    /// In whose name it sends: a name of its own, such as `client_app`, or an entry point. Required.
    pub fn source(mut self, source: impl TryInto<EntryPoint, Error = impl Into<EntryPointError>>) -> Self {
        self.source = self.keep(source.try_into().map_err(Into::into)).unwrap_or_default();
        self
    }

    /// Where services and publishers are found. None are known without it.
    pub fn discovery(mut self, discovery: impl Discovery) -> Self {
        self.discovery = Some(Arc::new(discovery));
        self
    }

    /// Middleware for what is sent; it says itself [which kinds](Outgoing::sees) it wants to see.
    pub fn outgoing(mut self, middleware: impl Outgoing) -> Self {
        self.outgoing.push(Arc::new(middleware));
        self
    }

    /// The context that each send begins with: a value that serialises to an object. Empty by default.
    pub fn context(mut self, context: &(impl Serialize + ?Sized)) -> Self {
        let context = Object::from_serialize(context)
            .map_err(|error| Error::new(Kind::WrongParameters, format!("the client's context: {error}")));
        self.context = self.keep(context).unwrap_or_default();
        self
    }

    /// A custom header of everything that is sent.
    pub fn header(
        mut self,
        name: impl TryInto<ShortString, Error = impl Into<ReservedHeaderError>>,
        value: impl Into<Value>,
    ) -> Self {
        let inserted = self.headers.insert(name, value);
        self.keep(inserted);
        self
    }

    /// An exchange of the client's own, declared by it (topic, durable), through which services of the Python original answer
    /// its asks: they must know it as the exchange of the client's source. Services of this library need none.
    pub fn reply_exchange(
        mut self,
        exchange: impl TryInto<ShortString, Error = impl Into<TooLongError>>,
    ) -> Self {
        self.reply_exchange = self.keep(exchange.try_into().map_err(Into::into));
        self
    }

    /// Answers to asks come by RabbitMQ's direct reply-to instead of through a reply queue of the client's own: nothing is
    /// declared for them, which suits a client that asks little and ends soon. (With many asks at once a queue is the faster way.)
    ///
    /// Services of this library answer either way; those of the Python original answer through a
    /// [reply exchange](ClientBuilder::reply_exchange) alone, and a client cannot have both. A service cannot tell whether
    /// the asker is still there: a late answer is not counted on its side.
    pub fn direct_replies(mut self) -> Self {
        self.direct_replies = true;
        self
    }

    /// The delays between attempts to connect, and their limit: those of the [transport](Transport::backoff) by default.
    pub fn reconnect(mut self, backoff: Backoff) -> Self {
        self.backoff = Some(backoff);
        self
    }

    /// How long a send waits for a session where there is none at the moment; also how long
    /// [`build`](ClientBuilder::build) waits for the first. The default is 10 s.
    pub fn patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// Where ids come from: random uuids by default.
    pub fn ids(mut self, ids: impl IdSource) -> Self {
        self.ids = Some(Arc::new(ids));
        self
    }

    /// Connects and gives the client.
    ///
    /// # Errors
    ///
    /// A flaw of what was given; no session within the [patience](ClientBuilder::patience) or the limit of attempts.
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime with its clock.
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
        let client = self.start();
        match client.0.link.line().wait(client.0.sender.patience()).await {
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

    fn start(self) -> Client {
        let stop = Stop::default();
        let tally = Arc::new(Tally::default());
        let ids = self.ids.unwrap_or_else(|| Arc::new(RandomIds));
        let root = IdScope::new(ids, self.source.as_str().into());
        let instance = root.next(Purpose::Instance);
        let backoff = self.backoff.unwrap_or_else(|| self.transport.backoff());
        let link = Arc::new(Link::new(self.transport, backoff, seed_of(&instance), tally.clone()));
        let outbound = Outbound {
            discovery: self.discovery.unwrap_or_else(|| Arc::new(Registry::new())),
            outgoing: middleware::shared(self.outgoing),
            neighbours: Arc::new(Neighbours::default()),
            tally: tally.clone(),
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
        let route = Route::Line { link: link.clone(), patience: self.patience };
        let sender = Sender::new(identity, route, Arc::new(outbound), asks, root.child(instance));
        let mut idle = Idle { reply_exchange: self.reply_exchange, stop: stop.clone() };
        // Boxed: a task is moved several times before it runs, and this one is not small.
        let task = tokio::spawn({
            let (link, stop) = (link.clone(), stop.clone());
            Box::pin(async move { link.run(&mut idle, &stop).await })
        });
        Client(Arc::new(Inner { sender, link, tally, stop, task: Mutex::new(Some(task)) }))
    }
}

/// A seed for the jitter of reconnects, of an id: no randomness but that of the id source.
pub(crate) fn seed_of(id: &str) -> u64 {
    id.bytes()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3))
}
