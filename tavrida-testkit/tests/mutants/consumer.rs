//! Deliveries and consumers of mutants.

use std::mem;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll, ready};

use async_trait::async_trait;
use futures_util::FutureExt;
use tavrida::transport::{
    AckKind, Acker, ConnectionLost, Consumer, ConsumerError, Delivery, DeliveryStream, Session, SessionError,
};

use crate::twist::{Habit, Twist};

/// The state that the deliveries of one consumer share.
#[derive(Clone)]
pub(crate) struct Wrapped {
    pub(crate) session: Arc<dyn Session>,
    pub(crate) twist: Twist,
    /// The unsettled deliveries so far, in order.
    pub(crate) earlier: Arc<Mutex<Vec<Arc<Held>>>>,
}

/// A delivery of the transport, wrapped by the mutant's.
pub(crate) struct Held {
    inner: Mutex<Option<Delivery>>,
    wrapped: Wrapped,
}

/// Returns the delivery of a mutant.
pub(crate) fn rewrap(delivery: Delivery, wrapped: &Wrapped) -> Delivery {
    let mut publication = (**delivery.publication()).clone();
    (wrapped.twist.delivered)(&mut publication);
    let redelivered = (wrapped.twist.redelivered)(delivery.redelivered());
    let held = Arc::new(Held { inner: Mutex::new(Some(delivery)), wrapped: wrapped.clone() });
    let mut earlier = locked(&wrapped.earlier);
    earlier.push(held.clone());
    let tag = earlier.len() as u64;
    drop(earlier);
    Delivery::new(Arc::new(publication), redelivered, held, tag)
}

impl Held {
    fn settle_inner(&self, verdict: AckKind) -> Result<(), ConnectionLost> {
        match locked(&self.inner).take() {
            Some(delivery) => delivery.settle(verdict),
            None => Ok(()),
        }
    }
}

impl Acker for Held {
    fn settle(&self, tag: u64, verdict: AckKind) -> Result<(), ConnectionLost> {
        let Wrapped { session, twist, earlier } = &self.wrapped;
        let verdict = (twist.verdict)(verdict);
        match twist.habit {
            Habit::AcksMultiple if verdict == AckKind::Ack => {
                let earlier = locked(earlier)[..tag as usize].to_vec();
                earlier.iter().try_for_each(|held| held.settle_inner(verdict))
            }
            Habit::SettlesStale if session.closed().now_or_never().is_some() => Ok(()),
            Habit::LosesHundredth if tag == 100 => Ok(()),
            _ => self.settle_inner(verdict),
        }
    }
}

pub(crate) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().expect("no mutant panics with a lock")
}

/// A consumer of the transport, wrapped by the mutant's.
pub(crate) struct Stream {
    inner: Option<Consumer>,
    wrapped: Wrapped,
    second: Option<Delivery>,
    cancelled: bool,
    ended: bool,
}

impl Stream {
    pub(crate) fn new(inner: Consumer, wrapped: Wrapped) -> Self {
        Self { inner: Some(inner), wrapped, second: None, cancelled: false, ended: false }
    }

    fn consumer(&mut self) -> &mut Consumer {
        self.inner.as_mut().expect("it is there until it is dropped")
    }

    /// Returns the next delivery; if two are available, the second comes first.
    fn poll_swapped(&mut self, cx: &mut Context<'_>) -> Poll<Result<Delivery, ConsumerError>> {
        if let Some(first) = self.second.take() {
            return Poll::Ready(Ok(first));
        }
        let first = ready!(self.consumer().poll_next(cx))?;
        match self.consumer().poll_next(cx) {
            Poll::Ready(Ok(second)) => {
                self.second = Some(first);
                Poll::Ready(Ok(second))
            }
            _ => Poll::Ready(Ok(first)),
        }
    }
}

#[async_trait]
impl DeliveryStream for Stream {
    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Result<Delivery, ConsumerError>> {
        let habit = self.wrapped.twist.habit;
        if self.cancelled && habit == Habit::CancelLoses {
            return Poll::Ready(Err(ConsumerError::Cancelled));
        }
        if self.ended && habit == Habit::EndsOnce {
            return Poll::Pending;
        }
        let next = match habit {
            Habit::SwapsDeliveries => ready!(self.poll_swapped(cx)),
            _ => ready!(self.consumer().poll_next(cx)),
        };
        Poll::Ready(match next {
            Ok(delivery) => Ok(rewrap(delivery, &self.wrapped)),
            Err(mut end) => {
                self.ended = true;
                (self.wrapped.twist.end)(&mut end);
                Err(end)
            }
        })
    }

    fn poll_ended(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        match self.wrapped.twist.habit {
            Habit::EndsLate => Poll::Pending,
            _ => self.consumer().poll_ended(cx),
        }
    }

    async fn cancel(&mut self) -> Result<(), SessionError> {
        self.cancelled = true;
        self.consumer().cancel().await
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        if self.wrapped.twist.habit == Habit::LeaksConsumers {
            mem::forget(self.inner.take());
        }
    }
}
