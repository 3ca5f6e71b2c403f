//! What happens to a harness when its run has ended.

use std::sync::{Arc, OnceLock, Weak};

use tavrida::Service;

use super::Inner;
use crate::sim::{Setup, Sim, Verdict};

#[test]
fn a_run_that_is_over_leaves_nothing_in_memory() {
    let seen: Arc<OnceLock<Weak<Inner>>> = Arc::default();
    let noted = seen.clone();
    let finished = Setup::new(1).run(async move |sim: Sim| {
        noted.set(Arc::downgrade(&sim.harness.0)).expect("a scenario is played once");
        let echo = || Service::new("echo").rpc("say", async || ());
        let graph = sim.graph().service(echo).client("web").start().await;
        graph.client("web").to("echo.say").ask().await.expect("it answers");
    });
    assert_eq!(finished.verdict, Verdict::Passed);
    let harness = seen.get().expect("the scenario was played");
    assert!(
        harness.upgrade().is_none(),
        "{} handles to the world and its broker are left",
        harness.strong_count()
    );
}
