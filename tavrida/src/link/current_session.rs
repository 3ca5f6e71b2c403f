//! [`CurrentSession`]: the current session, for sends outside a delivery.

use parking_lot::Mutex;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;

use crate::error::{Error, Kind};
use crate::transport::{ConnectionLost, Session};

/// One session and its number.
#[derive(Clone)]
pub(crate) struct Epoch {
    /// Grows by one with each session of a link.
    pub(crate) number: u64,
    pub(crate) session: Arc<dyn Session>,
}

/// Provides the current session.
pub(crate) struct CurrentSession {
    state: Mutex<State>,
    changed: Notify,
}

struct State {
    epochs: u64,
    now: Now,
}

enum Now {
    None,
    Live(Epoch),
    Ended(ConnectionLost),
}

impl CurrentSession {
    pub(crate) fn new() -> Self {
        Self { state: Mutex::new(State { epochs: 0, now: Now::None }), changed: Notify::new() }
    }

    /// Starts an epoch: a session is ready.
    pub(crate) fn begin(&self, session: Arc<dyn Session>) -> Epoch {
        let mut state = self.state.lock();
        let same = match &state.now {
            Now::Live(epoch) if Arc::ptr_eq(&epoch.session, &session) => Some(epoch.clone()),
            _ => None,
        };
        // A session that is prepared again after its consumer ended is still the same epoch.
        let epoch = same.unwrap_or_else(|| {
            state.epochs += 1;
            Epoch { number: state.epochs, session }
        });
        state.now = Now::Live(epoch.clone());
        drop(state);
        self.changed.notify_waiters();
        epoch
    }

    /// Suspends: there is no session now.
    pub(crate) fn pause(&self) {
        self.state.lock().now = Now::None;
    }

    /// As [`pause`](CurrentSession::pause), if this is still the current epoch.
    pub(crate) fn lose(&self, epoch: &Epoch) {
        let mut state = self.state.lock();
        if matches!(&state.now, Now::Live(now) if now.number == epoch.number) {
            state.now = Now::None;
        }
    }

    /// Ends: there will be no further session.
    pub(crate) fn end(&self, loss: ConnectionLost) {
        self.state.lock().now = Now::Ended(loss);
        self.changed.notify_waiters();
    }

    /// Whether there will be no session any more.
    pub(crate) fn is_ended(&self) -> bool {
        matches!(self.state.lock().now, Now::Ended(_))
    }

    /// Returns the current session, if there is one.
    pub(crate) fn now(&self) -> Option<Epoch> {
        match &self.state.lock().now {
            Now::Live(epoch) => Some(epoch.clone()),
            _ => None,
        }
    }

    /// Returns the current session, and waits up to `patience` for one.
    ///
    /// Cancel safe.
    pub(crate) async fn wait(&self, patience: Duration) -> Result<Epoch, Error> {
        if let Some(settled) = self.settled() {
            return settled;
        }
        let waiting = async {
            loop {
                let changed = self.changed.notified();
                tokio::pin!(changed);
                // Registered before checking, so that no change between the two is missed.
                changed.as_mut().enable();
                if let Some(settled) = self.settled() {
                    return settled;
                }
                changed.await;
            }
        };
        tokio::time::timeout(patience, waiting).await.unwrap_or_else(|_| {
            Err(Error::new(Kind::Timeout, format!("no session with the broker within {patience:?}")))
        })
    }

    fn settled(&self) -> Option<Result<Epoch, Error>> {
        match &self.state.lock().now {
            Now::None => None,
            Now::Live(epoch) => Some(Ok(epoch.clone())),
            Now::Ended(loss) => Some(Err(Error::new(Kind::Closed, "it is closed").caused_by(loss.clone()))),
        }
    }
}
