//! The program finds the planted problems.

use tavrida_routing::{Code, Severity};

#[test]
fn two_of_three_properties_fail_with_small_messages() {
    let properties = routing::properties(&routing::now().unwrap());
    let failing: Vec<&str> = properties.iter().filter_map(|(_, shown)| shown.as_deref()).collect();
    assert_eq!(failing.len(), 2, "{failing:#?}");
}

#[test]
fn the_lint_finds_six_faults() {
    let report = routing::lint(&routing::now().unwrap());
    let found: Vec<Code> = report
        .findings()
        .iter()
        .filter(|finding| finding.severity < Severity::Info)
        .map(|finding| finding.code)
        .collect();
    let planted = [
        Code::AlternateMissing,
        Code::DeadLetterMissing,
        Code::DeadBinding,
        Code::DeadLetterLoop,
        Code::Swallowed,
        Code::UnreachableQueue,
    ];
    assert_eq!(found, planted, "{report}");
}
