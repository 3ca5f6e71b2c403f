//! [`ShellClock`]: from tokio's clock and the injected one to the core's [`Now`].

use std::sync::Arc;
use std::time::Duration;

use tavrida::time::{Clock, unix_seconds};
use tokio::runtime::Handle;
use tokio::time::Instant;

use crate::core::{Command, Method, Now};

/// The time of a broker: it begins when time first matters, and goes on with whichever runtime uses the broker.
///
/// Reading clocks is a good part of what a message costs. As long as nothing in the broker has to do with time, it stands still.
pub(super) struct ShellClock {
    /// Whether a queue or a message may have a deadline, or be stamped when it dies.
    matters: bool,
    /// A moment of the runtime's, and what the broker's time was then.
    fix: Option<(Instant, Duration)>,
    latest: Duration,
    wall: Arc<dyn Clock>,
}

impl ShellClock {
    /// The clock of a broker in which nothing has to do with time, unless `matters` says otherwise.
    pub(super) fn new(wall: Arc<dyn Clock>, matters: bool) -> Self {
        Self { matters, fix: None, latest: Duration::ZERO, wall }
    }

    /// The time at which a command happens.
    pub(super) fn now(&mut self, command: &Command) -> Now {
        self.matters = self.matters || brings_time(command);
        if !self.matters {
            return Now::default();
        }
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

/// Whether time may matter from this command on: only arguments of queues and the expiration of a message bring it in.
fn brings_time(command: &Command) -> bool {
    match command {
        Command::Method { method: Method::BasicPublish { publication, .. }, .. } => {
            publication.properties.expiration.is_some()
        }
        Command::Method { method: Method::QueueDeclare(declare), .. } => !declare.arguments.is_empty(),
        _ => false,
    }
}
