//! Deleting queues, with everything that depends on them.

use tavrida::field::ShortString;

use super::Broker;
use super::declare::stripped;
use super::effect::{Arrival, Effects, MethodReply};
use super::errors::Fault;
use super::keys::{ChannelKey, QueueKey};
use super::queue::settings::QueueKind;

impl Broker {
    /// `queue.delete`: returns how many ready messages were deleted; a missing queue is fine.
    pub(crate) fn delete_queue_on_request(
        &mut self,
        channel: ChannelKey,
        name: &ShortString,
        if_unused: bool,
        if_empty: bool,
        nowait: bool,
        effects: &mut Effects,
    ) -> Result<(), Fault> {
        let name = self.expanded(channel, name)?;
        let id = self.clients.channels[channel].id;
        let Some(queue) = self.topology.queue_names.get(&*stripped(&name)).copied() else {
            if !nowait {
                effects.reply(id, MethodReply::QueueDeleteOk { message_count: 0 });
            }
            return Ok(());
        };
        self.check_access(channel, queue)?;
        let state = &self.topology.queues[queue];
        let what = self.queue_text(&state.name);
        if state.settings.kind == QueueKind::Quorum && (if_unused || if_empty) {
            let flag = if if_unused { "if-unused" } else { "if-empty" };
            return Err(Fault::not_implemented(format!(
                "cannot delete {what}. queue.delete operations with {flag} flag set are not supported by quorum queues"
            )));
        }
        if if_empty && !state.ready.is_empty() {
            return Err(Fault::precondition_failed(format!("{what} not empty")));
        }
        if if_unused && !state.consumers.is_empty() {
            return Err(Fault::precondition_failed(format!("{what} in use")));
        }
        let (message_count, _) = state.counts();
        if !nowait {
            effects.reply(id, MethodReply::QueueDeleteOk { message_count });
        }
        self.delete_queue(queue, effects);
        Ok(())
    }

    /// Deletes a queue with everything that depends on it (A12). Its consumers are notified.
    pub(crate) fn delete_queue(&mut self, queue: QueueKey, effects: &mut Effects) {
        let state = &self.topology.queues[queue];
        let (armed, owner) = (state.armed, state.owner);
        let mut consumers: Vec<_> = state
            .consumers
            .iter()
            .map(|consumer| {
                let record = &self.clients.consumers[*consumer];
                (self.clients.channels[record.channel].id, record.tag.clone(), *consumer, record.channel)
            })
            .collect();
        consumers.sort();
        for (id, tag, consumer, channel) in consumers {
            self.remove_consumer(consumer);
            let number = self.next_number();
            let state = &mut self.clients.channels[channel];
            state.consumers.remove(&tag);
            state.limiter.forget(queue);
            if self.clients.connections[&id.connection].options.cancel_notify {
                state.send(number, Arrival::Cancel { consumer_tag: tag }, effects);
            }
        }
        self.disarm(queue, armed);
        self.unbind_destination(super::topology::exchange::Target::Queue(queue));
        if let Some(connection) = owner.and_then(|owner| self.clients.connections.get_mut(&owner)) {
            connection.exclusive.retain(|other| *other != queue);
        }
        if let Some(state) = self.topology.queues.remove(queue) {
            self.topology.queue_names.remove(&state.name);
        }
    }
}
