//! [`Queue`]: the broker's state of a queue, and its operations.

pub(crate) mod dead_letters;
mod limits;
mod message;
mod ready;
mod service_queue;
pub(crate) mod settings;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use smallvec::SmallVec;
use tavrida::field::{ShortString, Table};
use tavrida::transport::Publication;

use super::ids::ConnectionId;
use super::keys::{ConsumerKey, ExchangeKey};
use super::message::headers::sorted;
use dead_letters::DeadLetters;
pub(crate) use message::Message;
use ready::Ready;
use service_queue::ServiceQueue;
use settings::{QueueKind, Settings};

#[derive(Debug, Clone)]
pub(crate) struct Queue {
    pub(crate) name: ShortString,
    pub(crate) durable: bool,
    pub(crate) auto_delete: bool,
    /// The connection that it belongs to, if it is exclusive.
    pub(crate) owner: Option<ConnectionId>,
    pub(crate) arguments: Table,
    pub(crate) settings: Settings,
    /// The bindings to it: their sources, and their indices there.
    pub(crate) incoming: BTreeSet<(ExchangeKey, u32)>,
    pub(crate) ready: Ready,
    /// Dead letters that it must keep until they are accepted.
    pub(crate) dead_letters: DeadLetters,
    pub(crate) next_seq: u64,
    /// The number of unacknowledged messages.
    pub(crate) unacked: u32,
    /// All consumers, in the order in which they were added.
    pub(crate) consumers: SmallVec<[ConsumerKey; 2]>,
    /// Those that can take a message.
    pub(crate) service_queue: ServiceQueue,
    /// Those that were found without credit, in that order.
    pub(crate) blocked: Vec<ConsumerKey>,
    pub(crate) had_consumers: bool,
    /// The single active consumer, if the queue has one.
    pub(crate) active: Option<ConsumerKey>,
    /// Whether it only settles what it has, before another takes over (R138).
    pub(crate) quiescing: bool,
    /// Whether a quorum queue that refuses publishes exceeded its limit, and is not yet well below it.
    pub(crate) refusing: bool,
    /// When it was last used; `x-expires` counts from here.
    pub(crate) last_used: Duration,
    /// Its deadlines in the broker's calendar.
    pub(crate) deadlines: Deadlines,
}

/// The origin of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    /// A client, which learns of a refusal.
    Publish,
    /// The dead letter of another queue, lost if it is refused.
    AtMostOnce,
    /// The dead letter of another queue, which keeps it if it is refused.
    AtLeastOnce,
}

/// Deadlines of a queue.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Deadlines {
    /// When its head expires.
    pub(crate) head: Option<Duration>,
    /// When the queue expires.
    pub(crate) queue: Option<Duration>,
    /// When it retries its dead letters.
    pub(crate) retry: Option<Duration>,
}

impl Deadlines {
    pub(crate) fn times(self) -> impl Iterator<Item = Duration> {
        [self.head, self.queue, self.retry].into_iter().flatten()
    }
}

impl Queue {
    pub(crate) fn new(name: ShortString, arguments: Table, settings: Settings) -> Self {
        Self {
            name,
            durable: false,
            auto_delete: false,
            owner: None,
            arguments,
            ready: Ready::new(settings.max_priority, settings.kind == QueueKind::Quorum),
            dead_letters: DeadLetters::default(),
            settings,
            incoming: BTreeSet::new(),
            next_seq: 0,
            unacked: 0,
            consumers: SmallVec::new(),
            service_queue: ServiceQueue::default(),
            blocked: Vec::new(),
            had_consumers: false,
            active: None,
            quiescing: false,
            refusing: false,
            last_used: Duration::ZERO,
            deadlines: Deadlines::default(),
        }
    }

    pub(crate) fn is_quorum(&self) -> bool {
        self.settings.kind == QueueKind::Quorum
    }

    /// Returns a message as it is delivered: a quorum queue adds how often it was returned (R131). What was not returned shows 0 to
    /// `basic.get`, or nothing.
    pub(crate) fn outgoing(&self, message: &Message, shows_zero: bool) -> Arc<Publication> {
        let mut publication = message.container.publication.clone();
        let count = message.count();
        if self.is_quorum() && (count > 0 || shows_zero) {
            let headers = &mut Arc::make_mut(&mut publication).properties.headers;
            let with_count = headers
                .take()
                .unwrap_or_default()
                .with(ShortString::from_static("x-delivery-count"), i64::from(count));
            *headers = Some(sorted(with_count));
        }
        publication
    }

    /// Returns whether a settlement matters to others: for which consumer is next, whether there is space for another message, or which
    /// message is next.
    pub(crate) fn is_contended(&self) -> bool {
        let Settings { max_length, max_bytes, max_priority, .. } = self.settings;
        let at_once = self.settings.ttl.is_some_and(|ttl| ttl.is_zero());
        self.consumers.len() > 1 || max_length.is_some() || max_bytes.is_some() || max_priority > 0 || at_once
    }

    /// Returns the counts of `queue.declare-ok`.
    pub(crate) fn counts(&self) -> (u32, u32) {
        let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        (count(self.ready.len()), count(self.consumers.len()))
    }

    /// Returns when the queue expires if it is not used until then.
    pub(crate) fn expiry(&self) -> Option<Duration> {
        self.settings.expires.filter(|_| self.consumers.is_empty()).map(|expires| self.last_used + expires)
    }
}
