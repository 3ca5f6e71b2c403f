//! [`Guide`]: decides for a [`Director`](super::Director), and observes what each step touches.

use super::Candidate;
use crate::fault::{Fault, Point};
use crate::trace::{ActorId, What};

/// Decides for a director. A step is one arrival, one confirm, or one turn at a yield point, with all that happens until no task can continue.
pub(crate) trait Guide: Send {
    /// Picks what happens next. `None` if the run need not continue.
    fn pick(&mut self, candidates: &[Candidate]) -> Option<usize>;

    /// Returns whether it injects faults.
    fn has_faults(&self) -> bool;

    /// Returns the fault at a point, out of those that can happen, if any.
    fn fault(&mut self, point: Point, can: &dyn Fn(Fault) -> bool) -> Option<Fault>;

    /// Observes that a message of this process reached these queues.
    fn reached(&mut self, process: ActorId, queues: &mut dyn Iterator<Item = &str>);

    /// Observes that code of a service or of the scenario runs in this process.
    fn entered(&mut self, process: ActorId);

    /// Observes that the step touches a subject: a queue that a settlement matters to, or what code touches behind a yield point.
    fn touched(&mut self, subject: u64);

    /// Observes that a handler of this entry point has ended, and whether it ever waited.
    fn handled(&mut self, entry_point: &str, waited: bool);

    /// Observes an event of a process.
    fn told(&mut self, process: ActorId, what: &What);

    /// Observes that a handler of this process started a task that may outlive it.
    fn outlived(&mut self, process: ActorId);

    /// Observes that nothing can arrive and time is about to pass.
    fn idle(&mut self);
}
