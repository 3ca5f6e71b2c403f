//! Publishing: by clients, by transactions, and by queues that dead-letter (A11, A14 of the broker semantics).

use std::sync::Arc;

use tavrida::field::ShortString;
use tavrida::transport::Publication;

use super::broker::Broker;
use super::clients::channel::Mode;
use super::clients::reply_to;
use super::clients::transaction::{Routed, Transaction};
use super::effect::{Effect, Effects};
use super::errors::Fault;
use super::ids::ChannelId;
use super::keys::{ChannelKey, QueueKey};
use super::message::checks::{check_expiration, check_message, check_user};
use super::message::container::Container;
use super::message::deaths::Reason;
use super::message::routing_keys::RoutingKeys;
#[cfg(feature = "port")]
use super::method::Method;
use super::queue::Origin;
use super::queue::dead_letters::{DeadLetter, RETRY_AFTER};
use super::queue::settings::Overflow;
use super::topology::InTransit;

/// The text of `basic.return`.
const NO_ROUTE: ShortString = ShortString::from_static("NO_ROUTE");

impl Broker {
    /// Returns whether a publish is refused, or ignored, before its properties are looked at.
    #[cfg(feature = "port")]
    pub(crate) fn refuses(&self, channel: ChannelId, method: &Method) -> bool {
        let Method::BasicPublish { publication, immediate } = method else { return false };
        let Some(channel) = self.clients.channel_ids.get(&channel).copied() else { return true };
        self.clients.channels[channel].closing
            || self.check_permissions(channel, method).is_err()
            || self.topology.check_publish(&self.node, publication, *immediate).is_err()
    }

    /// `basic.publish`.
    pub(super) fn publish(
        &mut self,
        channel: ChannelKey,
        mut publication: Arc<Publication>,
        immediate: bool,
        effects: &mut Effects,
    ) -> Result<(), Fault> {
        let exchange = self.topology.check_publish(&self.node, &publication, immediate)?;
        let state = &mut self.clients.channels[channel];
        let id = state.id;
        if publication.properties.reply_to.as_deref() == Some(reply_to::QUEUE) {
            let address = state.reply_address()?;
            Arc::make_mut(&mut publication).properties.reply_to = Some(address);
        }
        if !self.node.behaviour.checks_user_last {
            self.check_user(id, &publication)?;
        }
        check_expiration(&publication)?;
        let number = match &mut self.clients.channels[channel].mode {
            Mode::Confirm(next) => {
                *next += 1;
                Some(*next - 1)
            }
            _ => None,
        };
        let more = check_message(&publication, &self.node.behaviour)?;
        if self.node.behaviour.checks_user_last {
            self.check_user(id, &publication)?;
        }
        let container = match &more {
            Some(_) => Container::published(publication),
            None => Container { publication, bcc: None, deaths: None },
        };
        let container = container.rewritten(&self.node.behaviour);
        let more = more.unwrap_or_default();
        let mut queues = std::mem::take(&mut self.routed);
        queues.clear();
        let keys = RoutingKeys { primary: &container.publication.routing_key, more: &more };
        self.topology.route(exchange, &keys, container.publication.properties.headers(), &mut queues);
        if exchange.is_none() {
            self.clients.deliver_replies(&keys, &container.publication, effects);
        }
        if let Mode::Transaction(transaction) = &mut self.clients.channels[channel].mode {
            let name = |queue: &QueueKey| self.topology.queues[*queue].name.clone();
            let routed = match exchange {
                _ if self.node.behaviour.transactions_route_at_publish => Routed::Queues(queues),
                Some(_) => Routed::Names(queues.iter().map(name).collect()),
                None => Routed::Names(keys.names()),
            };
            transaction.publish(container, routed);
            return Ok(());
        }
        let ack = self.publish_to(id, &container, &queues, effects);
        self.routed = queues;
        if let Some(delivery_tag) = number {
            effects.push(Effect::Confirm { channel: id, delivery_tag, ack });
        }
        Ok(())
    }

    fn check_user(&self, id: ChannelId, publication: &Publication) -> Result<(), Fault> {
        if publication.properties.user_id.is_none() {
            return Ok(());
        }
        check_user(publication, &self.clients.connections[&id.connection].options.user)
    }

    /// Puts a message into the queues that it was routed to. Returns `false` if one of them refused it.
    fn publish_to(
        &mut self,
        channel: ChannelId,
        container: &Container,
        queues: &[QueueKey],
        effects: &mut Effects,
    ) -> bool {
        let mut taken = true;
        for queue in queues {
            // In a transaction a queue may have been deleted since the message was routed.
            if self.topology.queues.contains_key(*queue) {
                taken &= self.enqueue(*queue, container, Origin::Publish, effects);
            }
        }
        if queues.is_empty() && container.publication.mandatory {
            let publication = container.publication.clone();
            effects.push(Effect::Return { channel, code: 312, text: NO_ROUTE, publication });
        }
        taken
    }

    /// Publishes and settles what a transaction has collected.
    pub(super) fn commit(&mut self, channel: ChannelKey, effects: &mut Effects) -> Result<(), Fault> {
        let state = &mut self.clients.channels[channel];
        let id = state.id;
        let Transaction { published, settled } = std::mem::take(state.transaction()?);
        let mut taken = true;
        for (container, routed) in published {
            let topology = &self.topology;
            let queues = match routed {
                Routed::Names(names) => {
                    names.iter().filter_map(|name| topology.queue_names.get(name).copied()).collect()
                }
                Routed::Queues(queues) => {
                    taken &= queues.iter().all(|queue| topology.queues.contains_key(*queue));
                    queues
                }
            };
            taken &= self.publish_to(id, &container, &queues, effects);
        }
        for (settlement, mut deliveries) in settled {
            deliveries.sort_by_key(|(tag, _)| *tag);
            self.settle_groups(channel, deliveries, settlement, effects);
        }
        if taken { Ok(()) } else { Err(Fault::precondition_failed("partial tx completion")) }
    }

    /// Puts a message into a queue, or delivers it directly to a consumer. Returns `false` if the queue refuses it (A1).
    fn enqueue(
        &mut self,
        queue: QueueKey,
        container: &Container,
        origin: Origin,
        effects: &mut Effects,
    ) -> bool {
        let state = &mut self.topology.queues[queue];
        let mut message = state.message(container, self.node.now.elapsed, &self.node.behaviour);
        if state.refuses(&message, origin) {
            if state.settings.overflow == Overflow::RejectPublishDlx {
                self.topology.dead_letter(&self.node, queue, &message, Reason::MaxLength);
            }
            return false;
        }
        message.seq = state.take_seq();
        if state.is_quorum() {
            state.ready.insert(message);
            self.topology.drop_expired(&self.node, queue);
            self.run(queue, effects);
            self.topology.drop_over_limit(&self.node, queue);
            self.topology.schedule(queue);
            return true;
        }
        if state.ready.is_empty()
            && let Some(consumer) = self.clients.next_consumer(queue, state)
        {
            self.clients.assign(state, consumer);
            self.clients.send_delivery(queue, state, consumer, message, effects);
            return true;
        }
        state.ready.insert(message);
        self.topology.drop_over_limit(&self.node, queue);
        self.topology.drop_expired(&self.node, queue);
        self.topology.schedule(queue);
        true
    }

    /// Delivers dead-lettered messages, and those that they cause.
    pub(super) fn forward_dead_letters(&mut self, effects: &mut Effects) {
        while let Some(next) = self.topology.in_transit.pop_front() {
            match next {
                InTransit::AtMostOnce { letter, targets } => {
                    for target in targets {
                        self.publish_dead_letter(target, &letter, Origin::AtMostOnce, effects);
                    }
                }
                InTransit::AtLeastOnce(queue) => self.send_dead_letters(queue, effects),
            }
        }
    }

    /// Publishes a dead letter to a queue. Returns `false` if the queue does not exist or refuses it.
    fn publish_dead_letter(
        &mut self,
        target: QueueKey,
        letter: &Container,
        origin: Origin,
        effects: &mut Effects,
    ) -> bool {
        if !self.topology.queues.contains_key(target) {
            return false;
        }
        self.routed.push(target);
        self.enqueue(target, letter, origin, effects)
    }

    /// Sends the dead letters of a queue that were not sent yet.
    fn send_dead_letters(&mut self, queue: QueueKey, effects: &mut Effects) {
        while let Some((message, reason)) =
            self.topology.queues.get_mut(queue).and_then(|state| state.dead_letters.next())
        {
            let container = self.topology.to_dead_letter(&self.node, queue, &message, reason);
            let letter = DeadLetter { message, reason, container, confirmed_by: Vec::new(), refused: None };
            if let Some(letter) = self.send_dead_letter(queue, letter, effects) {
                self.topology.queues[queue].dead_letters.keep(letter, self.node.now.elapsed);
                self.topology.retrying.insert(queue);
            }
        }
        self.topology.schedule(queue);
    }

    /// If a retry is due, sends what no target accepted, and what was refused long enough ago.
    pub(super) fn retry_dead_letters(&mut self, queue: QueueKey, effects: &mut Effects) {
        let now = self.node.now.elapsed;
        let dead_letters = &mut self.topology.queues[queue].dead_letters;
        if dead_letters.next_retry().is_none_or(|at| at > now) {
            return;
        }
        let mut letters = std::mem::take(&mut dead_letters.unconfirmed);
        letters = letters
            .into_iter()
            .filter_map(|letter| match letter.refused {
                Some(at) if at + RETRY_AFTER > now => Some(letter),
                _ => self.send_dead_letter(queue, letter, effects),
            })
            .collect();
        self.topology.queues[queue].dead_letters.unconfirmed = letters;
        self.topology.schedule_retry(&self.node, queue);
        self.send_dead_letters(queue, effects);
    }

    /// Sends a letter to all targets that do not have it. Returns it if that did not complete.
    fn send_dead_letter(
        &mut self,
        queue: QueueKey,
        mut letter: DeadLetter,
        effects: &mut Effects,
    ) -> Option<DeadLetter> {
        letter.refused = None;
        for target in self.topology.targets_of(queue, &letter.container, letter.reason) {
            let name = self.topology.queues[target].name.clone();
            if letter.confirmed_by.contains(&name) {
                continue;
            }
            if self.publish_dead_letter(target, &letter.container, Origin::AtLeastOnce, effects) {
                letter.confirmed_by.push(name);
            } else {
                letter.refused = Some(self.node.now.elapsed);
            }
        }
        // RabbitMQ does not send by `BCC` keys again.
        letter.container.bcc = None;
        if letter.refused.is_some() || letter.confirmed_by.is_empty() {
            return Some(letter);
        }
        self.topology.queues[queue].dead_letters.bytes -= letter.message.bytes();
        None
    }
}
