//! [`Shadow`]: what the clients of a run know, from what they did and received.

use std::collections::{BTreeMap, BTreeSet};

use tavrida::field::{ShortString, Table, Value};
use tavrida_memory::core::{Arrival, ChannelId, ConnectionId, Method, MethodReply, Operator, QueueDeclare};

use crate::action::Action;
use crate::heard::{Heard, Report, Said};

/// The knowledge of the clients.
#[derive(Debug, Default)]
pub(crate) struct Shadow {
    pub(crate) channels: BTreeMap<ChannelId, ChannelShadow>,
    /// All queues that were ever declared, by name, with the arguments of their latest declaration.
    pub(crate) queues: BTreeMap<ShortString, Table>,
    /// All exchanges that were declared, with their types.
    pub(crate) exchanges: BTreeMap<ShortString, ShortString>,
    /// Whether a queue dead-letters.
    pub(crate) dead_letters: bool,
    /// Whether a queue has priorities.
    pub(crate) priorities: bool,
    /// Whether messages expire.
    pub(crate) expires: bool,
    /// The connection that published during an alarm.
    pub(crate) blocked: Option<ConnectionId>,
    /// Whether policies set limits and dead-letter exchanges, besides the arguments of queues.
    pub(crate) policies: bool,
}

/// The known state of a channel.
#[derive(Debug, Default)]
pub(crate) struct ChannelShadow {
    pub(crate) unacked: Vec<Unacked>,
    pub(crate) consumers: BTreeMap<ShortString, ConsumerShadow>,
    pub(crate) last_queue: Option<ShortString>,
    /// Whether all consumers share a limit.
    pub(crate) shares_limit: bool,
    /// What an open transaction settled.
    pub(crate) settled: Vec<Unacked>,
    /// Whether it published since its last transaction ended.
    pub(crate) published: bool,
    /// Whether a consumer of it may have a limit.
    pub(crate) limits: bool,
}

/// An unsettled delivery.
#[derive(Debug, Clone)]
pub(crate) struct Unacked {
    pub(crate) tag: u64,
    pub(crate) queue: ShortString,
    /// Its consumer. `None` for `basic.get`.
    pub(crate) consumer: Option<ShortString>,
}

/// The known state of a consumer.
#[derive(Debug, Clone)]
pub(crate) struct ConsumerShadow {
    pub(crate) queue: ShortString,
    no_ack: bool,
    pub(crate) priority: i64,
}

impl Shadow {
    pub(crate) fn reset(&mut self, channel: ChannelId) {
        self.channels.insert(channel, ChannelShadow::default());
    }

    pub(crate) fn channel(&self, channel: ChannelId) -> &ChannelShadow {
        &self.channels[&channel]
    }

    /// Returns the tag of a channel's n-th unsettled delivery; the index wraps around.
    pub(crate) fn nth_unacked(&self, channel: ChannelId, n: usize) -> Option<u64> {
        let unacked = &self.channel(channel).unacked;
        (!unacked.is_empty()).then(|| unacked[n % unacked.len()].tag)
    }

    /// Returns the queue that a name refers to on a channel.
    pub(crate) fn queue<'a>(&'a self, channel: ChannelId, name: &'a ShortString) -> &'a ShortString {
        let last = self.channel(channel).last_queue.as_ref();
        if name.is_empty() { last.unwrap_or(name) } else { name }
    }

    /// Learns from a step and its output.
    pub(crate) fn note(&mut self, channel: ChannelId, action: &Action, existed: bool, report: &Report) {
        if let Action::Call(method) = action {
            self.note_call(channel, method, existed, report);
        }
        for (channel, heard) in &report.0 {
            match heard.said.first() {
                Some(Said::Blocked(_)) => self.blocked = Some(channel.connection),
                Some(Said::Unblocked) => self.blocked = None,
                _ => {}
            }
            for arrival in &heard.arrived {
                self.note_arrival(*channel, arrival);
            }
        }
    }

    /// Learns from what an operator does.
    pub(crate) fn note_operator(&mut self, operator: &Operator) {
        if let Operator::SetPolicy(policy) = operator {
            self.policies = true;
            self.dead_letters |= policy.definition.dead_letter_exchange.is_some();
            self.expires |= policy.definition.message_ttl.is_some();
        }
    }

    /// Learns from a call and its answer, and not from what arrived.
    pub(crate) fn note_call(&mut self, channel: ChannelId, method: &Method, existed: bool, report: &Report) {
        let heard = report.0.get(&channel).cloned().unwrap_or_default();
        let closed = heard.said.iter().any(|said| {
            matches!(
                said,
                Said::Closed(_) | Said::Reply(MethodReply::ChannelCloseOk) | Said::ConnectionCloseOk
            )
        });
        if !closed {
            self.note_method(channel, method, existed, &heard);
        }
    }

    /// Learns from a call that succeeded, and from the answer if it is known.
    pub(crate) fn note_method(&mut self, channel: ChannelId, method: &Method, existed: bool, heard: &Heard) {
        let first = heard.said.iter().find_map(|said| match said {
            Said::Reply(reply) => Some(reply),
            _ => None,
        });
        let meant = match method {
            Method::BasicConsume(consume) => self.queue(channel, &consume.queue).clone(),
            Method::BasicGet { queue, .. } => self.queue(channel, queue).clone(),
            _ => ShortString::default(),
        };
        if let Method::QueueDeclare(declare) = method {
            self.note_queue(channel, declare, existed, first);
            return;
        }
        if let Method::ExchangeDeclare(declare) = method
            && !declare.passive
        {
            self.exchanges.insert(declare.exchange.clone(), declare.kind.clone());
        }
        if let Method::BasicPublish { publication, .. } = method {
            self.expires |= publication.properties.expiration.is_some();
        }
        let state = self.channels.entry(channel).or_default();
        match method {
            Method::BasicConsume(consume) => {
                let tag = match first {
                    Some(MethodReply::BasicConsumeOk { consumer_tag }) => consumer_tag.clone(),
                    _ => consume.consumer_tag.clone(),
                };
                let priority = priority(&consume.arguments);
                state
                    .consumers
                    .insert(tag, ConsumerShadow { queue: meant, no_ack: consume.no_ack, priority });
            }
            Method::BasicCancel { consumer_tag, .. } => drop(state.consumers.remove(consumer_tag)),
            Method::BasicGet { no_ack: false, .. } => {
                if let Some(MethodReply::BasicGetOk(got)) = first {
                    state.unacked.push(Unacked { tag: got.delivery_tag, queue: meant, consumer: None });
                }
            }
            Method::BasicAck { delivery_tag, multiple }
            | Method::BasicNack { delivery_tag, multiple, .. } => {
                state.settle(*delivery_tag, *multiple);
            }
            Method::BasicReject { delivery_tag, .. } => state.settle(*delivery_tag, false),
            Method::BasicRecover { .. } | Method::BasicRecoverAsync { .. } => state.unacked.clear(),
            Method::BasicQos { prefetch_count, global, .. } => {
                state.shares_limit = *global && *prefetch_count > 0;
                state.limits |= *prefetch_count > 0;
            }
            Method::BasicPublish { .. } => state.published = true,
            Method::TxCommit => {
                state.settled.clear();
                state.published = false;
            }
            Method::TxRollback => {
                state.published = false;
                state.unacked.append(&mut state.settled);
                state.unacked.sort_by_key(|unacked| unacked.tag);
            }
            _ => {}
        }
    }

    fn note_queue(
        &mut self,
        channel: ChannelId,
        declare: &QueueDeclare,
        existed: bool,
        reply: Option<&MethodReply>,
    ) {
        let name = match reply {
            Some(MethodReply::QueueDeclareOk { queue, .. }) if declare.queue.is_empty() => queue.clone(),
            _ => declare.queue.clone(),
        };
        if !declare.passive && !existed {
            self.dead_letters |= declare.arguments.contains("x-dead-letter-exchange");
            self.priorities |= declare.arguments.contains("x-max-priority");
            self.expires |= declare.arguments.contains("x-message-ttl");
            self.queues.insert(name.clone(), declare.arguments.clone());
        }
        self.channels.entry(channel).or_default().last_queue = Some(name);
    }

    fn note_arrival(&mut self, channel: ChannelId, arrival: &Arrival) {
        let state = self.channels.entry(channel).or_default();
        match arrival {
            Arrival::Cancel { consumer_tag } => drop(state.consumers.remove(consumer_tag)),
            Arrival::Delivery(delivered) => {
                if let Some(consumer) = state.consumers.get(&delivered.consumer_tag)
                    && !consumer.no_ack
                {
                    let queue = consumer.queue.clone();
                    let consumer = Some(delivered.consumer_tag.clone());
                    state.unacked.push(Unacked { tag: delivered.delivery_tag, queue, consumer });
                }
            }
        }
    }
}

/// Returns the priority that arguments give a consumer.
pub(crate) fn priority(arguments: &Table) -> i64 {
    arguments.get("x-priority").and_then(Value::as_i64).unwrap_or(0)
}

impl ChannelShadow {
    fn settle(&mut self, tag: u64, multiple: bool) {
        let goes = |unacked: &mut Unacked| {
            if multiple { tag == 0 || unacked.tag <= tag } else { unacked.tag == tag }
        };
        self.settled.extend(self.unacked.extract_if(.., goes));
    }

    /// Returns the queues that the channel consumes.
    pub(crate) fn consumed(&self) -> impl Iterator<Item = &ShortString> {
        self.consumers.values().map(|consumer| &consumer.queue).collect::<BTreeSet<_>>().into_iter()
    }

    /// Returns the queues that the channel consumes, or of which it has messages.
    pub(crate) fn queues(&self) -> impl Iterator<Item = &ShortString> {
        let consumed = self.consumers.values().map(|consumer| &consumer.queue);
        consumed.chain(self.unacked.iter().map(|unacked| &unacked.queue))
    }
}
