//! [`Aftermath`]: what is done when the lock is released, because it may run code of others.

use std::sync::Arc;
use std::task::Waker;

use tavrida::transport::Unpublished;
use tokio::sync::oneshot;

use super::handle::Life;

/// Tasks to wake and to tell. One waker, the usual case, needs no allocation.
#[derive(Default)]
pub(super) struct Aftermath {
    first: Option<Waker>,
    more: Vec<Waker>,
    /// A waker may be the last thing that holds a task, and its drop the task's.
    discarded: Vec<Waker>,
    ended: Vec<Arc<Life>>,
    outcomes: Vec<(oneshot::Sender<Outcome>, Outcome)>,
}

/// What became of a publish.
pub(super) type Outcome = Result<(), Unpublished>;

impl Aftermath {
    pub(super) fn wake(&mut self, waker: Waker) {
        if self.first.is_none() {
            self.first = Some(waker);
        } else {
            self.more.push(waker);
        }
    }

    pub(super) fn discard(&mut self, waker: Waker) {
        self.discarded.push(waker);
    }

    pub(super) fn end(&mut self, life: Arc<Life>) {
        self.ended.push(life);
    }

    pub(super) fn tell(&mut self, to: oneshot::Sender<Outcome>, outcome: Outcome) {
        self.outcomes.push((to, outcome));
    }

    /// Whether there is nothing to do.
    pub(super) fn is_empty(&self) -> bool {
        self.first.is_none()
            && self.more.is_empty()
            && self.discarded.is_empty()
            && self.ended.is_empty()
            && self.outcomes.is_empty()
    }

    /// Does it, without the lock.
    pub(super) fn run(self) {
        self.first.into_iter().chain(self.more).for_each(Waker::wake);
        self.ended.iter().for_each(|life| life.wake());
        for (to, outcome) in self.outcomes {
            // Nobody may wait any more.
            let _ = to.send(outcome);
        }
    }
}
