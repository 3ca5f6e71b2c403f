//! Marks in the code of services: counted over an exploration, printed, asserted.

use tavrida::Service;
use tavrida::handler::params;
use tavrida::message::Failure;
use tavrida_testkit::explore;
use tavrida_testkit::problem::ProblemKind;
use tavrida_testkit::sim::Sim;

/// Marks what comes, and in which order.
fn till() -> Service {
    let before = std::sync::atomic::AtomicI64::new(0);
    let pay = move |cents: i64| {
        let earlier = before.swap(cents, std::sync::atomic::Ordering::Relaxed);
        tavrida::sometimes!("the second payment comes first", cents == 2 && earlier == 0);
        tavrida::sometimes!("a payment of seven cents", cents == 7);
        if cents == 1 {
            tavrida::reachable!("the first payment");
        }
        if earlier == 2 {
            tavrida::unreachable!("the second payment was before the first");
        }
        async {}
    };
    Service::new("till").rpc("pay", params(["cents"], pay))
}

/// Two payments; in order if the client waits for the first.
async fn pay(sim: Sim, in_order: bool) -> Result<(), Failure> {
    let other = || Service::new("other").rpc("pay", params(["cents"], forward));
    let graph = sim.graph().service(till).service(other).client("web").start().await;
    let web = graph.client("web");
    if in_order {
        web.to("till.pay").param("cents", 1).ask().await?;
    } else {
        web.to("other.pay").param("cents", 1).cast().await?;
    }
    web.to("till.pay").param("cents", 2).cast().await?;
    graph.settle().await;
    Ok(())
}

async fn forward(proxy: tavrida::Proxy, cents: i64) -> Result<(), Failure> {
    proxy.to("till.pay").param("cents", cents).cast().await?;
    Ok(())
}

const NEVER: &str = "a payment of seven cents";

#[test]
fn marks_are_counted_and_printed() {
    let report = explore(|sim| pay(sim, true)).schedules(20).without_environment().run();
    report.assert_ok();
    let counts: Vec<(&str, u64)> = report.marks().iter().map(|(name, runs)| (&**name, *runs)).collect();
    assert_eq!(counts, [(NEVER, 0), ("the first payment", 20), ("the second payment comes first", 0)]);
    let text = report.to_string();
    assert!(text.contains("marks: a payment of seven cents 0, the first payment 20"), "{text}");
    assert!(report.notes().iter().any(|note| note.contains("'a payment of seven cents' was never so")));
}

#[test]
fn marks_that_have_to_be_reached_fail_an_exploration_without_them() {
    let reaching = |marks: &[&str]| {
        let marks: Vec<String> = marks.iter().map(|mark| (*mark).to_owned()).collect();
        explore(|sim| pay(sim, true)).schedules(20).reaches(marks).without_environment().run()
    };
    reaching(&["the first payment"]).assert_ok();
    let report = reaching(&["the first payment", NEVER, "not in the code"]);
    assert!(!report.is_ok());
    let text = report.to_string();
    assert!(text.contains("not reached: 'a payment of seven cents', in none of 20 schedules"), "{text}");
    assert!(text.contains("not reached: 'not in the code'"), "{text}");
    assert!(!text.contains("not reached: 'the first payment'"), "{text}");
}

#[test]
fn what_is_unreachable_fails_where_it_is_reached() {
    let report = explore(|sim| pay(sim, false)).schedules(1000).without_environment().run();
    let failure = report.failure().expect("the second payment may come first");
    let name = "the second payment was before the first".to_owned();
    assert_eq!(failure.problem.kind, ProblemKind::Unreachable(name));
    assert!(failure.problem.text.contains("by the handler of request till.pay"), "{}", failure.problem);
    assert!(failure.problem.text.contains("marks.rs:"), "{}", failure.problem);
    assert!(failure.schedule.len() <= 1, "{failure}");
}
