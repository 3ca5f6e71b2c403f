//! Exclusive queues of sessions that share a connection.
//!
//! RabbitMQ keeps an exclusive queue for its connection. If sessions share a connection, this module keeps the queue for its session:
//! others are refused as the broker would refuse another connection, and the queue is deleted with the session.

use parking_lot::Mutex;
use std::collections::BTreeMap;

use tavrida::field::ShortString;
use tavrida::transport::BrokerError;

/// The number of a session on its connections.
pub(crate) type SessionId = usize;

/// The exclusive queues of one connection, with the sessions that declared them.
pub(crate) struct ExclusiveQueues {
    virtual_host: String,
    owners: Mutex<BTreeMap<ShortString, SessionId>>,
}

impl ExclusiveQueues {
    pub(super) fn new(virtual_host: String) -> Self {
        Self { virtual_host, owners: Mutex::default() }
    }

    pub(crate) fn add(&self, queue: ShortString, owner: SessionId) {
        self.owners.lock().insert(queue, owner);
    }

    pub(crate) fn remove(&self, queue: &str) {
        self.owners.lock().remove(queue);
    }

    /// Removes the queues of a session.
    pub(crate) fn take(&self, owner: SessionId) -> Vec<ShortString> {
        let mut owners = self.owners.lock();
        let queues = owners.iter().filter(|(_, of)| **of == owner).map(|(queue, _)| queue.clone()).collect();
        owners.retain(|_, of| *of != owner);
        queues
    }

    /// Refuses a queue that belongs to another session.
    pub(crate) fn check(&self, queue: &str, session: SessionId) -> Result<(), BrokerError> {
        match self.owners.lock().get(queue) {
            Some(owner) if *owner != session => Err(self.locked(queue)),
            _ => Ok(()),
        }
    }

    fn locked(&self, queue: &str) -> BrokerError {
        let text = format!(
            "RESOURCE_LOCKED - cannot obtain exclusive access to locked queue '{queue}' in vhost '{}'. It could be originally \
             declared on another connection or the exclusive property value does not match that of the original declaration.",
            self.virtual_host
        );
        BrokerError::channel(405, text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_queue_is_its_sessions_until_it_ends() {
        let queues = ExclusiveQueues::new("/".into());
        queues.add(ShortString::from_static("own"), 1);
        assert_eq!(queues.check("own", 1), Ok(()));
        assert_eq!(queues.check("another", 2), Ok(()));
        assert_eq!(queues.check("own", 2).map_err(|refusal| refusal.code), Err(405));
        assert_eq!(queues.take(1), ["own"]);
        assert_eq!(queues.check("own", 2), Ok(()));
    }
}
