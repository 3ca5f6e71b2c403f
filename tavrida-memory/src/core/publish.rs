//! `basic.publish`: checks, routing, confirms (A14 of the broker semantics).

use std::sync::Arc;

use tavrida::field::{LongString, ShortString, Table, Value};
use tavrida::transport::Publication;
use tavrida_behaviour::Behaviour;

use super::clients::channel::Mode;
use super::effect::{Effect, Effects};
use super::errors::Fault;
use super::keys::{ChannelKey, ExchangeKey, QueueKey};
use super::parcel::Parcel;
use super::queue::Origin;
use super::topology::exchange::{Keys, Target};
use super::tx::Routed;
use super::{Broker, ChannelId, erlang, expiration, reply_to};

/// The text of `basic.return`.
const NO_ROUTE: ShortString = ShortString::from_static("NO_ROUTE");

impl Broker {
    pub(crate) fn publish(
        &mut self,
        channel: ChannelKey,
        publication: Arc<Publication>,
        immediate: bool,
        effects: &mut Effects,
    ) -> Result<(), Fault> {
        let exchange = self.check_publish(&publication, immediate)?;
        let publication = self.with_reply_address(channel, publication)?;
        if !self.node.behaviour.checks_user_last {
            self.check_user(channel, &publication)?;
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
            self.check_user(channel, &publication)?;
        }
        let parcel = match &more {
            Some(_) => Parcel::published(publication),
            None => Parcel { publication, hidden: None, record: None },
        };
        let parcel = parcel.rewritten(&self.node.behaviour);
        let more = more.unwrap_or_default();
        let mut queues = std::mem::take(&mut self.routed);
        queues.clear();
        let keys = Keys { primary: &parcel.publication.routing_key, more: &more };
        self.route(exchange, &keys, parcel.publication.properties.headers(), &mut queues);
        if exchange.is_none() {
            self.deliver_replies(&keys, &parcel.publication, effects);
        }
        let id = self.clients.channels[channel].id;
        if let Mode::Transaction(transaction) = &mut self.clients.channels[channel].mode {
            let routed = match exchange {
                _ if self.node.behaviour.transactions_route_at_publish => Routed::Queues(queues),
                Some(_) => Routed::Names(
                    queues.iter().map(|queue| self.topology.queues[*queue].name.clone()).collect(),
                ),
                None => Routed::Names(keys.names()),
            };
            transaction.publish(parcel, routed);
            return Ok(());
        }
        let ack = self.publish_to(id, &parcel, &queues, effects);
        self.routed = queues;
        if let Some(delivery_tag) = number {
            effects.push(Effect::Confirm { channel: id, delivery_tag, ack });
        }
        Ok(())
    }

    /// Puts a message into the queues that it was routed to. Returns `false` if one of them refused it.
    pub(crate) fn publish_to(
        &mut self,
        channel: ChannelId,
        parcel: &Parcel,
        queues: &[QueueKey],
        effects: &mut Effects,
    ) -> bool {
        let mut taken = true;
        for queue in queues {
            // In a transaction a queue may have been deleted since the message was routed.
            if self.topology.queues.contains_key(*queue) {
                taken &= self.enqueue(*queue, parcel, Origin::Publish, effects);
            }
        }
        if queues.is_empty() && parcel.publication.mandatory {
            let publication = parcel.publication.clone();
            effects.push(Effect::Return { channel, code: 312, text: NO_ROUTE, publication });
        }
        taken
    }

    /// Returns the queues that a message reaches from an exchange (`None` is the default exchange), without duplicates (R25, R26).
    pub(crate) fn route(
        &mut self,
        exchange: Option<ExchangeKey>,
        keys: &Keys<'_>,
        headers: &Table,
        into: &mut Vec<QueueKey>,
    ) {
        let Some(start) = exchange else {
            into.extend(self.topology.queue_names.get(keys.primary));
            let names = keys.more.iter().filter_map(|key| std::str::from_utf8(key).ok());
            into.extend(names.filter_map(|name| self.topology.queue_names.get(name)));
            return sort_out(into);
        };
        let mut targets = std::mem::take(&mut self.topology.targets);
        let mut seen: Vec<ExchangeKey> = Vec::new();
        let mut next = Some(start);
        let mut todo: Vec<ExchangeKey> = Vec::new();
        while let Some(exchange) = next {
            targets.clear();
            let state = &mut self.topology.exchanges[exchange];
            state.router.route(keys, headers, &mut targets);
            if targets.is_empty()
                && let Some(alternate) = state.alternate()
            {
                targets.extend(self.topology.exchange_names.get(alternate).copied().map(Target::Exchange));
            }
            for target in &targets {
                match target {
                    Target::Queue(queue) => into.push(*queue),
                    Target::Exchange(other) if *other != start && !seen.contains(other) => {
                        seen.push(*other);
                        todo.push(*other);
                    }
                    Target::Exchange(_) => {}
                }
            }
            next = todo.pop();
        }
        self.topology.targets = targets;
        sort_out(into);
    }

    /// Returns whether the exchange of a message exists and can be published to.
    pub fn has_exchange_for(&self, publication: &Publication) -> bool {
        self.check_publish(publication, false).is_ok()
    }

    fn check_publish(
        &self,
        publication: &Publication,
        immediate: bool,
    ) -> Result<Option<ExchangeKey>, Fault> {
        if immediate {
            return Err(Fault::not_implemented("immediate=true"));
        }
        let size = publication.body.len();
        let largest = self.node.behaviour.largest_body;
        if size > largest {
            return Err(Fault::precondition_failed(format!(
                "message size {size} is larger than configured max size {largest}"
            )));
        }
        if publication.exchange.is_empty() {
            return Ok(None);
        }
        let exchange = self.exchange(&publication.exchange)?;
        if self.topology.exchanges[exchange].internal {
            let what = self.exchange_text(&publication.exchange);
            return Err(Fault::access_refused(format!("cannot publish to internal {what}")));
        }
        Ok(Some(exchange))
    }

    fn check_user(&self, channel: ChannelKey, publication: &Publication) -> Result<(), Fault> {
        if let Some(claimed) = &publication.properties.user_id {
            let id = self.clients.channels[channel].id;
            let actual = &self.clients.connections[&id.connection].options.user;
            if claimed != actual {
                return Err(Fault::precondition_failed(format!(
                    "user_id property set to '{claimed}' but authenticated user was '{actual}'"
                )));
            }
        }
        Ok(())
    }

    /// Returns the message with a reply address that leads back to this channel, if it requests one (R120).
    fn with_reply_address(
        &self,
        channel: ChannelKey,
        mut publication: Arc<Publication>,
    ) -> Result<Arc<Publication>, Fault> {
        if publication.properties.reply_to.as_deref() == Some(reply_to::QUEUE) {
            let address = self.clients.channels[channel].reply_address()?;
            Arc::make_mut(&mut publication).properties.reply_to = Some(address);
        }
        Ok(publication)
    }
}

/// Sorts and removes duplicates.
fn sort_out(queues: &mut Vec<QueueKey>) {
    if queues.len() > 1 {
        queues.sort_unstable();
        queues.dedup();
    }
}

fn check_expiration(publication: &Publication) -> Result<(), Fault> {
    let Some(text) = &publication.properties.expiration else { return Ok(()) };
    expiration::parse(text).map(drop).map_err(|reason| {
        let what = format!("invalid expiration '{text}': ");
        let reason = erlang::pair_from(what.chars().count(), &reason);
        Fault::precondition_failed(what + &reason)
    })
}

/// Returns the keys of the `CC` and `BCC` headers, if any, after checking these and then the delivery mode (R89).
fn check_message(publication: &Publication, behaviour: &Behaviour) -> Result<Option<Vec<LongString>>, Fault> {
    let keys = check_copies(publication)?;
    match publication.properties.delivery_mode {
        Some(mode @ (0 | 3..)) if !behaviour.takes_every_delivery_mode => {
            Err(invalid_message(&format!("{{delivery_mode_unknown,{mode}}}")))
        }
        _ => Ok(keys),
    }
}

fn invalid_message(reason: &str) -> Fault {
    Fault::precondition_failed(format!("invalid message: {reason}"))
}

fn check_copies(publication: &Publication) -> Result<Option<Vec<LongString>>, Fault> {
    let Some(headers) = &publication.properties.headers else { return Ok(None) };
    if !headers.iter().any(|(name, _)| matches!(name.as_str(), "CC" | "BCC")) {
        return Ok(None);
    }
    for name in ["CC", "BCC"] {
        if let Some(value) = headers.get(name)
            && !matches!(value, Value::Array(_))
        {
            let kind = erlang::type_name(value);
            return Err(invalid_message(&format!("{{unacceptable_type_in_header,\"{name}\",{kind}}}")));
        }
    }
    Ok(Some(header_keys(headers, &["CC", "BCC"])))
}

/// Returns the routing keys in these headers; entries that are not text are ignored.
pub(crate) fn header_keys(headers: &Table, names: &[&str]) -> Vec<LongString> {
    let mut keys = Vec::new();
    for name in names {
        if let Some(Value::Array(items)) = headers.get(name) {
            keys.extend(items.iter().filter_map(|item| match item {
                Value::LongString(key) => Some(key.clone()),
                _ => None,
            }));
        }
    }
    keys
}
