//! Processes that are killed while they handle a message, and what they repeat.

use std::time::Duration;

use tavrida_testkit::fault::{At, Fault};

use super::{effects, passes, shop, told, well};

const DOWN: Fault = Fault::Crash(Duration::from_secs(1));

/// The till gets two casts, with a fault at the second; then it works again. Returns what it charged.
fn two_casts(at: At, fault: Fault) -> (Vec<String>, tavrida_testkit::sim::Finished) {
    let finished = passes(async |sim| {
        let graph = shop(&sim).start().await;
        sim.fault(at, fault);
        for cents in [1, 2] {
            graph.client("web").to("till.charge").param("cents", cents).cast().await?;
            graph.settle().await;
        }
        well(&graph).await
    });
    (effects(&finished.trace, "charge"), finished)
}

#[test]
fn killed_before_its_handler_a_process_has_lost_its_memory_and_gets_the_message_again() {
    let (charged, finished) = two_casts(At::start("till.charge").nth(2), DOWN);
    let expected = ["1, 1 since the start", "2 again, 1 since the start", "777, 2 since the start"];
    assert_eq!(charged, expected, "the handler did not begin the first time");
    assert_eq!(told(&finished.trace, "till", "CRASHED").len(), 1);
}

#[test]
fn killed_in_its_handler_a_process_does_again_what_it_did() {
    let (charged, finished) = two_casts(At::in_handler("till.charge").nth(2), DOWN);
    let again = ["2, 2 since the start", "2 again, 1 since the start"];
    assert_eq!(charged, ["1, 1 since the start", again[0], again[1], "777, 2 since the start"]);
    assert_eq!(told(&finished.trace, "till", "handler dropped").len(), 1);
}

#[test]
fn killed_before_the_ack_a_process_does_everything_again() {
    let (charged, finished) = two_casts(At::before_ack("till.charge").nth(2), DOWN);
    let again = ["2, 2 since the start", "2 again, 1 since the start"];
    assert_eq!(charged, ["1, 1 since the start", again[0], again[1], "777, 2 since the start"]);
    assert_eq!(told(&finished.trace, "till", "ack lost").len(), 1);
}

#[test]
fn killed_after_the_ack_a_process_has_only_lost_its_memory() {
    let (charged, finished) = two_casts(At::after_ack("till.charge").nth(2), DOWN);
    assert_eq!(charged, ["1, 1 since the start", "2, 2 since the start", "777, 1 since the start"]);
    assert!(told(&finished.trace, "till", "redelivered").is_empty());
}

#[test]
fn killed_as_a_message_arrives_a_process_gets_it_again() {
    let (charged, _) = two_casts(At::delivery("till.charge").nth(2), DOWN);
    assert_eq!(charged, ["1, 1 since the start", "2 again, 1 since the start", "777, 2 since the start"]);
}

#[test]
fn a_process_stays_down_as_long_as_it_is_said() {
    let (_, finished) = two_casts(At::after_ack("till.charge"), Fault::Crash(Duration::from_secs(90)));
    let down = told(&finished.trace, "till", "CRASHED")[0].at;
    let up = told(&finished.trace, "till", "restarted")[0].at;
    assert_eq!(up - down, Duration::from_secs(90));
}

#[test]
fn an_ack_that_does_not_count_brings_the_message_again_to_the_same_process() {
    let (charged, finished) = two_casts(At::before_ack("till.charge").nth(2), Fault::Redelivered);
    let again = ["2, 2 since the start", "2 again, 3 since the start"];
    assert_eq!(charged, ["1, 1 since the start", again[0], again[1], "777, 4 since the start"]);
    assert!(told(&finished.trace, "till", "disconnected").is_empty());
}

#[test]
fn a_slow_handler_begins_later() {
    let (charged, finished) = two_casts(At::start("till.charge"), Fault::Slow(Duration::from_secs(20)));
    assert_eq!(charged.len(), 3);
    let first = &told(&finished.trace, "till", "effect charge")[0];
    assert_eq!(first.at, Duration::from_secs(20));
}
