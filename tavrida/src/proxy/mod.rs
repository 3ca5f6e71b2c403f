//! Calls other services: [`Proxy`] inside a handler (a [`Client`](crate::Client) does the same outside).
//!
//! ```no_run
//! # use tavrida::Proxy;
//! # async fn handler(proxy: Proxy) -> Result<(), tavrida::message::Failure> {
//! proxy.to("test_world.world").param("param", 12345).call().await?;           // a handler gets the answer
//! proxy.to("audit.note").param("text", "seen").cast().await?;                  // no answer
//! let sum = proxy.to("calc.sum").param("a", 1).param("b", 2).ask().await?;     // returns the answer
//! proxy.publish().param("sum", sum.payload().get::<i64>("sum")?).send().await?; // to all subscribers
//! # Ok(())
//! # }
//! ```
//!
//! With the types of a [`contract`](crate::contract) no strings are needed:
//!
//! ```no_run
//! # use serde::{Deserialize, Serialize};
//! # use tavrida::{Proxy, contract::{Event, NoError, Rpc}};
//! # #[derive(Serialize, Deserialize)] struct Sum { a: i64, b: i64 }
//! # #[derive(Serialize, Deserialize)] struct Total { sum: i64 }
//! # impl Rpc for Sum { const ENTRY_POINT: &'static str = "calc.sum"; type Reply = Total; type Error = NoError; }
//! # #[derive(Serialize, Deserialize)] struct Summed { sum: i64 }
//! # impl Event for Summed { const TOPIC: &'static str = "orders.summed"; }
//! # async fn handler(proxy: Proxy) -> Result<(), tavrida::message::Failure> {
//! proxy.call(Sum { a: 1, b: 2 }).await?;
//! let total: Total = proxy.ask(Sum { a: 1, b: 2 }).await?;
//! proxy.request(Sum { a: 1, b: 2 }).header("x-trace", "abc").cast().await?; // more options of a request
//! proxy.emit(Summed { sum: total.sum }).await?;
//! # Ok(())
//! # }
//! ```
//!
//! What a handler sends has the chain's correlation id, its current context, and its custom headers.

mod ask;
mod responder_state;
mod draft;
mod later;
mod notification;
mod responder;
mod request;
mod sender;
mod typed;

use std::fmt;
use std::future::Future;

pub use ask::{Ask, AskError};
pub(crate) use later::owed;
pub use notification::NotificationBuilder;
pub use request::{RequestBuilder, Untyped};
pub use responder::{Answered, CallWithError, Responder};
pub(crate) use responder_state::{ResponderState, unanswered};
pub(crate) use sender::{Identity, Route, Sender};
pub(crate) use typed::recognised;
pub use typed::{Answer, RpcError};

use crate::contract::{Event, Rpc};
use crate::entry_point::{EntryPoint, EntryPointError};
use crate::field::{ShortString, Value};
use crate::message::{Context, CorrelationId, ReservedHeaderError};
use crate::outbound::{SendError, Sent};

/// Sends in the name of a handler. Clones are the same proxy.
#[derive(Clone)]
pub struct Proxy(Sender);

impl Proxy {
    pub(crate) fn new(sender: Sender) -> Self {
        Self(sender)
    }

    /// Returns the answer that the handler owes, if it took its responder.
    pub(crate) fn responder_state(&self) -> &ResponderState {
        self.0.responder_state()
    }

    /// Starts a request to an entry point (`"service.method"`, or an [`EntryPoint`]). If the text is not an entry point, the send returns
    /// an error.
    pub fn to(
        &self,
        destination: impl TryInto<EntryPoint, Error = impl Into<EntryPointError>>,
    ) -> RequestBuilder {
        RequestBuilder::new(self.0.clone(), destination.try_into().map_err(Into::into))
    }

    /// Starts a notification. Its topic is the handler's own entry point, unless an [event](NotificationBuilder::event) is set.
    pub fn publish(&self) -> NotificationBuilder {
        NotificationBuilder::new(self.0.clone())
    }

    /// Starts a request of a [contract](crate::contract), with its parameters.
    pub fn request<C: Rpc>(&self, request: C) -> RequestBuilder<C> {
        RequestBuilder::of(self.0.clone(), &request)
    }

    /// Calls a method of a [contract](crate::contract): the answer goes to the response or error handler of this service. The same as
    /// [`request`](Proxy::request) and [`call`](RequestBuilder::call).
    ///
    /// # Errors
    ///
    /// As [`RequestBuilder::call`].
    ///
    /// # Cancel safety
    ///
    /// As [`RequestBuilder::call`].
    pub fn call<C: Rpc>(&self, request: C) -> impl Future<Output = Result<Sent, SendError>> + Send + use<C> {
        self.request(request).call()
    }

    /// Casts to a method of a [contract](crate::contract), without an answer. The same as [`request`](Proxy::request) and
    /// [`cast`](RequestBuilder::cast).
    ///
    /// # Errors
    ///
    /// As [`RequestBuilder::call`].
    ///
    /// # Cancel safety
    ///
    /// As [`RequestBuilder::call`].
    pub fn cast<C: Rpc>(&self, request: C) -> impl Future<Output = Result<Sent, SendError>> + Send + use<C> {
        self.request(request).cast()
    }

    /// Asks a method of a [contract](crate::contract): awaiting it returns the reply or the error. The same as [`request`](Proxy::request)
    /// and [`ask`](RequestBuilder::ask).
    pub fn ask<C: Rpc>(&self, request: C) -> Ask<C> {
        self.request(request).ask()
    }

    /// Starts a notification of a [contract](crate::contract), with its parameters.
    pub fn event<E: Event>(&self, event: E) -> NotificationBuilder {
        NotificationBuilder::of(self.0.clone(), &event)
    }

    /// Publishes a notification of a [contract](crate::contract). The same as [`event`](Proxy::event) and
    /// [`send`](NotificationBuilder::send).
    ///
    /// # Errors
    ///
    /// As [`NotificationBuilder::send`].
    ///
    /// # Cancel safety
    ///
    /// As [`NotificationBuilder::send`].
    pub fn emit<E: Event>(&self, event: E) -> impl Future<Output = Result<Sent, SendError>> + Send + use<E> {
        self.event(event).send()
    }

    /// Adds a custom header to all later sends, over those of the handled message.
    ///
    /// # Errors
    ///
    /// [`ReservedHeaderError`] for a name that belongs to the wire format, and for types that a Python peer cannot take.
    pub fn add_header(
        &self,
        name: impl TryInto<ShortString, Error = impl Into<ReservedHeaderError>>,
        value: impl Into<Value>,
    ) -> Result<(), ReservedHeaderError> {
        self.0.headers().insert(name, value)
    }

    /// Adds many custom headers, as [`add_header`](Proxy::add_header) does; after an error those before it are added.
    ///
    /// # Errors
    ///
    /// As [`add_header`](Proxy::add_header).
    pub fn add_headers<N, V>(
        &self,
        headers: impl IntoIterator<Item = (N, V)>,
    ) -> Result<(), ReservedHeaderError>
    where
        N: TryInto<ShortString, Error: Into<ReservedHeaderError>>,
        V: Into<Value>,
    {
        headers.into_iter().try_for_each(|(name, value)| self.add_header(name, value))
    }

    /// Returns the correlation id of the chain. `None` outside a chain.
    pub fn correlation_id(&self) -> Option<&CorrelationId> {
        self.0.correlation_id()
    }

    /// Returns the context that is sent with everything.
    pub fn context(&self) -> &Context {
        self.0.context()
    }

    /// Returns the sender's name.
    pub fn source(&self) -> &EntryPoint {
        self.0.source()
    }
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Proxy").field("source", self.source()).finish_non_exhaustive()
    }
}
