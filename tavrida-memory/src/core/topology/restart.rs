//! Restart of a node: what survives (R124 to R127).

use tavrida::field::Table;

use super::{InTransit, Topology};
use crate::core::keys::QueueKey;
use crate::core::node::Node;
use crate::core::queue::settings::QueueKind;
use crate::core::queue::{Message, Queue};

impl Topology {
    /// Stops in good order or is killed, and restarts with what was durable. `unsettled` are the deliveries that were not settled.
    pub(crate) fn restart(&mut self, node: &Node, killed: bool, unsettled: &[(QueueKey, Message)]) {
        let survivors = self.survivors(killed, unsettled);
        self.in_transit.clear();
        self.retrying.clear();
        for exchange in self.exchanges.keys().collect::<Vec<_>>() {
            if !self.exchanges[exchange].durable {
                self.forget_exchange(exchange);
            }
        }
        for queue in self.queues.keys().collect::<Vec<_>>() {
            if !self.queues[queue].durable {
                self.forget_queue(queue);
            }
        }
        for (queue, messages) in survivors {
            self.start_queue(node, queue, messages);
        }
    }

    /// Returns the surviving queues with their surviving messages. The effects that the end of a connection has on queues (requeue, delete,
    /// dead-letter) do not happen when a node stops.
    fn survivors(&self, killed: bool, unsettled: &[(QueueKey, Message)]) -> Vec<(QueueKey, Vec<Message>)> {
        let mut survivors: Vec<(QueueKey, Vec<Message>)> = Vec::new();
        for (key, queue) in self.queues.iter().filter(|(_, queue)| queue.durable) {
            let kept = |message: &&Message| queue.is_quorum() || message.is_persistent();
            let ready = queue.ready.iter().filter(kept).cloned();
            let unacked = unsettled.iter().filter(|(queue, _)| *queue == key);
            let unacked = unacked.map(|(_, message)| message).filter(kept).map(|message| Message {
                redelivered: true,
                // Only quorum queues read it.
                returns: message.returns + 1,
                ..message.clone()
            });
            let mut messages: Vec<Message> = ready.chain(unacked).collect();
            if killed && !queue.is_quorum() {
                messages.iter_mut().for_each(|message| message.redelivered = true);
            }
            survivors.push((key, messages));
        }
        survivors
    }

    fn start_queue(&mut self, node: &Node, key: QueueKey, messages: Vec<Message>) {
        // An auto-delete queue that lost its consumers with the node still exists.
        let queue = &mut self.queues[key];
        let deadlines = queue.deadlines;
        let mut fresh = Queue {
            durable: true,
            auto_delete: queue.auto_delete,
            incoming: std::mem::take(&mut queue.incoming),
            next_seq: queue.next_seq,
            last_used: node.now.elapsed,
            dead_letters: std::mem::take(&mut queue.dead_letters).unsent(),
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
        if !queue.dead_letters.is_empty() {
            self.in_transit.push_back(InTransit::AtLeastOnce(key));
        }
        self.unschedule(key, deadlines);
        self.drop_expired(node, key);
        self.schedule(key);
    }
}
