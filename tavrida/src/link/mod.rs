//! A recovering link to a broker: connects, prepares, serves, and repeats that after a loss.
//!
//! A pure state machine ([`machine`]) decides the next step; [`Link`] carries it out. A link provides one session at a time, and each
//! session is an epoch: what belongs to an old one (a delivery, a publish, a pending answer) fails clearly and is not carried over.

mod health;
mod current_session;
mod machine;
mod stop;

use parking_lot::Mutex;
use std::ops::Deref;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tokio::time::Instant;

pub(crate) use current_session::{CurrentSession, Epoch};
pub use health::Health;
pub(crate) use stop::Stop;

use crate::counters::Tally;
use crate::error::{Error, Kind};
use crate::transport::{Backoff, Broker, ConnectionLost, ConsumerError, Session, SessionError, Transport};
use machine::{Input, Machine, Step};

/// The purpose of a link: a server consumes, a client waits.
#[async_trait]
pub(crate) trait Work: Send {
    /// Prepares a new session: declares topology, starts consumers.
    async fn prepare(&mut self, session: &Arc<dyn Session>) -> Result<(), SessionError>;

    /// Works on a ready session, until the session or the work ends.
    async fn serve(&mut self, epoch: &Epoch) -> Ended;
}

/// Why [`Work::serve`] returned.
pub(crate) enum Ended {
    /// The session was lost.
    Lost(ConnectionLost),
    /// Only a consumer ended: the session can be prepared again.
    Idle(ConsumerError),
    /// The work is complete: this side stops.
    Stopped,
}

/// Ends a link that its task does not carry on any more: dropped with the task, whether that was ever polled or not.
pub(crate) struct Carried(pub(crate) Arc<Link>);

impl Deref for Carried {
    type Target = Arc<Link>;

    fn deref(&self) -> &Arc<Link> {
        &self.0
    }
}

impl Drop for Carried {
    fn drop(&mut self) {
        self.0.abandon();
    }
}

/// Maintains a session for some [`Work`].
pub(crate) struct Link {
    transport: Arc<dyn Transport>,
    machine: Mutex<Machine>,
    current_session: CurrentSession,
    tally: Arc<Tally>,
}

impl Link {
    pub(crate) fn new(transport: Arc<dyn Transport>, backoff: Backoff, seed: u64, tally: Arc<Tally>) -> Self {
        Self {
            transport,
            machine: Mutex::new(Machine::new(backoff, seed)),
            current_session: CurrentSession::new(),
            tally,
        }
    }

    /// Returns the current session, for senders.
    pub(crate) fn current_session(&self) -> &CurrentSession {
        &self.current_session
    }

    pub(crate) fn health(&self) -> Health {
        let health = self.machine.lock().health();
        match self.current_session.now().and_then(|epoch| epoch.session.blocked()) {
            Some(why) if health == Health::Ready => Health::Blocked { why },
            _ => health,
        }
    }

    /// Returns what the broker of the current session reported.
    pub(crate) fn broker(&self) -> Option<Broker> {
        self.current_session.now()?.session.broker()
    }

    /// Connects, prepares and serves until the work is complete, or the attempts are used up.
    ///
    /// `stop` ends it while it connects, prepares or waits; while it serves, the work itself checks that.
    pub(crate) async fn run(&self, work: &mut impl Work, stop: &Stop) -> Result<(), Error> {
        let result = self.drive(work, stop).await;
        self.current_session.end(match &result {
            Ok(()) => ConnectionLost::closed_here(),
            Err(error) => ConnectionLost::broken(error.to_string()),
        });
        result
    }

    /// Ends it because nothing runs it any more: health, waits and sends see it at once.
    fn abandon(&self) {
        if self.current_session.is_ended() {
            return;
        }
        tracing::info!(endpoint = self.transport.endpoint(), "stopped by the end of its task");
        self.machine.lock().next(Input::Stopped, Instant::now());
        self.current_session.end(ConnectionLost::broken(
            "the task that kept the session was dropped, or its runtime shut down",
        ));
    }

    async fn drive(&self, work: &mut impl Work, stop: &Stop) -> Result<(), Error> {
        let mut session: Option<Arc<dyn Session>> = None;
        let mut step = self.machine.lock().first();
        let mut stopped = pin!(stop.triggered());
        loop {
            let input = match step {
                Step::Serve => self.serve(work, &mut session).await,
                Step::Stop => return Ok(()),
                Step::GiveUp(why) => {
                    tracing::error!(endpoint = self.transport.endpoint(), why, "the link is given up");
                    let text = format!("no session with {}: {why}", self.transport.endpoint());
                    return Err(Error::new(Kind::Transport, text));
                }
                idle => tokio::select! {
                    biased;
                    () = &mut stopped => Input::Stopped,
                    input = self.make_ready(idle, work, &mut session) => input,
                },
            };
            let failed = matches!(input, Input::Failed(_) | Input::Refused(_));
            if failed || matches!(input, Input::Stopped) {
                self.current_session.pause();
                abandon(&mut session).await;
            }
            step = self.machine.lock().next(input, Instant::now());
            tracing::debug!(endpoint = self.transport.endpoint(), ?step, "link");
            if let (true, Step::Wait(delay)) = (failed, &step) {
                self.warn_of_failure(*delay);
            }
        }
    }

    /// Warns of an attempt that failed: the first, the second, the fourth, and so on.
    fn warn_of_failure(&self, next_attempt_in: Duration) {
        if let Health::Reconnecting { attempts, why, .. } = self.health()
            && attempts.is_power_of_two()
        {
            let endpoint = self.transport.endpoint();
            tracing::warn!(endpoint, why, attempts, ?next_attempt_in, "there is no session with the broker");
        }
    }

    /// Carries out a step towards a ready session.
    async fn make_ready(
        &self,
        step: Step,
        work: &mut impl Work,
        session: &mut Option<Arc<dyn Session>>,
    ) -> Input {
        match step {
            Step::Wait(delay) => self.wait(delay, session).await,
            Step::Prepare => match work.prepare(live(session)).await {
                Ok(()) => Input::Prepared,
                Err(error) => {
                    if matches!(error, SessionError::Lost(_)) {
                        // It needs no closing, which would wait for a broker that does not answer.
                        *session = None;
                    }
                    failed(&error)
                }
            },
            _ => match self.transport.connect().await {
                Ok(connected) => {
                    if let Some(broker) = connected.broker() {
                        tracing::info!(endpoint = self.transport.endpoint(), %broker, "connected");
                    }
                    *session = Some(connected);
                    Input::Connected
                }
                Err(error) => failed(&error),
            },
        }
    }

    /// Waits for `delay`. A session that waits for a new consumer is watched meanwhile.
    async fn wait(&self, delay: Duration, session: &mut Option<Arc<dyn Session>>) -> Input {
        let Some(live) = session.clone() else {
            tokio::time::sleep(delay).await;
            return Input::Waited;
        };
        tokio::select! {
            biased;
            loss = live.closed() => self.lose(&loss, session),
            () = tokio::time::sleep(delay) => Input::Waited,
        }
    }

    fn lose(&self, loss: &ConnectionLost, session: &mut Option<Arc<dyn Session>>) -> Input {
        self.tally.losses.add_one();
        self.current_session.pause();
        *session = None;
        tracing::warn!(endpoint = self.transport.endpoint(), %loss, "session lost");
        Input::Lost(loss.to_string())
    }

    async fn serve(&self, work: &mut impl Work, session: &mut Option<Arc<dyn Session>>) -> Input {
        let epoch = self.current_session.begin(live(session).clone());
        let ended = work.serve(&epoch).await;
        match ended {
            Ended::Lost(loss) => self.lose(&loss, session),
            Ended::Idle(end) => {
                tracing::warn!(endpoint = self.transport.endpoint(), %end, "the consumer ended");
                Input::ConsumerEnded(end.to_string())
            }
            Ended::Stopped => Input::Stopped,
        }
    }
}

fn failed(error: &SessionError) -> Input {
    match error.refusal() {
        Some(refusal) if refusal.is_permanent() => Input::Refused(error.to_string()),
        _ => Input::Failed(error.to_string()),
    }
}

fn live(session: &Option<Arc<dyn Session>>) -> &Arc<dyn Session> {
    session.as_ref().expect("the machine prepares and serves only what was connected")
}

/// The time limit for closing a session: flushing settlements and publishes, and waiting until they have arrived. A broker that blocks its
/// publishers (an alarm) delays this.
const FAREWELL: Duration = Duration::from_secs(10);

/// Closes a session that is not needed any more, unless it is already lost.
async fn abandon(session: &mut Option<Arc<dyn Session>>) {
    let Some(session) = session.take() else { return };
    match tokio::time::timeout(FAREWELL, session.close()).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::debug!(%error, "the session was over before it was closed"),
        Err(_) => tracing::warn!("the session was not closed within {FAREWELL:?}, and is dropped"),
    }
}
