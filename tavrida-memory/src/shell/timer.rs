//! The task that lets time pass for the broker while nobody calls it.

use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::Notify;
use tokio::time::{Instant, timeout_at};

use super::shared::Shared;
use super::state::State;
use crate::core::Command;

/// What is known of the timer task.
#[derive(Debug, Default)]
pub(super) struct Timer {
    running: bool,
    /// What it sleeps until.
    until: Option<Duration>,
}

/// Makes sure that somebody acts at the broker's next deadline. Without a runtime nobody does: deadlines are then met when
/// the broker is next called.
pub(super) fn see_to(state: &mut State, shared: &Arc<Shared>) {
    let Some(next) = state.broker.next_timeout() else { return };
    if state.timer.running {
        if state.timer.until.is_none_or(|until| next < until) {
            state.timer.until = Some(next);
            shared.timer.notify_one();
        }
    } else if let Ok(runtime) = Handle::try_current() {
        state.timer = Timer { running: true, until: Some(next) };
        runtime.spawn(keep_time(Stop(Arc::downgrade(shared)), shared.timer.clone()));
    }
}

/// Sleeps from deadline to deadline; ends when there is none, or no broker.
async fn keep_time(stop: Stop, changed: Arc<Notify>) {
    while let Some(at) = stop.next_deadline() {
        // Either way there is something to look at.
        let _ = timeout_at(at, changed.notified()).await;
    }
}

/// However the task ends (its runtime may go before the broker), another one can be started.
struct Stop(Weak<Shared>);

impl Stop {
    /// Does what is due, and tells when something is due next.
    fn next_deadline(&self) -> Option<Instant> {
        let shared = self.0.upgrade()?;
        let mut state = shared.lock();
        state.apply(Command::Tick);
        let next = state.broker.next_timeout();
        state.timer = Timer { running: next.is_some(), until: next };
        state.clock.instant(next?)
    }
}

impl Drop for Stop {
    fn drop(&mut self) {
        if let Some(shared) = self.0.upgrade() {
            shared.lock().timer = Timer::default();
        }
    }
}
