//! Direct reply-to: answers that go directly to a consumer's channel, through no queue.

use std::sync::Arc;

use tavrida::field::ShortString;
use tavrida::transport::Publication;

use super::Clients;
use super::channel::ReplyConsumer;
use crate::core::effect::{Arrival, Delivered, Effects, MethodReply};
use crate::core::errors::Fault;
use crate::core::keys::ChannelKey;
use crate::core::message::routing_keys::RoutingKeys;
use crate::core::method::BasicConsume;
use crate::core::names::Names;

/// The name that requests the channel's own reply address.
pub(crate) const QUEUE: &str = "amq.rabbitmq.reply-to";

impl Clients {
    pub(crate) fn consume_replies(
        &mut self,
        names: &mut Names,
        channel: ChannelKey,
        consume: BasicConsume,
        effects: &mut Effects,
    ) -> Result<(), Fault> {
        if !consume.no_ack {
            return Err(Fault::precondition_failed("reply consumer cannot acknowledge"));
        }
        let state = &mut self.channels[channel];
        if state.reply_consumer.is_some() {
            return Err(Fault::precondition_failed("reply consumer already set"));
        }
        let tag = names.tag_or(consume.consumer_tag);
        let address = names.reply_address(QUEUE);
        self.reply_addresses.insert(address.clone(), channel);
        state.reply_consumer = Some(ReplyConsumer { tag: tag.clone(), address });
        if !consume.nowait {
            effects.reply(state.id, MethodReply::BasicConsumeOk { consumer_tag: tag });
        }
        Ok(())
    }

    /// Delivers a message to the reply consumers that its keys name. A delivery has the channel's next tag but does not use it up (R121).
    pub(crate) fn deliver_replies(
        &mut self,
        keys: &RoutingKeys<'_>,
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
                let delivered = Delivered {
                    consumer_tag,
                    delivery_tag: self.channels[channel].next_tag,
                    redelivered: false,
                    publication: publication.clone(),
                };
                self.send(channel, Arrival::Delivery(delivered), effects);
            }
        }
    }

    /// Returns whether a queue name is a reply address with a consumer, or requests one (R123).
    pub(crate) fn has_reply_address(&self, name: &str) -> bool {
        name == QUEUE || self.reply_consumer(name).is_some()
    }

    /// Returns the live consumer of a reply address.
    fn reply_consumer(&self, address: &str) -> Option<(ChannelKey, ShortString)> {
        let channel = *self.reply_addresses.get(address)?;
        let consumer = self.channels.get(channel)?.reply_consumer.as_ref()?;
        (consumer.address == address).then(|| (channel, consumer.tag.clone()))
    }
}
