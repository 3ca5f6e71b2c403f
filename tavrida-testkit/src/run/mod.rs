//! [`Run`]: what happened in a run, to be asked about.

use std::sync::Arc;

use crate::trace::Trace;

/// What happened in a run. A clone is cheap.
#[derive(Debug, Clone)]
pub struct Run(Arc<Trace>);

impl Run {
    pub(crate) fn new(trace: Arc<Trace>) -> Self {
        Self(trace)
    }

    /// Everything that happened.
    pub fn trace(&self) -> &Trace {
        &self.0
    }
}
