//! Printing a run, as `TAVRIDA_TRACE` asks: each format has its arm here.

use super::env::TraceFormat;
use super::events::last_events;
use crate::sim::Finished;

/// Prints a run on stderr.
pub(super) fn show(format: TraceFormat, run: &Finished) {
    let text = match format {
        TraceFormat::Text => last_events(&run.trace, None, usize::MAX),
    };
    eprint!("{text}");
}
