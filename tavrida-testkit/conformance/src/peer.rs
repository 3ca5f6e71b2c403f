//! A session as used by a check: the usual steps, each with a time limit and a clear failure.

use std::future::{Future, poll_fn};
use std::ops::Deref;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;

use futures_util::future::{MaybeDone, join_all, maybe_done};
use tavrida::field::{ShortString, Table};
use tavrida::transport::{
    Binding, ConnectionLost, Consume, Delivery, Exchange, ExchangeKind, GetMessage, Publication,
    PublishError, PublishErrorKind, PublishFuture, Queue, Session,
};

use crate::check::{Fault, Kept, same, settled};
use crate::harness::Harness;
use crate::tap::Tap;
use crate::values::body;

/// One session. Its own methods are the session's; those below must succeed.
#[derive(Clone)]
pub(crate) struct Peer {
    session: Arc<dyn Session>,
    harness: Harness,
}

/// Publishes that were polled once.
pub(crate) type Started<'a> = MaybeDone<PublishFuture<'a>>;

impl Deref for Peer {
    type Target = dyn Session;

    fn deref(&self) -> &Self::Target {
        &*self.session
    }
}

impl Harness {
    /// Opens a session.
    pub(crate) async fn session(&self) -> Result<Peer, Fault> {
        Ok(Peer { session: self.connect().await?, harness: self.clone() })
    }

    /// Opens two sessions.
    pub(crate) async fn two_sessions(&self) -> Result<(Peer, Peer), Fault> {
        Ok((self.session().await?, self.session().await?))
    }
}

impl Peer {
    /// Declares an exchange under a name private to the check.
    pub(crate) async fn an_exchange(&self, local: &str, kind: ExchangeKind) -> Result<ShortString, Fault> {
        let exchange = Exchange::durable(self.harness.name(local), kind);
        self.exchange(&exchange).await?;
        Ok(exchange.name)
    }

    /// Declares an exchange.
    pub(crate) async fn exchange(&self, exchange: &Exchange) -> Kept {
        let what = format!("declaring the exchange '{}'", exchange.name);
        self.harness.done(&what, self.admin().declare_exchange(exchange)).await
    }

    /// Declares a plain queue under a name private to the check.
    pub(crate) async fn a_queue(&self, local: &str) -> Result<ShortString, Fault> {
        self.a_queue_with(local, Table::new()).await
    }

    /// Declares a queue with arguments under a name private to the check.
    pub(crate) async fn a_queue_with(&self, local: &str, arguments: Table) -> Result<ShortString, Fault> {
        let queue = Queue { arguments, ..Queue::durable(self.harness.name(local)) };
        self.queue(&queue).await
    }

    /// Declares a queue. Returns its name.
    pub(crate) async fn queue(&self, queue: &Queue) -> Result<ShortString, Fault> {
        let what = format!("declaring the queue '{}'", queue.name);
        Ok(self.harness.done(&what, self.admin().declare_queue(queue)).await?.name)
    }

    pub(crate) async fn tie(&self, binding: &Binding) -> Kept {
        let what = format!("binding {binding:?}");
        self.harness.done(&what, self.admin().bind(binding)).await
    }

    /// Unbinds.
    pub(crate) async fn untie(&self, binding: &Binding) -> Kept {
        let what = format!("unbinding {binding:?}");
        self.harness.done(&what, self.admin().unbind(binding)).await
    }

    /// Deletes a queue with its messages.
    pub(crate) async fn drop_queue(&self, name: &str) -> Result<u32, Fault> {
        self.harness
            .done(&format!("deleting the queue '{name}'"), self.admin().delete_queue(name, false, false))
            .await
    }

    /// Publishes, and waits for the outcome.
    pub(crate) async fn outcome(&self, publication: Publication) -> Result<Result<(), PublishError>, Fault> {
        let what = format!("publishing to '{}' with key '{}'", publication.exchange, publication.routing_key);
        self.harness.within(&what, self.session.publish(publication)).await
    }

    /// Publishes a message that must be accepted.
    pub(crate) async fn send(&self, publication: Publication) -> Kept {
        self.outcome(publication)
            .await?
            .map_err(|unpublished| Fault::new("the message is taken by the broker", unpublished))
    }

    /// Publishes a message that must fail for this reason and come back unchanged.
    pub(crate) async fn fails(&self, publication: Publication, reason: &PublishErrorKind) -> Kept {
        let failure = self.failure(publication).await?;
        same("the reason", &failure, reason)
    }

    /// Publishes a message that must fail and come back unchanged. Returns the reason.
    pub(crate) async fn failure(&self, publication: Publication) -> Result<PublishErrorKind, Fault> {
        match self.outcome(publication.clone()).await? {
            Ok(()) => Err(Fault::new("the message is not taken", "it was published")),
            Err(unpublished) => {
                same("the publication that came back", &*unpublished.publication, &publication)?;
                Ok(unpublished.reason)
            }
        }
    }

    /// Returns whether a mandatory message is routed to a queue.
    pub(crate) async fn reaches(&self, publication: Publication) -> Result<bool, Fault> {
        match self.outcome(Publication { mandatory: true, ..publication }).await? {
            Ok(()) => Ok(true),
            Err(PublishError { reason: PublishErrorKind::Unroutable, .. }) => Ok(false),
            Err(unpublished) => Err(Fault::new("routed or unroutable", unpublished)),
        }
    }

    /// Publishes messages with these bodies to a queue, one after the other.
    pub(crate) async fn fill(&self, queue: &ShortString, bodies: &[&str]) -> Kept {
        for text in bodies {
            self.send(Publication::new(ShortString::default(), queue, text.as_bytes().to_vec())).await?;
        }
        Ok(())
    }

    /// Creates publishes in turn and polls each once, before it creates the next.
    pub(crate) async fn start(&self, publications: Vec<Publication>) -> Vec<Started<'_>> {
        let mut started = Vec::new();
        for publication in publications {
            let mut publishing = maybe_done(self.session.publish(publication));
            // An outcome that is known at once is stored in it.
            poll_once(&mut publishing).await;
            started.push(publishing);
        }
        started
    }

    /// Returns the outcomes of started publishes, in the order of their creation.
    pub(crate) async fn outcomes(
        &self,
        started: Vec<Started<'_>>,
    ) -> Result<Vec<Result<(), PublishError>>, Fault> {
        let what = format!("the outcomes of {} publishes", started.len());
        let outcomes = join_all(started.into_iter().map(|mut publishing| async move {
            (&mut publishing).await;
            Pin::new(&mut publishing).take_output().expect("it was awaited and is taken once")
        }));
        self.harness.within(&what, outcomes).await
    }

    /// Gets the first message of a queue, if it has one now.
    pub(crate) async fn take(&self, queue: &str) -> Result<Option<GetMessage>, Fault> {
        self.harness.done(&format!("getting from '{queue}'"), self.session.get(queue)).await
    }

    /// Gets the first message of a queue, which must exist now.
    pub(crate) async fn head(&self, queue: &str) -> Result<Delivery, Fault> {
        match self.take(queue).await? {
            Some(fetched) => Ok(fetched.delivery),
            None => Err(Fault::new(format_args!("a message in '{queue}'"), "an empty queue")),
        }
    }

    /// Gets the first message of a queue once it arrives.
    pub(crate) async fn arrival(&self, queue: &str) -> Result<Delivery, Fault> {
        let what = format!("a message in '{queue}'");
        self.harness.until(&what, async || Ok(self.take(queue).await?.map(|fetched| fetched.delivery))).await
    }

    /// Gets and acknowledges all messages that a queue has now. Returns the bodies.
    pub(crate) async fn drain(&self, queue: &str) -> Result<Vec<String>, Fault> {
        let mut bodies = Vec::new();
        while let Some(fetched) = self.take(queue).await? {
            bodies.push(body(&fetched.delivery));
            settled("ack", fetched.delivery.ack())?;
        }
        Ok(bodies)
    }

    /// Checks that a queue has these bodies now, and gets them.
    pub(crate) async fn holds(&self, queue: &str, expected: &[&str]) -> Kept {
        same(&format!("the bodies in '{queue}'"), &self.drain(queue).await?, expected)
    }

    /// Returns how many messages of a queue are ready.
    pub(crate) async fn ready(&self, queue: &str) -> Result<u32, Fault> {
        Ok(self
            .harness
            .done(&format!("checking '{queue}'"), self.admin().declare_queue_passive(queue))
            .await?
            .messages)
    }

    /// Waits until `count` messages of a queue are ready.
    pub(crate) async fn ready_is(&self, queue: &str, count: u32) -> Kept {
        let what = format!("{count} ready messages in '{queue}'");
        self.harness.until(&what, async || Ok((self.ready(queue).await? == count).then_some(()))).await
    }

    /// Checks whether a queue exists.
    pub(crate) async fn queue_exists(&self, queue: &str, expected: bool) -> Kept {
        let seen = self.harness.within("checking a queue", self.admin().declare_queue_passive(queue)).await?;
        exists("the queue", queue, seen.map(drop), expected)
    }

    /// Checks whether an exchange exists.
    pub(crate) async fn exchange_exists(&self, exchange: &str, expected: bool) -> Kept {
        let seen = self
            .harness
            .within("checking an exchange", self.admin().declare_exchange_passive(exchange))
            .await?;
        exists("the exchange", exchange, seen, expected)
    }

    /// Consumes a queue.
    pub(crate) async fn tap(&self, queue: &ShortString, prefetch: u16) -> Result<Tap, Fault> {
        self.tap_with(&Consume::new(queue, prefetch)).await
    }

    /// Consumes with these settings.
    pub(crate) async fn tap_with(&self, consume: &Consume) -> Result<Tap, Fault> {
        let what = format!("consuming '{}'", consume.queue);
        let consumer = self.harness.done(&what, self.session.consume(consume)).await?;
        Ok(Tap::new(consumer, self.harness.clone(), &consume.queue))
    }

    /// Closes the session in good order.
    pub(crate) async fn finish(&self) -> Kept {
        self.harness.done("closing the session", self.session.close()).await
    }

    /// Returns why the session ended; it must have ended or end soon.
    pub(crate) async fn loss(&self) -> Result<ConnectionLost, Fault> {
        self.harness.within("the end of the session", self.session.closed()).await
    }
}

/// Polls once, with the waker of the task.
pub(crate) async fn poll_once(future: &mut (impl Future + Unpin)) -> bool {
    poll_fn(|cx| Poll::Ready(Pin::new(&mut *future).poll(cx).is_ready())).await
}

fn exists(
    what: &str,
    name: &str,
    seen: Result<(), tavrida::transport::SessionError>,
    expected: bool,
) -> Kept {
    match seen {
        Ok(()) if expected => Ok(()),
        Err(error) if error.is_not_found() && !expected => Ok(()),
        Ok(()) => Err(Fault::new(format_args!("{what} '{name}' is gone"), "it is there")),
        Err(error) => {
            let expected = if expected { "is there" } else { "is gone" };
            Err(Fault::new(format_args!("{what} '{name}' {expected}"), error))
        }
    }
}
