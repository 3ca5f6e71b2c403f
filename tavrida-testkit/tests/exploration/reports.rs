//! What an exploration reports.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tavrida::message::Failure;
use tavrida_testkit::explore;
use tavrida_testkit::explore::{Explore, Origin};
use tavrida_testkit::fault::{Family, Faults};
use tavrida_testkit::problem::ProblemKind;
use tavrida_testkit::schedule::{Policy, Replay};
use tavrida_testkit::sim::{Setup, Sim, Verdict};

use crate::planted::{
    a_cancel_finds_its_order, mended, three_arrive_in_order, y_and_z_are_not_after_the_third_x,
    y_is_not_after_the_third_x,
};

/// Returns an exploration that ignores the environment of these tests.
fn exploration<F, Fut>(scenario: F) -> Explore<F>
where
    F: Fn(Sim) -> Fut + Sync,
    Fut: Future<Output = Result<(), Failure>>,
{
    explore(scenario).without_environment().named("reports::a_test")
}

#[test]
fn what_is_found_does_not_depend_on_the_number_of_threads() {
    let with = |threads| {
        let report =
            exploration(y_and_z_are_not_after_the_third_x).schedules(10_000).seed(1).threads(threads).run();
        let failure = report.failure().expect("it is found");
        (report.schedules(), report.failed(), failure.to_string())
    };
    let alone = with(1);
    assert!(alone.0 > 8, "there is something to find for threads that are ahead");
    for threads in [2, 3, 8] {
        assert_eq!(with(threads), alone, "{threads} threads");
    }
}

#[test]
fn a_failure_tells_all_that_it_takes_to_see_it_again() {
    let report = exploration(a_cancel_finds_its_order).run();
    let failure = report.failure().expect("it is found");
    let text = report.to_string();
    for part in [
        "an assertion failed at 1ms: assertion `left == right` failed: the cancel overtook the order",
        "1 of ",
        "are enough",
        "request/a",
        "cargo test -p tavrida-testkit --test exploration -- --exact reports::a_test\n",
        "TAVRIDA_TRACE=html",
        "handler begins",
        "tavrida_testkit::replay(",
    ] {
        assert!(text.contains(part), "'{part}' is missing:\n{text}");
    }
    let (_, rest) = text.split_once("TAVRIDA_REPLAY='").expect("there is a line to replay it");
    let replay: Replay = rest.split('\'').next().expect("it is quoted").parse().expect("it can be read");
    let setup = Setup { seed: replay.seed, replay: Some(replay.schedule), ..Setup::new(0) };
    let again = setup.run(a_cancel_finds_its_order);
    assert_eq!(again.verdict, Verdict::Failed(Box::new(failure.problem.clone())));
    assert_eq!(again.trace.events(), failure.run.trace.events());
}

#[test]
#[should_panic(expected = "the cancel overtook the order")]
fn a_pasted_test_fails_as_long_as_the_bug_is_there() {
    let report = exploration(a_cancel_finds_its_order).run();
    let replay = report.failure().expect("it is found").replay().to_string();
    tavrida_testkit::replay(&replay, a_cancel_finds_its_order);
}

#[test]
#[should_panic(expected = "'soon' is no part of a schedule")]
fn a_replay_of_what_is_no_schedule_says_so() {
    tavrida_testkit::replay("seed:0x2a soon", a_cancel_finds_its_order);
}

#[test]
fn a_scenario_without_bugs_passes_all_schedules() {
    let report = exploration(mended::a_cancel_finds_its_order).schedules(300).run();
    report.assert_ok();
    assert_eq!((report.schedules(), report.failed(), report.found_after()), (300, 0, None));
    assert!(report.schedules_per_second() > 0.0);
    assert!(report.to_string().starts_with("300 schedules in "), "{report}");
}

#[test]
#[should_panic(expected = "the cancel overtook the order")]
fn a_report_with_a_failure_is_not_ok() {
    exploration(a_cancel_finds_its_order).run().assert_ok();
}

#[test]
fn the_default_schedule_comes_first() {
    let always = |_sim: Sim| async { Err(Failure::new("test.Always", "it always fails")) };
    let report = exploration(always).seed(7).run();
    let failure = report.failure().expect("it always fails");
    assert_eq!(report.found_after(), Some(1));
    assert_eq!(failure.origin, Origin::Search { before: 0, policy: Policy::Fifo });
    assert_eq!(failure.problem.kind, ProblemKind::Error);
    assert_eq!(failure.replay(), Replay::default());
    assert_eq!(failure.regression_test(), None, "a closure has no name");
    let text = failure.to_string();
    assert!(text.ends_with("it is the default schedule, with which every exploration begins\n"), "{text}");
}

#[test]
fn an_exploration_that_keeps_going_reports_each_kind_of_failure_once() {
    let two_bugs = |sim: Sim| async move {
        match sim.seed() % 4 {
            2 => Err(Failure::new("test.Two", "an error")),
            3 => panic!("a panic"),
            _ => Ok(()),
        }
    };
    let report = exploration(two_bugs).schedules(101).keep_going().run();
    assert_eq!((report.schedules(), report.failed()), (101, 50));
    let kinds: Vec<_> = report.failures().iter().map(|failure| failure.problem.kind.clone()).collect();
    assert_eq!(kinds, [ProblemKind::Error, ProblemKind::Assertion]);
    assert_eq!(report.found_after(), Some(3), "seed 2 is that of the third schedule");
}

#[test]
fn a_short_schedule_fails_in_the_same_line_as_the_long_one() {
    let report = exploration(three_arrive_in_order).keep_going().schedules(400).run();
    let of = |text: &str| {
        let mut failures = report.failures().iter().filter(|failure| failure.problem.text.starts_with(text));
        failures.next().unwrap_or_else(|| panic!("'{text}' was not found:\n{report}"))
    };
    assert_eq!(of("the first is late").schedule.len(), 1);
    assert_eq!(of("all is turned round").schedule.len(), 2);
}

#[test]
fn a_run_that_its_seed_does_not_steer_is_told_as_such() {
    let runs = Arc::new(AtomicU64::new(0));
    let scenario = {
        let runs = runs.clone();
        move |_sim: Sim| {
            let nth = runs.fetch_add(1, Ordering::Relaxed);
            async move { if nth == 5 { Err(Failure::new("test.Fifth", "the sixth run")) } else { Ok(()) } }
        }
    };
    let report = exploration(scenario).threads(1).run();
    let failure = report.failure().expect("the sixth run fails");
    assert_eq!(report.found_after(), Some(6));
    assert!(!failure.reproduced);
    assert!(failure.to_string().contains("IT DID NOT FAIL AGAIN"), "{failure}");
}

#[test]
fn what_takes_longer_than_the_horizon_is_stuck() {
    let waits = |sim: Sim| async move {
        sim.advance(Duration::from_secs(5)).await;
        Ok(())
    };
    exploration(waits).schedules(5).run().assert_ok();
    let report = exploration(waits).schedules(5).horizon(Duration::from_secs(4)).run();
    let failure = report.failure().expect("it waits for longer");
    assert_eq!((&failure.problem.kind, failure.at()), (&ProblemKind::Stuck, Duration::from_secs(4)));
}

#[test]
fn shrinking_ends_after_so_many_runs() {
    let within = |replays| {
        let report = exploration(y_is_not_after_the_third_x).schedules(1000).shrink_within(replays).run();
        report.failure().expect("it is found").clone()
    };
    let (one, all) = (within(1), within(2000));
    assert_eq!((one.replays, &one.schedule), (1, &one.found));
    assert!(all.replays > 5 && all.schedule.len() < one.schedule.len(), "{all}");
    assert_eq!(one.found, all.found);
}

#[test]
fn there_is_always_the_default_schedule() {
    let passes = |_sim: Sim| async { Ok(()) };
    assert_eq!(exploration(passes).schedules(0).run().schedules(), 1);
}

#[test]
fn a_budget_ends_the_search() {
    let passes = |_sim: Sim| async { Ok(()) };
    let report = exploration(passes).schedules(u64::MAX).budget(Duration::ZERO).run();
    assert_eq!(report.schedules(), 1, "the default schedule is always tried");
    let report = exploration(passes).schedules(u64::MAX).budget(Duration::from_millis(30)).run();
    assert!(report.elapsed() >= Duration::from_millis(30));
    report.assert_ok();
}

#[test]
fn progress_is_told() {
    let told = Arc::new(AtomicU64::new(0));
    let tell = {
        let told = told.clone();
        move |progress: &tavrida_testkit::explore::Progress| {
            assert!(progress.schedules <= progress.of);
            assert!(progress.to_string().contains(" of 50 schedules, "), "{progress}");
            told.fetch_add(1, Ordering::Relaxed);
        }
    };
    let passes = |_sim: Sim| async { Ok(()) };
    let quiet = exploration(passes).schedules(50).threads(1).on_progress(Duration::ZERO, tell).run();
    quiet.assert_ok();
    assert_eq!(told.load(Ordering::Relaxed), 49, "after each but the first");
}

/// Two deliveries that may come in either order, and one event that never happens.
async fn marked(sim: Sim) -> Result<(), Failure> {
    let order = Arc::new(std::sync::Mutex::new(Vec::new()));
    let service = |name: &'static str| {
        let order = order.clone();
        move || {
            let order = order.clone();
            tavrida::Service::new(name).rpc("work", move || {
                order.lock().expect("no panic in a handler").push(name);
                async {}
            })
        }
    };
    let graph = sim.graph().service(service("one")).service(service("two")).client("web").start().await;
    graph.client("web").to("one.work").cast().await?;
    graph.client("web").to("two.work").cast().await?;
    graph.settle().await;
    let came = order.lock().expect("no panic in a handler").clone();
    sim.sometimes("two before one", came == ["two", "one"]);
    sim.sometimes("three things came", came.len() == 3);
    Ok(())
}

#[test]
fn what_never_happened_in_a_green_exploration_is_told() {
    let report = exploration(marked).schedules(200).run();
    report.assert_ok();
    assert!(report.marks()["two before one"] > 0, "{:?}", report.marks());
    assert_eq!(report.marks()["three things came"], 0);
    let [note] = report.notes() else { panic!("{:?}", report.notes()) };
    assert!(note.contains("'three things came' was never so") && note.contains("200"), "{note}");
    assert!(report.to_string().contains(note));
}

#[test]
fn faults_are_counted_by_kind_and_site_and_told_if_none_happened() {
    let losses = Faults::none().with(Family::Redelivered, 0.1);
    let report = exploration(marked).schedules(100).faults(losses.clone()).run();
    report.assert_ok();
    assert!(report.faults()["redelivered at ack"] > 0, "{:?}", report.faults());
    assert!(report.to_string().contains("\nfaults: redelivered at ack "), "{report}");
    let silent = |_sim: Sim| async { Ok(()) };
    let report = exploration(silent).schedules(10).faults(losses).run();
    assert!(
        report.to_string().contains("note: no fault happened in 10 schedules, though there are "),
        "{report}"
    );
}

#[test]
fn a_scenario_that_ends_all_faults_before_it_begins_is_told() {
    async fn healed(sim: Sim) -> Result<(), Failure> {
        let echo = || tavrida::Service::new("echo").rpc("say", async || ());
        let graph = sim.graph().service(echo).client("web").start().await;
        graph.heal();
        graph.client("web").to("echo.say").ask().await?;
        Ok(())
    }
    let report = exploration(healed).schedules(10).run();
    let note = "`heal` was called before any message arrived, in 10 of 10 schedules";
    assert!(report.to_string().contains(note), "{report}");
}

/// Counts money twice when a message is redelivered.
async fn a_till_that_adds_up(sim: Sim) -> Result<(), Failure> {
    let effects = sim.clone();
    let till = move || {
        let effects = effects.clone();
        tavrida::Service::new("till").rpc("pay", move || {
            effects.effect("money", 5);
            async {}
        })
    };
    let graph = sim.graph().service(till).client("web").start().await;
    graph.client("web").to("till.pay").cast().await?;
    graph.settle().await;
    Ok(())
}

#[test]
fn a_handler_that_does_its_effect_twice_is_found_by_delivering_twice() {
    exploration(a_till_that_adds_up).schedules(20).run().assert_ok();
    let report = exploration(a_till_that_adds_up).schedules(20).delivering_twice().run();
    let failure = report.failure().expect("the money is counted twice");
    assert_eq!(failure.problem.kind, ProblemKind::Law(tavrida_testkit::laws::IDEMPOTENT.to_owned()));
    assert!(failure.problem.text.contains("till.pay"), "{failure}");
}

/// Tills that count money twice when a message is redelivered, if the second was paid before all others.
async fn tills_that_are_careful_in_their_order(sim: Sim) -> Result<(), Failure> {
    let (effects, came) = (sim.clone(), Arc::new(Mutex::new(Vec::new())));
    let till = |name: &'static str| {
        let (effects, came) = (effects.clone(), came.clone());
        move || {
            let (effects, came) = (effects.clone(), came.clone());
            tavrida::Service::new(name).rpc("pay", move || {
                let mut came = came.lock().expect("no panic in a handler");
                if !came.contains(&name) || came[0] == "second" {
                    effects.effect("money", name);
                }
                came.push(name);
                async {}
            })
        }
    };
    let tills = ["first", "second", "third", "fourth"];
    let graph = tills.into_iter().fold(sim.graph(), |graph, name| graph.service(till(name)));
    let graph = graph.client("web").start().await;
    for address in ["first.pay", "second.pay", "third.pay", "fourth.pay"] {
        graph.client("web").to(address).cast().await?;
    }
    graph.settle().await;
    Ok(())
}

#[test]
fn what_fails_when_all_is_delivered_twice_is_made_short_and_its_pasted_test_delivers_twice() {
    let report = exploration(tills_that_are_careful_in_their_order)
        .policy(Policy::Random)
        .schedules(200)
        .delivering_twice()
        .run();
    let failure = report.failure().expect("a payment counts twice");
    assert_eq!(failure.problem.kind, ProblemKind::Law(tavrida_testkit::laws::IDEMPOTENT.to_owned()));
    assert!(failure.reproduced && failure.found.len() > 1, "{failure}");
    assert_eq!(failure.schedule.len(), 1, "{failure}");
    let pasted = failure.regression_test().expect("the scenario has a name");
    assert!(pasted.contains(".delivering_twice()\n        .replay(schedule"), "{pasted}");
    let again =
        exploration(tills_that_are_careful_in_their_order).delivering_twice().replay(failure.replay());
    assert_eq!(
        again.run().failure().map(|failure| failure.problem.kind.clone()),
        Some(failure.problem.kind.clone())
    );
    exploration(tills_that_are_careful_in_their_order).replay(failure.replay()).run().assert_ok();
}

/// The runs of a scenario that depends on what earlier ones left.
static RUNS: AtomicU64 = AtomicU64::new(0);

#[test]
fn a_run_that_goes_two_ways_is_made_short_as_one_that_does() {
    let report = exploration(|sim: Sim| async move {
        let run = RUNS.fetch_add(1, Ordering::Relaxed);
        marked(sim.clone()).await?;
        sim.note(format!("run {run}"));
        Ok(())
    });
    let report = report.policy(Policy::Random).schedules(70).threads(1).run();
    let failure = report.failure().expect("each run has a number of its own");
    assert_eq!(failure.problem.kind, ProblemKind::Nondeterminism, "{failure}");
    assert!(failure.reproduced && !failure.found.is_empty() && failure.schedule.is_empty(), "{failure}");
    let text = failure.to_string();
    assert!(text.contains("no schedule replays such a run faithfully"), "{text}");
    let replayed = exploration(|sim: Sim| async move {
        sim.note(format!("run {}", RUNS.fetch_add(1, Ordering::Relaxed)));
        Ok(())
    });
    let replayed = replayed.replay(failure.replay()).run();
    assert_eq!(
        replayed.failure().map(|failure| failure.problem.kind.clone()),
        Some(ProblemKind::Nondeterminism)
    );
}
