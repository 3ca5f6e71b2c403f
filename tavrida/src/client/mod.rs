//! [`Client`]: calls services from a program that is not a service.
//!
//! ```no_run
//! # use std::time::Duration;
//! # use tavrida::{prelude::*, transport::Transport};
//! # async fn example(transport: impl Transport) -> Result<()> {
//! let registry = Registry::new().remote_service("test_hello", "test_exchange");
//! let client = Client::builder(transport).source("client_app").discovery(registry).build().await?;
//!
//! client.to("test_hello.hello").param("param", 123).correlation_id("123-456").cast().await?;
//! let answer = client.to("test_hello.sum").param("a", 1).param("b", 2).ask().timeout(Duration::from_secs(2)).await?;
//! client.close().await;
//! # Ok(())
//! # }
//! ```

mod builder;

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use tokio::sync::Mutex;
use tokio::task::JoinHandle;

pub use builder::ClientBuilder;
pub(crate) use builder::seed_of;

use crate::contract::{Event, Rpc};
use crate::counters::{Counters, Tally};
use crate::entry_point::{EntryPoint, EntryPointError};
use crate::error::Error;
use crate::field::ShortString;
use crate::link::{Ended, Epoch, Health, Link, Stop, Work};
use crate::outbound::{SendError, Sent};
use crate::proxy::{Ask, NotificationBuilder, RequestBuilder, Sender};
use crate::transport::{Broker, Exchange, ExchangeKind, Session, SessionError, Transport};

/// Sends requests and events, and asks services, from a program that is not a service. Clones are the same client.
///
/// It keeps its session alive: after a loss it reconnects with growing delays. Meanwhile, sends wait for a session up to the
/// [patience](ClientBuilder::patience). Dropping the last clone ends the client; [`close`](Client::close) also waits for the end.
///
/// Its task lives in the runtime that it was built in. When that runtime is shut down the client is
/// [`Stopped`](Health::Stopped), and its sends end as closed, in whatever runtime they are awaited: each test that has a runtime of its
/// own needs a client of its own, too.
#[derive(Clone)]
pub struct Client(Arc<Inner>);

struct Inner {
    sender: Sender,
    link: Arc<Link>,
    tally: Arc<Tally>,
    stop: Stop,
    task: Mutex<Option<JoinHandle<Result<(), Error>>>>,
}

impl Client {
    /// Returns a builder for a client over a transport.
    pub fn builder(transport: impl Transport) -> ClientBuilder {
        ClientBuilder::new(Arc::new(transport))
    }

    /// Starts a request to an entry point (`"service.method"`, or an [`EntryPoint`]). If the text is not an entry point, the send returns
    /// an error.
    pub fn to(
        &self,
        destination: impl TryInto<EntryPoint, Error = impl Into<EntryPointError>>,
    ) -> RequestBuilder {
        RequestBuilder::new(self.0.sender.clone(), destination.try_into().map_err(Into::into))
    }

    /// Starts a notification in the client's name.
    pub fn publish(&self) -> NotificationBuilder {
        NotificationBuilder::new(self.0.sender.clone())
    }

    /// Starts a request of a [contract](crate::contract), with its parameters.
    pub fn request<C: Rpc>(&self, request: C) -> RequestBuilder<C> {
        RequestBuilder::of(self.0.sender.clone(), &request)
    }

    /// Casts to a method of a [contract](crate::contract), without an answer. The same as [`request`](Client::request) and
    /// [`cast`](RequestBuilder::cast).
    ///
    /// # Errors
    ///
    /// As [`RequestBuilder::cast`].
    ///
    /// # Cancel safety
    ///
    /// As [`RequestBuilder::cast`].
    pub fn cast<C: Rpc>(&self, request: C) -> impl Future<Output = Result<Sent, SendError>> + Send + use<C> {
        self.request(request).cast()
    }

    /// Asks a method of a [contract](crate::contract) for its reply or error. The same as [`request`](Client::request)
    /// and [`ask`](RequestBuilder::ask).
    pub fn ask<C: Rpc>(&self, request: C) -> Ask<C> {
        self.request(request).ask()
    }

    /// Starts a notification of a [contract](crate::contract), with its parameters.
    pub fn event<E: Event>(&self, event: E) -> NotificationBuilder {
        NotificationBuilder::of(self.0.sender.clone(), &event)
    }

    /// Publishes a notification of a [contract](crate::contract). The same as [`event`](Client::event) and
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

    /// Returns whether the client can send.
    pub fn health(&self) -> Health {
        self.0.link.health()
    }

    /// Returns the product and version of the broker, while there is a session and if the broker reported them.
    pub fn broker(&self) -> Option<Broker> {
        self.0.link.broker()
    }

    /// Returns the client's counters.
    pub fn counters(&self) -> Counters {
        self.0.tally.snapshot()
    }

    /// Ends the client: closes its session, and fails waiting asks.
    ///
    /// # Cancel safety
    ///
    /// Once polled, the client ends, even if the future is dropped.
    pub async fn close(&self) {
        self.0.stop.trigger();
        if let Some(task) = self.0.task.lock().await.take() {
            // The health reported how it ended; the caller asked for the end.
            let _ = task.await;
        }
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.stop.trigger();
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("source", self.0.sender.source())
            .field("health", &self.health())
            .finish()
    }
}

/// The client's work on its session: waits until it ends.
struct Idle {
    /// The exchange for answers of the original's services.
    reply_exchange: Option<ShortString>,
    stop: Stop,
}

#[async_trait]
impl Work for Idle {
    async fn prepare(&mut self, session: &Arc<dyn Session>) -> Result<(), SessionError> {
        match &self.reply_exchange {
            Some(name) => {
                session.admin().declare_exchange(&Exchange::durable(name, ExchangeKind::Topic)).await
            }
            None => Ok(()),
        }
    }

    async fn serve(&mut self, epoch: &Epoch) -> Ended {
        tokio::select! {
            biased;
            () = self.stop.triggered() => Ended::Stopped,
            loss = epoch.session.closed() => Ended::Lost(loss),
        }
    }
}
