//! [`Guide`]: decides in a [`Director`](super::Director)'s place, and sees what each step touches.

use super::Candidate;
use crate::fault::{Fault, Point};
use crate::trace::{ActorId, What};

/// Decides in a director's place. A step is one arrival, with all that happens until nothing can go on.
pub(crate) trait Guide: Send {
    /// Which of the messages that could arrive does; none where the run is not worth going on with.
    fn pick(&mut self, candidates: &[Candidate]) -> Option<usize>;

    /// Whether it lets anything go wrong.
    fn has_faults(&self) -> bool;

    /// What goes wrong at a point, of what can, if anything does.
    fn fault(&mut self, point: Point, can: &dyn Fn(Fault) -> bool) -> Option<Fault>;

    /// A message of this process reached these queues.
    fn reached(&mut self, process: ActorId, queues: &mut dyn Iterator<Item = &str>);

    /// This happened to a process.
    fn told(&mut self, process: ActorId, what: &What);

    /// Nothing can arrive: time is about to pass.
    fn idle(&mut self);
}
