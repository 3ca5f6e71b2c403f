//! The concurrency of a server: a handler runs while it holds a slot.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use futures_util::future::BoxFuture;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// All slots of a server. A clone shares them.
#[derive(Clone)]
pub(crate) struct Slots(Arc<Semaphore>);

impl Slots {
    pub(crate) fn new(concurrency: usize) -> Self {
        Self(Arc::new(Semaphore::new(concurrency.min(Semaphore::MAX_PERMITS))))
    }

    /// A slot that is not held yet.
    pub(crate) fn slot(&self) -> Slot {
        Slot { all: self.0.clone(), held: None, acquiring: None }
    }
}

/// One slot, held or not; dropping it releases it.
pub(crate) struct Slot {
    all: Arc<Semaphore>,
    held: Option<OwnedSemaphorePermit>,
    /// The place in line for it.
    acquiring: Option<BoxFuture<'static, OwnedSemaphorePermit>>,
}

impl Slot {
    /// Ready once it is held. Those that wait get it in the order in which they began to.
    pub(crate) fn poll_hold(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.held.is_some() {
            return Poll::Ready(());
        }
        if self.acquiring.is_none() {
            self.held = self.all.clone().try_acquire_owned().ok();
            if self.held.is_some() {
                return Poll::Ready(());
            }
        }
        let all = &self.all;
        let acquiring = self.acquiring.get_or_insert_with(|| {
            let all = all.clone();
            Box::pin(async move { all.acquire_owned().await.expect("the slots are never closed") })
        });
        self.held = Some(ready!(acquiring.as_mut().poll(cx)));
        self.acquiring = None;
        Poll::Ready(())
    }

    /// Gives it to the next that waits, and leaves the line.
    pub(crate) fn release(&mut self) {
        (self.held, self.acquiring) = (None, None);
    }
}

/// A future that is polled only while the slot is held, and releases it whenever `waits` says so.
pub(crate) struct InSlot<'a, F, W> {
    future: F,
    slot: &'a mut Slot,
    waits: W,
}

impl<'a, F, W> InSlot<'a, F, W> {
    pub(crate) fn new(future: F, slot: &'a mut Slot, waits: W) -> Self {
        Self { future, slot, waits }
    }
}

impl<F: Future + Unpin, W: Fn() -> bool + Unpin> Future for InSlot<'_, F, W> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        ready!(self.slot.poll_hold(cx));
        let polled = Pin::new(&mut self.future).poll(cx);
        if polled.is_pending() && (self.waits)() {
            self.slot.release();
        }
        polled
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use futures_util::FutureExt;

    use super::*;

    fn is_held(slot: &mut Slot) -> bool {
        poll_fn(|cx| slot.poll_hold(cx)).now_or_never().is_some()
    }

    #[test]
    fn there_are_as_many_slots_as_the_concurrency_says_and_the_first_in_line_is_next() {
        let slots = Slots::new(1);
        let [mut first, mut second, mut third] = [(); 3].map(|()| slots.slot());
        assert!(is_held(&mut first) && !is_held(&mut second) && !is_held(&mut third));
        first.release();
        assert!(!is_held(&mut first), "others wait longer");
        assert!(is_held(&mut second));
        drop(second);
        assert!(is_held(&mut third));
    }

    #[test]
    fn leaving_the_line_holds_up_none_behind() {
        let slots = Slots::new(1);
        let [mut first, mut second, mut third] = [(); 3].map(|()| slots.slot());
        assert!(is_held(&mut first) && !is_held(&mut second) && !is_held(&mut third));
        second.release();
        drop(first);
        assert!(is_held(&mut third));
    }
}
