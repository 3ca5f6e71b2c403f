//! [`Connection`]: the broker's state of a connection.

use std::collections::VecDeque;

use super::arena::Key;
use super::channel::Channel;
use super::command::{Command, ConnectionOptions};
use super::queue::Queue;
use super::sorted::SortedMap;

#[derive(Debug, Clone)]
pub(crate) struct Connection {
    pub(crate) options: ConnectionOptions,
    /// Its channels by number, including those that wait for `channel.close-ok`.
    pub(crate) channels: SortedMap<u16, Key<Channel>>,
    /// Its exclusive queues, in the order of their creation.
    pub(crate) exclusive: Vec<Key<Queue>>,
    /// What it sent after it published during an alarm. `None` if it is not blocked.
    pub(crate) held: Option<VecDeque<Command>>,
}

impl Connection {
    pub(crate) fn new(options: ConnectionOptions) -> Self {
        Self { options, channels: SortedMap::new(), exclusive: Vec::new(), held: None }
    }
}
