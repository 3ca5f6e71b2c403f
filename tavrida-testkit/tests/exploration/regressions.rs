//! Files of failed schedules.

use std::fs;
use std::path::PathBuf;

use tavrida::message::Failure;
use tavrida_testkit::explore;
use tavrida_testkit::explore::{Origin, Report};
use tavrida_testkit::sim::Sim;

use crate::planted::{a_cancel_finds_its_order, mended};

/// Returns a file in a separate folder.
fn file() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a folder for the test");
    let file = folder.path().join("orders.tavrida-regressions");
    (folder, file)
}

fn explored<Fut>(file: &PathBuf, scenario: fn(Sim) -> Fut) -> Report
where
    Fut: Future<Output = Result<(), Failure>>,
{
    explore(scenario).without_environment().regressions(file).schedules(100).run()
}

#[test]
fn a_failure_is_written_down_and_tried_first_from_then_on() {
    let (_folder, file) = file();
    let found = explored(&file, a_cancel_finds_its_order);
    let failure = found.failure().expect("it is found");
    let text = fs::read_to_string(&file).expect("the file is there");
    assert!(text.starts_with("# Schedules under which this test failed"), "{text}");
    assert_eq!(text.lines().count(), 3, "{text}");
    assert!(text.ends_with(" # an assertion failed\n"), "{text}");

    let kept = format!("kept in {}, and tried first", file.display());
    assert!(failure.to_string().contains(&kept) && !failure.to_string().contains("#[test]"), "{failure}");

    let again = explored(&file, a_cancel_finds_its_order);
    let known = again.failure().expect("it fails still");
    assert_eq!(known.origin, Origin::Regression { file: file.clone(), line: 3 });
    assert_eq!((known.replay(), &known.problem), (failure.replay(), &failure.problem));
    assert_eq!((again.schedules(), again.found_after()), (0, None));
    assert!(known.to_string().contains(&kept), "{known}");
    assert_eq!(fs::read_to_string(&file).expect("the file is there"), text);
}

#[test]
fn an_exploration_that_keeps_going_tells_a_known_failure_once() {
    let (_folder, file) = file();
    assert!(!explored(&file, a_cancel_finds_its_order).is_ok());
    let text = fs::read_to_string(&file).expect("the file is there");
    let explore = explore(a_cancel_finds_its_order).without_environment().regressions(&file);
    let report = explore.keep_going().schedules(40).run();
    let [known] = report.failures() else { panic!("one failure is told: {report}") };
    assert!(matches!(known.origin, Origin::Regression { line: 3, .. }), "{known}");
    assert_eq!(report.schedules(), 40);
    assert!(report.failed() > 5, "the search went on: {report}");
    assert_eq!(fs::read_to_string(&file).expect("the file is there"), text);
}

#[test]
fn a_schedule_that_fails_no_more_stays() {
    let (_folder, file) = file();
    assert!(!explored(&file, a_cancel_finds_its_order).is_ok());
    let text = fs::read_to_string(&file).expect("the file is there");
    let mended = explored(&file, mended::a_cancel_finds_its_order);
    mended.assert_ok();
    assert_eq!(mended.schedules(), 100);
    assert_eq!(fs::read_to_string(&file).expect("the file is there"), text);
}

#[test]
fn a_line_about_messages_that_are_not_sent_any_more_is_void_and_fails_the_test() {
    let (_folder, file) = file();
    let text = "seed:0x1 request/old@deliver:00000000000000ff#1:+5ms # an assertion failed\n";
    fs::write(&file, text).expect("the file can be written");
    let report = explored(&file, mended::a_cancel_finds_its_order);
    assert!(!report.is_ok() && report.failures().is_empty(), "{report}");
    let place = format!("({}:1): 1 of 1 decisions are about nothing that happened: ", file.display());
    let text = report.to_string();
    assert!(text.contains("void: the schedule that failed before") && text.contains(&place), "{text}");
}

#[test]
fn the_default_schedule_is_not_written_down() {
    let (_folder, file) = file();
    async fn fails(_sim: Sim) -> Result<(), Failure> {
        Err(Failure::new("test.Always", "it always fails"))
    }
    assert!(!explored(&file, fails).is_ok());
    assert!(!file.exists());
}

#[test]
fn without_a_failure_there_is_no_file() {
    let (_folder, file) = file();
    explored(&file, mended::a_cancel_finds_its_order).assert_ok();
    assert!(!file.exists());
}

#[test]
fn a_line_that_cannot_be_read_is_an_error_with_its_file_and_number() {
    let (_folder, file) = file();
    fs::write(&file, "# a comment\n\nseed:0x1 deliver:zzz#1:+1ms # why\n").expect("the file can be written");
    let explored = std::panic::catch_unwind(|| explored(&file, a_cancel_finds_its_order));
    let panic = explored.expect_err("the line is wrong");
    let text = panic.downcast_ref::<String>().expect("it has a text");
    let expected = format!(
        "{}:3: 'deliver:zzz#1:+1ms' is no part of a schedule: expected 16 hexadecimal digits between ':' and '#'",
        file.display()
    );
    assert_eq!(*text, expected);
}

#[test]
fn a_file_that_cannot_be_written_is_an_error_with_its_name() {
    let (folder, _) = file();
    let file = folder.path().join("no").join("such").join("folder");
    let explored = std::panic::catch_unwind(|| explored(&file, a_cancel_finds_its_order));
    let panic = explored.expect_err("there is no such folder");
    let text = panic.downcast_ref::<String>().expect("it has a text");
    assert!(text.starts_with(&file.display().to_string()), "{text}");
}
