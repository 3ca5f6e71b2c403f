//! [`Source`]: lapin's stream of deliveries, whose end can be seen before the deliveries ahead of it are taken.

use std::collections::VecDeque;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_util::Stream;
use lapin::message::Delivery;
use tokio::task::coop;

pub(super) struct Source {
    stream: lapin::Consumer,
    /// Deliveries found while looking for the end.
    ahead: VecDeque<Delivery>,
    /// How the stream ended. It returns the end only once; polled again, it would never be ready.
    end: Option<lapin::Result<()>>,
}

impl Source {
    pub(super) fn new(stream: lapin::Consumer) -> Self {
        Self { stream, ahead: VecDeque::new(), end: None }
    }

    pub(super) fn has_ended(&self) -> bool {
        self.end.is_some()
    }

    /// Returns the next delivery, or how the stream ended.
    pub(super) fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Result<Delivery, lapin::Result<()>>> {
        if let Some(delivery) = self.ahead.pop_front() {
            return Poll::Ready(Ok(delivery));
        }
        if let Some(end) = &self.end {
            return Poll::Ready(Err(end.clone()));
        }
        Poll::Ready(ready!(self.poll_stream(cx)))
    }

    /// Is ready once the stream has ended.
    pub(super) fn poll_ended(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        while self.end.is_none() {
            let budget = ready!(coop::poll_proceed(cx));
            let next = ready!(self.poll_stream(cx));
            budget.made_progress();
            self.ahead.extend(next);
        }
        Poll::Ready(())
    }

    fn poll_stream(&mut self, cx: &mut Context<'_>) -> Poll<Result<Delivery, lapin::Result<()>>> {
        let end = match ready!(Pin::new(&mut self.stream).poll_next(cx)) {
            Some(Ok(delivery)) => return Poll::Ready(Ok(delivery)),
            Some(Err(error)) => Err(error),
            None => Ok(()),
        };
        Poll::Ready(Err(self.end.insert(end).clone()))
    }
}
