//! The output and the files of tests: each runs in a separate process.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::LazyLock;
#[cfg(all(feature = "live", feature = "rabbitmq", unix))]
use std::time::Duration;

use tavrida::message::Failure;
use tavrida_testkit::sim::Sim;

use crate::chain::three_requests;

/// Runs a test of this file. Returns its output, and whether it passes.
fn run(test: &str, variables: &[(&str, &str)]) -> (String, bool) {
    let mut child = Command::new(std::env::current_exe().expect("the path of this test"));
    child.args([&format!("children::{test}"), "--exact", "--ignored", "--nocapture"]);
    let output = child.envs(variables.iter().copied()).output().expect("a process like this one");
    let said = [output.stdout, output.stderr].map(|said| String::from_utf8_lossy(&said).into_owned());
    (said.concat(), output.status.success())
}

#[tavrida_testkit::test(schedules = 1, live = "TAVRIDA_TEST_BROKER")]
#[ignore = "is run by the tests below"]
async fn on_a_broker(sim: Sim) -> Result<(), Failure> {
    three_requests(sim).await
}

#[cfg(all(feature = "live", feature = "rabbitmq", unix))]
#[tavrida_testkit::test(schedules = 1, live = "TAVRIDA_TEST_BROKER")]
#[ignore = "is run by a test below"]
async fn in_a_simulation_alone(sim: Sim) {
    sim.advance(Duration::from_secs(1)).await;
}

/// Each process has its own order of such a map.
static SHELVES: LazyLock<std::collections::HashMap<u32, ()>> =
    LazyLock::new(|| (0..12).map(|shelf| (shelf, ())).collect());

#[tavrida_testkit::test(schedules = 64)]
#[ignore = "is run by the test below"]
async fn in_the_order_of_a_static_map(sim: Sim) {
    SHELVES.keys().for_each(|shelf| sim.note(format!("shelf {shelf}")));
}

#[tavrida_testkit::test(schedules = 2)]
#[ignore = "is run by the test below"]
async fn in_one_order(sim: Sim) {
    sim.note("a shelf");
}

#[test]
fn what_is_constant_in_one_process_is_found_by_a_second() {
    let (said, passed) = run("in_the_order_of_a_static_map", &[]);
    let told = "the run was made in two processes, and it went two ways";
    assert!(!passed && said.contains(told) && said.contains("note: shelf"), "{said}");
    let (said, passed) = run("in_the_order_of_a_static_map", &[("TAVRIDA_SECOND_PROCESS", "off")]);
    assert!(passed, "{said}");
    let (said, passed) = run("in_one_order", &[]);
    assert!(passed && !said.contains("not compared"), "{said}");
}

#[test]
fn without_its_variable_a_live_test_says_that_it_was_not_run_live() {
    let (said, passed) = run("on_a_broker", &[("TAVRIDA_TEST_BROKER", "")]);
    assert!(passed, "{said}");
    let told = "children::on_a_broker: not run on RabbitMQ, since TAVRIDA_TEST_BROKER is not set";
    assert!(said.contains(told), "{said}");
}

#[cfg(not(feature = "live"))]
#[test]
fn without_the_feature_a_live_test_does_not_pass_as_one() {
    let (said, passed) = run("on_a_broker", &[("TAVRIDA_TEST_BROKER", "amqp://localhost")]);
    assert!(!passed && said.contains("built without its feature `live`"), "{said}");
}

#[cfg(feature = "live")]
#[test]
fn an_address_that_is_none_is_told_with_its_variable() {
    let (said, passed) = run("on_a_broker", &[("TAVRIDA_TEST_BROKER", "localhost")]);
    assert!(!passed && said.contains("children::on_a_broker: TAVRIDA_TEST_BROKER: "), "{said}");
}

#[cfg(all(feature = "live", feature = "rabbitmq", unix))]
#[test]
fn a_live_test_is_run_on_rabbitmq_and_says_so() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let vhost = runtime.block_on(tavrida_testkit::rabbitmq::shared_vhost()).expect("a RabbitMQ node");
    let (said, passed) = run("on_a_broker", &[("TAVRIDA_TEST_BROKER", &vhost.uri())]);
    assert!(passed, "{said}");
    assert!(said.contains("children::on_a_broker: passed on the RabbitMQ of TAVRIDA_TEST_BROKER"), "{said}");
    let queues = format!(
        "[Name || {{resource, _, _, Name}} <- rabbit_amqqueue:list_names(<<\"{}\">>)].",
        vhost.name()
    );
    let queues = runtime.block_on(vhost.node().eval(&queues)).expect("a running node evaluates");
    assert!(["orders", "billing", "audit"].iter().all(|queue| queues.contains(queue)), "{queues}");
}

#[cfg(all(feature = "live", feature = "rabbitmq", unix))]
#[test]
fn a_live_test_that_fails_on_rabbitmq_alone_says_that_it_passed_in_the_simulation() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let vhost = runtime.block_on(tavrida_testkit::rabbitmq::shared_vhost()).expect("a RabbitMQ node");
    let (said, passed) = run("in_a_simulation_alone", &[("TAVRIDA_TEST_BROKER", &vhost.uri())]);
    let told = "fails on the RabbitMQ of TAVRIDA_TEST_BROKER, and passed in the simulation";
    assert!(!passed && said.contains(told) && said.contains("`advance` needs a simulation"), "{said}");
}

#[tavrida_testkit::test(schedules = 4)]
#[ignore = "is run by the test below"]
async fn fails_from_the_second_schedule_on(sim: Sim) {
    assert_eq!(sim.seed(), 0, "it is another seed");
}

#[test]
fn schedules_that_failed_are_kept_beside_the_source() {
    let name = "tests/macros/children.fails_from_the_second_schedule_on.tavrida-regressions";
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
    // It exists if an earlier run was interrupted.
    let _ = fs::remove_file(&file);
    let (said, passed) = run("fails_from_the_second_schedule_on", &[]);
    assert!(!passed && said.contains("it is another seed"), "{said}");
    let command = "cargo test -p tavrida-testkit --test macros -- --exact children::fails_from_the_second";
    assert!(said.contains(command), "{said}");
    let kept = fs::read_to_string(&file).expect("a file of schedules");
    let (again, _) = run("fails_from_the_second_schedule_on", &[]);
    fs::remove_file(&file).expect("it can be removed");
    assert!(kept.contains("seed:0x1"), "{kept}");
    assert!(again.contains("the schedule that failed before"), "{again}");
}

#[tavrida_testkit::test(schedules = 2)]
#[ignore = "is run by the test below"]
async fn is_never_rich(sim: Sim) {
    sim.sometimes("rich", false);
}

#[test]
fn notes_of_a_test_that_passes_are_printed_past_the_capture_of_the_harness() {
    let mut child = Command::new(std::env::current_exe().expect("the path of this test"));
    let output = child.args(["children::is_never_rich", "--exact", "--ignored"]).output().expect("it runs");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    assert!(
        said.contains("children::is_never_rich: note: 'rich' was never so, in none of 2 schedules"),
        "{said}"
    );
}
