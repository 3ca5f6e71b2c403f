//! Careful publishing: what the broker may refuse has a channel to itself.

use tavrida::transport::{BrokerError, ConnectionLost};
use tokio::time::Instant;

use super::job::Job;
use super::lane::Lane;
use super::publisher::Request;
use crate::wire::Fate;

/// The maximum number of unconfirmed careful publishes, each on its own channel.
const CAREFUL: usize = 16;

/// How many channels of a connection are reserved for other uses than careful publishes.
const OTHERS: usize = 4;

impl Lane {
    /// Publishes on a separate channel, after earlier publishes and before later ones.
    pub(super) async fn publish_carefully(&mut self, job: Job) -> Result<(), ConnectionLost> {
        let at = match self.careful_pipe().await {
            Ok(Ok(at)) => at,
            Ok(Err(refusal)) => {
                job.refuse(refusal);
                return Ok(());
            }
            Err(loss) => {
                job.lose(loss.clone());
                return Err(loss);
            }
        };
        let exchange = job.as_ref().exchange.clone();
        if let Err(job) = self.careful[at].send(job) {
            // It broke while it was idle; the next turn finds or opens another.
            self.backlog.push_front(Request::Publish(job));
            return Ok(());
        }
        self.until(|lane| lane.careful[at].is_written()).await?;
        let barrier = self.careful[at].barrier();
        if self.passes(barrier, |lane| &lane.careful[at]).await? {
            self.absent.forget(&exchange);
            self.proven.insert(exchange);
            return Ok(());
        }
        // Refused: the pipe is broken, or about to be.
        self.until(|lane| lane.careful[at].len() == 0).await?;
        if let Some(Fate::Channel(refusal)) = self.careful[at].broken().map(|error| self.life.fate(error)) {
            self.absent.note(&exchange, &refusal, Instant::now());
        }
        Ok(())
    }

    /// Waits until the broker has processed all that is on the main channel.
    pub(super) async fn settle_main(&mut self) -> Result<(), ConnectionLost> {
        loop {
            self.until(|lane| lane.main.is_written() || lane.main.is_done_for()).await?;
            if !self.main.is_done_for() {
                if self.main.len() == 0 {
                    return Ok(());
                }
                let barrier = self.main.barrier();
                if self.passes(barrier, |lane| &lane.main).await? {
                    return Ok(());
                }
            }
            self.repair().await?;
        }
    }

    /// Returns a careful pipe on which nothing is under way, once the main one is settled.
    async fn careful_pipe(&mut self) -> Result<Result<usize, BrokerError>, ConnectionLost> {
        self.settle_main().await?;
        self.drop_stale_careful();
        let channels = usize::from(self.connection.configuration().channel_max());
        if self.careful.len() >= CAREFUL.min(channels.saturating_sub(OTHERS)) {
            self.until(|lane| lane.careful.iter().any(|pipe| pipe.len() == 0)).await?;
        }
        if let Some(at) = self.careful.iter().position(|pipe| pipe.len() == 0 && !pipe.is_done_for()) {
            return Ok(Ok(at));
        }
        let opening = self.open();
        match self.alongside(opening).await? {
            Ok(pipe) => {
                self.careful.push(pipe);
                Ok(Ok(self.careful.len() - 1))
            }
            Err(error) => match self.life.fate_on(&self.connection, &error).await {
                Fate::Connection(loss) => Err(loss),
                Fate::Channel(refusal) => Ok(Err(refusal)),
                Fate::ChannelGone => Ok(Err(BrokerError::channel(504, format!("CHANNEL_ERROR - {error}")))),
            },
        }
    }
}
