//! Printing a run, as `TAVRIDA_TRACE` asks: each format has its arm here.

use super::env::TraceFormat;
use crate::picture::Picture;
use crate::sim::Finished;

/// Prints a run on stderr.
pub(super) fn show(format: TraceFormat, run: &Finished) {
    let text = match format {
        TraceFormat::Text => run.trace.text(),
        TraceFormat::Mermaid => Picture::of(&run.trace).mermaid(),
    };
    eprint!("{text}");
}
