//! [`Ready`]: the messages of a queue that wait for a consumer, in their order.

use std::collections::VecDeque;
use std::time::Duration;

use tavrida::transport::Properties;

use crate::core::parcel::Parcel;

/// A message in a queue. What all copies share is behind the `Arc`; the rest belongs to this queue.
#[derive(Debug, Clone)]
pub(crate) struct Message {
    pub(crate) parcel: Parcel,
    /// Its place in the order of first arrival.
    pub(crate) seq: u64,
    /// When it expires, fixed when it came.
    pub(crate) expires_at: Option<Duration>,
    /// How often it was returned; quorum queues count.
    pub(crate) returns: u32,
    /// The priority that counts here: at most what the queue knows.
    pub(crate) priority: u8,
    /// Whether it was handed out before.
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

/// Ready messages: by priority, and in the order of their arrival within.
#[derive(Debug, Clone)]
pub(crate) struct Ready {
    /// What a quorum queue got back, served before all else.
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

    /// The bytes of all bodies.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Puts a message at its place: where it was before, or at the end of its level when it is the newest.
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

    /// Puts a returned message behind those returned before it, and before all others: the way of quorum queues.
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

    /// Takes everything out; gives how many messages there were.
    pub(crate) fn clear(&mut self) -> usize {
        self.returned.clear();
        self.levels.iter_mut().for_each(VecDeque::clear);
        self.bytes = 0;
        std::mem::take(&mut self.len)
    }

    /// The messages in the order in which they would be delivered.
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
