//! [`Shared`]: the state that all handles of a broker share, behind one lock.

use parking_lot::{Mutex, MutexGuard};
use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use tokio::sync::Notify;

use super::state::State;
use super::timer;
use crate::core::{ChannelId, Command, Method};

/// A broker and its lock.
pub(super) struct Shared {
    state: Mutex<State>,
    /// Signals the timer task to check again, or that the broker was dropped.
    pub(super) timer: Arc<Notify>,
}

impl Shared {
    pub(super) fn new(state: State) -> Arc<Self> {
        Arc::new(Self { state: Mutex::new(state), timer: Arc::new(Notify::new()) })
    }

    /// Takes the lock. Notifications queued under it fire when the guard drops.
    pub(super) fn lock(self: &Arc<Self>) -> Locked<'_> {
        // The state is consistent after a panic of ours: the panic itself is the bug that a test reports.
        let state = self.state.lock();
        Locked { state: Some(state), shared: self }
    }
}

impl Shared {
    /// Records that the timer task has ended; the next call starts another one if needed.
    pub(super) fn forget_timer(&self) {
        let mut state = self.state.lock();
        state.timer = timer::Timer::default();
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.timer.notify_one();
    }
}

/// The state, under its lock.
pub(super) struct Locked<'a> {
    state: Option<MutexGuard<'a, State>>,
    shared: &'a Arc<Shared>,
}

impl Locked<'_> {
    pub(super) fn call(&mut self, channel: ChannelId, method: Method) {
        self.apply(Command::Method { channel, method });
    }
}

impl Deref for Locked<'_> {
    type Target = State;

    fn deref(&self) -> &State {
        self.state.as_ref().expect("the lock is held until the guard is dropped")
    }
}

impl DerefMut for Locked<'_> {
    fn deref_mut(&mut self) -> &mut State {
        self.state.as_mut().expect("the lock is held until the guard is dropped")
    }
}

impl Drop for Locked<'_> {
    fn drop(&mut self) {
        let Some(mut state) = self.state.take() else { return };
        let start = timer::see_to(&mut state, self.shared);
        if start.is_none() && state.aftermath.is_empty() {
            return;
        }
        let aftermath = std::mem::take(&mut state.aftermath);
        drop(state);
        if let Some(start) = start {
            start.run(self.shared);
        }
        aftermath.run();
    }
}
