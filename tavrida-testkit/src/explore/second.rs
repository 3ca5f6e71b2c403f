//! A second process, which makes the first runs of a test again: what is constant in one process may differ between two.

use std::env;
use std::fmt::Write as _;
use std::io::{Read, Write};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use crate::problem::Problem;
use crate::sim::Finished;
use crate::twice;

/// In the second process the name of its test; `off` if there is to be none.
const VARIABLE: &str = "TAVRIDA_SECOND_PROCESS";

/// Around a run in the output of the second process.
const BEGIN: &str = "tavrida: a run begins";
const VERDICT: &str = "tavrida: a run ended: ";

/// It does what the first did, which may be slow in a debug build, on a busy machine.
const LIMIT: Duration = Duration::from_secs(120);

/// The part of this process in the comparison of two.
pub(super) enum Part {
    /// It is the second process of this test, or of another one that runs in the same function.
    Second { of_this_test: bool },
    /// It compares.
    First,
}

impl Part {
    /// Returns the part of this process. `None` if nothing is compared.
    pub(super) fn of(test: &str) -> Option<Self> {
        match env::var(VARIABLE).unwrap_or_default().as_str() {
            "off" => None,
            // Rust's harness names a thread after its test, and runs one test by this name.
            "" => (thread::current().name() == Some(test)).then_some(Self::First),
            name => Some(Self::Second { of_this_test: name == test }),
        }
    }
}

/// Writes runs, for the first process.
pub(super) fn write(runs: &[Finished]) {
    let mut text = String::new();
    for run in runs {
        write!(text, "\n{BEGIN}\n{}{VERDICT}{}\n", run.trace.text(), twice::verdict_line(&run.verdict))
            .expect("a string takes all text");
    }
    // The first process may have given up.
    let _ = std::io::stdout().write_all(text.as_bytes());
}

/// A second process that is making its runs.
pub(super) struct Second {
    process: Child,
    output: mpsc::Receiver<String>,
}

impl Second {
    /// Starts it. `None` if this program cannot be started again.
    pub(super) fn start(test: &str) -> Option<Self> {
        let mut command = Command::new(env::current_exe().ok()?);
        command.args([test, "--exact", "--include-ignored", "--nocapture"]).env(VARIABLE, test);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut process = command.spawn().ok()?;
        let mut stdout = process.stdout.take()?;
        let (send, output) = mpsc::channel();
        thread::spawn(move || {
            let mut text = Vec::new();
            // What cannot be read is missed where it is compared.
            let _ = stdout.read_to_end(&mut text);
            let _ = send.send(String::from_utf8_lossy(&text).into_owned());
        });
        Some(Self { process, output })
    }

    /// Compares its runs with those of this process. Returns the first difference.
    ///
    /// # Errors
    ///
    /// The reason why they cannot be compared.
    pub(super) fn compare(self, runs: &[Finished]) -> Result<Option<Problem>, &'static str> {
        let text = self.output.recv_timeout(LIMIT).map_err(|_| "the second process takes too long")?;
        let others: Vec<&str> = text.split(&format!("\n{BEGIN}\n")).skip(1).collect();
        match others.len() {
            made if made == runs.len() => {}
            0 => return Err("the second process made no runs"),
            _ => return Err("the second process made other runs too: the test checks more than once"),
        }
        let differences = runs.iter().zip(others).map(|(run, other)| {
            let (trace, rest) = other.split_once(VERDICT).ok_or("a run of the second process has no end")?;
            let verdict = rest.lines().next().unwrap_or_default();
            Ok(twice::between_processes(run, trace, verdict))
        });
        differences.collect::<Result<Vec<_>, _>>().map(|all| all.into_iter().flatten().next())
    }
}

impl Drop for Second {
    fn drop(&mut self) {
        // It has ended, unless the comparison was given up.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
