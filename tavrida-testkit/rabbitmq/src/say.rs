//! [`say`]: a line for the person who runs the tests.

use std::{fmt, io::Write};

/// Prints a line at once to the standard error, past the test harness, which captures what a test prints: how far a long test is, and what a
/// suite counted on a node.
pub fn say(line: impl fmt::Display) {
    // Output may be closed; the assertions count. One write, so that lines of parallel tests stay whole.
    let _ = std::io::stderr().lock().write_all(format!("{line}\n").as_bytes());
}
