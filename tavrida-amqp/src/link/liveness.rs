//! [`Liveness`]: whether a session is alive, and why it ended.

use parking_lot::Mutex;
use std::mem;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock, Weak};
use std::time::Duration;

use lapin::Connection;
use tavrida::transport::{BrokerError, ConnectionLost, SessionError};
use tokio::sync::Notify;

use crate::guard::Received;
use crate::wire::{Closed, interpret};

/// The code of the broker when an operator or its own shutdown closes the connection.
const CONNECTION_FORCED: u16 = 320;

/// The life of a session or of its connections: it ends once, for the first reported cause. A session ends with its connections, which it
/// may share with other sessions.
pub(crate) struct Liveness {
    endpoint: String,
    lost: OnceLock<ConnectionLost>,
    ended: Notify,
    closed: AtomicBool,
    blocked: Mutex<Option<String>>,
    /// When its connections last received something, and how long they may be silent.
    received: OnceLock<(Vec<Arc<Received>>, Duration)>,
    /// Whether a runtime that stood still was warned of.
    warned: AtomicBool,
    /// The life of the connections.
    parent: Option<Arc<Self>>,
    /// The lives of the sessions.
    children: Mutex<Vec<Weak<Self>>>,
}

impl Liveness {
    /// Creates the life of connections to `endpoint`, which errors name.
    pub(crate) fn new(endpoint: String) -> Self {
        Self {
            endpoint,
            lost: OnceLock::new(),
            ended: Notify::new(),
            closed: AtomicBool::new(false),
            blocked: Mutex::default(),
            received: OnceLock::new(),
            warned: AtomicBool::new(false),
            parent: None,
            children: Mutex::default(),
        }
    }

    /// Creates the life of a session on these connections.
    pub(crate) fn child(self: &Arc<Self>) -> Arc<Self> {
        let child = Arc::new(Self { parent: Some(self.clone()), ..Self::new(self.endpoint.clone()) });
        let mut children = self.children.lock();
        children.retain(|child| child.strong_count() > 0);
        children.push(Arc::downgrade(&child));
        drop(children);
        if let Some(loss) = self.lost() {
            child.end(loss.clone());
        }
        child
    }

    /// Ends it with `loss`, unless it has already ended. Returns the cause that counts. A loss that this side did not cause also ends the
    /// connections and all sessions on them.
    pub(crate) fn lose(&self, loss: ConnectionLost) -> &ConnectionLost {
        if let Some(parent) = &self.parent
            && !loss.is_closed_here()
        {
            parent.end(loss.clone());
        }
        self.end(loss)
    }

    fn end(&self, loss: ConnectionLost) -> &ConnectionLost {
        let cause = self.lost.get_or_init(|| loss);
        self.ended.notify_waiters();
        let children = mem::take(&mut *self.children.lock());
        for child in children.iter().filter_map(Weak::upgrade) {
            child.end(cause.clone());
        }
        cause
    }

    /// Returns whether the connections are alive.
    pub(crate) fn has_connections(&self) -> bool {
        self.parent.as_ref().map_or(self.lost(), |parent| parent.lost()).is_none()
    }

    /// Returns the cause of its end, once it has ended.
    pub(crate) fn lost(&self) -> Option<&ConnectionLost> {
        self.lost.get()
    }

    /// Returns the cause of its end as an error.
    pub(crate) fn check(&self) -> Result<(), ConnectionLost> {
        self.lost().map_or(Ok(()), |loss| Err(loss.clone()))
    }

    /// Waits for its end.
    pub(crate) async fn ended(&self) -> ConnectionLost {
        loop {
            let ended = self.ended.notified();
            if let Some(loss) = self.lost() {
                return loss.clone();
            }
            ended.await;
        }
    }

    /// Waits until its connections are closed.
    ///
    /// If a channel is dropped before, lapin closes it, and if the connection is faster, lapin treats that as an error and drops what is
    /// still to be written.
    pub(crate) async fn connections_closed(&self) {
        let connections = self.parent.as_deref().unwrap_or(self);
        loop {
            let closed = connections.ended.notified();
            if connections.closed.load(Ordering::Acquire) {
                return;
            }
            closed.await;
        }
    }

    pub(super) fn mark_closed(&self) {
        self.closed.store(true, Ordering::Release);
        self.ended.notify_waiters();
    }

    /// Returns what `error`, from an operation, means. An error of the connection ends this life.
    pub(crate) fn interpret(&self, error: &lapin::Error) -> Closed {
        match self.lost() {
            Some(loss) => Closed::Connection(loss.clone()),
            None => match interpret(error, &self.endpoint) {
                Closed::Connection(loss) => Closed::Connection(self.lose(loss).clone()),
                other => other,
            },
        }
    }

    /// As [`interpret`](Liveness::interpret), for an operation on this connection. lapin closes the channels a moment before it reports why: an operation
    /// that finds its channel closed waits for the reason.
    pub(crate) async fn interpret_on(&self, connection: &Connection, error: &lapin::Error) -> Closed {
        match self.interpret(error) {
            Closed::ChannelGone if !connection.status().connected() => Closed::Connection(self.ended().await),
            closed => closed,
        }
    }

    /// Returns the error of an operation that had a channel of this connection to itself and failed with `error`.
    pub(crate) async fn error_on(&self, connection: &Connection, error: lapin::Error) -> SessionError {
        if let Closed::ChannelGone = self.interpret_on(connection, &error).await {
            return BrokerError::channel(504, format!("CHANNEL_ERROR - {error}")).into();
        }
        self.error(&error)
    }

    /// Returns the error of an operation that had a channel to itself and failed with `error`.
    pub(crate) fn error(&self, error: &lapin::Error) -> SessionError {
        // The operation was under way when the broker closed the connection: it caused the error, unless an operator did.
        let spoken = match interpret(error, &self.endpoint) {
            Closed::Connection(loss) => {
                loss.refusal().filter(|refusal| refusal.code != CONNECTION_FORCED).cloned()
            }
            _ => None,
        };
        match (self.interpret(error), spoken) {
            (Closed::Channel(refusal), _) | (Closed::Connection(_), Some(refusal)) => refusal.into(),
            (Closed::Connection(loss), None) => loss.into(),
            (Closed::ChannelGone, _) => BrokerError::channel(504, format!("CHANNEL_ERROR - {error}")).into(),
        }
    }

    /// Returns why the broker has blocked publishes, if it has.
    pub(crate) fn blocked(&self) -> Option<String> {
        let connections = self.parent.as_deref().unwrap_or(self);
        connections.blocked.lock().clone()
    }

    /// Returns a text if one of the connections has received nothing for longer than the heartbeat: the broker should have sent two.
    pub(crate) fn silent(&self) -> Option<String> {
        let connections = self.parent.as_deref().unwrap_or(self);
        let (received, heartbeat) = connections.received.get()?;
        let silence = received
            .iter()
            .map(|received| received.silent_for())
            .max()
            .filter(|silence| silence > heartbeat)?;
        Some(format!("nothing was received from {} for {} s", self.endpoint, silence.as_secs()))
    }

    /// Sets what [`silent`](Self::silent) judges by; `heartbeat` is in seconds, and without one silence means nothing.
    pub(super) fn listen(&self, received: Vec<Arc<Received>>, heartbeat: u16) {
        if heartbeat > 0 {
            let _ = self.received.set((received, Duration::from_secs(heartbeat.into())));
        }
    }

    /// Warns, once, if a timer of the runtime was late by more than half the heartbeat: code that blocks its thread keeps heartbeats away,
    /// too.
    pub(super) fn judge_timer(&self, late_by: Duration) {
        if let Some((_, heartbeat)) = self.received.get()
            && late_by > *heartbeat / 2
            && !self.warned.swap(true, Ordering::Relaxed)
        {
            let endpoint = self.endpoint.as_str();
            tracing::warn!(
                endpoint,
                ?late_by,
                ?heartbeat,
                "the runtime stood still: a handler, or another task, blocks its thread without an await. The broker closes connections \
                 that are silent for two heartbeats: run such code in `tokio::task::spawn_blocking`"
            );
        }
    }

    pub(super) fn set_blocked(&self, reason: Option<String>) {
        *self.blocked.lock() = reason;
    }

    pub(super) fn endpoint(&self) -> &str {
        &self.endpoint
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_first_cause_counts_and_everyone_hears_it() {
        let life = Liveness::new("host:5672".into());
        let (first, second) = tokio::join!(life.ended(), async {
            life.lose(ConnectionLost::broken("cut"));
            life.lose(ConnectionLost::closed_here());
            life.ended().await
        });
        assert_eq!((first, second), (ConnectionLost::broken("cut"), ConnectionLost::broken("cut")));
    }

    #[test]
    fn a_session_that_is_closed_leaves_others_alive_and_one_that_is_lost_takes_them_along() {
        let connections = Arc::new(Liveness::new("host:5672".into()));
        let [closed, lost, other] = std::array::from_fn(|_| connections.child());
        closed.lose(ConnectionLost::closed_here());
        assert!(closed.has_connections() && other.lost().is_none());
        lost.lose(ConnectionLost::broken("cut"));
        assert_eq!(other.lost(), Some(&ConnectionLost::broken("cut")));
        assert_eq!(closed.lost(), Some(&ConnectionLost::closed_here()));
        assert!(!closed.has_connections());
        assert_eq!(connections.child().lost(), Some(&ConnectionLost::broken("cut")));
    }
}
