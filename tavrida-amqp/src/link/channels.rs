//! Channels without a consumer, for management and for fetching single messages.

use std::sync::{Arc, Mutex, PoisonError};

use lapin::{Channel, Connection, ErrorKind};
use tavrida::transport::ConnectionLost;

use super::Life;

/// Channels that are open and idle, so that an operation need not open one: its error then costs nobody else anything,
/// for it has the channel to itself.
#[derive(Default)]
pub(crate) struct IdleChannels(Mutex<Vec<Arc<Channel>>>);

impl IdleChannels {
    /// How many are kept; a burst beyond it opens its own and closes them.
    const KEPT: usize = 4;

    /// A channel to oneself. An operation on a queue without a name gets one that nobody used before: RabbitMQ takes
    /// the empty name for the queue that was declared last on the channel, which would be somebody else's.
    pub(crate) async fn take(
        &self,
        life: &Life,
        connection: &Connection,
        name: &str,
    ) -> lapin::Result<Arc<Channel>> {
        while !name.is_empty()
            && let Some(channel) = self.pop()
        {
            if channel.status().connected() {
                return Ok(channel);
            }
        }
        open_channel(life, connection).await
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

/// Opens a channel.
///
/// lapin (4.12.3) never forgets an error of a channel: when its number comes up again, after some two thousand others, the
/// new channel fails with the old error, and the number is not given back. So the next one is taken; and when all are used
/// up, the connection is, and its session ends.
pub(crate) async fn open_channel(life: &Life, connection: &Connection) -> lapin::Result<Arc<Channel>> {
    let mut used_up = false;
    loop {
        match connection.create_channel().await {
            // The broker refuses to open a channel by a connection error alone.
            Err(error) if error.is_amqp_soft_error() => used_up = true,
            Err(error) if used_up && matches!(error.kind(), ErrorKind::ChannelsLimitReached) => {
                life.lose(ConnectionLost::broken("all channel numbers of the connection are used up"));
                return Err(error);
            }
            opened => return opened.map(Arc::new),
        }
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
