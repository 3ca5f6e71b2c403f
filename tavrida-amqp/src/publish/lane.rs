//! The lane: the task that publishes.

use std::collections::{BTreeSet, VecDeque};
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};

use lapin::Connection;
use tavrida::field::ShortString;
use tavrida::transport::{Loss, NotPublished, Refusal};
use tokio::sync::mpsc;

use super::job::Job;
use super::pipe::Pipe;
use super::publisher::{Publisher, Request};
use super::screen::is_suspicious;
use crate::link::Life;
use crate::wire::Fate;

/// How many publishes are sent before answers are read again.
const BURST: usize = 64;

/// How many careful publishes may be without a confirm at a time, each on a channel of its own.
const CAREFUL: usize = 16;

/// What the lane knows and holds.
pub(crate) struct Lane {
    life: Arc<Life>,
    connection: Arc<Connection>,
    window: usize,
    login: String,
    requests: mpsc::UnboundedReceiver<Request>,
    /// Requests that go before those in `requests`.
    backlog: VecDeque<Request>,
    main: Pipe,
    careful: Vec<Pipe>,
    /// Exchanges that took a message in this session: they exist, may be published to, and are not internal.
    proven: BTreeSet<ShortString>,
    ended: Pin<Box<dyn Future<Output = Loss> + Send>>,
}

impl Lane {
    /// Opens the main channel and starts the task. `login` is the user's name, if the broker knows the user by it.
    pub(crate) async fn start(
        life: Arc<Life>,
        connection: Arc<Connection>,
        window: usize,
        login: String,
    ) -> lapin::Result<Publisher> {
        let main = Pipe::open(&life, &connection).await?;
        let frame_max = connection.configuration().frame_max() as usize;
        let (publisher, requests) = Publisher::new(life.clone(), frame_max);
        let ended = Box::pin({
            let life = life.clone();
            async move { life.ended().await }
        });
        let (backlog, careful, proven) = (VecDeque::new(), Vec::new(), BTreeSet::new());
        let lane = Self { life, connection, window, login, requests, backlog, main, careful, proven, ended };
        tokio::spawn(lane.run());
        Ok(publisher)
    }

    async fn run(mut self) {
        loop {
            match self.turn().await {
                Ok(true) => {}
                // No caller is left, and what was published is done.
                Ok(false) => return self.life.buried().await,
                Err(loss) => {
                    self.abandon(&loss).await;
                    return self.life.buried().await;
                }
            }
        }
    }

    /// Sends what is there, as far as the window goes, then waits for more to do; `false` when nothing more can come.
    async fn turn(&mut self) -> Result<bool, Loss> {
        for _ in 0..BURST {
            if self.main.broken().is_some() {
                self.repair().await?;
            }
            if self.is_full() {
                break;
            }
            let Some(request) = self.backlog.pop_front().or_else(|| self.requests.try_recv().ok()) else {
                break;
            };
            match request {
                Request::Publish(job) => self.publish(job).await?,
                Request::Flush(flushed) if self.is_idle() => {
                    // A caller that gave up waiting needs no answer.
                    let _ = flushed.send(());
                }
                Request::Flush(flushed) => {
                    self.backlog.push_front(Request::Flush(flushed));
                    break;
                }
            }
        }
        poll_fn(|cx| self.poll_turn(cx)).await
    }

    fn open(&self) -> impl Future<Output = lapin::Result<Pipe>> + Send + use<> {
        let (life, connection) = (self.life.clone(), self.connection.clone());
        async move { Pipe::open(&life, &connection).await }
    }

    fn is_full(&self) -> bool {
        self.main.len() + self.careful.iter().map(Pipe::len).sum::<usize>() >= self.window
    }

    fn is_idle(&self) -> bool {
        self.main.len() == 0 && self.careful.iter().all(|pipe| pipe.len() == 0)
    }

    fn poll_turn(&mut self, cx: &mut Context<'_>) -> Poll<Result<bool, Loss>> {
        let answers = self.poll_answers(cx)?;
        if answers.is_ready() || self.main.broken().is_some() {
            return Poll::Ready(Ok(true));
        }
        match self.backlog.front() {
            _ if self.is_full() => return Poll::Pending,
            Some(Request::Flush(_)) if !self.is_idle() => return Poll::Pending,
            Some(_) => return Poll::Ready(Ok(true)),
            None => {}
        }
        match self.requests.poll_recv(cx) {
            Poll::Ready(Some(request)) => {
                self.backlog.push_back(request);
                Poll::Ready(Ok(true))
            }
            Poll::Ready(None) if self.is_idle() => Poll::Ready(Ok(false)),
            Poll::Ready(None) | Poll::Pending => Poll::Pending,
        }
    }

    /// Reads all answers that are there; ready when there were some.
    fn poll_answers(&mut self, cx: &mut Context<'_>) -> Result<Poll<()>, Loss> {
        if let Poll::Ready(loss) = self.ended.as_mut().poll(cx) {
            return Err(loss);
        }
        let mut answers = self.main.poll_answers(cx);
        for pipe in &mut self.careful {
            if pipe.poll_answers(cx).is_ready() {
                answers = Poll::Ready(());
            }
            // It may have broken while it sent, too.
            pipe.bury(&self.life);
        }
        // An error of the connection ended the life by now, if there was one.
        if let Some(Fate::Connection(loss)) = self.main.broken().map(|error| self.life.fate(error)) {
            return Err(loss);
        }
        self.life.check()?;
        Ok(answers)
    }

    /// Waits for `done`, reading answers meanwhile. The main channel may break under it.
    async fn until(&mut self, done: impl Fn(&Self) -> bool) -> Result<(), Loss> {
        poll_fn(|cx| {
            loop {
                if done(self) {
                    return Poll::Ready(Ok(()));
                }
                if self.poll_answers(cx)?.is_pending() {
                    return if done(self) { Poll::Ready(Ok(())) } else { Poll::Pending };
                }
            }
        })
        .await
    }

    /// Awaits `future`, reading answers meanwhile.
    async fn alongside<T>(&mut self, future: impl Future<Output = T>) -> Result<T, Loss> {
        let mut future = pin!(future);
        poll_fn(|cx| {
            if let Poll::Ready(output) = future.as_mut().poll(cx) {
                return Poll::Ready(Ok(output));
            }
            while self.poll_answers(cx)?.is_ready() {}
            Poll::Pending
        })
        .await
    }

    async fn publish(&mut self, job: Job) -> Result<(), Loss> {
        let publication = job.as_ref();
        if !self.proven.contains(&publication.exchange) || is_suspicious(publication, &self.login) {
            return self.publish_carefully(job).await;
        }
        if let Err(job) = self.main.send(job) {
            self.backlog.push_front(Request::Publish(job));
        }
        Ok(())
    }

    /// Publishes on a channel of its own, between what was published before and what will be after.
    async fn publish_carefully(&mut self, job: Job) -> Result<(), Loss> {
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
        if self.alongside(barrier).await?.is_ok() {
            self.proven.insert(exchange);
            return Ok(());
        }
        // Refused: the pipe is broken, or about to be.
        self.until(|lane| lane.careful[at].len() == 0).await
    }

    /// Waits until the broker has processed all that is on the main channel.
    async fn settle_main(&mut self) -> Result<(), Loss> {
        loop {
            self.until(|lane| lane.main.is_written() || lane.main.broken().is_some()).await?;
            if self.main.broken().is_none() {
                if self.main.len() == 0 {
                    return Ok(());
                }
                let barrier = self.main.barrier();
                if self.alongside(barrier).await?.is_ok() {
                    return Ok(());
                }
            }
            self.repair().await?;
        }
    }

    /// A careful pipe on which nothing is under way, once the main one is settled.
    async fn careful_pipe(&mut self) -> Result<Result<usize, Refusal>, Loss> {
        self.settle_main().await?;
        self.careful.retain(|pipe| pipe.broken().is_none());
        if self.careful.len() >= CAREFUL {
            self.until(|lane| lane.careful.iter().any(|pipe| pipe.len() == 0)).await?;
        }
        if let Some(at) = self.careful.iter().position(|pipe| pipe.len() == 0 && pipe.broken().is_none()) {
            return Ok(Ok(at));
        }
        let opening = self.open();
        match self.alongside(opening).await? {
            Ok(pipe) => {
                self.careful.push(pipe);
                Ok(Ok(self.careful.len() - 1))
            }
            Err(error) => match self.life.fate(&error) {
                Fate::Connection(loss) => Err(loss),
                Fate::Channel(refusal) => Ok(Err(refusal)),
                Fate::ChannelGone => Ok(Err(Refusal::channel(504, format!("CHANNEL_ERROR - {error}")))),
            },
        }
    }

    /// Replaces the main channel, which the broker closed for one of the publishes on it.
    ///
    /// It should not happen: it takes an exchange that was deleted, or a right that was revoked, between two publishes.
    async fn repair(&mut self) -> Result<(), Loss> {
        self.until(|lane| lane.main.is_over()).await?;
        let refusal = match self.main.broken().map(|error| self.life.fate(error)) {
            Some(Fate::Connection(loss)) => return Err(loss),
            Some(Fate::Channel(refusal)) => Some(refusal),
            Some(Fate::ChannelGone) | None => None,
        };
        let jobs = self.main.take_all();
        self.sort_out(jobs, refusal);
        let opening = self.open();
        self.main = match self.alongside(opening).await? {
            Ok(pipe) => pipe,
            Err(error) => {
                let loss = Loss::broken(format!("cannot open a channel to publish on: {error}"));
                return Err(self.life.lose(loss).clone());
            }
        };
        Ok(())
    }

    /// Tells the jobs of a channel that the broker closed by `refusal`.
    ///
    /// RabbitMQ processes a channel in order, ignores what follows the culprit, and names its exchange. So the culprit is
    /// the last job for that exchange, or another before it: that last one was refused or ignored, and what follows it
    /// was ignored. What comes before may have been taken, though the confirms are lost.
    fn sort_out(&mut self, jobs: Vec<Job>, refusal: Option<Refusal>) {
        let Some(refusal) = refusal else {
            let loss = Loss::broken("the channel that it was sent on was closed");
            return jobs.into_iter().for_each(|job| job.lose(loss.clone()));
        };
        let culprit = jobs.iter().rposition(|job| names_exchange(&refusal, &job.as_ref().exchange));
        match culprit {
            Some(at) => self.proven.remove(&jobs[at].as_ref().exchange),
            None => {
                self.proven.clear();
                false
            }
        };
        let loss = Loss::broken(format!("the broker closed its channel for another message: {refusal}"));
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

    async fn abandon(&mut self, loss: &Loss) {
        for pipe in [&mut self.main].into_iter().chain(&mut self.careful) {
            for job in pipe.take_all() {
                job.lose(loss.clone());
            }
        }
        self.requests.close();
        // Also those that are being handed over at this moment.
        while let Some(request) = self.next_request().await {
            if let Request::Publish(job) = request {
                job.lose(loss.clone());
            }
        }
    }

    async fn next_request(&mut self) -> Option<Request> {
        match self.backlog.pop_front() {
            Some(request) => Some(request),
            None => self.requests.recv().await,
        }
    }
}

/// Whether the broker's text speaks of this exchange.
fn names_exchange(refusal: &Refusal, exchange: &str) -> bool {
    let name = if exchange.is_empty() { "amq.default" } else { exchange };
    refusal.text.contains(&format!("exchange '{name}' in vhost"))
}

impl Pipe {
    /// Tells the jobs of a careful pipe that broke what became of them: at most one of them is not answered.
    fn bury(&mut self, life: &Life) {
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
    /// Ends it with the fate of its channel, on which it was alone.
    fn end(mut self, fate: Fate) {
        match fate {
            Fate::Channel(refusal) => self.fail(NotPublished::Refused(refusal)),
            Fate::ChannelGone => self.lose(Loss::broken("the channel that it was sent on was closed")),
            Fate::Connection(loss) => self.lose(loss),
        }
    }

    fn refuse(mut self, refusal: Refusal) {
        self.fail(NotPublished::Refused(refusal));
    }

    fn unsent(mut self) -> Self {
        self.set_sent(false);
        self
    }
}
