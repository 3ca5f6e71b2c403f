//! Every schedule of a scenario, without equivalent ones.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tavrida::Service;
use tavrida::handler::params;
use tavrida::message::Failure;
use tavrida_testkit::exhaustive::{Ending, exhaustive};
use tavrida_testkit::fault::{Fault, Site};
use tavrida_testkit::problem::ProblemKind;
use tavrida_testkit::sim::{Setup, Sim, Verdict};

use crate::chain::{graph, three_requests};
use crate::orders::{relay, requests};

async fn two_requests(sim: Sim) {
    requests::<2>(sim).await;
}

#[test]
fn three_requests_through_three_services_take_few_runs() {
    let report = exhaustive(three_requests).run();
    report.assert_ok();
    assert_eq!(report.schedules, 14);
    assert!(report.runs <= 80, "{report}");
}

/// The messages to a ledger, on two paths of which the longer one is the later one, unless messages are late.
async fn ledger(sim: Sim) -> Result<(), Failure> {
    let told: Arc<Mutex<Vec<&str>>> = Arc::default();
    let book = told.clone();
    let ledger = move || {
        let (opened, closed) = (book.clone(), book.clone());
        let open = move |_number: i64| {
            opened.lock().expect("nobody panics with it").push("open");
            async {}
        };
        let close = move |_number: i64| {
            closed.lock().expect("nobody panics with it").push("close");
            async {}
        };
        Service::new("ledger").rpc("open", params(["number"], open)).rpc("close", params(["number"], close))
    };
    let graph = sim
        .graph()
        .service(|| relay("desk", &["ledger.open"]))
        .service(|| relay("night", &["manager.act"]))
        .service(|| relay("manager", &["ledger.close"]))
        .service(ledger)
        .client("web")
        .start()
        .await;
    for service in ["desk.act", "night.act"] {
        graph.client("web").to(service).param("number", 1).cast().await?;
    }
    graph.settle().await;
    assert_eq!(*told.lock().expect("nobody panics with it"), ["open", "close"]);
    Ok(())
}

#[test]
fn a_bug_that_needs_an_order_is_found_and_its_schedule_replayed() {
    assert_eq!(Setup::new(0).run(ledger).verdict, Verdict::Passed, "the default order hides it");
    let report = exhaustive(ledger).run();
    assert_eq!((report.ending, report.failures.len()), (Ending::Failed, 1));
    let failure = &report.failures[0];
    assert_eq!(failure.problem.kind, ProblemKind::Assertion);
    let replayed = Setup { replay: Some(failure.schedule.clone()), ..Setup::new(0) }.run(ledger);
    assert_eq!(replayed.verdict, Verdict::Failed(Box::new(failure.problem.clone())));
    assert_eq!(replayed.trace.events(), failure.run.trace.events());
}

#[test]
fn a_budget_that_does_not_suffice_is_told() {
    let short = exhaustive(two_requests).max_runs(5).run();
    assert_eq!((short.ending, short.runs), (Ending::BudgetReached, 5));
    assert!(short.to_string().starts_with("budget reached: "), "{short}");
    assert!(!short.is_ok(), "what was not run is not known to be well");
    let whole = exhaustive(two_requests).run();
    let exact = exhaustive(two_requests).max_runs(whole.runs).run();
    assert_eq!(exact.ending, Ending::Complete, "the last run of all is seen to be the last");
}

/// One job, handled by a handler that adds to a sum.
async fn sum(sim: Sim) -> Result<(), Failure> {
    let sum: Arc<Mutex<i64>> = Arc::default();
    let kept = sum.clone();
    let adder = move || {
        let kept = kept.clone();
        let add = move |number: i64| {
            *kept.lock().expect("nobody panics with it") += number;
            async {}
        };
        Service::new("adder").rpc("act", params(["number"], add))
    };
    let graph =
        sim.graph().service(|| relay("desk", &["adder.act"])).service(adder).client("web").start().await;
    graph.client("web").to("desk.act").param("number", 7).cast().await?;
    graph.settle().await;
    assert_eq!(*sum.lock().expect("nobody panics with it"), 7);
    Ok(())
}

#[test]
fn a_fault_is_tried_with_each_message_that_comes_to_its_site() {
    exhaustive(sum).run().assert_ok();
    let report = exhaustive(sum).fault(Site::Ack, Fault::Redelivered).failures(usize::MAX).run();
    // No fault; and the lost ack of the desk, which casts again, or of the adder, each before and after whatever else may come first.
    assert_eq!((report.ending, report.schedules, report.failures.len()), (Ending::Complete, 9, 8));
    for failure in &report.failures {
        let replayed = Setup { replay: Some(failure.schedule.clone()), ..Setup::new(0) }.run(sum);
        assert_eq!(replayed.verdict, Verdict::Failed(Box::new(failure.problem.clone())));
    }
}

#[test]
fn no_more_than_so_many_faults_come_together() {
    let count = |max| {
        let search = exhaustive(sum).fault(Site::Ack, Fault::Redelivered).max_faults(max);
        search.failures(usize::MAX).run().schedules
    };
    assert_eq!(count(0), 1);
    // Two: with the desk's, that of its second delivery, or of one of the two that the adder then gets; or the adder's twice.
    assert!(count(1) < count(2), "{} and {}", count(1), count(2));
}

#[test]
fn a_scenario_that_draws_from_elsewhere_is_found_out() {
    let runs = std::cell::Cell::new(0);
    let fickle = |sim: Sim| {
        runs.set(runs.get() + 1);
        let number = runs.get();
        async move {
            let graph = graph(&sim).await;
            for _ in 0..=number {
                graph.client("web").to("orders.create").param("cents", 1).cast().await?;
                graph.client("web").to("audit.note").param("cents", 1).cast().await?;
            }
            Ok::<(), Failure>(())
        }
    };
    let report = exhaustive(fickle).run();
    assert_eq!(report.failures[0].problem.kind, ProblemKind::Nondeterminism, "{report}");
}

#[test]
fn progress_is_told() {
    let told: Rc<RefCell<Vec<u64>>> = Rc::default();
    let book = told.clone();
    let search = exhaustive(three_requests).progress(4, move |report| book.borrow_mut().push(report.runs));
    assert_eq!(search.max_runs(9).run().runs, 9);
    assert_eq!(*told.borrow(), [4, 8]);
}

#[test]
fn a_search_with_faults_that_could_happen_nowhere_says_so() {
    let silent = |sim: Sim| async move { sim.advance(Duration::from_secs(1)).await };
    let report = exhaustive(silent).fault(Site::Ack, Fault::Redelivered).run();
    assert!(report.to_string().contains("note: no fault happened, though some were added"), "{report}");
    let report = exhaustive(silent).run();
    assert!(!report.to_string().contains("note:"), "{report}");
}
