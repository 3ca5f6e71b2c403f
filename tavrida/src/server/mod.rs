//! [`Server`]: services on a queue of a broker.
//!
//! ```no_run
//! # use std::time::Duration;
//! # use tavrida::prelude::*;
//! # async fn example(transport: impl tavrida::transport::Transport, hello: Service) -> Result<(), tavrida::Error> {
//! let server = Server::builder(transport)
//!     .queue("test_service")
//!     .exchange("test_exchange")
//!     .service(hello)
//!     .on_failure(Retry::times(5).between(Duration::from_millis(200), Duration::from_secs(30)).then_dead_letter())
//!     .build()?;
//! println!("{}", server.plan());
//! server.run().await // until SIGTERM or ctrl-c; then it stops consuming, drains and closes
//! # }
//! ```

mod builder;
mod handle;
mod plan;
mod running;
#[cfg(feature = "signal")]
mod signal;
mod worker;

use std::fmt;
use std::future::Future;
use std::sync::Arc;

pub use builder::ServerBuilder;
pub use handle::ServerHandle;
pub use plan::{DeclareMode, Plan};
pub use running::RunningServer;

use crate::error::Error;
use crate::inbound::Inbound;
pub use crate::inbound::QueueType;
use crate::link::{Carried, Stop};
use crate::transport::Transport;
use worker::Worker;

/// Services that are ready to be served.
#[must_use = "a server works when it is run or served"]
pub struct Server {
    /// First, so that it says that it is stopped before its handlers are dropped.
    link: Carried,
    inbound: Arc<Inbound>,
    plan: Arc<Plan>,
    /// Boxed: a server is moved several times before it runs.
    worker: Box<Worker>,
    stop: Stop,
}

impl Server {
    /// Returns a builder for a server over a transport.
    pub fn builder(transport: impl Transport) -> ServerBuilder {
        ServerBuilder::new(Arc::new(transport))
    }

    /// Returns what the server declares, or checks, at the start of each session.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Returns the exchange through which others send requests and replies to its services.
    pub fn exchange(&self) -> &str {
        self.inbound.server_asks.exchange()
    }

    /// Returns a handle that observes and stops the server while it runs.
    pub fn handle(&self) -> ServerHandle {
        ServerHandle { link: Arc::clone(&self.link), inbound: self.inbound.clone(), stop: self.stop.clone() }
    }

    /// Starts the server in the background, and returns once it consumes.
    ///
    /// ```
    /// # use tavrida::prelude::*;
    /// # use tavrida_memory::MemoryBroker;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<()> {
    /// let broker = MemoryBroker::new().transport();
    /// let work = Service::new("work").rpc("ping", async || {});
    /// let server = Server::builder(broker).service(work).start().await?;
    /// assert_eq!(server.health(), tavrida::Health::Ready);
    /// server.shutdown().await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// The broker refuses what waiting does not change: a wrong password, an unknown virtual host, a missing permission, a queue that exists
    /// with other properties (unless [`retry_refused_start`](ServerBuilder::retry_refused_start) says to try on).
    /// There is no session, and the attempts are used up (by default there is no limit: the server continues to try, and warns with the
    /// reason, at first and at growing intervals).
    /// The handle stopped the server before it consumed.
    ///
    /// # Panics
    ///
    /// Panics outside a tokio runtime with time enabled.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future shuts the server down in the background. To limit the wait, wrap it in a timeout.
    pub async fn start(self) -> Result<RunningServer, Error> {
        RunningServer::start(self).await
    }

    /// Serves until SIGTERM or ctrl-c (or [`ServerHandle::stop`]), then stops consuming, drains and closes. A second signal ends the
    /// drain, as [`ServerHandle::stop_now`] does.
    ///
    /// # Errors
    ///
    /// As for [`start`](Server::start); or signal handlers cannot be installed.
    ///
    /// # Panics
    ///
    /// Panics outside a tokio runtime with I/O and time enabled.
    #[cfg(feature = "signal")]
    pub async fn run(self) -> Result<(), Error> {
        let mut signals = signal::Signals::listen()?;
        let stop = self.stop.clone();
        let stopping = async move {
            signals.next().await;
            tracing::info!("stopping after a signal; another one ends the drain");
            stop.trigger();
            signals.next().await;
            tracing::warn!("a second signal ends the drain");
            stop.trigger_at_once();
            std::future::pending().await
        };
        tokio::select! {
            biased;
            result = self.serve(std::future::pending()) => result,
            () = stopping => unreachable!("it only watches"),
        }
    }

    /// Serves until `shutdown` completes (or [`ServerHandle::stop`]), then stops consuming, drains and closes.
    ///
    /// Draining takes at most the [shutdown timeout](ServerBuilder::shutdown_timeout): handlers still running then are dropped, and their
    /// messages are requeued.
    ///
    /// # Errors
    ///
    /// As for [`start`](Server::start), except that it may stop before it consumes.
    ///
    /// # Panics
    ///
    /// Panics outside a tokio runtime with time enabled.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future is a hard stop: handlers are dropped and their messages go back to the queue. Nothing is lost;
    /// what was being handled is handled again. [`Health`](crate::Health) is [`Stopped`](crate::Health::Stopped) at once.
    pub async fn serve(mut self, shutdown: impl Future<Output = ()> + Send) -> Result<(), Error> {
        let stop = self.stop.clone();
        let serving = self.link.run(&mut *self.worker, &stop);
        tokio::pin!(serving);
        tokio::select! {
            biased;
            result = &mut serving => return result,
            () = shutdown => self.stop.trigger(),
        }
        serving.await
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server")
            .field("plan", &self.plan)
            .field("health", &self.link.health())
            .finish_non_exhaustive()
    }
}
