//! [`Handle`]: a session as its consumers and deliveries hold it, and [`Life`], its end.

use std::sync::{Arc, OnceLock};

use tavrida::transport::{ConnectionLost, SessionError};
use tokio::sync::Notify;

use super::shared::{Locked, Shared};
use crate::core::ConnectionId;

/// The number of a session. It has two connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct SessionId(pub(super) u32);

impl SessionId {
    /// The connection for everything but publishing.
    pub(super) fn control(self) -> ConnectionId {
        ConnectionId(self.0 * 2)
    }

    /// The connection that publishes: an alarm blocks this one alone.
    pub(super) fn publisher(self) -> ConnectionId {
        ConnectionId(self.0 * 2 + 1)
    }

    pub(super) fn of(connection: ConnectionId) -> Self {
        Self(connection.0 / 2)
    }
}

/// The life of a session: it ends once.
pub(super) struct Life {
    pub(super) id: SessionId,
    loss: OnceLock<ConnectionLost>,
    ended: Notify,
}

impl Life {
    pub(super) fn new(id: SessionId) -> Self {
        Self { id, loss: OnceLock::new(), ended: Notify::new() }
    }

    pub(super) fn end(&self, loss: ConnectionLost) {
        // The first end is the one that is told.
        let _ = self.loss.set(loss);
    }

    /// Wakes who waits for the end.
    pub(super) fn wake(&self) {
        self.ended.notify_waiters();
    }

    pub(super) fn loss(&self) -> Option<&ConnectionLost> {
        self.loss.get()
    }

    pub(super) fn check(&self) -> Result<(), ConnectionLost> {
        self.loss().map_or(Ok(()), |loss| Err(loss.clone()))
    }

    pub(super) async fn ended(&self) -> ConnectionLost {
        loop {
            let ended = self.ended.notified();
            if let Some(loss) = self.loss() {
                return loss.clone();
            }
            ended.await;
        }
    }
}

/// A session as long as anybody holds it, its consumers and unsettled deliveries included. When nobody does its connections
/// are dropped, as a socket is.
pub(super) struct Handle {
    pub(super) shared: Arc<Shared>,
    pub(super) life: Arc<Life>,
}

impl Handle {
    /// The state, for a session that lives.
    pub(super) fn lock(&self) -> Result<Locked<'_>, SessionError> {
        let state = self.shared.lock();
        self.life.check()?;
        Ok(state)
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.shared.lock().end_session(self.life.id, ConnectionLost::closed_here());
    }
}
