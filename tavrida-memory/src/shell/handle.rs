//! [`Handle`]: a reference to a session for its consumers and deliveries, and [`Liveness`], its end.

use std::sync::{Arc, OnceLock};

use tavrida::transport::{ConnectionLost, SessionError};
use tokio::sync::Notify;

use super::shared::{Locked, Shared};
use crate::core::ConnectionId;

/// The number of a session. It has two connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct SessionId(pub(super) u32);

impl SessionId {
    /// Returns the connection for everything except publishing.
    pub(super) fn control(self) -> ConnectionId {
        ConnectionId(self.0 * 2)
    }

    /// Returns the connection that publishes: an alarm blocks only this one.
    pub(super) fn publisher(self) -> ConnectionId {
        ConnectionId(self.0 * 2 + 1)
    }

    pub(super) fn of(connection: ConnectionId) -> Self {
        Self(connection.0 / 2)
    }
}

/// The life of a session: it ends once.
pub(super) struct Liveness {
    pub(super) id: SessionId,
    loss: OnceLock<ConnectionLost>,
    ended: Notify,
}

impl Liveness {
    pub(super) fn new(id: SessionId) -> Self {
        Self { id, loss: OnceLock::new(), ended: Notify::new() }
    }

    pub(super) fn end(&self, loss: ConnectionLost) {
        // Only the first end is reported.
        let _ = self.loss.set(loss);
    }

    /// Wakes the tasks that wait for the end.
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

/// A reference-counted session, held also by its consumers and unsettled deliveries. Dropping the last reference drops the connections,
/// like a closed socket.
pub(super) struct Handle {
    pub(super) shared: Arc<Shared>,
    pub(super) life: Arc<Liveness>,
}

impl Handle {
    /// Locks the state of a session that is alive.
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
