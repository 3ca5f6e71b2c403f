//! [`Connection`]: the broker's state of a connection.

use std::collections::{BTreeMap, VecDeque};

use crate::core::command::{Command, ConnectionOptions};
use crate::core::keys::{ChannelKey, QueueKey};

#[derive(Debug, Clone)]
pub(crate) struct Connection {
    pub(crate) options: ConnectionOptions,
    /// Its channels by number, including those that wait for `channel.close-ok`.
    pub(crate) channels: BTreeMap<u16, ChannelKey>,
    /// Its exclusive queues, in the order of their creation.
    pub(crate) exclusive: Vec<QueueKey>,
    /// What it sent after it published during an alarm. `None` if it is not blocked.
    pub(crate) held: Option<VecDeque<Command>>,
    /// What its user may do. `None` permits all.
    #[cfg(feature = "port")]
    pub(crate) permissions: Option<std::sync::Arc<crate::core::permissions::Permissions>>,
}

impl Connection {
    pub(crate) fn new(options: ConnectionOptions) -> Self {
        Self {
            options,
            channels: BTreeMap::new(),
            exclusive: Vec::new(),
            held: None,
            #[cfg(feature = "port")]
            permissions: None,
        }
    }
}
