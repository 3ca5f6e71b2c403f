//! Restart of a node: what survives (R124 to R127).

use tavrida::field::Table;

use super::broker::Broker;
use super::dead_letter::Forward;
use super::effect::{Effect, Effects};
use super::errors::{Code, Fault};
use super::keys::QueueKey;
use super::queue::settings::QueueKind;
use super::queue::{Message, Queue};
use super::topology::exchange::Target;

impl Broker {
    /// Stops in good order or is killed, and restarts with what was durable.
    pub(super) fn restart(&mut self, killed: bool, effects: &mut Effects) {
        self.node.alarm = None;
        let reason = (!killed).then(|| {
            let text = "broker forced connection closure with reason 'shutdown'";
            Fault::new(Code::ConnectionForced, text).into_reason((0, 0))
        });
        let survivors = self.survivors(killed);
        for connection in std::mem::take(&mut self.clients.connections).into_keys() {
            effects.push(Effect::ConnectionClosed { connection, reason: reason.clone() });
        }
        self.clients.channels.clear();
        self.clients.channel_ids.clear();
        self.clients.consumers.clear();
        self.clients.reply_addresses.clear();
        self.topology.forwards.clear();
        self.topology.debtors.clear();
        for exchange in self.topology.exchanges.keys().collect::<Vec<_>>() {
            if !self.topology.exchanges[exchange].durable {
                self.forget_exchange(exchange);
            }
        }
        for queue in self.topology.queues.keys().collect::<Vec<_>>() {
            if !self.topology.queues[queue].durable {
                self.forget_queue(queue);
            }
        }
        for (queue, messages) in survivors {
            self.start_queue(queue, messages);
        }
    }

    fn forget_queue(&mut self, queue: QueueKey) {
        self.forget_incoming(Target::Queue(queue));
        let Some(state) = self.topology.queues.remove(queue) else { return };
        self.disarm(queue, state.armed);
        self.topology.queue_names.remove(&state.name);
    }

    /// Returns the surviving queues with their surviving messages. The effects that the end of a connection has on queues (requeue, delete,
    /// dead-letter) do not happen when a node stops.
    fn survivors(&self, killed: bool) -> Vec<(QueueKey, Vec<Message>)> {
        let mut survivors: Vec<(QueueKey, Vec<Message>)> = Vec::new();
        for (key, queue) in self.topology.queues.iter().filter(|(_, queue)| queue.durable) {
            let kept =
                |message: &&Message| queue.settings.kind == QueueKind::Quorum || message.is_persistent();
            let ready = queue.ready.iter().filter(kept).cloned();
            let unacked =
                self.clients.channels.iter().flat_map(|(_, channel)| channel.unsettled()).filter_map(
                    |pending| {
                        let here = pending.queue == key && kept(&&pending.message);
                        here.then(|| Message {
                            redelivered: true,
                            // Only quorum queues read it.
                            returns: pending.message.returns + 1,
                            ..pending.message.clone()
                        })
                    },
                );
            let mut messages: Vec<Message> = ready.chain(unacked).collect();
            if killed && queue.settings.kind == QueueKind::Classic {
                messages.iter_mut().for_each(|message| message.redelivered = true);
            }
            survivors.push((key, messages));
        }
        survivors
    }

    fn start_queue(&mut self, key: QueueKey, messages: Vec<Message>) {
        // An auto-delete queue that lost its consumers with the node still exists.
        let queue = &mut self.topology.queues[key];
        let armed = queue.armed;
        let mut fresh = Queue {
            durable: true,
            auto_delete: queue.auto_delete,
            incoming: std::mem::take(&mut queue.incoming),
            next_seq: queue.next_seq,
            last_used: self.node.now.elapsed,
            owed: std::mem::take(&mut queue.owed).untried(),
            ..Queue::new(
                queue.name.clone(),
                std::mem::replace(&mut queue.arguments, Table::new()),
                queue.settings.clone(),
            )
        };
        for message in messages {
            if fresh.settings.kind == QueueKind::Quorum && message.returns > 0 {
                fresh.ready.insert_returned(message);
            } else {
                fresh.ready.insert(message);
            }
        }
        *queue = fresh;
        if !queue.owed.is_empty() {
            self.topology.forwards.push_back(Forward::Owed(key));
        }
        self.disarm(key, armed);
        self.sweep(key);
        self.arm(key);
    }
}
