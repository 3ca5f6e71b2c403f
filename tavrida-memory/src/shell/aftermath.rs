//! [`Aftermath`]: work that runs after the lock is released, because it may run foreign code.

use std::sync::Arc;
use std::task::Waker;

use tavrida::transport::PublishError;
use tokio::sync::oneshot;

use super::handle::Liveness;

/// Tasks to wake and outcomes to send: usually one waker, or none.
#[derive(Default)]
pub(super) struct Aftermath {
    first: Option<Waker>,
    rest: Option<Box<Rest>>,
}

#[derive(Default)]
struct Rest {
    wakers: Vec<Waker>,
    /// A waker may hold the last reference to a task, so that dropping it drops the task.
    discarded: Vec<Waker>,
    ended: Vec<Arc<Liveness>>,
    #[cfg(feature = "port")]
    changed: Vec<Arc<tokio::sync::Notify>>,
    outcomes: Vec<(oneshot::Sender<PublishResult>, PublishResult)>,
}

pub(super) type PublishResult = Result<(), PublishError>;

impl Aftermath {
    pub(super) fn wake(&mut self, waker: Waker) {
        if self.first.is_none() {
            self.first = Some(waker);
        } else {
            self.rest().wakers.push(waker);
        }
    }

    pub(super) fn discard(&mut self, waker: Waker) {
        self.rest().discarded.push(waker);
    }

    pub(super) fn end(&mut self, life: Arc<Liveness>) {
        self.rest().ended.push(life);
    }

    pub(super) fn tell(&mut self, to: oneshot::Sender<PublishResult>, outcome: PublishResult) {
        self.rest().outcomes.push((to, outcome));
    }

    /// Signals that something waits for a connection of a port.
    #[cfg(feature = "port")]
    pub(super) fn signal(&mut self, changed: Arc<tokio::sync::Notify>) {
        self.rest().changed.push(changed);
    }

    fn rest(&mut self) -> &mut Rest {
        self.rest.get_or_insert_default()
    }

    /// Returns whether there is nothing to do.
    pub(super) fn is_empty(&self) -> bool {
        self.first.is_none() && self.rest.is_none()
    }

    /// Runs it, without the lock.
    pub(super) fn run(self) {
        if let Some(first) = self.first {
            first.wake();
        }
        if let Some(rest) = self.rest {
            rest.run();
        }
    }
}

impl Rest {
    fn run(self) {
        self.wakers.into_iter().for_each(Waker::wake);
        self.ended.iter().for_each(|life| life.wake());
        #[cfg(feature = "port")]
        self.changed.iter().for_each(|changed| changed.notify_one());
        for (to, outcome) in self.outcomes {
            // The receiver may have been dropped.
            let _ = to.send(outcome);
        }
    }
}
