//! A transport wrapper with a twist.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use futures_util::FutureExt;
use tavrida::transport::{
    Admin, Binding, Broker, ConnectionLost, Consume, Consumer, Exchange, GetMessage, Publication,
    PublishError, PublishErrorKind, PublishFuture, Queue, QueueStatus, Session, SessionError, Transport,
};

use crate::consumer::{Stream, Wrapped, locked, rewrap};
use crate::twist::{Habit, Twist};

/// A transport with a twist.
pub(crate) struct Twisted {
    pub(crate) inner: Arc<dyn Transport>,
    pub(crate) twist: Twist,
    pub(crate) only: Mutex<Option<Arc<dyn Session>>>,
}

#[async_trait]
impl Transport for Twisted {
    async fn connect(&self) -> Result<Arc<dyn Session>, SessionError> {
        let only = locked(&self.only).clone();
        if let Some(session) = only.filter(|_| self.twist.habit == Habit::OneForAll) {
            return Ok(session);
        }
        let session = Arc::new(TwistedSession {
            inner: self.inner.connect().await?,
            twist: self.twist,
            held: Mutex::default(),
            last: Mutex::default(),
            turn: tokio::sync::Mutex::default(),
        });
        *locked(&self.only) = Some(session.clone());
        Ok(session)
    }

    fn endpoint(&self) -> String {
        self.inner.endpoint()
    }
}

struct TwistedSession {
    inner: Arc<dyn Session>,
    twist: Twist,
    held: Mutex<Option<Publication>>,
    last: Mutex<Option<Result<(), PublishErrorKind>>>,
    turn: tokio::sync::Mutex<()>,
}

impl TwistedSession {
    fn twisted<T>(&self, result: Result<T, SessionError>) -> Result<T, SessionError> {
        result.map_err(|mut error| {
            (self.twist.error)(&mut error);
            error
        })
    }

    fn is_dead(&self) -> bool {
        self.inner.closed().now_or_never().is_some()
    }

    async fn publish_twisted(&self, publication: Publication) -> Result<(), PublishError> {
        self.twist.unable.publication(&publication)?;
        let mut changed = publication.clone();
        (self.twist.publication)(&mut changed);
        let mut outcome = self
            .publish_habitually(changed)
            .await
            .map_err(|unpublished| PublishError { publication: Box::new(publication), ..unpublished });
        (self.twist.outcome)(&mut outcome);
        outcome
    }

    async fn publish_habitually(&self, publication: Publication) -> Result<(), PublishError> {
        match self.twist.habit {
            Habit::SwapsPublishes => self.publish_swapped(publication).await,
            Habit::ConfirmsBlindly if !publication.exchange.is_empty() => Ok(()),
            Habit::PublishesLate => {
                tokio::time::sleep(Duration::from_millis(1)).await;
                self.inner.publish(publication).await
            }
            Habit::PublishesInTurn => {
                let _turn = self.turn.lock().await;
                tokio::task::yield_now().await;
                self.inner.publish(publication).await
            }
            Habit::SwapsOutcomes => self.publish_mixed_up(publication).await,
            Habit::DiesOfRefusals => {
                let outcome = self.inner.publish(publication).await;
                if matches!(&outcome, Err(PublishError { reason: PublishErrorKind::Refused(_), .. })) {
                    let _ = self.inner.close().await;
                }
                outcome
            }
            _ => self.inner.publish(publication).await,
        }
    }

    /// Sends every second publish before the one that came before it.
    async fn publish_swapped(&self, publication: Publication) -> Result<(), PublishError> {
        let held = locked(&self.held).take();
        match held {
            Some(first) => {
                self.inner.publish(publication).await?;
                self.inner.publish(first).await
            }
            None => {
                *locked(&self.held) = Some(publication);
                // A second publish of the same task comes before this continues.
                tokio::time::sleep(Duration::from_millis(1)).await;
                let held = locked(&self.held).take();
                match held {
                    Some(publication) => self.inner.publish(publication).await,
                    None => Ok(()),
                }
            }
        }
    }

    /// Returns to each publish the outcome of the one before it, if two are pending.
    async fn publish_mixed_up(&self, publication: Publication) -> Result<(), PublishError> {
        let outcome = self.inner.publish(publication.clone()).await;
        tokio::task::yield_now().await;
        let own = outcome.map_err(|unpublished| unpublished.reason);
        let other = locked(&self.last).replace(own.clone());
        match other.unwrap_or(own) {
            Ok(()) => Ok(()),
            Err(reason) => Err(PublishError::new(reason, publication)),
        }
    }
}

#[async_trait]
impl Admin for TwistedSession {
    async fn declare_exchange(&self, exchange: &Exchange) -> Result<(), SessionError> {
        self.twist.unable.exchange(exchange)?;
        let mut exchange = exchange.clone();
        (self.twist.exchange)(&mut exchange);
        self.twisted(self.inner.admin().declare_exchange(&exchange).await)
    }

    async fn declare_exchange_passive(&self, name: &str) -> Result<(), SessionError> {
        self.twisted(self.inner.admin().declare_exchange_passive(name).await)
    }

    async fn delete_exchange(&self, name: &str, if_unused: bool) -> Result<(), SessionError> {
        let if_unused = if_unused && self.twist.habit != Habit::DeletesAnyway;
        self.twisted(self.inner.admin().delete_exchange(name, if_unused).await)
    }

    async fn declare_queue(&self, queue: &Queue) -> Result<QueueStatus, SessionError> {
        self.twist.unable.queue(queue)?;
        let mut queue = queue.clone();
        (self.twist.queue)(&mut queue);
        queue.arguments.remove(self.twist.loses);
        let mut status = self.twisted(self.inner.admin().declare_queue(&queue).await)?;
        (self.twist.status)(&mut status);
        Ok(status)
    }

    async fn declare_queue_passive(&self, name: &str) -> Result<QueueStatus, SessionError> {
        if self.twist.habit == Habit::OutlivesItself && self.is_dead() {
            let name = name.try_into().expect("a name that was declared");
            return Ok(QueueStatus { name, messages: 0, consumers: 0 });
        }
        let mut status = self.twisted(self.inner.admin().declare_queue_passive(name).await)?;
        (self.twist.status)(&mut status);
        Ok(status)
    }

    async fn delete_queue(&self, name: &str, if_unused: bool, if_empty: bool) -> Result<u32, SessionError> {
        let heeds = self.twist.habit != Habit::DeletesAnyway;
        let (if_unused, if_empty) = (if_unused && heeds, if_empty && heeds);
        self.twisted(self.inner.admin().delete_queue(name, if_unused, if_empty).await).map(self.twist.count)
    }

    async fn purge_queue(&self, name: &str) -> Result<u32, SessionError> {
        self.twisted(self.inner.admin().purge_queue(name).await).map(self.twist.count)
    }

    async fn bind(&self, binding: &Binding) -> Result<(), SessionError> {
        self.twist.unable.binding(binding)?;
        let mut binding = binding.clone();
        (self.twist.binding)(&mut binding);
        self.twisted(self.inner.admin().bind(&binding).await)
    }

    async fn unbind(&self, binding: &Binding) -> Result<(), SessionError> {
        if self.twist.habit == Habit::NeverUnbinds {
            return Ok(());
        }
        self.twist.unable.binding(binding)?;
        let mut binding = binding.clone();
        (self.twist.binding)(&mut binding);
        self.twisted(self.inner.admin().unbind(&binding).await)
    }
}

#[async_trait]
impl Session for TwistedSession {
    fn admin(&self) -> &dyn Admin {
        self
    }

    fn publish(&self, publication: Publication) -> PublishFuture<'_> {
        if self.twist.habit == Habit::PublishesEarly {
            let mut publishing = Box::pin(self.publish_twisted(publication));
            return match (&mut publishing).now_or_never() {
                Some(outcome) => PublishFuture::ready(outcome),
                None => PublishFuture::waiting(publishing),
            };
        }
        PublishFuture::waiting(self.publish_twisted(publication))
    }

    async fn get(&self, queue: &str) -> Result<Option<GetMessage>, SessionError> {
        let fetched = match self.twisted(self.inner.get(queue).await) {
            Err(error) if error.is_not_found() && self.twist.habit == Habit::ForgivesMissing => None,
            fetched => fetched?,
        };
        let wrapped = Wrapped { session: self.inner.clone(), twist: self.twist, earlier: Arc::default() };
        Ok(fetched.map(|GetMessage { delivery, messages_left }| GetMessage {
            delivery: rewrap(delivery, &wrapped),
            messages_left: (self.twist.left)(messages_left),
        }))
    }

    async fn consume(&self, consume: &Consume) -> Result<Consumer, SessionError> {
        self.twist.unable.consume(consume)?;
        let mut consume = consume.clone();
        (self.twist.consume)(&mut consume);
        let inner = self.twisted(self.inner.consume(&consume).await)?;
        let wrapped = Wrapped { session: self.inner.clone(), twist: self.twist, earlier: Arc::default() };
        Ok(Consumer::new(Stream::new(inner, wrapped)))
    }

    async fn close(&self) -> Result<(), SessionError> {
        if self.twist.habit == Habit::ClosesOnce && self.is_dead() {
            return Err(self.inner.closed().await.into());
        }
        self.inner.close().await
    }

    async fn closed(&self) -> ConnectionLost {
        if self.twist.habit == Habit::EndsInSilence && !self.is_dead() {
            return std::future::pending().await;
        }
        (self.twist.loss)(self.inner.closed().await)
    }

    fn blocked(&self) -> Option<String> {
        (self.twist.blocked)(self.inner.blocked())
    }

    fn broker(&self) -> Option<Broker> {
        self.inner.broker()
    }
}
