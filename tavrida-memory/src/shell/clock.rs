//! [`ShellClock`]: from tokio's clock and the injected one to the core's [`Now`].

use std::sync::Arc;
use std::time::Duration;

use tavrida::time::{Clock, unix_seconds};
use tokio::runtime::Handle;
use tokio::time::Instant;

use crate::core::Now;

/// The time of a broker: it begins when the broker is first used, and goes on with whichever runtime uses it.
pub(super) struct ShellClock {
    /// A moment of the runtime's, and what the broker's time was then.
    fix: Option<(Instant, Duration)>,
    latest: Duration,
    wall: Arc<dyn Clock>,
}

impl ShellClock {
    pub(super) fn new(wall: Arc<dyn Clock>) -> Self {
        Self { fix: None, latest: Duration::ZERO, wall }
    }

    pub(super) fn now(&mut self) -> Now {
        Now { elapsed: self.elapsed(), wall: unix_seconds(self.wall.now()) }
    }

    /// Outside of a runtime time stands still: whether a paused clock or the real one counts is not known there.
    fn elapsed(&mut self) -> Duration {
        if Handle::try_current().is_ok() {
            let now = Instant::now();
            let elapsed = self.fix.and_then(|(at, then)| Some(then + now.checked_duration_since(at)?));
            match elapsed.filter(|elapsed| *elapsed >= self.latest) {
                Some(elapsed) => self.latest = elapsed,
                // The first use, or another runtime whose paused clock is not as far: time goes on from what is known.
                None => self.fix = Some((now, self.latest)),
            }
        }
        self.latest
    }

    /// The moment that the core calls so, for the runtime that read the clock last.
    pub(super) fn instant(&self, elapsed: Duration) -> Option<Instant> {
        self.fix.map(|(at, then)| at + elapsed.saturating_sub(then))
    }
}
