//! Channels without a consumer, for management and for fetching single messages.

use std::sync::{Arc, Mutex, PoisonError};

use lapin::{Channel, Connection};

/// Channels that are open and idle, so that an operation need not open one: its error then costs nobody else anything,
/// for it has the channel to itself.
#[derive(Default)]
pub(crate) struct IdleChannels(Mutex<Vec<Arc<Channel>>>);

impl IdleChannels {
    /// How many are kept; a burst beyond it opens its own and closes them.
    const KEPT: usize = 4;

    /// A channel to oneself.
    pub(crate) async fn take(&self, connection: &Connection) -> lapin::Result<Arc<Channel>> {
        while let Some(channel) = self.pop() {
            if channel.status().connected() {
                return Ok(channel);
            }
        }
        Self::fresh(connection).await
    }

    /// A channel that nobody used before. RabbitMQ remembers the queue declared last on a channel, and takes the empty
    /// name for it: an operation on the empty name must not meet somebody else's.
    pub(crate) async fn fresh(connection: &Connection) -> lapin::Result<Arc<Channel>> {
        connection.create_channel().await.map(Arc::new)
    }

    /// Takes a channel back on which nothing is unsettled, or closes it.
    pub(crate) async fn give_back(&self, channel: Arc<Channel>) {
        if !self.keep(&channel) {
            close_quietly(&channel).await;
        }
    }

    fn keep(&self, channel: &Arc<Channel>) -> bool {
        let mut idle = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let keep = idle.len() < Self::KEPT && channel.status().connected();
        if keep {
            idle.push(channel.clone());
        }
        keep
    }

    fn pop(&self) -> Option<Arc<Channel>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).pop()
    }
}

/// Closes a channel whose work is done. Channels are never just dropped: lapin would close them later, and an error of
/// that close (the broker was faster) would end the connection.
pub(crate) async fn close_quietly(channel: &Channel) {
    if channel.status().connected() {
        // Closed by the broker, or gone with its connection, is closed too.
        let _ = channel.close(200, "OK".into()).await;
    }
}
