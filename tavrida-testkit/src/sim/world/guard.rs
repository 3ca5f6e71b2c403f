//! [`Guard`]: wraps a future of the user, to see what wakes it and whether it ever waits.
//!
//! Tasks of a simulation are woken by a message that arrived or by time that passed. Any other wake comes from outside, at a different
//! moment in each run.

use parking_lot::Mutex;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, ThreadId};

use super::{Time, World};
use crate::problem::ProblemKind;

/// How often a future may be polled before anything else happens. Draining a full channel of thousands of messages takes a hundred polls.
const SPIN: u32 = 100_000;

/// Watches one future.
#[derive(Default)]
pub(crate) struct Guard {
    witness: Option<(Arc<Witness>, Waker)>,
    /// Polls since the runtime was idle.
    polls: u32,
    /// The idle count at that time.
    idles: u64,
}

impl Guard {
    /// Polls the future. A violation fails the run under the name of the future.
    pub(crate) fn poll<F: Future + ?Sized>(
        &mut self,
        world: &World,
        future: Pin<&mut F>,
        cx: &mut Context<'_>,
        name: impl FnOnce() -> String,
    ) -> Poll<F::Output> {
        let flaw = self.flaw(world);
        let polled = future.poll(&mut Context::from_waker(self.waker(cx.waker())));
        // It may have moved the clock: `tokio::time::advance` does, and is pending once.
        if polled.is_pending() {
            world.time.forget();
        }
        // Another thread may have woken it while it was polled.
        if let Some(flaw) = self.foreign_wake().or(flaw) {
            world.blame(flaw, &name());
        }
        polled
    }

    /// Returns the violation before this poll, if any.
    fn flaw(&mut self, world: &World) -> Option<Flaw> {
        let idles = world.rest.idles.load(Ordering::Relaxed);
        self.polls = if idles == self.idles { self.polls + 1 } else { 1 };
        self.idles = idles;
        if self.polls > SPIN {
            return Some(Flaw::Spins);
        }
        let woken = self.witness.is_some();
        (woken && world.rest.is_unbroken(&world.time)).then_some(Flaw::WokenByNothing)
    }

    fn foreign_wake(&self) -> Option<Flaw> {
        let (witness, _) = self.witness.as_ref()?;
        witness.foreign.swap(false, Ordering::Acquire).then_some(Flaw::WokenByAnotherThread)
    }

    /// Returns a waker for the future's task that records who wakes it.
    fn waker(&mut self, task: &Waker) -> &Waker {
        let (witness, waker) = self.witness.get_or_insert_with(|| {
            let witness = Arc::new(Witness {
                home: thread::current().id(),
                task: Mutex::new(task.clone()),
                foreign: AtomicBool::new(false),
            });
            (witness.clone(), witness.into())
        });
        let mut known = witness.task.lock();
        if !known.will_wake(task) {
            *known = task.clone();
        }
        drop(known);
        waker
    }
}

/// Wakes a task, and records who does.
struct Witness {
    home: ThreadId,
    task: Mutex<Waker>,
    foreign: AtomicBool,
}

impl Wake for Witness {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if thread::current().id() != self.home {
            self.foreign.store(true, Ordering::Release);
        }
        let task = self.task.lock().clone();
        task.wake();
    }
}

/// What the simulation did when the runtime was last idle.
#[derive(Default)]
pub(crate) struct Rest {
    idles: AtomicU64,
    /// The virtual time in nanoseconds at which nothing happened; [`SOMETHING`] if something did.
    nothing_at: AtomicU64,
    /// Whether the runtime started a thread, which it does only for blocking work.
    thread_started: AtomicBool,
}

const SOMETHING: u64 = u64::MAX;

impl Rest {
    /// Records that the runtime is idle, and whether something happened.
    pub(crate) fn idle(&self, time: &Time, something_happened: bool) {
        self.idles.fetch_add(1, Ordering::Relaxed);
        let at = if something_happened { SOMETHING } else { time.nanoseconds() };
        self.nothing_at.store(at, Ordering::Relaxed);
    }

    /// Records that the runtime started a thread.
    pub(crate) fn thread_started(&self) {
        self.thread_started.store(true, Ordering::Release);
    }

    /// Returns whether nothing has happened since and no time has passed: no task of the run has a reason to be woken.
    fn is_unbroken(&self, time: &Time) -> bool {
        if self.idles.load(Ordering::Relaxed) == 0 {
            return false;
        }
        let at = self.nothing_at.load(Ordering::Relaxed);
        at != SOMETHING && at == time.nanoseconds()
    }
}

/// A violation by a future.
#[derive(Debug, Clone, Copy)]
enum Flaw {
    WokenByAnotherThread,
    WokenByNothing,
    Spins,
}

const INSTEAD: &str = "Work that leaves the runtime's thread (spawn_blocking, tokio::fs, std::thread, a client of a database) is \
    done at another moment in each run: in a simulation, give the service a stand-in for it, whose operations \
    begin with tavrida_testkit::yield_point().await";

impl World {
    /// Fails a run that started threads, or adds that to its failure. Call it after the runtime was dropped, which waits for its threads.
    pub(crate) fn judge_threads(&self) {
        if !self.rest.thread_started.load(Ordering::Acquire) {
            return;
        }
        let text = format!("a thread of tokio's pool was started, by spawn_blocking or tokio::fs. {INSTEAD}");
        let mut state = self.state();
        match &mut state.problem {
            Some(problem) if problem.kind != ProblemKind::Nondeterminism => {
                problem.text += "\nThe run may be another one the next time: ";
                problem.text += &text;
            }
            _ => state.fail(ProblemKind::Nondeterminism, text),
        }
    }

    fn blame(&self, flaw: Flaw, name: &str) {
        match flaw {
            Flaw::WokenByAnotherThread => {
                let text = format!("{name} was woken by another thread. {INSTEAD}");
                self.fail(ProblemKind::Nondeterminism, text);
            }
            Flaw::WokenByNothing => {
                let text = format!(
                    "{name} went on though no message arrived and no time passed: what it waits for was woken by another \
                     thread. {INSTEAD}"
                );
                self.fail(ProblemKind::Nondeterminism, text);
            }
            Flaw::Spins => {
                let text = format!(
                    "{name} never waits: it was polled {SPIN} times and nothing else could happen meanwhile. A loop around \
                     yield_now or around something that is always ready keeps messages from arriving and time from passing: \
                     wait for a message, a Notify or a timer"
                );
                self.fail(ProblemKind::Stuck, text);
                // The permit is stored: it is seen even if no task waits at this moment.
                self.ruined.notify_one();
            }
        }
    }
}
