//! What an exhaustive search leaves out is equivalent to what it runs.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;
use tavrida::discovery::Registry;
use tavrida::handler::params;
use tavrida::message::Failure;
use tavrida::{Proxy, Server, Service};
use tavrida_testkit::exhaustive::{Ending, Report, exhaustive};
use tavrida_testkit::fault::{Fault, Site};
use tavrida_testkit::graph::Graph;
use tavrida_testkit::run::Run;
use tavrida_testkit::sim::Sim;
use tavrida_testkit::trace::What;
use tavrida_testkit::yield_point;

use crate::chain::{audit, graph};

/// A run without the order of independent steps: what happened to each actor, in order, and the order of all turns at yield points.
type Class = BTreeMap<String, Vec<String>>;

fn class_of(run: &Run) -> Class {
    let mut class = Class::new();
    let trace = run.trace();
    for event in trace.events() {
        let name = trace.actor(event.actor).name();
        let what = match &event.what {
            What::TookTurn { .. } => {
                class.entry("turns".to_owned()).or_default().push(name.to_owned());
                "goes on"
            }
            What::Delivered { .. } => "received",
            What::Fault(fault) => fault,
            What::Crashed => "crashed",
            _ => continue,
        };
        let key = event.message.map_or(0, |message| trace.message(message).key());
        class.entry(name.to_owned()).or_default().push(format!("{what} {key:x}"));
    }
    class
}

/// Returns the classes of a scenario's schedules, each of which may have one of these faults. `None` if there are very many.
fn classes<Fut: Future<Output = Run>>(
    all_orders: bool,
    faults: &[(Site, Fault)],
    scenario: impl Fn(Sim) -> Fut,
) -> Option<(Report, BTreeSet<Class>)> {
    let seen: Rc<RefCell<BTreeSet<Class>>> = Rc::default();
    let watched = |sim: Sim| {
        let (seen, playing) = (seen.clone(), scenario(sim));
        async move {
            let class = class_of(&playing.await);
            seen.borrow_mut().insert(class);
        }
    };
    let search = exhaustive(watched).max_runs(1_000);
    let search = faults.iter().fold(search, |search, (site, fault)| search.fault(*site, *fault));
    let report = if all_orders { search.with_all_orders() } else { search }.run();
    if report.ending == Ending::BudgetReached {
        return None;
    }
    report.assert_ok();
    Some((report, seen.take()))
}

/// Asserts that the search finds all classes that running every order finds.
#[expect(clippy::print_stdout, reason = "who looks at the test wants to know how much is left out")]
fn assert_reduced<Fut: Future<Output = Run>>(
    name: &str,
    faults: &[(Site, Fault)],
    scenario: impl Fn(Sim) -> Fut,
) -> Report {
    let (all, of_all) = classes(true, faults, &scenario).expect("it is small");
    let (reduced, of_reduced) = classes(false, faults, &scenario).expect("it is small");
    let Report { schedules, runs, .. } = reduced;
    println!("{name}: {} orders, reduced to {schedules} schedules in {runs} runs", all.runs);
    assert_eq!(of_reduced, of_all);
    reduced
}

/// A service that casts to others as requested.
pub(crate) fn relay(name: &str, to: &[&str]) -> Service {
    relay_behind(std::future::ready, name, to)
}

/// As above, behind a yield point.
fn yielding_relay(name: &str, to: &[&str]) -> Service {
    relay_behind(|()| yield_point(), name, to)
}

fn relay_behind<W: Future<Output = ()> + Send + 'static>(
    wait: fn(()) -> W,
    name: &str,
    to: &[&str],
) -> Service {
    let to: Arc<[String]> = to.iter().map(|target| (*target).to_owned()).collect();
    let act = move |proxy: Proxy, number: i64| {
        let to = to.clone();
        async move {
            wait(()).await;
            for target in &*to {
                proxy.to(target.as_str()).param("number", number).cast().await?;
            }
            Ok::<(), Failure>(())
        }
    };
    Service::new(name).rpc("act", params(["number"], act))
}

/// Several concurrent requests to the chain.
pub(crate) async fn requests<const N: i64>(sim: Sim) -> Run {
    let graph = graph(&sim).await;
    let web = graph.client("web");
    let ask = |cents: i64| web.to("orders.create").param("cents", cents).ask();
    let answers = futures_util::future::join_all((1..=N).map(ask)).await;
    assert!(answers.iter().all(Result::is_ok), "{answers:?}");
    graph.settle().await
}

/// Casts to one service after the other.
async fn cast(graph: &Graph, services: &[&str]) {
    for (number, service) in services.iter().enumerate() {
        let cast = graph.client("web").to(*service).param("number", number as i64).cast().await;
        assert!(cast.is_ok(), "{cast:?}");
    }
}

/// Services that get an event each, and do nothing.
async fn fan_out(sim: Sim) -> Run {
    let graph = sim.graph().service(|| relay("one", &[])).service(|| relay("two", &[])).client("web");
    let graph = graph.start().await;
    cast(&graph, &["one.act", "two.act"]).await;
    graph.settle().await
}

/// An order goes to stock and to billing, and both call audit.
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
    cast(&graph, &["orders.act"]).await;
    graph.settle().await
}

/// An order goes to stock and then to audit, which stock calls too.
async fn overtaking(sim: Sim) -> Run {
    let graph = sim
        .graph()
        .service(|| relay("orders", &["stock.act", "audit.act"]))
        .service(|| relay("stock", &["audit.act"]))
        .service(|| relay("audit", &[]))
        .client("web")
        .start()
        .await;
    cast(&graph, &["orders.act"]).await;
    graph.settle().await
}

#[test]
fn independent_services_have_one_schedule() {
    assert_eq!(assert_reduced("fan-out", &[], fan_out).schedules, 1);
}

#[test]
fn what_a_send_causes_comes_before_the_next_send_or_after_it() {
    assert_eq!(assert_reduced("overtaking", &[], overtaking).schedules, 2);
}

#[test]
fn an_order_that_reaches_audit_by_two_ways_has_a_schedule_for_each_order_of_its_arrivals() {
    let (report, _) = classes(false, &[], diamond).expect("it is small");
    assert_eq!(report.schedules, 2, "{report}");
}

#[test]
fn two_requests_through_three_services_have_three_schedules() {
    let (two, _) = classes(false, &[], requests::<2>).expect("it is small");
    assert_eq!(two.schedules, 3, "{two}");
}

/// Replicas share a queue, with one message each at a time, so that it matters which of them finishes first.
async fn replicas(sim: Sim) -> Run {
    let work = |transport| {
        let builder = Server::builder(transport).queue("work").exchange("work").prefetch(1);
        builder.service(relay("work", &[]).discovery(Registry::new()))
    };
    let graph = sim.graph().server("work", work).replicas("work", 2).client("web").start().await;
    cast(&graph, &["work.act"; 3]).await;
    graph.settle().await
}

/// As above, with handlers that finish when the answer comes to what they ask.
async fn asking_replicas(sim: Sim) -> Run {
    async fn act(proxy: Proxy, number: i64) -> Result<(), Failure> {
        proxy.to("audit.note").param("cents", number).ask().await?;
        Ok(())
    }
    let work = |transport| {
        let known = Registry::new().remote_service("audit", "audit");
        let builder = Server::builder(transport).queue("work").exchange("work").prefetch(1);
        builder.service(Service::new("work").rpc("act", params(["number"], act)).discovery(known))
    };
    let graph = sim.graph().service(audit).server("work", work).replicas("work", 2).client("web");
    let graph = graph.start().await;
    cast(&graph, &["work.act"; 3]).await;
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
        .service(sleeper("as_slow", 20))
        .service(|| relay("audit", &[]))
        .client("web")
        .start()
        .await;
    cast(&graph, &["slow.act", "as_slow.act"]).await;
    graph.settle().await
}

#[test]
fn replicas_that_share_a_queue_are_tried_in_each_order_of_being_ready() {
    assert!(assert_reduced("replicas", &[], replicas).schedules > 1);
    let (_, of_all) = classes(false, &[], asking_replicas).expect("it is small");
    let audited = of_all.iter().filter_map(|class| class.get("work/2")).map(Vec::len);
    assert_eq!(audited.collect::<BTreeSet<usize>>(), BTreeSet::from([2, 4]), "either replica gets the third");
}

/// Two services pass a yield point each.
async fn yielders(sim: Sim) -> Run {
    let graph = sim.graph().service(|| yielding_relay("one", &[])).service(|| yielding_relay("two", &[]));
    let graph = graph.client("web").start().await;
    cast(&graph, &["one.act", "two.act"]).await;
    graph.settle().await
}

#[test]
fn handlers_at_yield_points_are_tried_in_each_order() {
    assert!(assert_reduced("yielders", &[], yielders).schedules > 1);
}

#[test]
fn handlers_that_go_on_at_one_instant_are_tried_in_each_order() {
    assert!(assert_reduced("sleepers", &[], sleepers).schedules > 1);
}

/// A desk hands on what it gets.
async fn handed_on(sim: Sim) -> Run {
    let graph = sim.graph().service(|| relay("desk", &["clerk.act"])).service(|| relay("clerk", &[]));
    let graph = graph.client("web").start().await;
    cast(&graph, &["desk.act"]).await;
    graph.settle().await
}

/// The faults of which one may happen in a run.
const FAULTS: [(Site, Fault); 4] = [
    (Site::Ack, Fault::Redelivered),
    (Site::Start, Fault::Crash(Duration::from_millis(1))),
    (Site::Deliver, Fault::Delayed(Duration::from_millis(1))),
    (Site::Publish, Fault::ConfirmLate(Duration::from_millis(1))),
];

#[test]
fn orders_with_a_fault_are_reduced_to_the_same_classes() {
    assert!(assert_reduced("a lost ack", &FAULTS[..1], handed_on).schedules > 1);
    assert!(assert_reduced("a crash", &FAULTS[1..2], handed_on).schedules > 1);
    assert!(assert_reduced("a delay", &FAULTS[2..3], handed_on).schedules > 1);
    assert!(assert_reduced("a late confirm", &FAULTS[3..], handed_on).schedules > 1);
}

/// Which services each of three calls, and which the client calls: a service calls later ones only, and the fourth calls none.
type Calls = ([BTreeSet<usize>; 3], Vec<usize>);

/// A graph of these calls, of services that `make` makes.
async fn calling(sim: Sim, make: fn(&str, &[&str]) -> Service, (services, client): Calls) -> Run {
    let name = |service: usize| format!("s{service}");
    let mut graph = sim.graph().client("web");
    for (service, targets) in services.into_iter().chain([BTreeSet::new()]).enumerate() {
        let targets: Vec<String> = targets.into_iter().map(|target| format!("s{target}.act")).collect();
        let of_service = move || {
            let targets: Vec<&str> = targets.iter().map(String::as_str).collect();
            make(&name(service), &targets)
        };
        graph = graph.service(of_service);
    }
    let graph = graph.start().await;
    let client: Vec<String> = client.into_iter().map(|service| format!("s{service}.act")).collect();
    cast(&graph, &client.iter().map(String::as_str).collect::<Vec<_>>()).await;
    graph.settle().await
}

fn calls() -> impl Strategy<Value = Calls> {
    let to = |from: usize| prop::collection::btree_set(from..4, 0..=2.min(4 - from));
    ([to(1), to(2), to(3)], prop::collection::vec(0..3_usize, 1..=2))
}

#[test]
fn a_fault_also_comes_before_what_came_first_without_it() {
    let two_messages: Calls = (Default::default(), vec![2, 2]);
    let report =
        assert_reduced("two messages", &FAULTS[..1], |sim| calling(sim, relay, two_messages.clone()));
    assert!(report.schedules > 1, "{report}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn of_any_graph_no_class_of_orders_is_left_out(calls in calls(), faults in 0..=FAULTS.len(), yields: bool) {
        let make = if yields { yielding_relay } else { relay };
        let faults = faults.checked_sub(1).map_or(&[][..], |fault| &FAULTS[fault..=fault]);
        let scenario = |sim: Sim| calling(sim, make, calls.clone());
        let all = classes(true, faults, scenario);
        prop_assume!(all.is_some(), "running every order takes long");
        let reduced = classes(false, faults, scenario).expect("it has fewer runs");
        prop_assert_eq!(reduced.1, all.expect("it is some").1);
    }
}
