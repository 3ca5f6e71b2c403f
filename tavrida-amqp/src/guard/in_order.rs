//! [`InOrder`]: tokio as lapin's executor, whose futures begin in the order in which they are spawned.
//!
//! lapin removes a closed channel in a future of its own, and closes a connection in another. If the second begins first, because the
//! machine is busy, lapin removes the channel once more, and logs `invalid channel` at ERROR in a shutdown in which nothing is wrong.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

use async_rs::Tokio;
use async_rs::traits::Executor;
use async_rs::util::Task;
use futures_util::FutureExt;
use tokio::sync::Mutex;
use tokio::task::coop::unconstrained;

/// The executor of one connection.
#[derive(Debug, Clone)]
pub(crate) struct InOrder {
    tokio: Tokio,
    /// Held for the first poll of a future. It is granted in the order in which it was asked for.
    turn: Arc<Mutex<()>>,
}

impl InOrder {
    /// Returns an executor on the runtime of the current task.
    pub(super) fn current() -> Self {
        Self { tokio: Tokio::current(), turn: Arc::default() }
    }
}

impl Executor for InOrder {
    type Task<T: Send + 'static> = <Tokio as Executor>::Task<T>;

    fn block_on<T, F: Future<Output = T>>(&self, future: F) -> T {
        self.tokio.block_on(future)
    }

    fn spawn<T: Send + 'static, F: Future<Output = T> + Send + 'static>(
        &self,
        future: F,
    ) -> Task<Self::Task<T>> {
        let mut turn = Box::pin(unconstrained(self.turn.clone().lock_owned()));
        // Asks now: the task may begin later than the next one.
        let granted = (&mut turn).now_or_never();
        self.tokio.spawn(async move {
            let turn = match granted {
                Some(granted) => granted,
                None => turn.await,
            };
            let mut future = pin!(future);
            let first = poll_fn(|cx| Poll::Ready(future.as_mut().poll(cx))).await;
            drop(turn);
            match first {
                Poll::Ready(output) => output,
                Poll::Pending => future.await,
            }
        })
    }

    fn spawn_blocking<T: Send + 'static, F: FnOnce() -> T + Send + 'static>(
        &self,
        f: F,
    ) -> Task<Self::Task<T>> {
        self.tokio.spawn_blocking(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FUTURES: usize = 1000;

    /// Spawns futures that note when they begin, and wait once.
    async fn begun(executor: impl Executor) -> Vec<usize> {
        let begun: Arc<parking_lot::Mutex<Vec<usize>>> = Arc::default();
        let tasks: Vec<_> = (0..FUTURES)
            .map(|number| {
                let begun = begun.clone();
                executor.spawn(async move {
                    begun.lock().push(number);
                    tokio::task::yield_now().await;
                })
            })
            .collect();
        for task in tasks {
            task.await;
        }
        let begun = begun.lock().clone();
        assert_eq!(begun.len(), FUTURES);
        begun
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn futures_begin_in_the_order_in_which_they_are_spawned() {
        for _ in 0..20 {
            assert!(begun(InOrder::current()).await.is_sorted());
        }
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn a_future_that_is_dropped_before_it_begins_gives_its_turn_to_the_next() {
        let executor = InOrder::current();
        let held = executor.turn.clone().lock_owned().await;
        let mut dropped = executor.spawn(async {});
        let next = executor.spawn(async { 2 });
        assert_eq!(dropped.cancel().await, None);
        drop(held);
        assert_eq!(next.await, 2);
    }
}
