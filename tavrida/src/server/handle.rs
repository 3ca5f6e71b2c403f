//! [`ServerHandle`]: observes and stops a server.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::counters::Counters;
use crate::error::{Error, Kind};
use crate::inbound::Inbound;
use crate::link::{Health, Link, Stop};
use crate::transport::Broker;

/// Observes a server, and stops it. Clones are the same handle.
#[derive(Clone)]
pub struct ServerHandle {
    pub(super) link: Arc<Link>,
    pub(super) inbound: Arc<Inbound>,
    pub(super) stop: Stop,
}

impl ServerHandle {
    /// Returns whether the server works.
    pub fn health(&self) -> Health {
        match self.link.health() {
            Health::Ready => match self.inbound.degraded() {
                Some(why) => Health::Degraded { why },
                None => Health::Ready,
            },
            Health::Reconnecting { since, attempts, why } => {
                let idle = self.inbound.copies.given_up.why_idle();
                let why = idle.map_or(why.clone(), |idle| format!("{idle}; {why}"));
                Health::Reconnecting { since, attempts, why }
            }
            health => health,
        }
    }

    /// Returns the product and version of the broker, while there is a session and if the broker reported them.
    pub fn broker(&self) -> Option<Broker> {
        self.link.broker()
    }

    /// Waits up to `within` for the server to start consuming.
    ///
    /// # Errors
    ///
    /// It does not start within that time, or it has ended; the error has the reason of the last failed attempt.
    ///
    /// # Cancel safety
    ///
    /// Safe.
    pub async fn ready(&self, within: Duration) -> Result<(), Error> {
        let Err(error) = self.link.current_session().wait(within).await else { return Ok(()) };
        Err(match self.health() {
            Health::Reconnecting { why, .. } | Health::Failed { why } => {
                let kind = if error.is_timeout() { Kind::Timeout } else { Kind::Closed };
                Error::new(kind, format!("the server does not consume: {why}")).caused_by(error)
            }
            _ => error,
        })
    }

    /// Waits until the server consumes, or has ended.
    pub(super) async fn until_ready(&self) {
        // An error means that the server has ended; the caller learns that from the task.
        if self.link.current_session().wait(Duration::MAX).await.is_err() {
            std::future::pending::<()>().await;
        }
    }

    /// Returns the server's counters.
    pub fn counters(&self) -> Counters {
        self.inbound.tally.snapshot()
    }

    /// Asks the server to stop consuming, drain and close, as a signal does.
    pub fn stop(&self) {
        self.stop.trigger();
    }

    /// Stops the server without waiting for its handlers: they are dropped, and their messages are requeued. Ends the drain of a
    /// server that is stopping, as a second signal does.
    pub fn stop_now(&self) {
        self.stop.trigger_at_once();
    }

    /// Requeues up to `at_most` dead letters to the server's queue as new messages, oldest first. Returns the count.
    ///
    /// # Errors
    ///
    /// The server has no session now, or the broker refused.
    ///
    /// # Cancel safety
    ///
    /// A dead letter is acknowledged only after its copy is confirmed: dropping the future may duplicate one message, but loses none.
    pub async fn requeue_dead_letters(&self, at_most: usize) -> Result<usize, Error> {
        let Some(epoch) = self.link.current_session().now() else {
            return Err(Error::new(Kind::Closed, "the server has no session at the moment"));
        };
        self.inbound
            .copies
            .send_back(at_most, &*epoch.session)
            .await
            .map_err(|error| Error::new(Kind::Transport, "dead letters cannot be sent back").caused_by(error))
    }
}

impl fmt::Debug for ServerHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerHandle")
            .field("health", &self.health())
            .field("broker", &self.broker())
            .finish_non_exhaustive()
    }
}
