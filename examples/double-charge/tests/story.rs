//! The shop, with and without faults.

use double_charge::scenario::{first_try, repaired, second_try};
use double_charge::search::{check, find, find_again, prove};
use tavrida_testkit::sim::{Setup, Verdict};

#[test]
fn when_nothing_goes_wrong_all_charge_once() {
    assert_eq!(Setup::new(1).run(first_try).verdict, Verdict::Passed);
    assert_eq!(Setup::new(1).run(second_try).verdict, Verdict::Passed);
    assert_eq!(Setup::new(1).run(repaired).verdict, Verdict::Passed);
}

/// The command that the search prints runs this test.
#[test]
#[should_panic(expected = "order 7 was charged 2 times")]
fn a_customer_is_charged_once() {
    find(1000).assert_ok();
}

#[test]
#[should_panic(expected = "order 7 was charged 2 times")]
fn receipts_do_not_help() {
    find_again(1000).assert_ok();
}

#[test]
fn a_process_is_killed_between_the_charge_and_the_receipt() {
    let report = find_again(1000);
    let failure = report.failure().expect("a customer is charged twice within 1,000 schedules");
    assert_eq!(failure.schedule.len(), 1, "{report}");
    assert!(failure.schedule.to_string().contains("wait:"), "{report}");
}

#[test]
fn the_moment_is_found_and_made_as_short_as_one_fault() {
    let report = find(1000);
    let failure = report.failure().expect("a customer is charged twice within 1,000 schedules");
    assert_eq!(failure.schedule.len(), 1, "{report}");
    assert!(failure.problem.text.contains("charged 2 times"), "{report}");
    assert!(
        report
            .to_string()
            .contains("cargo test -p double-charge --test story -- --exact a_customer_is_charged_once\n"),
        "{report}"
    );
    let picture = failure.run.picture();
    assert!(picture.mermaid().contains("redelivered"), "{}", picture.mermaid());
    assert!(picture.page().contains("payments"));
}

#[test]
fn the_repaired_shop_bears_it_all() {
    check(500).assert_ok();
    let proven = prove();
    assert!(proven.is_ok(), "{proven}");
    assert!(proven.to_string().starts_with("complete: "), "{proven}");
}
