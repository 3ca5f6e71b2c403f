//! [`Ready`]: the ready messages of a queue, in their order.

use std::collections::VecDeque;
use std::time::Duration;

use tavrida::transport::Properties;

use crate::core::parcel::Parcel;

/// A message in a queue. What all copies share is behind the `Arc`; the rest belongs to this queue.
#[derive(Debug, Clone)]
pub(crate) struct Message {
    pub(crate) parcel: Parcel,
    /// Its number in the order of first arrival.
    pub(crate) seq: u64,
    /// When it expires, fixed at its arrival.
    pub(crate) expires_at: Option<Duration>,
    /// How often it was returned; only quorum queues count.
    pub(crate) returns: u32,
    /// The effective priority: at most the queue's maximum.
    pub(crate) priority: u8,
    /// Whether it was delivered before.
    pub(crate) redelivered: bool,
}

impl Message {
    pub(crate) fn bytes(&self) -> u64 {
        self.parcel.publication.body.len() as u64
    }

    pub(crate) fn is_persistent(&self) -> bool {
        self.parcel.publication.properties.delivery_mode == Some(Properties::PERSISTENT)
    }

    pub(crate) fn is_expired(&self, now: Duration) -> bool {
        self.expires_at.is_some_and(|at| at <= now)
    }
}

/// Ready messages: by priority, and then in the order of their arrival.
#[derive(Debug, Clone)]
pub(crate) struct Ready {
    /// Messages returned to a quorum queue, delivered first.
    returned: VecDeque<Message>,
    /// The highest priority first; a queue without priorities has one level.
    levels: Vec<VecDeque<Message>>,
    len: usize,
    bytes: u64,
}

impl Ready {
    pub(crate) fn new(max_priority: u8) -> Self {
        Self {
            returned: VecDeque::new(),
            levels: vec![VecDeque::new(); usize::from(max_priority) + 1],
            len: 0,
            bytes: 0,
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Returns the bytes of all bodies.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Inserts a message at its position: where it was before, or at the end of its level if it is the newest.
    pub(crate) fn insert(&mut self, message: Message) {
        self.count(&message);
        let level = self.level(message.priority);
        match level.back() {
            Some(last) if last.seq > message.seq => {
                let place = level.partition_point(|other| other.seq < message.seq);
                level.insert(place, message);
            }
            _ => level.push_back(message),
        }
    }

    /// Inserts a returned message behind earlier returned ones, and before all others, as quorum queues do.
    pub(crate) fn insert_returned(&mut self, message: Message) {
        self.count(&message);
        self.returned.push_back(message);
    }

    pub(crate) fn head(&self) -> Option<&Message> {
        self.returned.front().or_else(|| self.levels.iter().find_map(VecDeque::front))
    }

    pub(crate) fn pop(&mut self) -> Option<Message> {
        let message =
            self.returned.pop_front().or_else(|| self.levels.iter_mut().find_map(VecDeque::pop_front))?;
        self.len -= 1;
        self.bytes -= message.bytes();
        Some(message)
    }

    /// Removes all messages. Returns how many there were.
    pub(crate) fn clear(&mut self) -> usize {
        self.returned.clear();
        self.levels.iter_mut().for_each(VecDeque::clear);
        self.bytes = 0;
        std::mem::take(&mut self.len)
    }

    /// Returns the messages in the order of delivery.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Message> {
        self.returned.iter().chain(self.levels.iter().flatten())
    }

    fn level(&mut self, priority: u8) -> &mut VecDeque<Message> {
        let highest = self.levels.len() - 1;
        &mut self.levels[highest - usize::from(priority).min(highest)]
    }

    fn count(&mut self, message: &Message) {
        self.len += 1;
        self.bytes += message.bytes();
    }
}
