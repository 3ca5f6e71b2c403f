//! Direct reply-to: answers that go directly to a consumer's channel, through no queue.

use std::sync::Arc;

use tavrida::field::ShortString;
use tavrida::transport::Publication;

use super::Broker;
use super::clients::channel::Channel;
use super::effect::{Arrival, Delivered, Effects, MethodReply};
use super::errors::Fault;
use super::keys::ChannelKey;
use super::method::BasicConsume;
use super::topology::exchange::Keys;

/// The name that requests the channel's own reply address.
pub(crate) const QUEUE: &str = "amq.rabbitmq.reply-to";

/// The consumer of direct replies; a channel has at most one.
#[derive(Debug, Clone)]
pub(crate) struct ReplyConsumer {
    pub(crate) tag: ShortString,
    /// The address of its requests: the name above, a dot and a key.
    pub(crate) address: ShortString,
}

impl Channel {
    /// Returns the reply address for what this channel publishes (R120).
    pub(crate) fn reply_address(&self) -> Result<ShortString, Fault> {
        match &self.reply_consumer {
            Some(consumer) => Ok(consumer.address.clone()),
            None => Err(Fault::precondition_failed("fast reply consumer does not exist")),
        }
    }
}

impl Broker {
    pub(crate) fn consume_replies(
        &mut self,
        channel: ChannelKey,
        consume: BasicConsume,
        effects: &mut Effects,
    ) -> Result<(), Fault> {
        if !consume.no_ack {
            return Err(Fault::precondition_failed("reply consumer cannot acknowledge"));
        }
        if self.clients.channels[channel].reply_consumer.is_some() {
            return Err(Fault::precondition_failed("reply consumer already set"));
        }
        let tag = self.consumer_tag(consume.consumer_tag);
        let address = self.node.names.reply_address(QUEUE);
        self.clients.reply_addresses.insert(address.clone(), channel);
        let state = &mut self.clients.channels[channel];
        state.reply_consumer = Some(ReplyConsumer { tag: tag.clone(), address });
        if !consume.nowait {
            effects.reply(state.id, MethodReply::BasicConsumeOk { consumer_tag: tag });
        }
        Ok(())
    }

    /// Delivers a message to the reply consumers that its keys name. A delivery has the channel's next tag but does not use it up (R121).
    pub(crate) fn deliver_replies(
        &mut self,
        keys: &Keys<'_>,
        publication: &Arc<Publication>,
        effects: &mut Effects,
    ) {
        let mut addresses: Vec<&[u8]> = Vec::new();
        keys.each(|key| {
            if key.starts_with(QUEUE.as_bytes()) && !addresses.contains(&key) {
                addresses.push(key);
            }
        });
        for address in addresses {
            let consumer = std::str::from_utf8(address).ok().and_then(|address| self.reply_consumer(address));
            if let Some((channel, consumer_tag)) = consumer {
                let number = self.next_number();
                let state = &mut self.clients.channels[channel];
                let delivered = Delivered {
                    consumer_tag,
                    delivery_tag: state.next_tag,
                    redelivered: false,
                    publication: publication.clone(),
                };
                state.send(number, Arrival::Delivery(delivered), effects);
            }
        }
    }

    /// `queue.declare` of a reply address checks whether its consumer exists (R123).
    pub(crate) fn declare_reply_address(&self, name: &ShortString) -> Result<ShortString, Fault> {
        if name == QUEUE || self.reply_consumer(name).is_some() {
            Ok(name.clone())
        } else {
            Err(Fault::not_found(format!("no {}", self.queue_text(name))))
        }
    }

    /// Returns the live consumer of a reply address.
    fn reply_consumer(&self, address: &str) -> Option<(ChannelKey, ShortString)> {
        let channel = *self.clients.reply_addresses.get(address)?;
        let consumer = self.clients.channels.get(channel)?.reply_consumer.as_ref()?;
        (consumer.address == address).then(|| (channel, consumer.tag.clone()))
    }
}
