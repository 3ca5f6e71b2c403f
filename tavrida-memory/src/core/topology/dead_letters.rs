//! Dead letters: what a message becomes when it leaves its queue, and where it goes.

use std::sync::Arc;

use tavrida::transport::{Properties, Publication};

use super::{InTransit, Topology};
use crate::core::keys::{ExchangeKey, QueueKey};
use crate::core::message::container::Container;
use crate::core::message::deaths::{Event, Reason, is_cycle};
use crate::core::message::headers::sorted;
use crate::core::message::routing_keys::RoutingKeys;
use crate::core::node::Node;
use crate::core::queue::Message;
use crate::core::queue::dead_letters::RETRY_AFTER;
use crate::core::queue::settings::{Overflow, QueueKind};

impl Topology {
    /// Sends a message that left its queue to the queue's dead-letter exchange. Without such an exchange it is dropped, unless the queue
    /// must keep it.
    pub(crate) fn dead_letter(&mut self, node: &Node, queue: QueueKey, message: &Message, reason: Reason) {
        let state = &mut self.queues[queue];
        if state.settings.at_least_once {
            state.dead_letters.push(message.clone(), reason);
            self.in_transit.push_back(InTransit::AtLeastOnce(queue));
        } else if self.dead_letter_exchange(queue).is_some() {
            let letter = self.to_dead_letter(node, queue, message, reason);
            let targets = self.targets_of(queue, &letter, reason);
            if !targets.is_empty() {
                self.in_transit.push_back(InTransit::AtMostOnce { letter, targets });
            }
        }
    }

    /// Returns where a queue's dead letters go. `None` if there is no such exchange, `Some(None)` for the default exchange.
    fn dead_letter_exchange(&self, queue: QueueKey) -> Option<Option<ExchangeKey>> {
        let address = self.queues[queue].settings.dead_letter.as_ref()?;
        if address.exchange.is_empty() {
            return Some(None);
        }
        self.exchange_names.get(&*address.exchange).map(|exchange| Some(*exchange))
    }

    /// Returns the dead letter of a message: to the queue's dead-letter address, with its history.
    pub(crate) fn to_dead_letter(
        &self,
        node: &Node,
        queue: QueueKey,
        message: &Message,
        reason: Reason,
    ) -> Container {
        let state = &self.queues[queue];
        let address = state.settings.dead_letter.as_ref().expect("what is dead-lettered has an address");
        let old = &message.container.publication;
        let keys = message.container.recorded_keys(&node.behaviour);
        let event = Event { queue: &state.name, reason, wall: node.now.wall, publication: old, keys: &keys };
        let mut headers = old.properties.headers().clone();
        let redirected = address.routing_key.is_some();
        let deaths = node.behaviour.records_deaths.then(|| {
            let mut deaths = message.container.deaths_or_new();
            deaths.add(&event);
            deaths.write(&event, &mut headers);
            deaths.redirected |= redirected;
            deaths.failures = message.failures + u32::from(reason == Reason::Rejected && state.is_quorum());
            Arc::new(deaths)
        });
        if deaths.is_none() {
            headers = event.write(headers);
        }
        if redirected && !node.behaviour.keeps_copies {
            headers.remove("CC");
        }
        let publication = Arc::new(Publication {
            exchange: address.exchange.clone(),
            routing_key: address.routing_key.clone().unwrap_or_else(|| old.routing_key.clone()),
            mandatory: false,
            properties: Properties {
                expiration: None,
                headers: Some(sorted(headers)),
                ..old.properties.clone()
            },
            body: old.body.clone(),
        });
        let forgets = redirected && deaths.is_none();
        Container { publication, bcc: message.container.bcc.clone().filter(|_| !forgets), deaths }
    }

    /// Returns the queues that a dead letter of a queue goes to.
    pub(crate) fn targets_of(
        &mut self,
        queue: QueueKey,
        letter: &Container,
        reason: Reason,
    ) -> Vec<QueueKey> {
        let mut targets = Vec::new();
        let Some(exchange) = self.dead_letter_exchange(queue) else { return targets };
        let headers = letter.publication.properties.headers();
        let more = letter.copies();
        let keys = RoutingKeys { primary: &letter.publication.routing_key, more: &more };
        match &letter.deaths {
            Some(deaths) => self.route(exchange, &keys, &deaths.routing_headers(headers), &mut targets),
            None => self.route(exchange, &keys, headers, &mut targets),
        }
        if reason != Reason::Rejected {
            targets.retain(|target| {
                let queue = &self.queues[*target].name;
                !letter
                    .deaths
                    .as_ref()
                    .map_or_else(|| is_cycle(queue, headers), |deaths| deaths.is_cycle(queue))
            });
        }
        targets
    }

    /// Dead-letters or drops what consumers rejected.
    pub(crate) fn discard(
        &mut self,
        node: &Node,
        queue: QueueKey,
        messages: impl Iterator<Item = Message>,
        reason: Reason,
    ) {
        if self.queues[queue].settings.dead_letter.is_none() {
            return;
        }
        let mut messages: Vec<Message> = messages.collect();
        messages.sort_by_key(|message| std::cmp::Reverse(message.priority));
        for message in messages {
            self.dead_letter(node, queue, &message, reason);
        }
    }

    /// Drops from the head while the queue exceeds its limits. A quorum queue dead-letters what it drops at one time in the opposite order
    /// (R133).
    pub(crate) fn drop_over_limit(&mut self, node: &Node, queue: QueueKey) {
        let mut dropped = Vec::new();
        loop {
            let state = &mut self.queues[queue];
            if state.settings.overflow != Overflow::DropHead || !state.is_over_limit(0, 0) {
                break;
            }
            let Some(message) = state.ready.pop() else { break };
            dropped.push(message);
        }
        if self.queues[queue].settings.kind == QueueKind::Quorum {
            dropped.reverse();
        }
        for message in dropped {
            self.dead_letter(node, queue, &message, Reason::MaxLength);
        }
    }

    /// Records that an exchange, a queue or a binding is new: dead letters without a target may have one in the next retry.
    pub(crate) fn topology_grew(&mut self, node: &Node) {
        for queue in std::mem::take(&mut self.retrying) {
            if self.queues.get(queue).is_some_and(|state| !state.dead_letters.unconfirmed.is_empty()) {
                self.schedule_retry(node, queue);
                self.schedule(queue);
                self.retrying.insert(queue);
            }
        }
    }

    /// Computes when the next retry is, and whether it could succeed.
    pub(crate) fn schedule_retry(&mut self, node: &Node, queue: QueueKey) {
        let now = node.now.elapsed;
        let letters = std::mem::take(&mut self.queues[queue].dead_letters.unconfirmed);
        let can_succeed = letters.iter().any(|letter| {
            letter.refused.is_some() || !self.targets_of(queue, &letter.container, letter.reason).is_empty()
        });
        let dead_letters = &mut self.queues[queue].dead_letters;
        // Retries that could not succeed were skipped.
        while dead_letters.retry <= now {
            dead_letters.retry += RETRY_AFTER;
        }
        dead_letters.unconfirmed = letters;
        dead_letters.can_succeed = can_succeed;
    }
}
