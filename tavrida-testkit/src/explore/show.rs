//! Prints a run in the format of `TAVRIDA_TRACE`.

use std::env;
use std::fs;
use std::io;
use std::path::PathBuf;

use super::env::TraceFormat;
use crate::schedule::Replay;
use crate::sim::Finished;

/// Prints a run on stderr; for a page, prints its path.
///
/// # Errors
///
/// The page cannot be written.
pub(super) fn show(format: TraceFormat, run: &Finished, replay: &Replay, test: &str) -> io::Result<()> {
    match format {
        TraceFormat::Text => eprint!("{}", run.trace.text()),
        TraceFormat::Mermaid => eprint!("{}", run.picture().mermaid()),
        TraceFormat::Html => {
            let again = replay.labelled(&run.trace);
            let file = pages()?.join(format!("{}.html", test.replace("::", "-")));
            run.picture().named(test).seed(replay.seed).replay(&again).write_to(&file)?;
            eprintln!("the run as a page: {}", file.display());
        }
    }
    Ok(())
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
