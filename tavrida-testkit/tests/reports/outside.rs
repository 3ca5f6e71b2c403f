//! Handlers that leave the simulation: reports name what they do.

use std::future::Future;

use tavrida::Service;
use tavrida::message::Failure;
use tavrida_testkit::sim::{Setup, Sim, Verdict};

/// Returns why a run fails whose only handler does this.
fn problem<F, Fut>(handler: F) -> String
where
    F: Fn() -> Fut + Clone + Send + Sync + 'static,
    Fut: Future<Output = ()> + Send + 'static,
{
    let finished = Setup::new(1).run(async move |sim: Sim| {
        let service = move || Service::new("work").rpc("act", handler.clone());
        let graph = sim.graph().service(service).client("web").start().await;
        graph.client("web").to("work.act").ask().await?;
        Ok::<(), Failure>(())
    });
    match finished.verdict {
        Verdict::Failed(problem) => problem.to_string(),
        Verdict::Passed => panic!("it passes"),
    }
}

#[test]
fn blocking_in_place_is_named() {
    let text = problem(|| async { tokio::task::block_in_place(|| ()) });
    assert!(text.contains("`block_in_place` was called") && text.contains("stand-in"), "{text}");
}

#[test]
fn a_nested_runtime_is_named() {
    let text = problem(|| async {
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        runtime.block_on(async {});
    });
    assert!(text.contains("A runtime was started or blocked on inside of a handler"), "{text}");
}
