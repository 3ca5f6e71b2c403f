//! Runs that are made twice, and differ.

use std::collections::{BTreeSet, HashSet};
use std::future::ready;
use std::hash::BuildHasher;
use std::sync::atomic::{AtomicU64, Ordering};

use serde::Serialize;
use tavrida::handler::params;
use tavrida::message::Failure;
use tavrida::{Proxy, Service};
use tavrida_testkit::fault::Faults;
use tavrida_testkit::problem::{Problem, ProblemKind};
use tavrida_testkit::schedule::Policy;
use tavrida_testkit::sim::{Ended, Setup, Sim, Verdict};

use crate::chain::three_requests;
use crate::healthy::scenario;

/// Returns the first problem; at least one of this many runs shows it.
fn first_problem<Fut: Future<Output: Ended>>(scenario: impl Fn(Sim) -> Fut) -> Problem {
    let runs = (0..50).map(|seed| Setup::new(seed).run_twice(&scenario).verdict);
    let problem = runs.into_iter().find_map(|verdict| match verdict {
        Verdict::Failed(problem) => Some(*problem),
        Verdict::Passed => None,
    });
    problem.expect("50 runs are as they were before")
}

#[derive(Serialize)]
struct Names {
    names: Vec<String>,
}

/// Iterates over a set in the set's own order.
fn unordered() -> Service {
    async fn list(proxy: Proxy, count: i64) -> Result<Names, Failure> {
        let names: HashSet<String> = (0..count).map(|number| format!("name {number}")).collect();
        // The answer to the first ask is one thing; which of them is asked first is another.
        for name in names.iter().take(2) {
            proxy.to("orders.create").param("cents", name.len()).param("name", name).ask().await?;
        }
        Ok(Names { names: names.into_iter().collect() })
    }
    Service::new("unordered").rpc("list", params(["count"], list))
}

#[test]
fn the_order_of_a_hash_set_is_told_with_the_handler_that_follows_it() {
    let problem = first_problem(|sim: Sim| async move {
        let graph = sim
            .graph()
            .service(unordered)
            .service(crate::chain::orders)
            .service(crate::chain::billing)
            .service(crate::chain::audit)
            .client("web")
            .start()
            .await;
        graph.client("web").to("unordered.list").param("count", 20).ask().await.map(drop)
    });
    assert_eq!(problem.kind, ProblemKind::Nondeterminism, "{problem}");
    for part in
        ["first:", "second:", "what the handler of request unordered.list in 'unordered' did", "HashMap"]
    {
        assert!(problem.text.contains(part), "'{part}' is not in: {problem}");
    }
}

/// Takes one of two ready branches, twenty times.
async fn plain_select(sim: Sim) {
    for _ in 0..20 {
        tokio::select! {
            () = ready(()) => sim.note("left"),
            () = ready(()) => sim.note("right"),
        }
    }
}

#[cfg(not(tokio_unstable))]
#[test]
fn a_plain_select_is_told() {
    let problem = first_problem(plain_select);
    assert_eq!(problem.kind, ProblemKind::Nondeterminism, "{problem}");
    assert!(problem.text.contains("note: left") && problem.text.contains("note: right"), "{problem}");
}

#[cfg(tokio_unstable)]
#[test]
fn a_plain_select_is_steered_where_tokio_lets_it() {
    assert_steered(plain_select);
}

#[test]
fn the_select_of_the_library_is_steered() {
    assert_steered(|sim: Sim| async move {
        for _ in 0..20 {
            tavrida::select! {
                () = ready(()) => sim.note("left"),
                () = ready(()) => sim.note("middle"),
                () = ready(()) => sim.note("right"),
            }
        }
    });
}

/// Asserts that a seed repeats exactly, and that another seed differs.
fn assert_steered<Fut: Future<Output: Ended>>(scenario: impl Fn(Sim) -> Fut) {
    let run = |seed| {
        let finished = Setup::new(seed).run_twice(&scenario);
        assert_eq!(finished.verdict, Verdict::Passed, "seed {seed}");
        finished.trace.digest()
    };
    let digests: BTreeSet<u64> = (0..50).map(run).collect();
    assert!(digests.len() > 40, "50 seeds do {} things", digests.len());
}

#[test]
fn random_numbers_of_the_process_are_told() {
    let problem = first_problem(|sim: Sim| async move {
        let random = std::hash::RandomState::new().hash_one(1);
        sim.effect("lot", random);
    });
    assert_eq!(problem.kind, ProblemKind::Nondeterminism, "{problem}");
    assert!(problem.text.contains("effect lot"), "{problem}");
}

#[test]
fn the_clock_of_the_system_is_told() {
    let problem = first_problem(|sim: Sim| async move {
        #[expect(clippy::disallowed_methods, reason = "it is the culprit")]
        let now = std::time::SystemTime::now();
        sim.effect("charged at", format!("{now:?}"));
    });
    assert_eq!(problem.kind, ProblemKind::Nondeterminism, "{problem}");
    assert!(problem.text.contains("effect charged at"), "{problem}");
}

#[test]
fn a_verdict_that_differs_is_told_though_the_events_are_the_same() {
    static RUNS: AtomicU64 = AtomicU64::new(0);
    let problem = first_problem(|_: Sim| async {
        match RUNS.fetch_add(1, Ordering::Relaxed) {
            1 => Err("only this time".to_owned()),
            _ => Ok(()),
        }
    });
    assert_eq!(problem.kind, ProblemKind::Nondeterminism, "{problem}");
    for part in ["judged in two ways", "first:  passed", "second: the scenario failed", "only this time"] {
        assert!(problem.text.contains(part), "'{part}' is not in: {problem}");
    }
}

#[test]
fn a_run_that_fails_twice_in_one_way_fails_in_that_way() {
    let finished = Setup::new(1).run_twice(|_: Sim| async { Err::<(), _>("each time") });
    let Verdict::Failed(problem) = finished.verdict else { panic!("it passed") };
    assert_eq!((&problem.kind, &*problem.text), (&ProblemKind::Error, "\"each time\""));
}

#[test]
fn runs_that_keep_to_the_runtime_are_the_same_twice() {
    for seed in 0..100 {
        let setup =
            Setup { policy: Policy::Portfolio, faults: Faults::any().on_clients(), ..Setup::new(seed) };
        for verdict in [setup.run_twice(three_requests).verdict, setup.run_twice(scenario).verdict] {
            if let Verdict::Failed(problem) = verdict {
                assert_ne!(problem.kind, ProblemKind::Nondeterminism, "seed {seed}: {problem}");
            }
        }
    }
}

#[test]
fn an_exploration_sees_by_itself_that_a_run_is_another_one_the_second_time() {
    static RUNS: AtomicU64 = AtomicU64::new(0);
    let scenario =
        |sim: Sim| async move { sim.note(format!("run {}", RUNS.fetch_add(1, Ordering::Relaxed))) };
    let report = tavrida_testkit::explore(scenario).schedules(64).threads(1).without_environment().run();
    let failure = report.failure().expect("the 64th schedule is run twice");
    assert_eq!(failure.problem.kind, ProblemKind::Nondeterminism, "{failure}");
    assert!(failure.reproduced && failure.schedule.is_empty(), "{failure}");
}
