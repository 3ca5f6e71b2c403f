//! Handles publishes whose channel the broker closed.

use std::collections::VecDeque;

use tavrida::transport::{BrokerError, ConnectionLost, PublishErrorKind};
use tokio::time::Instant;

use super::job::Job;
use super::lane::Lane;
use super::pipe::Pipe;
use super::publisher::Request;
use super::refresh::close;
use super::replies;
use crate::link::Life;
use crate::wire::Fate;

impl Lane {
    /// Replaces the main channel, which the broker closed because of one of its publishes, or which was given up.
    ///
    /// A close should not happen: it takes an exchange that was deleted, or a permission that was revoked, between two publishes.
    pub(super) async fn repair(&mut self) -> Result<(), ConnectionLost> {
        self.until(|lane| lane.main.is_over()).await?;
        let refusal = match self.main.broken().cloned() {
            Some(error) => match self.life.fate_on(&self.connection, &error).await {
                Fate::Connection(loss) => return Err(loss),
                Fate::Channel(refusal) => Some(refusal),
                Fate::ChannelGone => None,
            },
            None => None,
        };
        // The consumer of direct replies ended with its channel.
        self.replies = replies::none();
        if self.main.is_given_up() {
            close(self.main.channel());
        }
        let jobs = self.main.take_all();
        self.sort_out(jobs, refusal);
        let opening = self.open();
        self.main = match self.alongside(opening).await? {
            Ok(pipe) => pipe,
            Err(error) => {
                let loss = match self.life.fate_on(&self.connection, &error).await {
                    Fate::Connection(loss) => loss,
                    _ => ConnectionLost::broken(format!("cannot open a channel to publish on: {error}")),
                };
                return Err(self.life.lose(loss).clone());
            }
        };
        Ok(())
    }

    /// Answers the jobs of a channel that the broker closed with `refusal`.
    ///
    /// RabbitMQ processes a channel in order, ignores what follows the culprit, and names its exchange. The culprit is therefore the last
    /// job for that exchange, or an earlier one: that last one was refused or ignored, and later ones were ignored. Earlier ones may have
    /// been accepted, although the confirms are lost.
    fn sort_out(&mut self, jobs: Vec<Job>, refusal: Option<BrokerError>) {
        let Some(refusal) = refusal else {
            let loss = ConnectionLost::broken("the channel that it was sent on was closed");
            return jobs.into_iter().for_each(|job| job.lose(loss.clone()));
        };
        let culprit = jobs.iter().rposition(|job| names_exchange(&refusal, &job.as_ref().exchange));
        match culprit {
            Some(at) => {
                let exchange = &jobs[at].as_ref().exchange;
                self.absent.note(exchange, &refusal, Instant::now());
                self.proven.remove(exchange)
            }
            None => {
                self.proven.clear();
                false
            }
        };
        let loss =
            ConnectionLost::broken(format!("the broker closed its channel for another message: {refusal}"));
        let mut ignored = VecDeque::new();
        for (at, job) in jobs.into_iter().enumerate() {
            match culprit {
                Some(culprit) if at == culprit => job.refuse(refusal.clone()),
                Some(culprit) if at > culprit => ignored.push_back(Request::Publish(job.unsent())),
                _ => job.lose(loss.clone()),
            }
        }
        ignored.append(&mut self.backlog);
        self.backlog = ignored;
    }
}

/// Returns whether the broker's text names this exchange.
pub(super) fn names_exchange(refusal: &BrokerError, exchange: &str) -> bool {
    let name = if exchange.is_empty() { "amq.default" } else { exchange };
    refusal.text.contains(&format!("exchange '{name}' in vhost"))
}

impl Pipe {
    /// Answers the jobs of a broken careful pipe: at most one of them is unanswered.
    pub(super) fn bury(&mut self, life: &Life) {
        if !self.is_over() {
            return;
        }
        if let Some(fate) = self.broken().map(|error| life.fate(error)) {
            for job in self.take_all() {
                job.end(fate.clone());
            }
        }
    }
}

impl Job {
    /// Ends it with the fate of its channel, which it had to itself.
    fn end(mut self, fate: Fate) {
        match fate {
            Fate::Channel(refusal) => self.fail(PublishErrorKind::Refused(refusal)),
            Fate::ChannelGone => {
                self.lose(ConnectionLost::broken("the channel that it was sent on was closed"))
            }
            Fate::Connection(loss) => self.lose(loss),
        }
    }

    pub(super) fn refuse(mut self, refusal: BrokerError) {
        self.fail(PublishErrorKind::Refused(refusal));
    }

    fn unsent(mut self) -> Self {
        self.set_sent(false);
        self
    }
}
