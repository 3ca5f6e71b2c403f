//! Random messages, consumers and settlements.

use std::sync::Arc;

use tavrida::field::{ShortString, Table, Value};
use tavrida::transport::{Properties, Publication};
use tavrida_memory::core::{BasicConsume, ChannelId, Method};

use super::pools::{KEYS, TAGS, headers, table};
use super::things::SOON;
use super::{Generator, SHORT_LIFE};
use crate::names::short;
use crate::program::{Op, Settle, Tag, Verdict};

impl Generator {
    pub(super) fn consume(&mut self, channel: ChannelId, wild: bool) -> BasicConsume {
        if self.flavour.replies && self.chance(40) {
            return BasicConsume {
                queue: short("amq.rabbitmq.reply-to"),
                consumer_tag: short("r"),
                no_ack: self.chance(92),
                ..Default::default()
            };
        }
        // A channel consumes one queue at a time: see the guards.
        let consumed = self.world.shadow.channel(channel).consumers.values().next().map(|c| c.queue.clone());
        let queue = match consumed {
            Some(queue) => queue,
            None => self.queue_name(wild),
        };
        let arguments = match self.rng.u8(..100) {
            ..30 => table(&[("x-priority", Value::I32(self.pick(&[-1, 0, 1, 5])))]),
            30..34 if wild => table(&[("x-priority", Value::from("5"))]),
            34..36 if wild => table(&[("x-stream-offset", Value::from("first"))]),
            _ => Table::new(),
        };
        BasicConsume {
            queue,
            consumer_tag: self.consumer_tag(channel, wild),
            no_local: self.chance(4),
            no_ack: self.chance(15),
            exclusive: self.chance(if wild { 10 } else { 3 }),
            nowait: false,
            arguments,
        }
    }

    /// Returns a tag that the channel has probably not given to another consumer.
    pub(super) fn consumer_tag(&mut self, channel: ChannelId, wild: bool) -> ShortString {
        let used: Vec<ShortString> = self.world.shadow.channel(channel).consumers.keys().cloned().collect();
        let free: Vec<&str> = TAGS.into_iter().filter(|tag| !used.iter().any(|used| used == *tag)).collect();
        match self.rng.u8(..100) {
            ..10 => ShortString::default(),
            10..12 => short(self.pick(&TAGS)),
            12..14 if !used.is_empty() => used[self.rng.usize(..used.len())].clone(),
            _ if wild || free.is_empty() => short(self.pick(&TAGS)),
            _ => short(self.pick(&free)),
        }
    }

    /// Cancels a consumer, probably one of the channel's.
    pub(super) fn cancel(&mut self, channel: ChannelId) -> Method {
        let tags: Vec<ShortString> = self.world.shadow.channel(channel).consumers.keys().cloned().collect();
        let consumer_tag = match self.chance(85) && !tags.is_empty() {
            true => tags[self.rng.usize(..tags.len())].clone(),
            false => short(self.pick(&TAGS)),
        };
        Method::BasicCancel { consumer_tag, nowait: self.chance(5) }
    }

    pub(super) fn settle(&mut self, verdict: Verdict) -> Op {
        let chain = self.flavour.chain;
        let verdict = if chain && self.chance(60) { Verdict::Reject } else { verdict };
        let multiple = verdict != Verdict::Reject && self.chance(35);
        let tag = match self.rng.u8(..100) {
            ..10 if multiple => Tag::Number(0),
            10..12 => Tag::Number(self.rng.u64(..12)),
            _ => Tag::Nth(self.rng.usize(..5)),
        };
        Op::Settle(Settle {
            verdict,
            tag,
            multiple,
            requeue: verdict != Verdict::Ack && self.chance(if chain { 20 } else { 60 }),
        })
    }

    pub(super) fn publish(&mut self, channel: ChannelId, wild: bool) -> Method {
        self.bodies += 1;
        let (exchange, routing_key) = match self.rng.u8(..100) {
            ..45 => (ShortString::default(), self.queue_name(false)),
            45..55 if self.flavour.replies => (ShortString::default(), short("$r1")),
            _ => (self.exchange_name(wild), short(self.pick(&KEYS))),
        };
        let reply = self.flavour.replies && (self.chance(25) && self.answers(channel) || self.chance(1));
        let body = match self.rng.u8(..100) {
            ..3 => String::new(),
            3..6 => format!("m{}-longer", self.bodies),
            _ => format!("m{}", self.bodies),
        };
        let mut properties = self.properties(wild);
        if self.flavour.short_lives {
            self.due = self.due.or(Some(SOON));
            let alone = exchange.is_empty() && routing_key == "q0" && !properties.headers().contains("CC");
            if alone && !properties.headers().contains("BCC") && self.chance(40) {
                properties.expiration = Some(short(&SHORT_LIFE.to_string()));
            }
        }
        if reply {
            properties.reply_to = Some(short("amq.rabbitmq.reply-to"));
        }
        let publication =
            Publication { exchange, routing_key, mandatory: self.chance(50), properties, body: body.into() };
        Method::BasicPublish { publication: Arc::new(publication), immediate: wild && self.chance(2) }
    }

    /// Returns whether the channel consumes replies.
    pub(super) fn answers(&self, channel: ChannelId) -> bool {
        self.world
            .shadow
            .channel(channel)
            .consumers
            .values()
            .any(|consumer| consumer.queue.starts_with("amq.rabbitmq"))
    }

    pub(super) fn properties(&mut self, wild: bool) -> Properties {
        let mut properties = Properties::default();
        if self.flavour.priorities && self.chance(60) {
            properties.priority = Some(self.pick(&[0, 1, 2, 3, 9]));
        }
        if self.flavour.expiry && self.chance(20) {
            // What a quorum queue gets lives for a millisecond at least: too short to distinguish from none.
            let texts = if self.flavour.quorum { ["600000", "+0600000"] } else { ["0", "+00"] };
            let text = self.pick(&[texts[0], texts[1], "600000"]);
            properties.expiration = Some(short(text));
        }
        if self.chance(35) {
            properties.headers = Some(headers(&mut self.rng));
        }
        if self.chance(15) {
            properties.delivery_mode = Some(self.pick(&[1, 2]));
            properties.message_id = Some(short("id"));
            properties.content_type = Some(short(self.pick(&["", "text/plain"])));
        }
        if self.chance(5) {
            properties.timestamp = Some(0);
            properties.correlation_id = Some(short("c"));
            properties.reply_to = Some(short("somewhere"));
            properties.kind = Some(short("k"));
            properties.app_id = Some(short("app"));
            properties.cluster_id = Some(short(""));
            properties.content_encoding = Some(short("gzip"));
        }
        if self.chance(4) {
            properties.user_id = Some(short(if wild { self.pick(&["guest", "zz", ""]) } else { "guest" }));
        }
        if wild && self.chance(8) {
            for _ in 0..self.rng.usize(1..4) {
                self.spoil(&mut properties);
            }
        }
        properties
    }

    /// Adds a fault, which one call may have several of.
    fn spoil(&mut self, properties: &mut Properties) {
        match self.rng.usize(..6) {
            0 => properties.delivery_mode = Some(self.pick(&[0, 3, 255])),
            1 => properties.headers = Some(table(&[("CC", Value::from("q0"))])),
            2 => properties.headers = Some(table(&[("BCC", Value::I32(1))])),
            3 => properties.user_id = Some(short(self.pick(&["zz", ""]))),
            4 => properties.reply_to = Some(short("amq.rabbitmq.reply-to")),
            _ => {
                let odd = ["", "x", " 5", "5x", "1.5", "-1", "315360000001", "99999999999999999999"];
                properties.expiration = Some(short(self.pick(&odd)));
            }
        }
    }
}
