//! [`Footprint`]: what a step touches, and therefore which steps are independent.

use rustc_hash::FxHashSet;

use crate::trace::ActorId;

/// What a step touches. Two steps that touch nothing in common can be swapped without an observable difference.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Footprint {
    /// It may touch anything.
    everything: bool,
    /// The processes whose sessions it changes: it may touch anything but what others acknowledge.
    disturbed: Vec<ActorId>,
    /// The process that gets a confirm. If it touches nothing else, a request is acknowledged whose answer was confirmed.
    confirmed: Option<ActorId>,
    /// It leaves a process waiting whose turn, when time passes, depends on when it began to wait.
    waits: bool,
    /// The processes that did something.
    processes: Vec<ActorId>,
    /// The queues that messages were appended to, and those where a settlement mattered; and the subjects of yield points.
    subjects: FxHashSet<u64>,
}

impl Footprint {
    /// Returns what the arrival of a message touches at least.
    pub(super) fn of(process: ActorId, contended: Option<u64>) -> Self {
        Self { processes: vec![process], subjects: contended.into_iter().collect(), ..Self::default() }
    }

    /// Returns what the confirm of a message touches at least.
    pub(super) fn of_confirm(process: ActorId) -> Self {
        Self { confirmed: Some(process), ..Self::default() }
    }

    pub(super) fn add_process(&mut self, process: ActorId) {
        if !self.processes.contains(&process) {
            self.processes.push(process);
        }
    }

    pub(super) fn add_subject(&mut self, subject: u64) {
        self.subjects.insert(subject);
    }

    pub(super) fn add_everything(&mut self) {
        self.everything = true;
    }

    /// Records that the session of a process changes.
    pub(super) fn add_disturbed(&mut self, process: ActorId) {
        if !self.disturbed.contains(&process) {
            self.disturbed.push(process);
        }
    }

    /// Records that a process waits at the end of the step, possibly for time.
    pub(super) fn add_wait(&mut self) {
        self.waits = true;
    }

    /// Returns the processes that did something.
    pub(super) fn processes(&self) -> &[ActorId] {
        &self.processes
    }

    /// Returns whether the order of the two steps matters.
    pub(super) fn meets(&self, other: &Self) -> bool {
        self.everything
            || other.everything
            || self.disturbs(other)
            || other.disturbs(self)
            || (self.waits && other.waits)
            || self.processes.iter().any(|process| other.processes.contains(process))
            || !self.subjects.is_disjoint(&other.subjects)
    }

    fn disturbs(&self, other: &Self) -> bool {
        let acknowledges = other.processes.is_empty() && other.subjects.is_empty() && !other.waits;
        let of_another = |process| !self.disturbed.contains(process);
        let spared = acknowledges && other.confirmed.as_ref().is_some_and(of_another);
        !self.disturbed.is_empty() && !spared
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(process: u32, queues: &[u64]) -> Footprint {
        let mut footprint = Footprint::of(ActorId::of_peer(process), None);
        queues.iter().for_each(|queue| footprint.add_subject(*queue));
        footprint
    }

    #[test]
    fn steps_meet_in_a_process_or_in_a_queue() {
        assert!(!step(1, &[7]).meets(&step(2, &[8])));
        assert!(step(1, &[7]).meets(&step(1, &[8])), "one process");
        assert!(step(1, &[7, 9]).meets(&step(2, &[9])), "one queue");
        assert!(!step(1, &[]).meets(&step(2, &[])));
    }

    #[test]
    fn a_changed_session_meets_all_but_what_others_acknowledge() {
        let mut cut = step(1, &[]);
        cut.add_disturbed(ActorId::of_peer(1));
        let confirm = |process| Footprint::of_confirm(ActorId::of_peer(process));
        assert!(cut.meets(&step(2, &[])) && step(2, &[]).meets(&cut));
        assert!(cut.meets(&confirm(1)) && !cut.meets(&confirm(2)) && !confirm(2).meets(&cut));
        let mut enters = confirm(2);
        enters.add_process(ActorId::of_peer(2));
        assert!(cut.meets(&enters), "the confirm lets a handler go on");
    }

    #[test]
    fn what_touches_everything_meets_all_others() {
        let mut fault = step(1, &[]);
        fault.add_everything();
        assert!(fault.meets(&step(2, &[])) && step(2, &[]).meets(&fault));
    }
}
