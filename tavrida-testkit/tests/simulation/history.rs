//! Histories of calls, checked against a sequential model.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use tavrida::Service;
use tavrida::contract::{NoError, Rpc};
use tavrida::message::Failure;
use tavrida_testkit::problem::ProblemKind;
use tavrida_testkit::sim::{Setup, Sim, Verdict};

#[derive(Debug, Serialize, Deserialize)]
struct Put {
    value: u64,
}

#[derive(Debug, Serialize, Deserialize)]
struct Get {}

#[derive(Debug, Serialize, Deserialize)]
struct Got {
    value: u64,
}

impl Rpc for Put {
    const ENTRY_POINT: &'static str = "register.put";
    type Reply = ();
    type Error = NoError;
}

impl Rpc for Get {
    const ENTRY_POINT: &'static str = "register.get";
    type Reply = Got;
    type Error = NoError;
}

/// A register that answers a write before it is done, after this time.
fn register(late: Duration) -> impl Fn() -> Service + Send + Sync {
    let value = Arc::new(Mutex::new(0));
    move || {
        let (read, written) = (value.clone(), value.clone());
        let put = move |put: Put| {
            let value = written.clone();
            async move {
                let write = async move {
                    tokio::time::sleep(late).await;
                    *value.lock() = put.value;
                };
                if late.is_zero() { write.await } else { drop(tavrida::task::spawn(write)) }
            }
        };
        let get = move |_: Get| {
            let value = *read.lock();
            async move { Got { value } }
        };
        Service::new("register").handle(put).handle(get)
    }
}

fn put(value: &mut u64, put: Put) {
    *value = put.value;
}

fn get(value: &mut u64, _: Get) -> Got {
    Got { value: *value }
}

/// Writes, and reads when the answer has come.
async fn written_and_read(sim: Sim, late: Duration) -> Result<(), Failure> {
    let graph = sim.graph().service(register(late)).client("web").start().await;
    let web = graph.client("web");
    web.ask(Put { value: 5 }).await?;
    web.ask(Get {}).await?;
    let run = graph.settle().await;
    run.history().of(put).of(get).assert_linearizable(0);
    Ok(())
}

#[test]
fn a_read_sees_what_was_answered_before_it() {
    let finished = Setup::new(1).run(|sim| written_and_read(sim, Duration::ZERO));
    assert_eq!(finished.verdict, Verdict::Passed);
    let finished = Setup::new(1).run(|sim| written_and_read(sim, Duration::from_secs(1)));
    let Verdict::Failed(problem) = finished.verdict else { panic!("it reads what was before") };
    assert_eq!(problem.kind, ProblemKind::Assertion);
    let told: Vec<&str> = problem.text.lines().collect();
    assert_eq!(told[0], "not linearizable: no order of these calls gives their answers", "{problem}");
    assert!(told[1].contains("register.put") && told[1].contains(r#"{"value":5}"#), "{problem}");
    assert!(told[4].contains("register.get") && told[4].contains(r#"{"value":0}"#), "{problem}");
}

/// Casts a write, and reads; the write is in the history or not.
async fn cast_and_read(sim: Sim, known: bool) -> Result<(), Failure> {
    let graph = sim.graph().service(register(Duration::ZERO)).client("web").start().await;
    let web = graph.client("web");
    web.cast(Put { value: 5 }).await?;
    let run = graph.settle().await;
    run.history().of(put).of(get).assert_linearizable(0);
    web.ask(Get {}).await?;
    let run = graph.settle().await;
    let history = run.history().of(get);
    if known { history.of(put) } else { history }.assert_linearizable(0);
    Ok(())
}

#[test]
fn a_call_without_an_answer_has_an_effect_or_none() {
    assert_eq!(Setup::new(1).run(|sim| cast_and_read(sim, true)).verdict, Verdict::Passed);
    let finished = Setup::new(1).run(|sim| cast_and_read(sim, false));
    assert!(matches!(finished.verdict, Verdict::Failed(_)), "nobody has written 5");
}

#[test]
fn calls_at_once_that_nothing_explains_are_tried_as_sets() {
    let finished = Setup::new(1).run(async |sim: Sim| {
        let graph = sim.graph().service(register(Duration::ZERO)).client("web").start().await;
        let web = graph.client("web");
        let puts = (0..12).map(|_| async { web.ask(Put { value: 5 }).await.map(drop) });
        futures_util::future::try_join_all(puts).await?;
        web.ask(Get {}).await?;
        let run = graph.settle().await;
        // A model that forgets.
        run.history().of(|_: &mut u64, _: Put| ()).of(get).assert_linearizable(0);
        Ok::<(), Failure>(())
    });
    assert!(
        matches!(finished.verdict, Verdict::Failed(_)),
        "12 writes have 479,001,600 orders, and 4,096 sets"
    );
}
