//! Dead-lettering: the fate of a message that a queue drops, and its `x-death` history.

use std::sync::Arc;

use tavrida::transport::{Properties, Publication};

use super::Broker;
use super::deaths::{Event, is_cycle};
use super::effect::Effects;
use super::keys::{ExchangeKey, QueueKey};
use super::parcel::{Parcel, sorted};
use super::queue::{Message, Origin};
use super::topology::exchange::Keys;

/// Why a queue dead-letters a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reason {
    Rejected,
    Expired,
    MaxLength,
    DeliveryLimit,
}

impl Reason {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Rejected => "rejected",
            Self::Expired => "expired",
            Self::MaxLength => "maxlen",
            Self::DeliveryLimit => "delivery_limit",
        }
    }
}

/// A dead letter in transit: it arrives after the step of its queue (A11).
#[derive(Debug, Clone)]
pub(crate) enum Forward {
    /// It is sent once, and lost for targets that are full.
    Once { letter: Parcel, targets: Vec<QueueKey> },
    /// This queue keeps its dead letters until they are accepted.
    Owed(QueueKey),
}

impl Broker {
    /// Sends a message that left its queue to the queue's dead-letter exchange. Without such an exchange it is dropped, unless the queue
    /// must keep it.
    pub(crate) fn dead_letter(&mut self, queue: QueueKey, message: &Message, reason: Reason) {
        let state = &mut self.topology.queues[queue];
        if state.settings.owes_dead_letters {
            state.owed.push(message.clone(), reason);
            self.topology.forwards.push_back(Forward::Owed(queue));
        } else if self.dead_letter_exchange(queue).is_some() {
            let letter = self.letter(queue, message, reason);
            let targets = self.targets_of(queue, &letter, reason);
            if !targets.is_empty() {
                self.topology.forwards.push_back(Forward::Once { letter, targets });
            }
        }
    }

    /// Delivers dead-lettered messages, and those that they cause.
    pub(crate) fn forward(&mut self, effects: &mut Effects) {
        while let Some(forward) = self.topology.forwards.pop_front() {
            match forward {
                Forward::Once { letter, targets } => {
                    for target in targets {
                        self.bury(target, &letter, Origin::DeadLetter, effects);
                    }
                }
                Forward::Owed(queue) => self.pay(queue, effects),
            }
        }
    }

    /// Publishes a dead letter to a queue. Returns `false` if the queue does not exist or refuses it.
    pub(super) fn bury(
        &mut self,
        target: QueueKey,
        letter: &Parcel,
        origin: Origin,
        effects: &mut Effects,
    ) -> bool {
        if !self.topology.queues.contains_key(target) {
            return false;
        }
        self.routed.push(target);
        self.enqueue(target, letter, origin, effects)
    }

    /// Returns where a queue's dead letters go. `None` if there is no such exchange, `Some(None)` for the default exchange.
    fn dead_letter_exchange(&self, queue: QueueKey) -> Option<Option<ExchangeKey>> {
        let address = self.topology.queues[queue].settings.dead_letter.as_ref()?;
        if address.exchange.is_empty() {
            return Some(None);
        }
        self.topology.exchange_names.get(&*address.exchange).map(|exchange| Some(*exchange))
    }

    /// Returns the dead letter of a message: to the queue's dead-letter address, with its history.
    pub(super) fn letter(&self, queue: QueueKey, message: &Message, reason: Reason) -> Parcel {
        let state = &self.topology.queues[queue];
        let address = state.settings.dead_letter.as_ref().expect("what is dead-lettered has an address");
        let old = &message.parcel.publication;
        let keys = message.parcel.recorded_keys(&self.node.behaviour);
        let event =
            Event { queue: &state.name, reason, wall: self.node.now.wall, publication: old, keys: &keys };
        let mut headers = old.properties.headers().clone();
        let redirected = address.routing_key.is_some();
        let record = self.node.behaviour.records_deaths.then(|| {
            let mut record = message.parcel.record_or_new();
            record.add(&event);
            record.write(&event, &mut headers);
            record.redirected |= redirected;
            record.failures = message.failures + u32::from(reason == Reason::Rejected && state.is_quorum());
            Arc::new(record)
        });
        if record.is_none() {
            headers = event.write(headers);
        }
        if redirected && !self.node.behaviour.keeps_copies {
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
        let forgets = redirected && record.is_none();
        Parcel { publication, hidden: message.parcel.hidden.clone().filter(|_| !forgets), record }
    }

    /// Returns the queues that a dead letter of a queue goes to.
    pub(super) fn targets_of(&mut self, queue: QueueKey, letter: &Parcel, reason: Reason) -> Vec<QueueKey> {
        let mut targets = Vec::new();
        let Some(exchange) = self.dead_letter_exchange(queue) else { return targets };
        let headers = letter.publication.properties.headers();
        let more = letter.copies();
        let keys = Keys { primary: &letter.publication.routing_key, more: &more };
        match &letter.record {
            Some(record) => self.route(exchange, &keys, &record.routing_headers(headers), &mut targets),
            None => self.route(exchange, &keys, headers, &mut targets),
        }
        if reason != Reason::Rejected {
            targets.retain(|target| {
                let queue = &self.topology.queues[*target].name;
                !letter
                    .record
                    .as_ref()
                    .map_or_else(|| is_cycle(queue, headers), |record| record.is_cycle(queue))
            });
        }
        targets
    }
}
