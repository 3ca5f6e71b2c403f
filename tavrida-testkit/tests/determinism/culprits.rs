//! Handlers that break determinism, each reported by name.

use std::time::Duration;

use tavrida::Service;
use tavrida::message::Failure;
use tavrida_testkit::problem::{Problem, ProblemKind};
use tavrida_testkit::sim::{Setup, Sim, Verdict};

/// A service with one handler that does something forbidden.
fn culprit<Fut>(act: impl Fn() -> Fut + Copy + Send + Sync + 'static) -> Service
where
    Fut: Future<Output = ()> + Send + 'static,
{
    Service::new("culprit").rpc("act", move || async move {
        act().await;
        Ok::<(), Failure>(())
    })
}

/// Returns the problem of a run in which the handler runs once.
fn problem_of<Fut>(act: impl Fn() -> Fut + Copy + Send + Sync + 'static) -> Problem
where
    Fut: Future<Output = ()> + Send + 'static,
{
    let finished = Setup::new(1).run(|sim: Sim| async move {
        let graph = sim.graph().service(move || culprit(act)).client("web").start().await;
        graph.client("web").to("culprit.act").ask().await.map(drop)
    });
    match finished.verdict {
        Verdict::Failed(problem) => *problem,
        Verdict::Passed => panic!("nothing was told of it"),
    }
}

#[track_caller]
fn assert_told(problem: &Problem, kind: &ProblemKind, words: &[&str]) {
    assert_eq!(problem.kind, *kind, "{problem}");
    for words in words {
        assert!(problem.text.contains(words), "'{words}' is not in: {problem}");
    }
}

#[test]
fn a_handler_that_a_blocking_pool_wakes_is_told() {
    for _ in 0..20 {
        let problem = problem_of(|| async {
            let (begin, begun) = std::sync::mpsc::channel();
            #[expect(clippy::disallowed_methods, reason = "it is the culprit")]
            let mut work = tokio::task::spawn_blocking(move || begun.recv().expect("the handler waits"));
            tokio::select! {
                biased;
                _ = &mut work => panic!("it has not begun"),
                () = std::future::ready(()) => begin.send(()).expect("the work waits"),
            }
            work.await.expect("it does not panic");
        });
        let words = ["the handler of request culprit.act in 'culprit'", "woken by another thread"];
        assert_told(&problem, &ProblemKind::Nondeterminism, &words);
    }
}

#[test]
fn a_blocking_pool_is_told_even_where_it_wakes_nobody() {
    for _ in 0..20 {
        let problem = problem_of(|| async {
            #[expect(clippy::disallowed_methods, reason = "it is the culprit")]
            drop(tokio::task::spawn_blocking(|| ()));
        });
        assert_told(&problem, &ProblemKind::Nondeterminism, &["a thread of tokio's pool was started"]);
    }
}

#[test]
fn a_failure_that_may_come_of_a_blocking_pool_says_so() {
    let problem = problem_of(|| async {
        #[expect(clippy::disallowed_methods, reason = "it is the culprit")]
        drop(tokio::task::spawn_blocking(|| ()));
        panic!("the goods are gone");
    });
    assert_told(
        &problem,
        &ProblemKind::Error,
        &["the goods are gone", "a thread of tokio's pool was started"],
    );
}

#[test]
fn a_handler_that_a_thread_of_its_own_wakes_is_told() {
    let problem = problem_of(|| async {
        let (tell, mut told) = tokio::sync::oneshot::channel();
        // Polled once before the thread begins: a result that is already there wakes nothing.
        tokio::select! {
            biased;
            _ = &mut told => panic!("the thread has not begun"),
            () = std::future::ready(()) => {}
        }
        let thread = std::thread::spawn(move || tell.send(()).expect("the handler waits"));
        // Otherwise virtual time would not wait for the thread, and the handler's deadline would pass.
        thread.join().expect("it does not panic");
        told.await.expect("the thread tells");
    });
    assert_told(&problem, &ProblemKind::Nondeterminism, &["'culprit'", "woken by another thread"]);
}

/// Real work: its task waits by the time that it ends, and is woken.
fn slow() {
    #[expect(clippy::disallowed_methods, reason = "it is the culprit")]
    std::thread::sleep(Duration::from_millis(20));
}

#[test]
fn a_handler_whose_task_another_thread_wakes_is_told() {
    for _ in 0..5 {
        let problem = problem_of(|| async {
            let task = tokio::spawn(async {
                #[expect(clippy::disallowed_methods, reason = "it is the culprit")]
                tokio::task::spawn_blocking(slow).await.expect("it does not panic");
            });
            task.await.expect("it does not panic");
        });
        let words = ["the handler of request culprit.act", "no message arrived and no time passed"];
        assert_told(&problem, &ProblemKind::Nondeterminism, &words);
    }
}

#[test]
fn a_scenario_that_another_thread_wakes_is_told() {
    let finished = Setup::new(1).run(|_: Sim| async {
        #[expect(clippy::disallowed_methods, reason = "it is the culprit")]
        tokio::task::spawn_blocking(slow).await.expect("it does not panic");
    });
    let Verdict::Failed(problem) = finished.verdict else { panic!("nothing was told of it") };
    assert_told(&problem, &ProblemKind::Nondeterminism, &["the scenario was woken by another thread"]);
}

#[test]
fn a_handler_that_never_waits_ends_the_run() {
    let problem = problem_of(|| async {
        loop {
            tokio::task::yield_now().await;
        }
    });
    let words = ["the handler of request culprit.act in 'culprit' never waits", "yield_now"];
    assert_told(&problem, &ProblemKind::Stuck, &words);
}

#[test]
fn a_handler_that_never_waits_ends_a_run_whose_scenario_is_done_as_well() {
    let finished = Setup::new(1).run(|sim: Sim| async move {
        let spin = || async {
            loop {
                tokio::task::yield_now().await;
            }
        };
        let graph = sim.graph().service(move || culprit(spin)).client("web").start().await;
        graph.client("web").to("culprit.act").cast().await.map(drop)
    });
    let Verdict::Failed(problem) = finished.verdict else { panic!("nothing was told of it") };
    assert_told(&problem, &ProblemKind::Stuck, &["the handler of request culprit.act"]);
}

#[test]
fn a_scenario_that_never_waits_ends_the_run() {
    let finished = Setup::new(1).run(|_: Sim| async {
        while !std::hint::black_box(false) {
            tokio::task::yield_now().await;
        }
    });
    let Verdict::Failed(problem) = finished.verdict else { panic!("nothing was told of it") };
    assert_told(&problem, &ProblemKind::Stuck, &["the scenario never waits"]);
}

#[test]
fn a_run_inside_of_a_runtime_is_refused() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let inside = runtime
        .block_on(async { std::panic::catch_unwind(|| Setup::new(1).run(|_: Sim| std::future::ready(()))) });
    let panic = inside.expect_err("it ran inside of a runtime");
    let text = panic.downcast_ref::<&str>().expect("a text");
    assert!(text.contains("without `#[tokio::test]`"), "{text}");
}

#[test]
fn who_draws_many_messages_at_once_does_not_spin() {
    let finished = Setup::new(1).run(|sim: Sim| async move {
        let drain = || async {
            let (send, mut receive) = tokio::sync::mpsc::unbounded_channel();
            (0..1_000_000).for_each(|number| send.send(number).expect("it is open"));
            drop(send);
            let mut sum: u64 = 0;
            while let Some(number) = receive.recv().await {
                sum += number;
            }
            assert_eq!(sum, 499_999_500_000);
        };
        let graph = sim.graph().service(move || culprit(drain)).client("web").start().await;
        graph.client("web").to("culprit.act").ask().timeout(Duration::from_secs(5)).await.map(drop)
    });
    assert_eq!(finished.verdict, Verdict::Passed);
}
