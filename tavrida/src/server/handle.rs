//! [`ServerHandle`]: a server seen from outside.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::counters::Counters;
use crate::error::{Error, Kind};
use crate::inbound::Desk;
use crate::link::{Health, Link, Stop};

/// Looks at a server, and stops it. A clone is the same handle.
#[derive(Clone)]
pub struct ServerHandle {
    pub(super) link: Arc<Link>,
    pub(super) desk: Arc<Desk>,
    pub(super) stop: Stop,
}

impl ServerHandle {
    /// Whether the server works.
    pub fn health(&self) -> Health {
        self.link.health()
    }

    /// Waits until the server consumes, at most so long.
    ///
    /// # Errors
    ///
    /// It does not within that time, or it is over; with the reason of the last attempt that failed.
    ///
    /// # Cancel safety
    ///
    /// Safe.
    pub async fn ready(&self, within: Duration) -> Result<(), Error> {
        let Err(error) = self.link.line().wait(within).await else { return Ok(()) };
        Err(match self.health() {
            Health::Reconnecting { why, .. } | Health::Failed { why } => {
                let kind = if error.is_timeout() { Kind::Timeout } else { Kind::Closed };
                Error::new(kind, format!("the server does not consume: {why}")).caused_by(error)
            }
            _ => error,
        })
    }

    /// What the server has seen so far.
    pub fn counters(&self) -> Counters {
        self.desk.tally.snapshot()
    }

    /// Asks the server to stop taking, drain and close, as a signal does.
    pub fn stop(&self) {
        self.stop.wish();
    }

    /// Sends dead letters back to the server's queue, as new messages: at most so many, oldest first. Gives how many.
    ///
    /// # Errors
    ///
    /// The server has no session at the moment, or the broker refused.
    ///
    /// # Cancel safety
    ///
    /// A letter is taken off the dead-letter queue only after its copy is confirmed: dropping the future may leave one
    /// letter twice, and never loses one.
    pub async fn requeue_dead_letters(&self, at_most: usize) -> Result<usize, Error> {
        let Some(epoch) = self.link.line().now() else {
            return Err(Error::new(Kind::Closed, "the server has no session at the moment"));
        };
        self.desk
            .copies
            .send_back(at_most, &*epoch.session)
            .await
            .map_err(|error| Error::new(Kind::Transport, "dead letters cannot be sent back").caused_by(error))
    }
}

impl fmt::Debug for ServerHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerHandle").field("health", &self.health()).finish_non_exhaustive()
    }
}
