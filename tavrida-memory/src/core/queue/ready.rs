//! [`Ready`]: the ready messages of a queue, in their order.

use std::collections::VecDeque;

use super::message::Message;

/// Ready messages: by priority, and then in the order of their arrival.
#[derive(Debug, Clone)]
pub(crate) struct Ready {
    /// Messages returned to a quorum queue, delivered first.
    returned: VecDeque<Message>,
    /// The highest priority first; a queue without priorities has one level.
    levels: Vec<VecDeque<Message>>,
    /// In a quorum queue with priorities: how many were taken, modulo 3 (R137).
    taken: Option<u8>,
    len: usize,
    bytes: u64,
}

impl Ready {
    /// Returns an empty queue; `by_turns` lets every third message come from the lower of two levels.
    pub(crate) fn new(max_priority: u8, by_turns: bool) -> Self {
        Self {
            taken: (by_turns && max_priority > 0).then_some(0),
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
        self.returned.front().or_else(|| self.levels[self.next_level()].front())
    }

    /// Returns the level of the next message that was never returned.
    fn next_level(&self) -> usize {
        if let (Some(2), [high, low]) = (self.taken, &self.levels[..])
            && let (Some(high), Some(low)) = (high.front(), low.front())
        {
            return usize::from(high.seq > low.seq);
        }
        self.levels.iter().position(|level| !level.is_empty()).unwrap_or(0)
    }

    pub(crate) fn pop(&mut self) -> Option<Message> {
        let message = match self.returned.pop_front() {
            Some(returned) => returned,
            None => {
                let level = self.next_level();
                let message = self.levels[level].pop_front()?;
                self.taken = self.taken.map(|taken| (taken + 1) % 3);
                message
            }
        };
        self.len -= 1;
        self.bytes -= message.bytes();
        Some(message)
    }

    /// Removes all messages. Returns how many there were.
    pub(crate) fn clear(&mut self) -> usize {
        self.returned.clear();
        self.levels.iter_mut().for_each(VecDeque::clear);
        self.bytes = 0;
        self.taken = self.taken.map(|_| 0);
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
