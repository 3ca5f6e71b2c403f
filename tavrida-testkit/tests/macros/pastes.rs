//! What a failure prints to be pasted is pasted, compiled and run.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::compiler::{Compiler, WrongUses};

/// Tests that fail.
const PROGRAM: &str = include_str!("../pastes/program.rs");

const WRONG: &str = "the second came first";

/// A folder of programs of tests.
struct Programs {
    folder: tempfile::TempDir,
    compiler: Compiler,
}

impl Programs {
    fn new() -> Self {
        let compiler = Compiler::find(&WrongUses {
            folder: PathBuf::new(),
            crates: &["tavrida", "tavrida_testkit"],
            right_use: &format!("{PROGRAM}\nfn main() {{}}"),
        });
        Self { folder: tempfile::tempdir().expect("a folder"), compiler }
    }

    /// Compiles a program of tests. Returns it.
    fn compiled(&self, name: &str, text: &str) -> PathBuf {
        let file = self.folder.path().join(format!("{name}.rs"));
        fs::write(&file, text).expect("a file can be written");
        let mut command = self.compiler.command(self.folder.path());
        command.args(["-C", "debuginfo=0"]);
        let output = command.arg("--test").arg(&file).output().expect("the compiler runs");
        assert!(output.status.success(), "{}\n{text}", String::from_utf8_lossy(&output.stderr));
        self.folder.path().join(name)
    }
}

/// Returns what a test that fails prints, run by the arguments of a command that it printed.
fn printed(program: &Path, arguments: &str, replay: &str) -> String {
    let mut command = Command::new(program);
    command.args(arguments.split(' ')).env("TAVRIDA_REPLAY", replay).env("RUST_BACKTRACE", "0");
    let output = command.output().expect("it runs");
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(!output.status.success() && printed.contains(WRONG), "{arguments}:\n{printed}");
    printed
}

/// Returns what follows a heading, up to the end of the report.
fn below<'a>(printed: &'a str, heading: &str) -> &'a str {
    let (_, below) = printed.split_once(heading).unwrap_or_else(|| panic!("no '{heading}':\n{printed}"));
    below.split("\nnote: run with").next().expect("there is a first part").trim()
}

/// Returns the schedule and the arguments of a command.
fn command(printed: &str) -> (&str, &str) {
    let (schedule, command) = below(printed, "TAVRIDA_REPLAY='").split_once("' ").expect("it is quoted");
    let (_, arguments) = command.split_once(" -- ").expect("arguments for the tests");
    (schedule, arguments.lines().next().expect("a line"))
}

#[test]
fn what_is_printed_to_be_pasted_compiles_and_fails_in_the_same_way() {
    let programs = Programs::new();
    let program = programs.compiled("tests", PROGRAM);
    let explored = printed(&program, "--exact explored", "");
    let closure = printed(&program, "--exact explored_as_a_closure", "");
    let every = printed(&program, "--exact explored_in_every_order", "");
    for report in [&explored, &closure, &every] {
        let (schedule, arguments) = command(report);
        assert!(printed(&program, arguments, schedule).contains("found by the given schedule"));
        assert!(report.contains("TAVRIDA_TRACE=html") && report.contains("handler begins"), "{report}");
    }
    assert!(every.contains("failed after "), "{every}");
    let line = below(&closure, "a line to paste before `.run()` or `.check()`, to run this schedule alone:");
    let pastes = [below(&explored, "a test to paste:"), below(&every, "a test to paste:")];
    let text = format!("{}\n{}", PROGRAM.replace("// here", line), pastes.join("\n"));
    let program = programs.compiled("with_pastes", &text);
    printed(&program, "--exact explored_on_a_schedule_that_failed", "");
    printed(&program, "--exact explored_in_every_order_on_a_schedule_that_failed", "");
    let alone = printed(&program, "--exact explored_as_a_closure", "");
    assert!(alone.contains("found by the given schedule"), "{alone}");
}

#[test]
fn a_test_of_the_macro_prints_a_line_for_its_file() {
    let programs = Programs::new();
    let program = programs.compiled("tests", PROGRAM);
    let first = printed(&program, "--exact made_by_the_macro", "");
    let file = programs.folder.path().join("tests.made_by_the_macro.tavrida-regressions");
    assert!(first.contains(&format!("kept in {}", file.display())), "{first}");
    fs::remove_file(&file).expect("it was kept");
    let (schedule, arguments) = command(&first);
    let again = printed(&program, arguments, schedule);
    let heading = format!("a line for {}, to try it first in each run of the test:", file.display());
    fs::write(&file, below(&again, &heading)).expect("a file can be written");
    let kept = printed(&program, "--exact made_by_the_macro", "");
    assert!(kept.contains("found by the schedule that failed before"), "{kept}");
    assert!(!format!("{first}{again}{kept}").contains("#[test]"), "{again}");
}
