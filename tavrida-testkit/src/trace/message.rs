//! [`SentMessage`]: a message that was sent in a run.

use std::fmt;
use std::sync::{Arc, OnceLock};

use smallvec::SmallVec;
use tavrida::envelope;
use tavrida::field::Value;
use tavrida::message::{Message, MessageKind};
use tavrida::transport::Publication;

use super::ActorId;
use crate::random::{hash, join};

/// The number of a message in its [`Trace`](super::Trace).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MessageId(u32);

impl MessageId {
    pub(crate) fn new(index: usize) -> Self {
        Self(u32::try_from(index).expect("a run has fewer than four billion messages"))
    }

    /// Returns its index in [`Trace::messages`](super::Trace::messages).
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// A message that was sent in a run. A copy of it (for a retry, or as a dead letter) is another message.
#[derive(Debug, Clone)]
pub struct SentMessage {
    publication: Arc<Publication>,
    sender: ActorId,
    cause: Option<MessageId>,
    key: u64,
    queues: SmallVec<[u32; 4]>,
    read: OnceLock<Option<Arc<Message>>>,
}

impl SentMessage {
    pub(crate) fn new(
        publication: Arc<Publication>,
        sender: ActorId,
        cause: Option<MessageId>,
        key: u64,
    ) -> Self {
        Self { publication, sender, cause, key, queues: SmallVec::new(), read: OnceLock::new() }
    }

    /// Returns the message as it was published.
    pub fn publication(&self) -> &Arc<Publication> {
        &self.publication
    }

    /// Returns the actor that sent it.
    pub fn sender(&self) -> ActorId {
        self.sender
    }

    /// Returns the message whose handler sent it. `None` if no handler sent it.
    pub fn cause(&self) -> Option<MessageId> {
        self.cause
    }

    /// Returns the key of such a message in a schedule.
    pub(crate) fn key_of(publication: &Publication) -> u64 {
        Self::key_by(publication, Self::id_hash(publication))
    }

    /// As `key_of`, if the hash of its id is known.
    pub(crate) fn key_by(publication: &Publication, id_hash: Option<u64>) -> u64 {
        let way = join(hash(publication.exchange.as_bytes()), way_of(publication));
        join(id_hash.unwrap_or_else(|| hash(&publication.body)), way)
    }

    /// Returns the hash of the id of a message that has one.
    pub(crate) fn id_hash(publication: &Publication) -> Option<u64> {
        let id = publication.properties.message_id.as_deref().filter(|id| !id.is_empty())?;
        Some(hash(id.as_bytes()))
    }

    /// Returns its key in a schedule: the same in every run in which it is sent for the same reasons.
    pub fn key(&self) -> u64 {
        self.key
    }

    /// Returns the indices of the queues that copies of it were routed to.
    pub(super) fn queues(&self) -> &[u32] {
        &self.queues
    }

    pub(super) fn add_queue(&mut self, place: usize) {
        self.queues.push(u32::try_from(place).expect("a run has fewer than four billion queues"));
    }

    /// Returns how many copies of it queues took.
    pub fn copies(&self) -> usize {
        self.queues.len()
    }

    /// Returns the message as this library reads it. `None` if it is not in the library's format.
    pub fn message(&self) -> Option<&Message> {
        self.read.get_or_init(|| envelope::decode(&self.publication).ok().map(Arc::new)).as_deref()
    }

    /// Returns its kind.
    pub fn kind(&self) -> Option<MessageKind> {
        let word = self.publication.properties.kind.as_deref()?;
        MessageKind::ALL.into_iter().find(|kind| kind.as_str() == word)
    }

    /// Returns the entry point that handles it: the destination of a request, the source of all other messages.
    pub fn topic(&self) -> &str {
        self.message().map_or(&self.publication.routing_key, |message| message.topic().as_str())
    }

    /// Returns the id that it shares with its answer or request; empty if it has none.
    pub fn request_id(&self) -> &str {
        self.header("request_id").unwrap_or_default()
    }

    /// Returns a header of the wire format that is text.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.publication.properties.headers().get(name).and_then(Value::as_str)
    }

    /// Returns which attempt of the failure policy it is, from 1.
    pub fn attempt(&self) -> u32 {
        let header = self.publication.properties.headers().get("x-tavrida-attempt");
        header.and_then(Value::as_i64).and_then(|attempt| attempt.try_into().ok()).unwrap_or(1)
    }

    /// Returns whether a failure policy copied it from another message, for a retry or as a dead letter.
    pub fn is_copy(&self) -> bool {
        self.publication.properties.headers().contains("x-tavrida-attempt")
    }

    /// Returns whether it is a copy that waits until its message is handled again.
    pub fn is_retry(&self) -> bool {
        self.is_copy() && !self.is_dead_letter()
    }

    /// Returns whether it is a copy of a message that a failure policy gave up.
    pub fn is_dead_letter(&self) -> bool {
        self.publication.properties.headers().contains("x-tavrida-reason")
    }

    /// Returns the id of its chain, as text; empty if it has none.
    pub fn correlation_id(&self) -> String {
        match self.header("correlation_id") {
            Some(id) => id.to_owned(),
            // A number, or a message in another format.
            None => self.message().map(|message| message.correlation_id().to_string()).unwrap_or_default(),
        }
    }
}

/// Hashes the destination of a message without the names of private queues, which differ between runs.
fn way_of(publication: &Publication) -> u64 {
    let made_up = publication.exchange.is_empty() && publication.routing_key.starts_with("amq.gen-");
    if made_up { 0 } else { hash(publication.routing_key.as_bytes()) }
}

impl fmt::Display for SentMessage {
    /// For people: `request billing.charge`, `response from billing.charge`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind() {
            Some(MessageKind::Request) => write!(f, "request {}", self.topic()),
            Some(kind) => write!(f, "{kind} from {}", self.topic()),
            None => write!(f, "message {}", self.publication.routing_key),
        }
    }
}
