//! [`ShellClock`]: from tokio's clock and the injected one to the core's [`Now`].

use std::sync::Arc;
use std::time::Duration;

use tavrida::field::Table;
use tavrida::time::{Clock, unix_seconds};
use tokio::runtime::Handle;
use tokio::time::Instant;

use super::network::Network;
use crate::core::{Broker, Command, Method, Now};

/// The argument of a queue whose dead messages are stamped.
const DEAD_LETTERS: &str = "x-dead-letter-exchange";

/// The time of a broker: it begins when time first matters, and goes on with whichever runtime uses the broker.
///
/// Reading clocks is a good part of what a message costs. As long as nothing in the broker has to do with time, it stands still.
pub(super) struct ShellClock {
    /// Whether a queue or a message may have a deadline.
    matters: bool,
    /// Whether a message may be stamped when it dies.
    stamps: bool,
    /// A moment of the runtime's, and what the broker's time was then.
    fix: Option<(Instant, Duration)>,
    latest: Duration,
    wall: Arc<dyn Clock>,
}

impl ShellClock {
    /// The clock of a broker in which nothing has to do with time.
    pub(super) fn new(wall: Arc<dyn Clock>) -> Self {
        Self { matters: false, stamps: false, fix: None, latest: Duration::ZERO, wall }
    }

    /// What a broker that was prepared has to do with time: its queues, and messages that expire in them.
    pub(super) fn learn(&mut self, broker: &Broker) {
        self.matters |= broker.next_timeout().is_some();
        broker.arguments_of_queues().for_each(|arguments| self.note(arguments));
    }

    fn note(&mut self, arguments: &Table) {
        // Whatever it is that is asked for: the names of all that have to do with time are not repeated here.
        self.matters |= !arguments.is_empty();
        self.stamps |= arguments.contains(DEAD_LETTERS);
    }

    /// The time at which a command happens.
    pub(super) fn now(&mut self, command: &Command, network: Option<&dyn Network>) -> Now {
        match command {
            Command::Method { method: Method::BasicPublish { publication, .. }, .. } => {
                self.matters |= publication.properties.expiration.is_some();
            }
            Command::Method { method: Method::QueueDeclare(declare), .. } => self.note(&declare.arguments),
            _ => {}
        }
        Now {
            elapsed: if self.matters { self.elapsed(network) } else { Duration::ZERO },
            wall: if self.stamps { unix_seconds(self.wall.now()) } else { 0 },
        }
    }

    /// Outside of a runtime time stands still: whether a paused clock or the real one counts is not known there.
    fn elapsed(&mut self, network: Option<&dyn Network>) -> Duration {
        if let Some(elapsed) = network.and_then(Network::elapsed) {
            self.latest = self.latest.max(elapsed);
        } else if Handle::try_current().is_ok() {
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

    /// The moment that the core calls so, for the runtime that asked for the time last.
    pub(super) fn instant(&self, elapsed: Duration) -> Instant {
        let (at, then) = self.fix.unwrap_or_else(|| (Instant::now(), self.latest));
        at + elapsed.saturating_sub(then)
    }
}
