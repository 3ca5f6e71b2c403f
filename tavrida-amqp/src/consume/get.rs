//! Fetching single messages.

use parking_lot::Mutex;
use std::sync::Arc;

use lapin::options::{BasicAckOptions, BasicGetOptions, BasicRejectOptions};
use lapin::{Channel, Connection};
use tavrida::transport::{AckKind, Acker, ConnectionLost, Delivery, GetMessage, SessionError};
use tokio::runtime::Handle;

use crate::link::{IdleChannels, Liveness, close_quietly};
use crate::wire::{delivered, short};

/// Gets one message from a queue, on a separate channel that stays open until the message is settled.
pub(crate) async fn get(
    life: &Arc<Liveness>,
    connection: &Connection,
    idle: &Arc<IdleChannels>,
    queue: &str,
) -> Result<Option<GetMessage>, SessionError> {
    let channel = match idle.take(life, connection, queue).await {
        Ok(channel) => channel,
        Err(error) => return Err(life.error_on(connection, error).await),
    };
    let guard = GetAcker {
        life: life.clone(),
        idle: idle.clone(),
        runtime: Handle::current(),
        channel: Mutex::new(Some(channel.clone())),
    };
    let message = match channel.basic_get(short(queue), BasicGetOptions { no_ack: false }).await {
        Ok(message) => message,
        Err(error) => return Err(life.error_on(connection, error).await),
    };
    let Some(message) = message else {
        if let Some(channel) = guard.release() {
            idle.give_back(channel).await;
        }
        return Ok(None);
    };
    let (tag, redelivered, messages_left) =
        (message.delivery.delivery_tag, message.delivery.redelivered, message.message_count);
    let publication = Arc::new(delivered(message.delivery));
    let delivery = Delivery::new(publication, redelivered, Arc::new(guard), tag);
    Ok(Some(GetMessage { delivery, messages_left }))
}

/// A channel with at most one unsettled message. If it is dropped before the message is settled, the channel is closed, which requeues the
/// message.
struct GetAcker {
    life: Arc<Liveness>,
    idle: Arc<IdleChannels>,
    runtime: Handle,
    channel: Mutex<Option<Arc<Channel>>>,
}

impl GetAcker {
    fn release(&self) -> Option<Arc<Channel>> {
        self.channel.lock().take()
    }
}

impl Acker for GetAcker {
    fn settle(&self, tag: u64, kind: AckKind) -> Result<(), ConnectionLost> {
        self.life.check()?;
        let Some(channel) = self.release() else { return Ok(()) };
        if !channel.status().connected() {
            return Err(ConnectionLost::broken("the channel of the delivery is closed"));
        }
        match kind {
            AckKind::Ack => {
                super::settler::start(channel.basic_ack(tag, BasicAckOptions { multiple: false }))
            }
            AckKind::Reject | AckKind::Requeue => {
                let options = BasicRejectOptions { requeue: kind == AckKind::Requeue };
                super::settler::start(channel.basic_reject(tag, options));
            }
        }
        let idle = self.idle.clone();
        self.runtime.spawn(async move { idle.give_back(channel).await });
        Ok(())
    }
}

impl Drop for GetAcker {
    fn drop(&mut self) {
        if let Some(channel) = self.release() {
            self.runtime.spawn(async move { close_quietly(&channel).await });
        }
    }
}
