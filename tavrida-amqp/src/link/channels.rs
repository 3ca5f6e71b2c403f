//! Channels without a consumer, for management and for fetching single messages.

use parking_lot::Mutex;
use std::sync::{Arc, Weak};

use lapin::{Channel, Connection, ErrorKind};
use tavrida::transport::ConnectionLost;

use super::Liveness;

/// Open, idle channels, so that an operation need not open one. Each operation has a channel to itself, so that its error affects nothing
/// else.
#[derive(Default)]
pub(crate) struct IdleChannels(Mutex<State>);

#[derive(Default)]
struct State {
    idle: Vec<Arc<Channel>>,
    /// The open channels that were opened here and are still referenced.
    opened: Vec<Weak<Channel>>,
    closed: bool,
}

impl IdleChannels {
    /// How many are kept; a burst beyond it opens and closes its own.
    const KEPT: usize = 4;

    /// Takes a channel. An operation on a queue without a name gets a new one: for RabbitMQ the empty name is the queue that was last
    /// declared on the channel, which would be another one.
    pub(crate) async fn take(
        &self,
        life: &Liveness,
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
        let channel = open_channel(life, connection).await?;
        if !self.add(&channel) {
            close_quietly(&channel).await;
        }
        Ok(channel)
    }

    /// Closes all channels that were opened here, used or not: the session has ended.
    pub(crate) async fn close(&self) {
        let opened: Vec<_> = {
            let mut state = self.0.lock();
            state.closed = true;
            let opened = std::mem::take(&mut state.opened);
            let opened = opened.iter().filter_map(Weak::upgrade).collect();
            state.idle.clear();
            opened
        };
        for channel in opened {
            close_quietly(&channel).await;
        }
    }

    fn add(&self, channel: &Arc<Channel>) -> bool {
        let mut state = self.0.lock();
        state.opened.retain(|channel| channel.strong_count() > 0);
        state.opened.push(Arc::downgrade(channel));
        !state.closed
    }

    /// Returns a channel without unsettled deliveries, or closes it.
    pub(crate) async fn give_back(&self, channel: Arc<Channel>) {
        if !self.keep(&channel) {
            close_quietly(&channel).await;
        }
    }

    fn keep(&self, channel: &Arc<Channel>) -> bool {
        let mut state = self.0.lock();
        let keep = !state.closed && state.idle.len() < Self::KEPT && channel.status().connected();
        if keep {
            state.idle.push(channel.clone());
        }
        keep
    }

    fn pop(&self) -> Option<Arc<Channel>> {
        self.0.lock().idle.pop()
    }
}

/// Opens a channel.
///
/// lapin (4.12.3) never forgets an error of a channel: when its number is used again, after some two thousand others, the new channel fails
/// with the old error, and the number is not released. Then the next number is taken; when all are used up, so is the connection, and its
/// session ends.
pub(crate) async fn open_channel(life: &Liveness, connection: &Connection) -> lapin::Result<Arc<Channel>> {
    let mut used_up = false;
    loop {
        match connection.create_channel().await {
            // The broker refuses to open a channel only by a connection error.
            Err(error) if error.is_amqp_soft_error() => used_up = true,
            Err(error) if used_up && matches!(error.kind(), ErrorKind::ChannelsLimitReached) => {
                life.lose(ConnectionLost::broken("all channel numbers of the connection are used up"));
                return Err(error);
            }
            opened => return opened.map(Arc::new),
        }
    }
}

/// Closes a channel that is no longer needed. Channels are not just dropped: lapin would close them later, and an error of that close (the
/// broker was faster) would end the connection.
pub(crate) async fn close_quietly(channel: &Channel) {
    if channel.status().connected() {
        // A channel closed by the broker, or ended with its connection, is closed too.
        let _ = channel.close(200, "OK".into()).await;
    }
}
