//! [`spawn`]: tasks that outlive their handler, and still belong to its process.
//!
//! In production a task ends with its process. In a simulation all processes share one runtime: it has to know the tasks of each process, to
//! end them with the process, and to wait for them before it reports that nothing is under way.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::future::Future;

use tokio::task::{AbortHandle, JoinHandle};

/// Receives each task that [`spawn`] starts.
type Adopt = Box<dyn Fn(AbortHandle)>;

thread_local! {
    static ADOPTER: RefCell<Option<Adopt>> = const { RefCell::new(None) };
    /// The number of tasks of the library that are alive. `None` unless there is an adopter.
    static OWN: Cell<Option<usize>> = const { Cell::new(None) };
}

/// Spawns a task, as [`tokio::spawn`] does. In a simulation, a task that a handler spawns belongs to the process of the handler: a crash ends
/// it, and the simulation waits for it before it reports that the graph is quiescent. A simulation cannot do that for tasks that
/// `tokio::spawn` starts.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let task = tavrida::task::spawn(async { 21 * 2 });
/// assert_eq!(task.await.unwrap(), 42);
/// # }
/// ```
///
/// # Panics
///
/// Panics outside a runtime.
pub fn spawn<F>(future: F) -> JoinHandle<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    let task = tokio::spawn(future);
    ADOPTER.with_borrow(|adopter| {
        if let Some(adopt) = adopter {
            adopt(task.abort_handle());
        }
    });
    task
}

/// Passes each task that [`spawn`] starts on this thread to `adopt`, and counts the tasks of the [library](own_tasks), until the returned guard
/// is dropped.
#[must_use = "tasks are adopted until this is dropped"]
pub fn adopt_by(adopt: impl Fn(AbortHandle) + 'static) -> Adopting {
    let outer_count = OWN.replace(Some(0));
    Adopting { outer: ADOPTER.replace(Some(Box::new(adopt))), outer_count }
}

/// The guard of an adopter: see [`adopt_by`].
pub struct Adopting {
    outer: Option<Adopt>,
    outer_count: Option<usize>,
}

impl Drop for Adopting {
    fn drop(&mut self) {
        OWN.set(self.outer_count);
        ADOPTER.set(self.outer.take());
    }
}

impl fmt::Debug for Adopting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Adopting").finish_non_exhaustive()
    }
}

/// Returns how many tasks of the library and of its transports are alive on this thread; 0 without an [adopter](adopt_by).
pub fn own_tasks() -> usize {
    OWN.get().unwrap_or(0)
}

/// Counts a task of the library or of a transport while the task holds it. Free without an [adopter](adopt_by).
#[derive(Debug)]
#[must_use = "a task is counted until this is dropped"]
pub struct OwnTask {
    is_counted: bool,
}

impl OwnTask {
    /// Counts one more task from now on: call it where the task is spawned.
    pub fn begin() -> Self {
        let counted = OWN.get().map(|count| OWN.set(Some(count + 1)));
        Self { is_counted: counted.is_some() }
    }
}

impl Drop for OwnTask {
    fn drop(&mut self) {
        if self.is_counted {
            // The thread may be ending.
            let _ = OWN.try_with(|own| own.set(own.get().map(|count| count.saturating_sub(1))));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use super::*;

    #[tokio::test]
    async fn an_adopter_gets_what_spawn_starts_while_it_is_there() {
        let adopted: Rc<RefCell<Vec<AbortHandle>>> = Rc::default();
        spawn(async {}).await.unwrap();
        let adopting = adopt_by({
            let adopted = adopted.clone();
            move |task| adopted.borrow_mut().push(task)
        });
        let task = spawn(std::future::pending::<()>());
        assert_eq!(adopted.borrow().len(), 1);
        adopted.borrow()[0].abort();
        assert!(task.await.unwrap_err().is_cancelled());
        drop(adopting);
        spawn(async {}).await.unwrap();
        assert_eq!(adopted.borrow().len(), 1);
    }

    #[test]
    fn tasks_of_the_library_are_counted_only_for_an_adopter() {
        let before = OwnTask::begin();
        assert_eq!(own_tasks(), 0);
        let adopting = adopt_by(drop);
        let (one, two) = (OwnTask::begin(), OwnTask::begin());
        assert_eq!(own_tasks(), 2);
        drop((one, before));
        assert_eq!(own_tasks(), 1);
        drop(adopting);
        drop(two);
        assert_eq!(own_tasks(), 0);
    }

    #[test]
    fn an_inner_adopter_counts_for_itself_and_gives_the_count_back() {
        let _outer = adopt_by(drop);
        let _task = OwnTask::begin();
        let inner = adopt_by(drop);
        assert_eq!(own_tasks(), 0);
        drop(inner);
        assert_eq!(own_tasks(), 1);
    }
}
