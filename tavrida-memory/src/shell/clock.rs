//! [`ShellClock`]: from tokio's clock and the injected one to the core's [`Now`].

use std::sync::Arc;

use tavrida::time::{Clock, unix_seconds};
use tokio::time::Instant;

use crate::core::Now;

/// The time of a broker: it begins when the broker is first used.
pub(super) struct ShellClock {
    beginning: Option<Instant>,
    wall: Arc<dyn Clock>,
}

impl ShellClock {
    pub(super) fn new(wall: Arc<dyn Clock>) -> Self {
        Self { beginning: None, wall }
    }

    pub(super) fn now(&mut self) -> Now {
        let now = Instant::now();
        let beginning = *self.beginning.get_or_insert(now);
        Now { elapsed: now.saturating_duration_since(beginning), wall: unix_seconds(self.wall.now()) }
    }

    /// The moment that the core calls so.
    pub(super) fn instant(&self, elapsed: std::time::Duration) -> Option<Instant> {
        self.beginning.map(|beginning| beginning + elapsed)
    }
}
