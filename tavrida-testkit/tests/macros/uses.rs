//! Uses of the macro: each function here is a test.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tavrida::Service;
use tavrida::message::Failure;
use tavrida_testkit::fault::Faults;
use tavrida_testkit::schedule::Policy;
use tavrida_testkit::sim::Sim;

use crate::chain::three_requests;

#[tavrida_testkit::test]
async fn a_scenario_without_options(sim: Sim) -> Result<(), Failure> {
    three_requests(sim).await
}

#[tavrida_testkit::test(
    schedules = 20,
    policy = Policy::Random,
    faults = Faults::none(),
    threads = 2,
    horizon = Duration::from_secs(60),
    reaches = ["it is played"],
)]
async fn a_scenario_with_all_options(sim: Sim) -> Result<(), Failure> {
    sim.sometimes("it is played", true);
    three_requests(sim).await
}

#[tavrida_testkit::test(schedules = 2)]
async fn a_scenario_that_returns_nothing(sim: Sim) {
    sim.advance(Duration::from_secs(10)).await;
}

use tavrida_testkit as kit;

#[kit::test(schedules = 1, crate = kit)]
async fn another_name_of_the_crate(_: Sim) {}

#[tavrida_testkit::test(schedules = 2, horizon = Duration::from_secs(5))]
#[should_panic(expected = "the scenario is not done after 5s")]
async fn the_horizon_is_a_limit(sim: Sim) {
    sim.advance(Duration::from_secs(6)).await;
}

#[tavrida_testkit::test]
#[should_panic(expected = "the scenario failed")]
async fn an_error_fails_the_test(_: Sim) -> Result<(), String> {
    Err("no".to_owned())
}

/// Counts runs: the second begins with what the first left.
static RUNS: AtomicU64 = AtomicU64::new(0);

#[tavrida_testkit::test(schedules = 1)]
#[should_panic(expected = "the run was made twice, and it went two ways")]
async fn also_the_only_schedule_is_run_twice(sim: Sim) {
    sim.note(format!("run {}", RUNS.fetch_add(1, Ordering::Relaxed)));
}

#[tavrida_testkit::test]
#[should_panic(expected = "it was the 3rd of May")]
async fn a_panic_fails_the_test(_: Sim) {
    panic!("it was the 3rd of May");
}

#[tavrida_testkit::test]
#[should_panic(expected = "nobody waits for this task")]
async fn a_panic_of_a_detached_task_of_a_handler_fails_the_test(sim: Sim) -> Result<(), Failure> {
    let careless = || {
        Service::new("careless").rpc("act", || async {
            tokio::spawn(async { panic!("nobody waits for this task") });
        })
    };
    let graph = sim.graph().service(careless).client("web").start().await;
    graph.client("web").to("careless.act").ask().await?;
    Ok(())
}

#[tavrida_testkit::test]
#[should_panic(expected = "nobody waits for this one either")]
async fn a_panic_of_a_detached_task_of_the_scenario_fails_the_test(sim: Sim) {
    tokio::spawn(async { panic!("nobody waits for this one either") });
    sim.advance(Duration::from_millis(1)).await;
}

#[test]
fn a_check_inside_of_a_runtime_says_what_to_write() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let inside = runtime.block_on(async { std::panic::catch_unwind(a_scenario_that_returns_nothing) });
    let panic = inside.expect_err("it ran inside of a runtime");
    let text = panic.downcast_ref::<&str>().expect("a text");
    assert!(text.contains("without `#[tokio::test]`"), "{text}");
}
