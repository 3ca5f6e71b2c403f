//! [`Regressions`]: a file of failed schedules, which run before all others.

use std::fmt;
use std::fs;
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

use super::Failure;
use crate::schedule::Replay;

const HEAD: &str = "\
# Schedules under which this test failed, made short: they are tried before any others.
# A line is a schedule, and after ' # ' what was wrong. Keep this file with the test's source; a schedule that fails no more stays.
";

/// The schedules of a file.
pub(super) struct Regressions {
    path: PathBuf,
    /// The schedules with their line numbers.
    pub(super) known: Vec<(usize, Replay)>,
}

/// A file of schedules cannot be used.
#[derive(Debug)]
pub(super) struct Unusable(String);

impl fmt::Display for Unusable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Regressions {
    /// Reads a file; a missing file has no schedules.
    pub(super) fn read(path: &Path) -> Result<Self, Unusable> {
        let text = match fs::read_to_string(path) {
            Err(error) if error.kind() == ErrorKind::NotFound => String::new(),
            read => read.map_err(|error| Unusable(format!("{}: {error}", path.display())))?,
        };
        let mut known = Vec::new();
        for (index, line) in text.lines().enumerate() {
            let (schedule, _) = line.split_once(" # ").unwrap_or((line, ""));
            if schedule.trim().is_empty() || schedule.starts_with('#') {
                continue;
            }
            let number = index + 1;
            let read = schedule.parse();
            let read = read.map_err(|error| Unusable(format!("{}:{number}: {error}", path.display())))?;
            known.push((number, read));
        }
        Ok(Self { path: path.to_owned(), known })
    }

    /// Appends a failure, unless the file has it.
    pub(super) fn add(&self, failure: &Failure) -> Result<(), Unusable> {
        let replay = failure.replay();
        if self.known.iter().any(|(_, known)| *known == replay) {
            return Ok(());
        }
        self.append(&format!("{}\n", failure.line()))
            .map_err(|error| Unusable(format!("{}: {error}", self.path.display())))
    }

    fn append(&self, line: &str) -> io::Result<()> {
        let mut file = fs::OpenOptions::new().create(true).append(true).open(&self.path)?;
        let head = if file.metadata()?.len() == 0 { HEAD } else { "" };
        // In a single write, so that tests that share a file do not mix their lines.
        file.write_all(format!("{head}{line}").as_bytes())
    }
}
