//! [`Channel`]: the broker's state of a channel.

use std::collections::{BTreeMap, VecDeque};

use smallvec::SmallVec;
use tavrida::field::ShortString;

use super::limiter::Limiter;
use super::transaction::Transaction;
use super::unacked::{Pending, Unacked};
use crate::core::effect::{Arrival, Effect, Effects, Sent};
use crate::core::errors::Fault;
use crate::core::ids::ChannelId;
use crate::core::keys::{ConsumerKey, QueueKey};

#[derive(Debug, Clone)]
pub(crate) struct Channel {
    pub(crate) id: ChannelId,
    /// The broker has closed it and waits for `channel.close-ok`; until then it ignores everything.
    pub(crate) closing: bool,
    /// The tag of the next delivery.
    pub(crate) next_tag: u64,
    pub(crate) unacked: Unacked,
    /// What was sent and has not arrived.
    pub(crate) outbox: VecDeque<Sent>,
    pub(crate) consumers: BTreeMap<ShortString, ConsumerKey>,
    /// Queues where it has or had a consumer: their messages are requeued first when it closes (R4).
    pub(crate) consumed: SmallVec<[QueueKey; 2]>,
    /// The prefetch that `basic.qos` set for later consumers.
    pub(crate) prefetch: u16,
    /// The prefetch that `basic.qos` set for all consumers together.
    pub(crate) limiter: Limiter,
    pub(crate) mode: Mode,
    pub(crate) last_queue: Option<ShortString>,
    pub(crate) reply_consumer: Option<ReplyConsumer>,
}

/// How a channel publishes.
#[derive(Debug, Clone, Default)]
pub(crate) enum Mode {
    #[default]
    Plain,
    /// With confirms; the number of the next publish.
    Confirm(u64),
    Transaction(Transaction),
}

/// The consumer of direct replies; a channel has at most one.
#[derive(Debug, Clone)]
pub(crate) struct ReplyConsumer {
    pub(crate) tag: ShortString,
    /// The address of its requests: `amq.rabbitmq.reply-to`, a dot and a key.
    pub(crate) address: ShortString,
}

impl Channel {
    pub(crate) fn new(id: ChannelId) -> Self {
        Self {
            id,
            closing: false,
            next_tag: 1,
            unacked: Unacked::default(),
            outbox: VecDeque::new(),
            consumers: BTreeMap::new(),
            consumed: SmallVec::new(),
            prefetch: 0,
            limiter: Limiter::default(),
            mode: Mode::Plain,
            last_queue: None,
            reply_consumer: None,
        }
    }

    /// Sends something; adds an effect for the shell if the outbox was empty.
    pub(crate) fn send(&mut self, number: u64, arrival: Arrival, effects: &mut Effects) {
        if self.outbox.is_empty() {
            effects.push(Effect::Arrived { channel: self.id });
        }
        self.outbox.push_back(Sent { number, arrival });
    }

    /// Returns all deliveries without a final settlement, including those that a transaction has settled and not committed.
    pub(crate) fn unsettled(&self) -> impl Iterator<Item = &Pending> {
        let transaction = match &self.mode {
            Mode::Transaction(transaction) => Some(transaction),
            _ => None,
        };
        self.unacked
            .iter()
            .map(|(_, pending)| pending)
            .chain(transaction.into_iter().flat_map(Transaction::unsettled))
    }

    pub(crate) fn take_tag(&mut self) -> u64 {
        let tag = self.next_tag;
        self.next_tag += 1;
        tag
    }

    /// Returns the name of a queue as a client means it: an empty one is that of the queue that it declared last.
    pub(crate) fn named(&self, queue: &ShortString) -> Result<ShortString, Fault> {
        if !queue.is_empty() {
            return Ok(queue.clone());
        }
        self.last_queue.clone().ok_or_else(|| Fault::not_found("no previously declared queue"))
    }

    /// Returns the reply address for what this channel publishes (R120).
    pub(crate) fn reply_address(&self) -> Result<ShortString, Fault> {
        match &self.reply_consumer {
            Some(consumer) => Ok(consumer.address.clone()),
            None => Err(Fault::precondition_failed("fast reply consumer does not exist")),
        }
    }

    pub(crate) fn select_confirms(&mut self) -> Result<(), Fault> {
        match self.mode {
            Mode::Plain => self.mode = Mode::Confirm(1),
            Mode::Confirm(_) => {}
            Mode::Transaction(_) => {
                return Err(Fault::precondition_failed("cannot switch from tx to confirm mode"));
            }
        }
        Ok(())
    }

    pub(crate) fn select_transaction(&mut self) -> Result<(), Fault> {
        match self.mode {
            Mode::Plain => self.mode = Mode::Transaction(Transaction::default()),
            Mode::Transaction(_) => {}
            Mode::Confirm(_) => {
                return Err(Fault::precondition_failed("cannot switch from confirm to tx mode"));
            }
        }
        Ok(())
    }

    /// Returns the open transaction.
    pub(crate) fn transaction(&mut self) -> Result<&mut Transaction, Fault> {
        match &mut self.mode {
            Mode::Transaction(transaction) => Ok(transaction),
            _ => Err(Fault::precondition_failed("channel is not transactional")),
        }
    }

    /// Undoes what was not committed, if there is a transaction.
    pub(crate) fn roll_back(&mut self) {
        if let Mode::Transaction(transaction) = &mut self.mode {
            let settled = std::mem::take(transaction).settled;
            self.unacked.put_back(settled.into_iter().flat_map(|(_, deliveries)| deliveries));
        }
    }
}
