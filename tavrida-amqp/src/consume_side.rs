//! Everything but publishing, on a separate connection.
//!
//! RabbitMQ stops reading a publishing connection when it is short of memory or disk. Acks must still get through, because they free some.

use parking_lot::Mutex;
use std::sync::{Arc, Weak};

use futures_util::future::join_all;
use lapin::Connection;
use tavrida::field::ShortString;
use tavrida::transport::{BrokerError, ConnectionLost, Queue, SessionError};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::consume::Settler;
use crate::link::{CLOSE_TIMEOUT, Flush, IdleChannels, Lease, Liveness};
use crate::manage;

/// The part of a session that does everything but publishing.
pub(crate) struct ConsumeSide {
    pub(crate) life: Arc<Liveness>,
    pub(crate) connection: Arc<Connection>,
    pub(crate) idle: Arc<IdleChannels>,
    lease: Weak<Lease>,
    /// The settlers of all consumers.
    settlers: Mutex<Vec<Weak<Settler>>>,
}

/// Signals that a session has ended and its channels are closed: `Ok` if the broker has read all acks. (It has all publishes once it has
/// confirmed them.)
pub(crate) type CloseResult = oneshot::Receiver<Result<(), ConnectionLost>>;

impl ConsumeSide {
    pub(crate) fn new(life: Arc<Liveness>, lease: &Arc<Lease>) -> Arc<Self> {
        let consume_side = Arc::new(Self {
            life,
            connection: lease.connections.consume.clone(),
            idle: Arc::default(),
            lease: Arc::downgrade(lease),
            settlers: Mutex::default(),
        });
        let flush: Weak<Self> = Arc::downgrade(&consume_side);
        lease.on_end(flush);
        consume_side
    }

    /// Registers a consumer. One that comes after the end of the session is closed.
    pub(crate) async fn add(&self, settler: &Arc<Settler>) -> Result<(), ConnectionLost> {
        {
            let mut settlers = self.settlers.lock();
            settlers.retain(|settler| settler.strong_count() > 0);
            settlers.push(Arc::downgrade(settler));
        }
        let over = self.life.check();
        if over.is_err() {
            // An error is also the end of the channel.
            let _ = settler.close().await;
        }
        over
    }

    /// Refuses a queue that is exclusive to another session on the same connection.
    pub(crate) fn check_access(&self, queue: &str) -> Result<(), BrokerError> {
        self.lease.upgrade().map_or(Ok(()), |lease| lease.connections.exclusive.check(queue, lease.id))
    }

    /// Records a declared queue, if it is exclusive.
    pub(crate) fn declared(&self, queue: &Queue, name: &ShortString) {
        if let Some(lease) = self.lease.upgrade().filter(|_| queue.exclusive) {
            lease.connections.exclusive.add(name.clone(), lease.id);
        }
    }

    /// Records a deleted queue.
    pub(crate) fn deleted(&self, queue: &str) {
        if let Some(lease) = self.lease.upgrade() {
            lease.connections.exclusive.remove(queue);
        }
    }

    /// Waits for the end of the session, and then returns to its connections what it took from them.
    pub(crate) fn keep(self: &Arc<Self>, lease: Arc<Lease>, publish_task: JoinHandle<()>) -> CloseResult {
        let (closed, close_result) = oneshot::channel();
        let consume_side = self.clone();
        tokio::spawn(async move {
            consume_side.life.ended().await;
            let connections = lease.connections.life.clone();
            let mut left = Ok(());
            if consume_side.life.has_connections() {
                let leaving = timeout(CLOSE_TIMEOUT, consume_side.leave(&lease, publish_task)).await;
                left = leaving
                    .unwrap_or_else(|_| Err(ConnectionLost::broken("the broker did not answer the close")));
            }
            if let Some(loss) = connections.lost() {
                left = Err(loss.clone());
            }
            // The last one closes the connections.
            drop(lease);
            if connections.lost().is_some() {
                connections.connections_closed().await;
            }
            // Nothing waits for it if the session was lost.
            let _ = closed.send(left);
        });
        close_result
    }

    async fn leave(&self, lease: &Lease, publish_task: JoinHandle<()>) -> Result<(), ConnectionLost> {
        let settlers: Vec<_> =
            self.settlers.lock().drain(..).filter_map(|settler| settler.upgrade()).collect();
        let closed = join_all(settlers.iter().map(|settler| settler.close())).await;
        self.delete_exclusive(lease).await;
        self.idle.close().await;
        if lease.connections.life.blocked().is_none() {
            // A broker that blocks a connection reads no close from it: the task that publishes ends when it does.
            let _ = publish_task.await;
        }
        let failed = closed.into_iter().find_map(Result::err);
        failed.map_or(Ok(()), |error| {
            Err(ConnectionLost::broken(format!("a consumer was not closed: {error}")))
        })
    }

    /// Deletes what would otherwise be deleted with the session's own connection.
    async fn delete_exclusive(&self, lease: &Lease) {
        for queue in lease.connections.exclusive.take(lease.id) {
            let Ok(channel) = self.idle.take(&self.life, &self.connection, &queue).await else { return };
            // One that cannot be deleted ends with the connection.
            let _ = manage::delete_queue(&channel, &queue, false, false).await;
            self.idle.give_back(channel).await;
        }
    }

    /// Returns what an operation that failed with `error` means.
    pub(crate) async fn error(&self, error: lapin::Error) -> SessionError {
        self.life.error_on(&self.connection, error).await
    }
}

impl Flush for ConsumeSide {
    fn flush(&self) {
        self.settlers.lock().iter().filter_map(Weak::upgrade).for_each(|settler| settler.flush());
    }
}
