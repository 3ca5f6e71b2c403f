//! Every schedule of a scenario, without equivalent ones.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::rc::Rc;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tavrida::discovery::Registry;
use tavrida::handler::params;
use tavrida::message::Failure;
use tavrida::{Proxy, Server, Service};
use tavrida_testkit::exhaustive::{Ending, Report, exhaustive};
use tavrida_testkit::fault::{Fault, Site};
use tavrida_testkit::problem::ProblemKind;
use tavrida_testkit::run::Run;
use tavrida_testkit::sim::{Setup, Sim, Verdict};
use tavrida_testkit::trace::What;

use crate::chain::{graph, three_requests};

/// A run without the order of independent steps: what each actor received, in order.
type Class = BTreeMap<String, Vec<u64>>;

fn class_of(run: &Run) -> Class {
    let mut class = Class::new();
    let trace = run.trace();
    for event in trace.events().iter().filter(|event| matches!(event.what, What::Delivered { .. })) {
        let message = trace.message(event.message.expect("a delivery is one of a message"));
        class.entry(trace.actor(event.actor).name().to_owned()).or_default().push(message.key());
    }
    class
}

/// Returns the classes of a scenario's schedules.
fn classes<Fut: Future<Output = Run>>(
    all_orders: bool,
    scenario: impl Fn(Sim) -> Fut,
) -> (Report, BTreeSet<Class>) {
    let seen: Rc<RefCell<BTreeSet<Class>>> = Rc::default();
    let watched = |sim: Sim| {
        let (seen, playing) = (seen.clone(), scenario(sim));
        async move {
            let class = class_of(&playing.await);
            seen.borrow_mut().insert(class);
        }
    };
    let search = exhaustive(watched);
    let search = if all_orders { search.with_all_orders() } else { search };
    let report = search.run();
    report.assert_ok();
    let seen = seen.borrow().clone();
    (report, seen)
}

/// Asserts that the search finds all classes that running every order finds.
#[expect(clippy::print_stdout, reason = "who looks at the test wants to know how much is left out")]
fn assert_reduced<Fut: Future<Output = Run>>(name: &str, scenario: impl Fn(Sim) -> Fut) -> Report {
    let (all, of_all) = classes(true, &scenario);
    let (reduced, of_reduced) = classes(false, &scenario);
    let Report { schedules, runs, .. } = reduced;
    println!("{name}: {} orders, reduced to {schedules} schedules in {runs} runs", all.runs);
    assert_eq!(all.runs, all.schedules);
    assert_eq!(of_reduced, of_all);
    reduced
}

/// A service that casts to others as requested.
fn relay(name: &'static str, to: &'static [&'static str]) -> Service {
    let act = move |proxy: Proxy, number: i64| async move {
        for target in to {
            proxy.to(*target).param("number", number).cast().await?;
        }
        Ok::<(), Failure>(())
    };
    Service::new(name).rpc("act", params(["number"], act))
}

/// Several concurrent requests to the chain.
async fn requests<const N: i64>(sim: Sim) -> Run {
    let graph = graph(&sim).await;
    let web = graph.client("web");
    let ask = |cents: i64| web.to("orders.create").param("cents", cents).ask();
    let answers = futures_util::future::join_all((1..=N).map(ask)).await;
    assert!(answers.iter().all(Result::is_ok), "{answers:?}");
    graph.settle().await
}

async fn two_requests(sim: Sim) {
    requests::<2>(sim).await;
}

/// Three services subscribe to two events each, and do nothing.
async fn fan_out(sim: Sim) -> Run {
    let graph = sim
        .graph()
        .service(|| relay("one", &[]))
        .service(|| relay("two", &[]))
        .service(|| relay("three", &[]))
        .client("web")
        .start()
        .await;
    for number in 1..=2 {
        for service in ["one.act", "two.act", "three.act"] {
            let cast = graph.client("web").to(service).param("number", number).cast().await;
            assert!(cast.is_ok(), "{cast:?}");
        }
    }
    graph.settle().await
}

/// Each of two orders goes to stock and to billing, and both call audit.
async fn diamond(sim: Sim) -> Run {
    let graph = sim
        .graph()
        .service(|| relay("orders", &["stock.act", "billing.act"]))
        .service(|| relay("stock", &["audit.act"]))
        .service(|| relay("billing", &["audit.act"]))
        .service(|| relay("audit", &[]))
        .client("web")
        .start()
        .await;
    for number in 1..=2 {
        let cast = graph.client("web").to("orders.act").param("number", number).cast().await;
        assert!(cast.is_ok(), "{cast:?}");
    }
    graph.settle().await
}

#[test]
fn independent_services_have_one_schedule() {
    assert_eq!(assert_reduced("fan-out", fan_out).schedules, 1);
}

#[test]
fn an_order_that_reaches_audit_by_two_ways_has_a_schedule_for_each_order_of_its_arrivals() {
    // Audit receives four messages; each path keeps its own order.
    assert_eq!(assert_reduced("two ways", diamond).schedules, 6);
}

#[test]
fn two_requests_through_three_services_have_three_schedules() {
    assert_eq!(assert_reduced("two requests", requests::<2>).schedules, 3);
}

/// Replicas share a queue, with one message each at a time, so that it matters which of them finishes first.
async fn replicas(sim: Sim) -> Run {
    let work = |transport| {
        let known = Registry::new().remote_service("audit", "audit");
        let service = relay("work", &["audit.act"]).discovery(known);
        Server::builder(transport).queue("work").exchange("work").prefetch(1).service(service)
    };
    let graph = sim
        .graph()
        .service(|| relay("desk", &["work.act"]).discovery(Registry::new().remote_service("work", "work")))
        .service(|| relay("audit", &[]))
        .server("work", work)
        .replicas("work", 2)
        .client("web")
        .start()
        .await;
    for number in 1..=3 {
        let cast = graph.client("web").to("desk.act").param("number", number).cast().await;
        assert!(cast.is_ok(), "{cast:?}");
    }
    graph.settle().await
}

/// Handlers whose timers interact.
async fn sleepers(sim: Sim) -> Run {
    let sleeper = |name: &'static str, time: u64| {
        let act = move |proxy: Proxy, number: i64| async move {
            tokio::time::sleep(Duration::from_millis(time)).await;
            proxy.to("audit.act").param("number", number).cast().await?;
            Ok::<(), Failure>(())
        };
        move || Service::new(name).rpc("act", params(["number"], act))
    };
    let graph = sim
        .graph()
        .service(sleeper("slow", 20))
        .service(sleeper("slower", 30))
        .service(sleeper("as_slow", 20))
        .service(|| relay("audit", &[]))
        .client("web")
        .start()
        .await;
    for service in ["slow.act", "slower.act", "as_slow.act"] {
        let cast = graph.client("web").to(service).param("number", 1).cast().await;
        assert!(cast.is_ok(), "{cast:?}");
    }
    graph.settle().await
}

#[test]
fn replicas_that_share_a_queue_are_tried_in_each_order_of_being_ready() {
    assert!(assert_reduced("replicas", replicas).schedules > 1);
}

#[test]
fn handlers_that_go_on_at_one_instant_are_tried_in_each_order() {
    assert!(assert_reduced("sleepers", sleepers).schedules > 1);
}

#[test]
fn three_requests_through_three_services_take_few_runs() {
    let report = exhaustive(three_requests).run();
    report.assert_ok();
    assert_eq!(report.schedules, 14);
    assert!(report.runs <= 150, "{report}");
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
    // No fault; the lost ack of the desk, which casts again; the lost ack of the adder.
    assert_eq!((report.ending, report.schedules, report.failures.len()), (Ending::Complete, 3, 2));
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

/// Two services each cast to a third, and the ack of one delivery in a run may be lost.
fn lossy(all_orders: bool) -> (Report, BTreeSet<Class>) {
    let play = async |sim: Sim| {
        let graph = sim
            .graph()
            .service(|| relay("left", &["middle.act"]))
            .service(|| relay("right", &["middle.act"]))
            .service(|| relay("middle", &[]))
            .client("web")
            .start()
            .await;
        for service in ["left.act", "right.act"] {
            let cast = graph.client("web").to(service).param("number", 1).cast().await;
            assert!(cast.is_ok(), "{cast:?}");
        }
        graph.settle().await
    };
    let seen: RefCell<BTreeSet<Class>> = RefCell::default();
    let watched = async |sim: Sim| {
        let class = class_of(&play(sim).await);
        seen.borrow_mut().insert(class);
    };
    let search = exhaustive(watched).fault(Site::Ack, Fault::Redelivered);
    let report = if all_orders { search.with_all_orders() } else { search }.run();
    report.assert_ok();
    (report, seen.into_inner())
}

#[test]
fn orders_with_a_fault_are_reduced_to_the_same_classes() {
    let (all, of_all) = lossy(true);
    let (reduced, of_reduced) = lossy(false);
    assert_eq!(of_reduced, of_all);
    assert!(reduced.schedules < all.schedules);
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
    let search = exhaustive(two_requests).progress(4, move |report| book.borrow_mut().push(report.runs));
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
