//! Transactions: publishes and settlements that wait for `tx.commit`.

use tavrida::field::ShortString;

use super::Broker;
use super::clients::channel::Mode;
use super::clients::unacked::Pending;
use super::effect::{Effects, MethodReply};
use super::errors::Fault;
use super::keys::{ChannelKey, QueueKey};
use super::parcel::Parcel;
use super::settle::Verdict;

/// What a channel did since `tx.select` or the last commit.
#[derive(Debug, Clone, Default)]
pub(crate) struct Transaction {
    /// Messages with where they were routed to when they were published (R117).
    published: Vec<(Parcel, Routed)>,
    /// Settlements in order; successive ones of one kind are merged.
    settled: Vec<(Verdict, Vec<(u64, Pending)>)>,
}

/// Where a message of a transaction goes.
#[derive(Debug, Clone)]
pub(crate) enum Routed {
    /// The queues that have these names at the commit. For the default exchange these are the routing keys, whether such a queue exists
    /// or not: it may be declared before the commit.
    Names(Vec<ShortString>),
    /// These queues. If one is deleted before the commit, its message is lost, and the commit fails.
    Queues(Vec<QueueKey>),
}

impl Transaction {
    pub(crate) fn publish(&mut self, parcel: Parcel, routed: Routed) {
        self.published.push((parcel, routed));
    }

    pub(crate) fn settle(&mut self, verdict: Verdict, deliveries: Vec<(u64, Pending)>) {
        match self.settled.last_mut() {
            Some((last, known)) if *last == verdict => known.extend(deliveries),
            _ => self.settled.push((verdict, deliveries)),
        }
    }
}

impl Transaction {
    pub(crate) fn unsettled(&self) -> impl Iterator<Item = &Pending> {
        self.settled.iter().flat_map(|(_, deliveries)| deliveries.iter().map(|(_, pending)| pending))
    }
}

impl Broker {
    pub(crate) fn select_confirms(&mut self, channel: ChannelKey) -> Result<(), Fault> {
        let mode = &mut self.clients.channels[channel].mode;
        match mode {
            Mode::Plain => *mode = Mode::Confirm(1),
            Mode::Confirm(_) => {}
            Mode::Transaction(_) => {
                return Err(Fault::precondition_failed("cannot switch from tx to confirm mode"));
            }
        }
        Ok(())
    }

    pub(crate) fn select_transaction(&mut self, channel: ChannelKey) -> Result<(), Fault> {
        let mode = &mut self.clients.channels[channel].mode;
        match mode {
            Mode::Plain => *mode = Mode::Transaction(Transaction::default()),
            Mode::Transaction(_) => {}
            Mode::Confirm(_) => {
                return Err(Fault::precondition_failed("cannot switch from confirm to tx mode"));
            }
        }
        Ok(())
    }

    pub(crate) fn commit(&mut self, channel: ChannelKey, effects: &mut Effects) -> Result<(), Fault> {
        let Transaction { published, settled } = std::mem::take(self.transaction(channel)?);
        let id = self.clients.channels[channel].id;
        let mut taken = true;
        for (parcel, routed) in published {
            let queues = match routed {
                Routed::Names(names) => {
                    names.iter().filter_map(|name| self.topology.queue_names.get(name).copied()).collect()
                }
                Routed::Queues(queues) => {
                    taken &= queues.iter().all(|queue| self.topology.queues.contains_key(*queue));
                    queues
                }
            };
            taken &= self.publish_to(id, &parcel, &queues, effects);
        }
        for (verdict, mut deliveries) in settled {
            deliveries.sort_by_key(|(tag, _)| *tag);
            self.settle_groups(channel, deliveries, verdict, effects);
        }
        if !taken {
            return Err(Fault::precondition_failed("partial tx completion"));
        }
        effects.reply(id, MethodReply::TxCommitOk);
        Ok(())
    }

    pub(crate) fn rollback(&mut self, channel: ChannelKey) -> Result<(), Fault> {
        self.transaction(channel)?;
        self.roll_back(channel);
        Ok(())
    }

    /// Undoes what a channel has not committed, if it has a transaction.
    pub(crate) fn roll_back(&mut self, channel: ChannelKey) {
        let channel = &mut self.clients.channels[channel];
        if let Mode::Transaction(transaction) = &mut channel.mode {
            let settled = std::mem::take(transaction).settled;
            channel.unacked.put_back(settled.into_iter().flat_map(|(_, deliveries)| deliveries));
        }
    }

    /// Returns the open transaction.
    fn transaction(&mut self, channel: ChannelKey) -> Result<&mut Transaction, Fault> {
        match &mut self.clients.channels[channel].mode {
            Mode::Transaction(transaction) => Ok(transaction),
            _ => Err(Fault::precondition_failed("channel is not transactional")),
        }
    }
}
