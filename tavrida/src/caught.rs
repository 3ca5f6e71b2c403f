//! Panics of users' code are caught wherever it runs on behalf of a message: when it is called, polled, and dropped.

use std::any::Any;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll};

use crate::message::Failure;
use crate::show::shown;

/// Calls what may panic.
///
/// # Errors
///
/// The panic.
pub(crate) fn call<T>(function: impl FnOnce() -> T) -> Result<T, Failure> {
    catch_unwind(AssertUnwindSafe(function)).map_err(failure)
}

/// Drops what may panic while it is dropped.
pub(crate) fn discard<T>(value: T) {
    if let Err(failure) = call(|| drop(value)) {
        tracing::error!(failure = %shown(&failure), "a value panicked while it was dropped");
    }
}

/// A future that may panic when it is polled, and when it is dropped, whether it is done or not.
pub(crate) struct Caught<F>(Option<F>);

impl<F: Future + Unpin> Caught<F> {
    pub(crate) fn new(future: F) -> Self {
        Self(Some(future))
    }
}

impl<F: Future + Unpin> Future for Caught<F> {
    type Output = Result<F::Output, Failure>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let future = self.0.as_mut().expect("it is polled until it is done");
        let ended = match call(|| Pin::new(future).poll(cx)) {
            Ok(Poll::Pending) => return Poll::Pending,
            Ok(Poll::Ready(output)) => Ok(output),
            Err(failure) => Err(failure),
        };
        discard(self.0.take());
        Poll::Ready(ended)
    }
}

impl<F> Drop for Caught<F> {
    fn drop(&mut self) {
        if let Some(future) = self.0.take() {
            discard(future);
        }
    }
}

fn failure(panic: Box<dyn Any + Send>) -> Failure {
    let failure = Failure::of_panic(&*panic);
    // What a panic is made of may panic as well; what that is made of is let go.
    if let Err(panic) = catch_unwind(AssertUnwindSafe(|| drop(panic))) {
        std::mem::forget(panic);
    }
    failure
}
