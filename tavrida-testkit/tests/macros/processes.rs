//! Tests of the macro as nextest runs them: each in a separate process, all in parallel.

use std::process::{Child, Command, Stdio};

fn this_program(arguments: &[&str]) -> Command {
    let mut program = Command::new(std::env::current_exe().expect("the path of this test"));
    program.args(arguments);
    program
}

/// Returns the tests that are not ignored and whose path begins with `beginning`, as nextest lists them.
fn tests(beginning: &str) -> Vec<String> {
    let listed = this_program(&["--list", "--format", "terse"]).output().expect("a process like this one");
    let listed = String::from_utf8(listed.stdout).expect("names are text");
    let names = listed.lines().filter_map(|line| line.strip_suffix(": test"));
    names.filter(|name| name.starts_with(beginning)).map(str::to_owned).collect()
}

#[test]
fn each_test_passes_in_a_process_of_its_own_beside_all_others() {
    let begin = |test: String| {
        let mut process = this_program(&["--exact", &test, "--nocapture"]);
        process.stdout(Stdio::piped()).stderr(Stdio::piped());
        (test, process.spawn().expect("a process like this one"))
    };
    let running: Vec<(String, Child)> = tests("uses::").into_iter().map(begin).collect();
    assert!(running.len() > 8, "the tests of the macro were not found: {running:?}");
    for (test, process) in running {
        let ended = process.wait_with_output().expect("it ends");
        let said = String::from_utf8_lossy(&ended.stdout);
        let passed = ended.status.success() && said.contains("1 passed");
        assert!(passed, "{test}:\n{said}{}", String::from_utf8_lossy(&ended.stderr));
    }
}
