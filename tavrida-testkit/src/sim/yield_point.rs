//! [`yield_point`]: where code lets others go first, if the run decides so.

use std::cell::RefCell;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};

use super::Harness;
use crate::random::hash;

thread_local! {
    static RUN: RefCell<Option<Arc<OnceLock<Harness>>>> = const { RefCell::new(None) };
}

/// Lets others go first, if the run decides so: other handlers of the process, other processes, messages.
///
/// An await that is ready lets nothing else happen. Over a stand-in for a database that answers at once, two handlers would therefore
/// never interleave, and a bug between a read and a write would not be found. A stand-in calls this in each of its operations, before it
/// touches its data; one that reports success calls it afterwards, too, so that a crash can come between the effect and the answer.
///
/// ```
/// use std::collections::BTreeMap;
/// use std::sync::{Arc, Mutex};
///
/// use tavrida_testkit::yield_point;
///
/// #[derive(Clone, Default)]
/// struct Accounts(Arc<Mutex<BTreeMap<u64, i64>>>);
///
/// impl Accounts {
///     async fn balance(&self, account: u64) -> i64 {
///         yield_point().await;
///         self.0.lock().unwrap().get(&account).copied().unwrap_or_default()
///     }
///
///     async fn set_balance(&self, account: u64, balance: i64) {
///         yield_point().await;
///         self.0.lock().unwrap().insert(account, balance);
///         yield_point().await;
///     }
/// }
/// ```
///
/// In a random run of an order-only policy every fifth yield point is passed by 1 to 64 steps of others, and in one with delays some take
/// as long as a late message; [`exhaustive`](crate::exhaustive()) tries each order, and takes code behind a yield point to depend on all
/// other such code, in whichever process: they may share the stand-in. It is a decision like any other: it shrinks, and replays. Faults of
/// waiting handlers, such as crashes, happen here.
///
/// Outside of a simulation it is tokio's `yield_now`.
///
/// # Cancel safety
///
/// Dropped, it has done nothing.
pub async fn yield_point() {
    at(hash(b"anything")).await;
}

/// As [`yield_point`], where code touches a subject that code elsewhere may touch too.
pub(super) async fn at(subject: u64) {
    match RUN.with_borrow(|run| run.as_ref()?.get().cloned()) {
        Some(harness) => YieldPoint { harness, subject, turn: Turn::New }.await,
        None => tokio::task::yield_now().await,
    }
}

/// Makes a run that of this thread, until the guard is dropped.
pub(super) fn enter(harness: &Arc<OnceLock<Harness>>) -> Entered {
    Entered(RUN.replace(Some(harness.clone())))
}

/// The run that was the one of this thread before.
pub(super) struct Entered(Option<Arc<OnceLock<Harness>>>);

impl Drop for Entered {
    fn drop(&mut self) {
        RUN.set(self.0.take());
    }
}

struct YieldPoint {
    harness: Harness,
    subject: u64,
    turn: Turn,
}

enum Turn {
    /// Not reached yet.
    New,
    /// Behind the tasks that can go on.
    Next,
    /// When the run picks the resumption with this number.
    Later(u64),
}

impl Future for YieldPoint {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let Self { harness, subject, turn } = self.get_mut();
        let mut state = harness.world().state();
        match *turn {
            Turn::New => {
                *turn = match state.reach_yield_point(*subject, cx.waker()) {
                    Some(number) => Turn::Later(number),
                    None => {
                        cx.waker().wake_by_ref();
                        Turn::Next
                    }
                };
                Poll::Pending
            }
            Turn::Later(number) if state.awaits_turn(number, cx.waker()) => Poll::Pending,
            Turn::Next | Turn::Later(_) => Poll::Ready(()),
        }
    }
}

impl Drop for YieldPoint {
    fn drop(&mut self) {
        if let Turn::Later(number) = self.turn {
            self.harness.world().state().forget_turn(number);
        }
    }
}
