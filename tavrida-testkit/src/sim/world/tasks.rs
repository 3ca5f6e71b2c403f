//! [`Tasks`]: the tasks that outlive their handlers, by process.
//!
//! Those of [`tavrida::task::spawn`] are known one by one. Those of `tokio::spawn` are known by their number alone: tokio has no hook for them,
//! so that they cannot be ended, and are reported.

use std::collections::BTreeMap;

use tavrida::task::own_tasks;
use tokio::runtime::RuntimeMetrics;
use tokio::task::{AbortHandle, Id};

use super::probe::{Work, at_work};
use super::{State, World};
use crate::trace::ActorId;

/// The tasks of the processes of a run.
#[derive(Default)]
pub(crate) struct Tasks {
    /// Of the runtime. `None` on a live broker, whose tasks are not watched.
    metrics: Option<RuntimeMetrics>,
    adopted: Vec<Adopted>,
    /// How many tasks handlers started by `tokio::spawn`, with the handler of the first, by process.
    foreign: BTreeMap<ActorId, (usize, String)>,
}

/// A task of a handler.
struct Adopted {
    work: Work,
    task: AbortHandle,
}

impl Tasks {
    /// Counts the tasks of the runtime from now on.
    pub(crate) fn watch(&mut self, metrics: RuntimeMetrics) {
        self.metrics = Some(metrics);
    }

    /// Returns whether no adopted task is alive.
    pub(crate) fn are_over(&self) -> bool {
        self.adopted.iter().all(|adopted| adopted.task.is_finished())
    }

    /// Returns how many tasks are alive that `tokio::spawn` started, of anybody.
    fn foreign(&self) -> usize {
        let Some(metrics) = &self.metrics else { return 0 };
        let adopted = self.adopted.iter().filter(|adopted| !adopted.task.is_finished()).count();
        metrics.num_alive_tasks().saturating_sub(own_tasks() + adopted)
    }

    fn work_of(&self, id: Id) -> Option<Work> {
        let is_it = |adopted: &&Adopted| adopted.task.id() == id;
        self.adopted.iter().find(is_it).map(|adopted| adopted.work)
    }
}

impl World {
    /// Records that a handler of this actor goes on. Returns how many tasks are alive that `tokio::spawn` started, of anybody.
    pub(super) fn entering(&self, actor: ActorId) -> usize {
        let mut state = self.state();
        let process = state.process_of(actor);
        if let Some(guide) = state.director.guide() {
            guide.entered(process);
        }
        state.tasks.foreign()
    }

    /// Returns how many tasks are alive that `tokio::spawn` started, of anybody.
    pub(super) fn foreign_tasks(&self) -> usize {
        self.state().tasks.foreign()
    }
}

impl State {
    /// Returns the handler that runs, or whose task runs, if any.
    pub(crate) fn work(&self) -> Option<Work> {
        at_work().or_else(|| self.tasks.work_of(tokio::task::try_id()?))
    }

    /// Adds a task to the process of the handler that started it.
    pub(crate) fn adopt(&mut self, task: AbortHandle) {
        let Some(work) = self.work() else { return };
        self.tasks.adopted.retain(|adopted| !adopted.task.is_finished());
        self.tasks.adopted.push(Adopted { work, task });
        self.outlived(work.actor);
    }

    /// Records that a handler started tasks by `tokio::spawn`.
    pub(super) fn made_foreign_tasks(&mut self, work: Work, count: usize) {
        let name = self.name_of(work);
        self.tasks.foreign.entry(work.actor).or_insert((0, name)).0 += count;
        self.outlived(work.actor);
    }

    /// Tells the guide that a process may go on where no handler runs.
    fn outlived(&mut self, actor: ActorId) {
        let process = self.process_of(actor);
        if let Some(guide) = self.director.guide() {
            guide.outlived(process);
        }
    }

    /// Ends the tasks of a process that is killed.
    pub(super) fn end_tasks(&mut self, actor: ActorId) {
        for adopted in self.tasks.adopted.iter().filter(|adopted| adopted.work.actor == actor) {
            adopted.task.abort();
        }
        if let Some((count, name)) = self.tasks.foreign.get(&actor)
            && self.tasks.foreign() > 0
        {
            let note =
                format!("{}, and goes on although its process was killed: {INSTEAD}", made(*count, name));
            self.trace.note(note);
        }
    }

    /// Notes the tasks that a quiescent run does not wait for.
    pub(crate) fn note_foreign_tasks(&mut self) {
        if self.tasks.foreign.is_empty() || self.tasks.foreign() == 0 {
            return;
        }
        for (count, name) in self.tasks.foreign.values() {
            let note = format!("{}, and was not waited for: {INSTEAD}", made(*count, name));
            self.trace.note(note);
        }
    }

    /// Returns the handlers whose tasks are alive, for people.
    pub(crate) fn tasks_alive(&self) -> impl Iterator<Item = String> {
        let alive = self.tasks.adopted.iter().filter(|adopted| !adopted.task.is_finished());
        alive.map(|adopted| format!("a task that {} has spawned", self.name_of(adopted.work)))
    }

    /// For people.
    pub(crate) fn name_of(&self, work: Work) -> String {
        let server = self.trace.actor(work.actor);
        match work.message {
            Some(message) => format!("the handler of {} in '{server}'", self.trace.message(message)),
            None => format!("a handler in '{server}'"),
        }
    }
}

const INSTEAD: &str = "tavrida::task::spawn makes a task that ends with its process and is waited for";

fn made(count: usize, name: &str) -> String {
    match count {
        1 => format!("a task of tokio::spawn, made by {name}, is alive"),
        _ => format!("one of {count} tasks of tokio::spawn, the first made by {name}, is alive"),
    }
}
