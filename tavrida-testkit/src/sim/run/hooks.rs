//! What the code of services reports by itself: its tasks.

use std::sync::{Arc, OnceLock};

use tavrida::task::{self, Adopting};

use crate::sim::Stage;

/// Passes the tasks of this thread to a stage, until the guard is dropped.
pub(super) fn watch(stage: &Arc<OnceLock<Stage>>) -> Adopting {
    let stage = stage.clone();
    task::adopt_by(move |task| {
        if let Some(stage) = stage.get() {
            stage.world().state().adopt(task);
        }
    })
}
