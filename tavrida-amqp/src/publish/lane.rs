//! The lane: the task that publishes.

use std::collections::{BTreeSet, VecDeque};
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::{Arc, Weak};
use std::task::{Context, Poll};

use lapin::Connection;
use tavrida::field::ShortString;
use tavrida::transport::ConnectionLost;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::absent::Absent;
use super::fence::Fence;
use super::job::Job;
use super::overdue::Overdue;
use super::pipe::Pipe;
use super::publisher::{Publisher, Request};
use super::refresh::Retired;
use super::replies;
use super::screen::{is_suspicious, wants_direct_reply};
use crate::link::{Life, close_quietly};
use crate::wire::Fate;

/// How many publishes are sent before answers are read again.
const BURST: usize = 64;

/// The state of the lane.
pub(crate) struct Lane {
    pub(super) life: Arc<Life>,
    pub(super) connection: Arc<Connection>,
    window: usize,
    login: Option<String>,
    requests: mpsc::UnboundedReceiver<Request>,
    /// Requests that come before those in `requests`.
    pub(super) backlog: VecDeque<Request>,
    pub(super) main: Pipe,
    pub(super) careful: Vec<Pipe>,
    pub(super) retired: Retired,
    /// Exchanges that accepted a message in this session: they exist, may be published to, and are not internal.
    pub(super) proven: BTreeSet<ShortString>,
    pub(super) absent: Absent,
    /// The place of the consumer of direct replies on the main channel, if there is one.
    pub(super) replies: Weak<()>,
    pub(super) fence: Fence,
    pub(super) overdue: Overdue,
    ended: Pin<Box<dyn Future<Output = ConnectionLost> + Send>>,
}

/// The next step.
enum Next {
    /// There is more to do.
    Turn,
    /// A doubt lasts too long.
    Fence,
    /// No caller is left, and all publishes have an outcome.
    End,
}

impl Lane {
    /// Opens the main channel and starts the task, which closes its channels at the end of the session. `login` is the user name, if the
    /// broker knows the user by it.
    pub(crate) async fn start(
        life: Arc<Life>,
        connection: Arc<Connection>,
        window: usize,
        login: Option<String>,
    ) -> lapin::Result<(Publisher, JoinHandle<()>)> {
        let main = Pipe::open(&life, &connection).await?;
        let frame_max = connection.configuration().frame_max() as usize;
        let (publisher, requests) = Publisher::new(life.clone(), frame_max);
        let ended = Box::pin({
            let life = life.clone();
            async move { life.ended().await }
        });
        let (backlog, careful, proven) = (VecDeque::new(), Vec::new(), BTreeSet::new());
        let (retired, replies, fence) = (Retired::new(), replies::none(), Fence::default());
        let lane = Self {
            life,
            connection,
            window,
            login,
            requests,
            backlog,
            main,
            careful,
            retired,
            proven,
            absent: Absent::default(),
            replies,
            fence,
            overdue: Overdue::default(),
            ended,
        };
        Ok((publisher, tokio::spawn(lane.run())))
    }

    async fn run(mut self) {
        loop {
            match self.turn().await {
                Ok(true) => {}
                Ok(false) => return self.leave().await,
                Err(loss) => {
                    self.abandon(&loss).await;
                    return self.leave().await;
                }
            }
        }
    }

    /// Closes the channels if other sessions still use the connection.
    async fn leave(self) {
        if !self.life.has_connections() {
            return self.life.buried().await;
        }
        let pipes = [&self.main].into_iter().chain(&self.retired.pipes).chain(&self.careful);
        let channels: Vec<_> = pipes.map(Pipe::channel).collect();
        for channel in channels {
            close_quietly(&channel).await;
        }
    }

    /// Sends what the window allows, then waits for more to do. Returns `false` when nothing more can come.
    async fn turn(&mut self) -> Result<bool, ConnectionLost> {
        for _ in 0..BURST {
            if self.main.is_done_for() {
                self.repair().await?;
            }
            if self.is_stale() {
                self.refresh().await?;
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
                    // The caller may have stopped waiting.
                    let _ = flushed.send(());
                }
                Request::Replies(told) => self.consume_replies(told).await?,
                Request::Declared(exchange) => self.absent.forget(&exchange),
                Request::Flush(flushed) => {
                    self.backlog.push_front(Request::Flush(flushed));
                    break;
                }
            }
        }
        match poll_fn(|cx| self.poll_turn(cx)).await? {
            Next::Turn => Ok(true),
            Next::Fence => self.raise_fence().await.map(|()| true),
            Next::End => Ok(false),
        }
    }

    pub(super) fn open(&self) -> impl Future<Output = lapin::Result<Pipe>> + Send + use<> {
        let (life, connection) = (self.life.clone(), self.connection.clone());
        async move { Pipe::open(&life, &connection).await }
    }

    fn is_full(&self) -> bool {
        let careful: usize = self.careful.iter().map(Pipe::len).sum();
        self.main.len() + careful + self.retired.len() >= self.window
    }

    pub(super) fn is_idle(&self) -> bool {
        self.main.len() == 0 && self.retired.len() == 0 && self.careful.iter().all(|pipe| pipe.len() == 0)
    }

    fn poll_turn(&mut self, cx: &mut Context<'_>) -> Poll<Result<Next, ConnectionLost>> {
        let answers = self.poll_answers(cx)?;
        if answers.is_ready() || self.main.is_done_for() {
            self.fence.put_off();
            return Poll::Ready(Ok(Next::Turn));
        }
        if self.poll_fence(cx).is_ready() {
            return Poll::Ready(Ok(Next::Fence));
        }
        match self.backlog.front() {
            _ if self.is_full() => return Poll::Pending,
            Some(Request::Flush(_)) if !self.is_idle() => return Poll::Pending,
            Some(_) => return Poll::Ready(Ok(Next::Turn)),
            None => {}
        }
        match self.requests.poll_recv(cx) {
            Poll::Ready(Some(request)) => {
                self.backlog.push_back(request);
                Poll::Ready(Ok(Next::Turn))
            }
            Poll::Ready(None) if self.is_idle() => Poll::Ready(Ok(Next::End)),
            Poll::Ready(None) | Poll::Pending => Poll::Pending,
        }
    }

    /// Reads all available answers. Is ready if there were any.
    fn poll_answers(&mut self, cx: &mut Context<'_>) -> Result<Poll<()>, ConnectionLost> {
        if let Poll::Ready(loss) = self.ended.as_mut().poll(cx) {
            return Err(loss);
        }
        if !self.connection.status().connected() {
            // Its channels were closed with it, and the cause is about to be reported: nothing is judged before.
            return Ok(Poll::Pending);
        }
        let given_up = self.poll_overdue(cx);
        let mut answers = self.main.poll_answers(cx);
        if given_up {
            answers = Poll::Ready(());
        }
        if self.retired.poll_answers(cx).is_ready() {
            answers = Poll::Ready(());
        }
        for pipe in &mut self.careful {
            if pipe.poll_answers(cx).is_ready() {
                answers = Poll::Ready(());
            }
            // It may also have broken while it sent.
            pipe.bury(&self.life);
        }
        // By now an error of the connection has ended the life, if there was one.
        if let Some(Fate::Connection(loss)) = self.main.broken().map(|error| self.life.fate(error)) {
            return Err(loss);
        }
        self.life.check()?;
        Ok(answers)
    }

    /// Waits for `done` while reading answers. The main channel may break meanwhile.
    pub(super) async fn until(&mut self, done: impl Fn(&Self) -> bool) -> Result<(), ConnectionLost> {
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

    /// Awaits `future` while reading answers.
    pub(super) async fn alongside<T>(
        &mut self,
        future: impl Future<Output = T>,
    ) -> Result<T, ConnectionLost> {
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

    /// Awaits a [barrier](Pipe::barrier) while reading answers. Returns whether the broker has processed everything and the channel is
    /// open. It does not wait for a channel that is given up: one that confirms nothing may answer nothing else either.
    pub(super) async fn passes(
        &mut self,
        barrier: impl Future<Output = lapin::Result<()>>,
        pipe: impl Fn(&Self) -> &Pipe,
    ) -> Result<bool, ConnectionLost> {
        let mut barrier = pin!(barrier);
        poll_fn(|cx| {
            if let Poll::Ready(passed) = barrier.as_mut().poll(cx) {
                return Poll::Ready(Ok(passed.is_ok()));
            }
            while self.poll_answers(cx)?.is_ready() {}
            if pipe(self).is_given_up() { Poll::Ready(Ok(false)) } else { Poll::Pending }
        })
        .await
    }

    pub(super) async fn publish(&mut self, job: Job) -> Result<(), ConnectionLost> {
        let publication = job.as_ref();
        if let Some(refusal) = self.absent.refusal(&publication.exchange, Instant::now()).cloned() {
            job.refuse(refusal);
            return Ok(());
        }
        let harmless =
            self.proven.contains(&publication.exchange) && !is_suspicious(publication, self.login.as_deref());
        match (wants_direct_reply(publication), harmless) {
            (true, false) if self.takes_replies() => return self.publish_request_carefully(job).await,
            (true, true) if self.takes_replies() => {}
            (true, _) | (_, false) => return self.publish_carefully(job).await,
            (false, true) => {}
        }
        if let Err(job) = self.main.send(job) {
            self.backlog.push_front(Request::Publish(job));
        }
        Ok(())
    }

    async fn abandon(&mut self, loss: &ConnectionLost) {
        for pipe in [&mut self.main].into_iter().chain(&mut self.retired.pipes).chain(&mut self.careful) {
            for job in pipe.take_all() {
                job.lose(loss.clone());
            }
        }
        self.requests.close();
        // Includes those that are being enqueued at this moment.
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
