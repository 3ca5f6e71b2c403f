//! What the code of services reports by itself: its tasks, and its marks.

use std::sync::{Arc, OnceLock};

use tavrida::mark::{self, Mark, Recording};
use tavrida::task::{self, Adopting};

use crate::problem::ProblemKind;
use crate::sim::Harness;

/// Passes the tasks and marks of this thread to a harness, until the guards are dropped.
pub(super) fn watch(harness: &Arc<OnceLock<Harness>>) -> (Adopting, Recording) {
    let (adopting, recording) = (harness.clone(), harness.clone());
    let adopt = move |task| {
        if let Some(harness) = adopting.get() {
            harness.world().state().adopt(task);
        }
    };
    let record = move |mark: Mark<'_>| {
        if let Some(harness) = recording.get() {
            self::record(harness, mark);
        }
    };
    (task::adopt_by(adopt), mark::record_by(record))
}

fn record(harness: &Harness, mark: Mark<'_>) {
    let mut state = harness.world().state();
    match mark {
        Mark::Sometimes { name, holds } => state.trace.mark(name, holds),
        Mark::Unreachable { name, place } => {
            let by = state.work().map_or_else(|| "the scenario".to_owned(), |work| state.name_of(work));
            let text = format!("by {by} ({}:{})", place.file(), place.line());
            state.fail(ProblemKind::Unreachable(name.to_owned()), text);
        }
        _ => {}
    }
}
