//! [`Messages`]: identifies messages, and counts how often each reached a site.

use std::sync::Arc;

use rustc_hash::FxHashMap;
use tavrida::field::Value;
use tavrida::transport::Publication;

use super::{State, World};
use crate::fault::Site;
use crate::random::hash;
use crate::trace::{ActorId, MessageId, SentMessage};

/// The messages of a run.
#[derive(Default)]
pub(crate) struct Messages {
    /// By address: the trace keeps each of them alive, so that no two share an address.
    by_place: FxHashMap<usize, MessageId>,
    /// Copies known only by address: kept alive so that their addresses are not reused.
    kept: Vec<Arc<Publication>>,
    /// The latest message with an id, by the hash of the id.
    by_id: FxHashMap<u64, MessageId>,
    /// The first message with a key.
    by_key: FxHashMap<u64, MessageId>,
    /// For each message the first with its key; they share counts.
    first: Vec<MessageId>,
    counts: Vec<[u32; Site::ALL.len()]>,
    /// How often each message arrived.
    deliveries: Vec<u32>,
}

impl Messages {
    /// Returns an empty table with this capacity.
    pub(crate) fn with_room_for(messages: usize) -> Self {
        let room = || FxHashMap::with_capacity_and_hasher(messages, Default::default());
        Self {
            by_place: FxHashMap::with_capacity_and_hasher(messages, Default::default()),
            kept: Vec::new(),
            by_id: room(),
            by_key: room(),
            first: Vec::with_capacity(messages),
            counts: Vec::with_capacity(messages),
            deliveries: Vec::with_capacity(messages),
        }
    }

    /// Counts that a message reached a site. Returns which occurrence it is.
    pub(crate) fn count(&mut self, site: Site, message: MessageId) -> u32 {
        let count = &mut self.counts[self.first[message.index()].index()][site as usize];
        *count += 1;
        *count
    }

    /// Returns how often a message reached a site so far.
    pub(crate) fn counted(&self, site: Site, message: MessageId) -> u32 {
        self.counts[self.first[message.index()].index()][site as usize]
    }

    /// Counts an arrival of a message. Returns which arrival it is. The message may have reached the site more often and been delayed
    /// there.
    pub(crate) fn deliver(&mut self, message: MessageId) -> u32 {
        let count = &mut self.deliveries[self.first[message.index()].index()];
        *count += 1;
        *count
    }

    /// Returns how often a message arrived so far.
    pub(crate) fn deliveries(&self, message: MessageId) -> u32 {
        self.deliveries[self.first[message.index()].index()]
    }

    /// Returns the latest message with this id.
    pub(crate) fn with_id(&self, id: &str) -> Option<MessageId> {
        self.by_id.get(&hash(id.as_bytes())).copied()
    }
}

impl State {
    /// Returns the number of a message, a new one if the message is new.
    pub(crate) fn message(
        &mut self,
        world: &World,
        publication: &Arc<Publication>,
        sender: ActorId,
    ) -> MessageId {
        let place = Arc::as_ptr(publication) as usize;
        if let Some(known) = self.messages.by_place.get(&place) {
            return *known;
        }
        let id_hash = SentMessage::id_hash(publication);
        let key = SentMessage::key_by(publication, id_hash);
        let parent = id_hash.and_then(|id| world.ids.parent(id));
        let cause = parent.and_then(|parent| self.messages.by_id.get(&parent).copied());
        let message = self.trace.add_message(SentMessage::new(publication.clone(), sender, cause, key));
        let messages = &mut self.messages;
        messages.by_place.insert(place, message);
        if let Some(id) = id_hash {
            messages.by_id.insert(id, message);
        }
        messages.first.push(*messages.by_key.entry(key).or_insert(message));
        messages.counts.push(Default::default());
        messages.deliveries.push(0);
        message
    }

    /// Returns the number of a message that comes from the broker. That may be another copy than was sent: a quorum queue counts deliveries
    /// in a header, and RabbitMQ 4 sorts headers.
    pub(crate) fn arriving_message(&mut self, world: &World, publication: &Arc<Publication>) -> MessageId {
        let place = Arc::as_ptr(publication) as usize;
        if let Some(known) = self.messages.by_place.get(&place) {
            return *known;
        }
        let id_hash = SentMessage::id_hash(publication);
        let key = SentMessage::key_by(publication, id_hash);
        let known = id_hash.and_then(|id| self.messages.by_id.get(&id).copied());
        let Some(known) = known.filter(|known| self.trace.message(*known).key() == key) else {
            return self.message(world, publication, ActorId::of_peer(0));
        };
        self.messages.kept.push(publication.clone());
        self.messages.by_place.insert(place, known);
        known
    }
}

impl State {
    /// Tells the guide that a handler of a message has ended, and whether it ever waited.
    pub(super) fn tell_handled(&mut self, message: Option<MessageId>, waited: bool) {
        let Self { director, trace, .. } = self;
        if let Some(guide) = director.guide()
            && let Some(message) = message
        {
            guide.handled(trace.message(message).topic(), waited);
        }
    }
}

#[cfg(feature = "live")]
impl State {
    /// Returns the number of a message that came back as a copy of what was sent, identified by its id.
    pub(crate) fn message_like(&mut self, world: &World, publication: &Arc<Publication>) -> MessageId {
        let id = publication.properties.message_id.as_deref().unwrap_or_default();
        let known = self.messages.with_id(id).filter(|known| {
            let sent = self.trace.message(*known).publication();
            sent.routing_key == publication.routing_key && sent.exchange == publication.exchange
        });
        known.unwrap_or_else(|| self.message(world, publication, ActorId::of_peer(0)))
    }
}

/// Returns the entry point that handles a message, from its headers.
pub(crate) fn topic_of(publication: &Publication) -> &str {
    let name = match publication.properties.kind.as_deref() {
        Some("request") => "destination",
        _ => "source",
    };
    let header = publication.properties.headers().get(name).and_then(Value::as_str);
    header.unwrap_or(&publication.routing_key)
}
