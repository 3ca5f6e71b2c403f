//! The tools of one check: private names, sessions, waiting with a limit.

use parking_lot::Mutex;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use tavrida::field::ShortString;
use tavrida::transport::{BrokerError, ConnectionLost, Session, SessionError};
use tokio::time::{sleep, timeout};

use crate::Capability;
use crate::check::{Fault, Kept, same};
use crate::settings::Settings;
use crate::values::{named, worded};

/// The interval between two polls of a state that is about to change.
const LOOK_AGAIN: Duration = Duration::from_millis(10);

/// The environment of one check. Clones are the same harness.
#[derive(Clone)]
pub(crate) struct Harness(Arc<Inner>);

struct Inner {
    settings: Arc<Settings>,
    number: usize,
    made: Mutex<Made>,
}

/// What has to be cleaned up.
#[derive(Default)]
struct Made {
    /// The names of queues and exchanges.
    names: Vec<ShortString>,
    named_queues: Vec<ShortString>,
    sessions: Vec<Arc<dyn Session>>,
    alarm: bool,
}

impl Harness {
    pub(crate) fn new(settings: Arc<Settings>, number: usize) -> Self {
        Self(Arc::new(Inner { settings, number, made: Mutex::default() }))
    }

    /// Returns a name that only this check uses. Whatever is declared under it is deleted afterwards.
    pub(crate) fn name(&self, local: &str) -> ShortString {
        let Inner { settings, number, .. } = &*self.0;
        let name = named(format!("{}.{number}.{local}", settings.prefix));
        self.made(|made| made.names.push(name.clone()));
        name
    }

    /// Registers a queue that the broker named, to be deleted afterwards.
    pub(crate) fn delete_later(&self, queue: ShortString) {
        self.made(|made| made.named_queues.push(queue));
    }

    /// Connects; the session is closed afterwards.
    pub(crate) async fn connect(&self) -> Result<Arc<dyn Session>, Fault> {
        let session = self.done("connecting", self.0.settings.transport.connect()).await?;
        self.made(|made| made.sessions.push(session.clone()));
        Ok(session)
    }

    /// Returns the transport's own name for its endpoint.
    pub(crate) fn endpoint(&self) -> String {
        self.0.settings.transport.endpoint()
    }

    /// Returns the user name of the transport.
    pub(crate) fn login(&self) -> ShortString {
        named(&self.0.settings.login)
    }

    /// Breaks all connections from the broker's side.
    pub(crate) async fn break_connections(&self) -> Kept {
        let Some(breaker) = &self.0.settings.breaker else {
            return Err(Fault::new("a breaker", "none was given"));
        };
        self.within("the breaker", breaker()).await
    }

    /// Raises an alarm, or ends it.
    pub(crate) async fn alarm(&self, raised: bool) -> Kept {
        let Some(alarm) = &self.0.settings.alarm else {
            return Err(Fault::new("an alarm", "none was given"));
        };
        self.made(|made| made.alarm = raised);
        self.within("the alarm", alarm(raised)).await
    }

    /// Waits for something that must happen, with a limit.
    pub(crate) async fn within<T>(&self, what: &str, event: impl Future<Output = T>) -> Result<T, Fault> {
        within(self.0.settings.patience, what, event).await
    }

    /// Waits until the broker has retried its dead-lettering.
    pub(crate) async fn let_rounds_pass(&self) {
        sleep(self.rounds()).await;
    }

    /// Polls `look` until it sees what must happen once the broker retries dead-lettering.
    pub(crate) async fn in_a_round<T, Fut>(&self, what: &str, look: impl FnMut() -> Fut) -> Result<T, Fault>
    where
        Fut: Future<Output = Result<Option<T>, Fault>>,
    {
        let rounds = self.rounds();
        let patience = self.0.settings.patience + rounds;
        within(patience, what, looking(look, LOOK_AGAIN.max(rounds / 100))).await?
    }

    /// Returns the length of two rounds: one may just have begun.
    fn rounds(&self) -> Duration {
        2 * self.0.settings.rounds.expect("who needs rounds is skipped without")
    }

    /// Waits for an operation that must succeed.
    pub(crate) async fn done<T>(
        &self,
        what: &str,
        operation: impl Future<Output = Result<T, SessionError>>,
    ) -> Result<T, Fault> {
        self.within(what, operation)
            .await?
            .map_err(|error| Fault::new(format_args!("{what}: done"), format_args!("{what}: {error}")))
    }

    /// Waits for an operation that must be refused with this code and text, and close its channel.
    pub(crate) async fn refused<T>(
        &self,
        what: &str,
        operation: impl Future<Output = Result<T, SessionError>>,
        code: u16,
        text: impl Into<String>,
    ) -> Kept {
        self.refused_as(what, operation, &BrokerError::channel(code, text)).await
    }

    /// Waits for an operation that must be refused.
    pub(crate) async fn refused_as<T>(
        &self,
        what: &str,
        operation: impl Future<Output = Result<T, SessionError>>,
        expected: &BrokerError,
    ) -> Kept {
        match self.within(what, operation).await? {
            Err(SessionError::Refused(refusal)) => self.same_refusal(what, &refusal, expected),
            Err(error) => {
                Err(Fault::new(format_args!("{what}: {expected}"), format_args!("{what}: {error}")))
            }
            Ok(_) => Err(Fault::new(format_args!("{what}: {expected}"), format_args!("{what}: accepted"))),
        }
    }

    /// Compares errors; the text only if the broker uses RabbitMQ's texts.
    pub(crate) fn same_refusal(&self, what: &str, seen: &BrokerError, expected: &BrokerError) -> Kept {
        let text = match self.0.settings.lacking.contains(&Capability::RabbitWording) {
            true => seen.text.clone(),
            false => worded(expected.text.clone()),
        };
        let BrokerError { code, scope, .. } = *expected;
        same(what, seen, &BrokerError { code, text, scope })
    }

    /// Waits for an operation that must fail because its session has ended.
    pub(crate) async fn lost<T>(
        &self,
        what: &str,
        operation: impl Future<Output = Result<T, SessionError>>,
        loss: &ConnectionLost,
    ) -> Kept {
        match self.within(what, operation).await? {
            Err(error) => same(what, &error, &SessionError::Lost(loss.clone())),
            Ok(_) => Err(Fault::new(format_args!("{what}: {loss}"), format_args!("{what}: accepted"))),
        }
    }

    /// Polls `look` until it succeeds; `what` names the condition.
    pub(crate) async fn until<T, Fut>(&self, what: &str, look: impl FnMut() -> Fut) -> Result<T, Fault>
    where
        Fut: Future<Output = Result<Option<T>, Fault>>,
    {
        self.within(what, looking(look, LOOK_AGAIN)).await?
    }

    /// Returns the broker's text for a queue.
    pub(crate) fn queue_text(&self, name: &str) -> String {
        format!("queue '{name}' in vhost '{}'", self.0.settings.virtual_host)
    }

    /// Returns the broker's text for an exchange.
    pub(crate) fn exchange_text(&self, name: &str) -> String {
        format!("exchange '{name}' in vhost '{}'", self.0.settings.virtual_host)
    }

    /// Closes the sessions and deletes what was declared; this must succeed.
    pub(crate) async fn clear(&self) -> Kept {
        let Made { names, named_queues, sessions, alarm } = self.made(std::mem::take);
        if alarm {
            self.alarm(false).await?;
        }
        // Other promises check how sessions close.
        let _ = self.within("closing", join_all(sessions.iter().map(|session| session.close()))).await;
        if names.is_empty() && named_queues.is_empty() {
            Ok(())
        } else {
            self.delete_all(&names, &named_queues).await
        }
    }

    async fn delete_all(&self, names: &[ShortString], named_queues: &[ShortString]) -> Kept {
        let session = self.done("connecting to clear up", self.0.settings.transport.connect()).await?;
        for name in names.iter().chain(named_queues) {
            let deletion = session.admin().delete_queue(name, false, false);
            self.done(&format!("deleting the queue '{name}'"), deletion).await?;
        }
        for name in names {
            let deletion = session.admin().delete_exchange(name, false);
            self.done(&format!("deleting the exchange '{name}'"), deletion).await?;
        }
        let _ = self.within("closing after clearing up", session.close()).await;
        Ok(())
    }

    fn made<T>(&self, change: impl FnOnce(&mut Made) -> T) -> T {
        change(&mut self.0.made.lock())
    }
}

async fn looking<T, Fut>(mut look: impl FnMut() -> Fut, pause: Duration) -> Result<T, Fault>
where
    Fut: Future<Output = Result<Option<T>, Fault>>,
{
    loop {
        match look().await? {
            Some(seen) => return Ok(seen),
            None => sleep(pause).await,
        }
    }
}

async fn within<T>(patience: Duration, what: &str, event: impl Future<Output = T>) -> Result<T, Fault> {
    timeout(patience, event).await.map_err(|_| {
        Fault::new(format_args!("{what}: within {patience:?}"), format_args!("{what}: still waited for"))
    })
}
