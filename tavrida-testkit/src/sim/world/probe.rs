//! [`Probe`]: wraps each handler to observe its start and end, and to inject faults.

use std::cell::Cell;
use std::future::Future;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, ready};

use async_trait::async_trait;
use tavrida::message::{Failure, Message, Reply};
use tavrida::middleware::{Incoming, Next};
use tokio::time::Sleep;

use super::Guard;
use crate::fault::{Fault, Site};
use crate::sim::Harness;
use crate::trace::{ActorId, Ending, MessageId, What};

/// The running handler of this thread.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Work {
    pub(crate) actor: ActorId,
    pub(crate) message: Option<MessageId>,
    pub(crate) delivery: u32,
}

thread_local! {
    static AT_WORK: Cell<Option<Work>> = const { Cell::new(None) };
}

/// Returns the running handler, if any.
pub(super) fn at_work() -> Option<Work> {
    AT_WORK.get()
}

/// Restores the previous handler when it is dropped.
struct AtWork(Option<Work>);

impl Drop for AtWork {
    fn drop(&mut self) {
        AT_WORK.set(self.0);
    }
}

/// The outermost middleware of all services of an actor.
pub(crate) struct Probe {
    pub(crate) actor: ActorId,
    pub(crate) harness: Harness,
}

#[async_trait]
impl Incoming for Probe {
    async fn handle(&self, message: Message, next: Next) -> Result<Reply, Failure> {
        let (mut watch, fault) = Watch::begin(self, &message);
        match fault {
            Some(Fault::Slow(by)) => tokio::time::sleep(by).await,
            other => watch.suffer(other).await,
        }
        let handler = pin!(next.run(message));
        let result = Watched { handler, watch: &mut watch, guard: Guard::default(), slow: None }.await;
        watch.end(match &result {
            Ok(Reply::Nothing) => Ending::Quiet,
            Ok(_) => Ending::Answered,
            Err(failure) => Ending::Failed(failure.to_string()),
        });
        result
    }
}

/// A running handler.
struct Watch<'a> {
    probe: &'a Probe,
    message: Option<MessageId>,
    delivery: u32,
    /// Whether it ever waited.
    waited: bool,
    over: bool,
}

impl<'a> Watch<'a> {
    /// Records that a handler begins. Returns its first fault, if any.
    fn begin(probe: &'a Probe, message: &Message) -> (Self, Option<Fault>) {
        let mut state = probe.harness.world().state();
        let message = state.messages.with_id(message.message_id());
        let delivery = message.map_or(0, |message| state.messages.deliveries(message));
        state.handlers += 1;
        let attempt = message.map_or(1, |message| state.trace.message(message).attempt());
        state.tell_of(probe.actor, message, delivery, What::Started { attempt });
        let fault = message.and_then(|message| state.fault(Site::Start, message, probe.actor));
        drop(state);
        (Self { probe, message, delivery, waited: false, over: false }, fault)
    }

    /// Returns the fault of the handler while it waits, if any. Nothing more happens to a process that is dead.
    fn fault_in_wait(&self) -> Option<Fault> {
        let (message, actor) = (self.message?, self.probe.actor);
        let mut state = self.probe.harness.world().state();
        if state.actor(actor).down { None } else { state.fault(Site::Wait, message, actor) }
    }

    /// Applies a fault to the process of a handler. A killed process never continues.
    async fn suffer(&self, fault: Option<Fault>) {
        if self.strike(fault) {
            std::future::pending::<()>().await;
        }
    }

    /// Applies a fault. Returns whether the process is dead.
    fn strike(&self, fault: Option<Fault>) -> bool {
        let (harness, actor) = (&self.probe.harness, self.probe.actor);
        match fault {
            Some(Fault::ConnectionLost) => harness.cut(actor, "the connection broke"),
            Some(Fault::Crash(down_for)) => {
                harness.world().state().kill(actor, down_for);
                harness.cut(actor, "the process was killed");
                return true;
            }
            _ => {}
        }
        false
    }

    fn work(&self) -> Work {
        Work { actor: self.probe.actor, message: self.message, delivery: self.delivery }
    }

    /// For people.
    fn name(&self) -> String {
        self.probe.harness.world().state().name_of(self.work())
    }

    fn end(&mut self, ending: Ending) {
        self.over = true;
        let mut state = self.probe.harness.world().state();
        state.handlers -= 1;
        state.tell_handled(self.message, self.waited);
        state.tell_of(self.probe.actor, self.message, self.delivery, What::Ended(ending));
    }
}

impl Drop for Watch<'_> {
    fn drop(&mut self) {
        if !self.over {
            self.end(if std::thread::panicking() { Ending::Panicked } else { Ending::Dropped });
        }
    }
}

/// A handler that is watched while it runs.
struct Watched<'a, 'b, F> {
    handler: Pin<&'a mut F>,
    watch: &'a mut Watch<'b>,
    guard: Guard,
    /// Until when it does not go on, by a fault.
    slow: Option<Pin<Box<Sleep>>>,
}

impl<F: Future> Future for Watched<'_, '_, F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Self { handler, watch, guard, slow } = self.get_mut();
        if let Some(until) = slow {
            ready!(until.as_mut().poll(cx));
            *slow = None;
        }
        let harness = &watch.probe.harness;
        let world = harness.world();
        let foreign = world.entering(watch.probe.actor);
        let working = AtWork(AT_WORK.replace(Some(watch.work())));
        let polled = match harness.is_live() {
            true => handler.as_mut().poll(cx),
            false => guard.poll(world, handler.as_mut(), cx, || watch.name()),
        };
        drop(working);
        let made = world.foreign_tasks().saturating_sub(foreign);
        if made > 0 {
            world.state().made_foreign_tasks(watch.work(), made);
        }
        if polled.is_pending() {
            watch.waited = true;
            match watch.fault_in_wait() {
                Some(Fault::Slow(by)) => {
                    let mut until = Box::pin(tokio::time::sleep(by));
                    // Polled for its timer: it is not over yet.
                    let _ = until.as_mut().poll(cx);
                    *slow = Some(until);
                }
                fault => drop(watch.strike(fault)),
            }
        }
        polled
    }
}
