//! Environment variables, in separate processes.

use std::env;
use std::process::Command;

use tavrida_testkit::explore;

use crate::planted::a_cancel_finds_its_order;

/// The exploration that the tests below start, with their variables.
#[test]
#[ignore = "is run by the tests of the environment"]
fn explored_in_a_process_of_its_own() {
    let report = explore(a_cancel_finds_its_order).run();
    println!("<{}, {}>", report.schedules(), report.is_ok());
    report.assert_ok();
}

/// Returns the output of the exploration.
fn explored(variables: &[(&str, &str)]) -> String {
    let program = env::current_exe().expect("this program has a path");
    let mut command = Command::new(program);
    command.args(["environment::explored_in_a_process_of_its_own", "--exact", "--ignored", "--nocapture"]);
    for known in ["TAVRIDA_SEED", "TAVRIDA_SCHEDULES", "TAVRIDA_REPLAY", "TAVRIDA_TRACE"] {
        command.env_remove(known);
    }
    let output = command.envs(variables.iter().copied()).output().expect("this program can be run");
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[test]
fn a_seed_is_tried_alone_after_the_default_schedule() {
    let passes = explored(&[("TAVRIDA_SEED", "0x2")]);
    assert!(passes.contains("<2, true>"), "{passes}");
}

#[test]
fn a_number_of_seeds_is_tried() {
    let found = explored(&[("TAVRIDA_SEED", "2"), ("TAVRIDA_SCHEDULES", "2000")]);
    assert!(found.contains(", false>") && !found.contains("<2, "), "{found}");
}

#[test]
fn a_printed_command_makes_the_run_again() {
    let found = explored(&[]);
    let (_, rest) = found.split_once("TAVRIDA_REPLAY='").expect("a failure prints its command");
    let (schedule, command) = rest.split_once("' cargo test ").expect("the schedule is quoted");
    let test =
        "-p tavrida-testkit --test exploration -- --exact environment::explored_in_a_process_of_its_own";
    assert!(command.starts_with(&format!("{test} --include-ignored\n")), "{command}");
    let again = explored(&[("TAVRIDA_REPLAY", schedule), ("TAVRIDA_TRACE", "text")]);
    assert!(again.contains("<1, false>"), "{again}");
    assert!(again.contains("the cancel overtook the order"), "{again}");
    assert!(again.contains("tavrida-trace 1\n"), "the trace is printed as well:\n{again}");
    let drawn = explored(&[("TAVRIDA_TRACE", "mermaid")]);
    assert!(drawn.contains("sequenceDiagram\n"), "{drawn}");
    let page = explored(&[("TAVRIDA_TRACE", "html")]);
    let (_, path) = page.split_once("the run as a page: ").expect("the page is told");
    let page =
        std::fs::read_to_string(path.lines().next().expect("it is a line")).expect("the page is there");
    assert!(page.contains("the cancel overtook the order") && page.contains(".pass@deliver:"));
}

#[test]
fn a_wrong_value_ends_the_test_with_its_name() {
    let wrong = explored(&[("TAVRIDA_SEED", "many")]);
    assert!(
        wrong.contains("TAVRIDA_SEED='many' cannot be: a seed is a number such as 42 or 0x2a"),
        "{wrong}"
    );
}

#[test]
fn a_replay_about_nothing_fails() {
    let void = explored(&[("TAVRIDA_REPLAY", "seed:0x0 deliver:00000000000000ff#1:+5ms")]);
    assert!(void.contains("<1, false>"), "{void}");
    assert!(
        void.contains("void: the given schedule: 1 of 1 decisions are about nothing that happened"),
        "{void}"
    );
}
