//! The task that advances time for the broker between calls.

use std::sync::{Arc, Weak};
use std::time::Duration;

use tavrida::task::OwnTask;
use tokio::runtime::Handle;
use tokio::sync::Notify;
use tokio::time::{Instant, timeout_at};

use super::shared::Shared;
use super::state::State;
use crate::core::Command;

/// The state of the timer task.
#[derive(Debug, Default)]
pub(super) struct Timer {
    running: bool,
    /// What it sleeps until.
    until: Option<Duration>,
}

/// Ensures that the broker's next deadline is handled. Without a runtime, deadlines are handled at the next call of the broker.
///
/// [Run](Start::run) the result after the lock is released: a runtime that is shutting down drops a new task at once, and that takes the
/// lock.
#[must_use = "nobody keeps the time before the task is started"]
pub(super) fn see_to(state: &mut State, shared: &Arc<Shared>) -> Option<Start> {
    let next = state.broker.next_timeout()?;
    if state.timer.running {
        if state.timer.until.is_none_or(|until| next < until) {
            state.timer.until = Some(next);
            shared.timer.notify_one();
        }
        return None;
    }
    let runtime = Handle::try_current().ok()?;
    state.timer = Timer { running: true, until: Some(next) };
    Some(Start(runtime))
}

/// A timer task to start.
pub(super) struct Start(Handle);

impl Start {
    pub(super) fn run(self, shared: &Arc<Shared>) {
        self.0.spawn(keep_time(Stop(Arc::downgrade(shared), OwnTask::begin()), shared.timer.clone()));
    }
}

/// Sleeps from deadline to deadline; ends when there is none, or when the broker is dropped.
async fn keep_time(stop: Stop, changed: Arc<Notify>) {
    while let Some(at) = stop.next_deadline() {
        // Either way the deadline must be read again.
        let _ = timeout_at(at, changed.notified()).await;
    }
}

/// Records that the task ended, for whatever reason (its runtime may end before the broker), so that another one can be started.
struct Stop(Weak<Shared>, #[expect(dead_code, reason = "counts the task until it is dropped")] OwnTask);

impl Stop {
    /// Handles what is due. Returns the next deadline.
    fn next_deadline(&self) -> Option<Instant> {
        let shared = self.0.upgrade()?;
        let mut state = shared.lock();
        state.apply(Command::Tick);
        let next = state.broker.next_timeout();
        state.timer = Timer { running: next.is_some(), until: next };
        Some(state.clock.instant(next?))
    }
}

impl Drop for Stop {
    fn drop(&mut self) {
        if let Some(shared) = self.0.upgrade() {
            shared.forget_timer();
        }
    }
}

#[cfg(test)]
mod tests {
    use tavrida::field::ShortString;
    use tavrida::transport::{Consume, Publication, Queue, Transport};

    use crate::MemoryBroker;

    /// A delivery that is dropped with its runtime goes back to a queue with a TTL: that requests a timer from a runtime that drops new
    /// tasks at once.
    #[test]
    fn a_runtime_that_ends_with_a_delivery_in_hand_does_not_hang() {
        const WORK: ShortString = ShortString::from_static("work");
        let broker = MemoryBroker::new();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
        runtime.block_on(async {
            let session = broker.transport().connect().await.expect("a session");
            let queue = Queue::durable(WORK).argument(ShortString::from_static("x-message-ttl"), 60_000);
            session.admin().declare_queue(&queue).await.expect("declared");
            session.publish(Publication::new(ShortString::default(), WORK, "one")).await.expect("routed");
            let mut consumer = session.consume(&Consume::new(WORK, 1)).await.expect("a consumer");
            let delivery = consumer.next().await.expect("a delivery");
            tokio::spawn(async move {
                let _in_hand = (session, consumer, delivery);
                std::future::pending::<()>().await;
            });
            tokio::task::yield_now().await;
        });
        drop(runtime);
        assert!(broker.core().next_timeout().is_some(), "the message is back, and waits for its end");
    }
}
