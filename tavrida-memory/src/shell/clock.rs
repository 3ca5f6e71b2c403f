//! [`ShellClock`]: converts tokio's clock and the injected wall clock to the core's [`Now`].

use std::sync::Arc;
use std::time::Duration;

use tavrida::field::Table;
use tavrida::time::{Clock, unix_seconds};
use tokio::runtime::Handle;
use tokio::time::Instant;

use super::network::Network;
use crate::core::{Broker, Command, Method, Now};

/// The argument of a queue whose dead letters are stamped with the time.
const DEAD_LETTERS: &str = "x-dead-letter-exchange";

/// The time of a broker: it starts when it is first needed, and continues with whichever runtime uses the broker.
///
/// Reading clocks is a large part of the cost of a message. While nothing in the broker depends on time, the clock stands still.
pub(super) struct ShellClock {
    /// Whether a queue or a message may have a deadline.
    matters: bool,
    /// Whether a message may be stamped when it is dead-lettered.
    stamps: bool,
    /// A moment of the runtime's clock, and the broker's time at that moment.
    fix: Option<(Instant, Duration)>,
    latest: Duration,
    wall: Arc<dyn Clock>,
}

impl ShellClock {
    /// Returns the clock of a broker in which nothing depends on time.
    pub(super) fn new(wall: Arc<dyn Clock>) -> Self {
        Self { matters: false, stamps: false, fix: None, latest: Duration::ZERO, wall }
    }

    /// Learns what in a prepared broker depends on time: its queues, and messages that expire in them.
    pub(super) fn learn(&mut self, broker: &Broker) {
        self.matters |= broker.next_timeout().is_some();
        broker.arguments_of_queues().for_each(|arguments| self.note(arguments));
    }

    fn note(&mut self, arguments: &Table) {
        // Any argument counts: the names of those that depend on time are not repeated here.
        self.matters |= !arguments.is_empty();
        self.stamps |= arguments.contains(DEAD_LETTERS);
    }

    /// Returns the time at which a command happens.
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

    /// Returns the elapsed time. Outside a runtime time stands still: it is unknown whether a paused or the real clock applies.
    fn elapsed(&mut self, network: Option<&dyn Network>) -> Duration {
        if let Some(elapsed) = network.and_then(Network::elapsed) {
            self.latest = self.latest.max(elapsed);
        } else if Handle::try_current().is_ok() {
            let now = Instant::now();
            let elapsed = self.fix.and_then(|(at, then)| Some(then + now.checked_duration_since(at)?));
            match elapsed.filter(|elapsed| *elapsed >= self.latest) {
                Some(elapsed) => self.latest = elapsed,
                // The first use, or another runtime whose paused clock is behind: continue from the known time.
                None => self.fix = Some((now, self.latest)),
            }
        }
        self.latest
    }

    /// Converts the core's time to an instant of the runtime that last asked for the time.
    pub(super) fn instant(&self, elapsed: Duration) -> Instant {
        let (at, then) = self.fix.unwrap_or_else(|| (Instant::now(), self.latest));
        at + elapsed.saturating_sub(then)
    }
}
