//! Prints a run in the format of `TAVRIDA_TRACE`.

use std::env;
use std::fs;
use std::io;
use std::path::PathBuf;

use super::Failure;
use super::env::TraceFormat;
use crate::schedule::Replay;
use crate::sim::Finished;

/// Prints a run on stderr; for a page, prints its path.
///
/// # Panics
///
/// Panics if the page cannot be written.
#[track_caller]
pub(crate) fn show(format: TraceFormat, run: &Finished, replay: &Replay, test: &str) {
    match format {
        TraceFormat::Text => eprint!("{}", run.trace.text()),
        TraceFormat::Mermaid => eprint!("{}", run.picture().mermaid()),
        TraceFormat::Html => {
            let page = write_page(run, replay, test);
            let file = page.unwrap_or_else(|error| panic!("the page of {test}: {error}"));
            eprintln!("the run as a page: {}", file.display());
        }
    }
}

fn write_page(run: &Finished, replay: &Replay, test: &str) -> io::Result<PathBuf> {
    let again = replay.labelled(&run.trace);
    let file = pages()?.join(format!("{}.html", test.replace("::", "-")));
    run.picture().named(test).seed(replay.seed).replay(&again).write_to(&file)?;
    Ok(file)
}

impl Failure {
    /// Prints its run.
    #[track_caller]
    pub(crate) fn show(&self, format: TraceFormat) {
        show(format, &self.run, &self.replay(), self.names.test());
    }
}

/// Returns the folder for pages: `tavrida` in the folder where cargo builds this program, or else the folder for temporary files.
fn pages() -> io::Result<PathBuf> {
    let program = env::current_exe()?;
    // Cargo marks its target folder, so that backups leave it out.
    let target = program.ancestors().find(|folder| folder.join("CACHEDIR.TAG").exists());
    let pages = target.map_or_else(env::temp_dir, PathBuf::from).join("tavrida");
    fs::create_dir_all(&pages)?;
    Ok(pages)
}
