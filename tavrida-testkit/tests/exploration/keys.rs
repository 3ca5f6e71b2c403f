//! Schedules name messages and consumers by names: another service in the graph changes none.

use std::sync::{Arc, Mutex};

use tavrida::Service;
use tavrida::message::Failure;
use tavrida_testkit::explore;
use tavrida_testkit::schedule::Policy;
use tavrida_testkit::sim::{Setup, Sim, Verdict};

/// Two services; others are set up before, between and after them.
async fn two_among(sim: Sim, others: usize) -> Result<(), Failure> {
    let came = Arc::new(Mutex::new(Vec::new()));
    let service = |name: &'static str| {
        let came = came.clone();
        move || {
            let came = came.clone();
            let work = move || {
                came.lock().expect("no panic in a handler").push(name);
                async {}
            };
            Service::new(name).rpc("work", work)
        }
    };
    let mut graph = sim.graph();
    for other in 0..others {
        graph = graph.service(move || Service::new(&format!("other_{other}")).rpc("work", async || ()));
    }
    let graph = graph.service(service("first")).service(service("second")).client("web").start().await;
    graph.client("web").to("first.work").cast().await?;
    graph.client("web").to("second.work").cast().await?;
    graph.settle().await;
    assert_eq!(*came.lock().expect("no panic in a handler"), ["first", "second"]);
    Ok(())
}

#[test]
fn a_schedule_is_about_the_same_messages_when_services_are_added() {
    let report = explore(|sim| two_among(sim, 0)).without_environment().policy(Policy::Random).run();
    let failure = report.failure().expect("it does not hold in every order");
    assert_eq!(failure.schedule.len(), 1, "{failure}");
    for others in 1..4 {
        let setup = Setup { replay: Some(failure.schedule.clone()), ..Setup::new(failure.seed) };
        let finished = setup.run(|sim| two_among(sim, others));
        assert_ne!(finished.verdict, Verdict::Passed, "{others} others");
        assert_eq!(finished.schedule, failure.schedule, "{others} others");
    }
}
