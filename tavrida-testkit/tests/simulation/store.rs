//! The store: a database whose operations others come between, and that outlives processes.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tavrida::Service;
use tavrida::message::Failure;
use tavrida_testkit::exhaustive::{Ending, exhaustive};
use tavrida_testkit::explore;
use tavrida_testkit::fault::{Fault, Site};
use tavrida_testkit::problem::ProblemKind;
use tavrida_testkit::sim::{Setup, Sim, Store, Verdict};

/// A service that counts its calls in a store, in this way.
fn counter<F: Future<Output = Result<(), Failure>> + Send + 'static>(
    name: &'static str,
    store: &Store<i64>,
    count: fn(Store<i64>) -> F,
) -> impl Fn() -> Service + Send + Sync + use<F> {
    let store = store.clone();
    move || {
        let store = store.clone();
        Service::new(name).rpc("count", move || count(store.clone()))
    }
}

async fn by_two_operations(store: Store<i64>) -> Result<(), Failure> {
    let calls = store.get("calls").await.unwrap_or_default();
    store.put("calls", calls + 1).await;
    Ok(())
}

async fn by_an_update(store: Store<i64>) -> Result<(), Failure> {
    store.update("calls", |calls| *calls.get_or_insert(0) += 1).await;
    Ok(())
}

async fn by_transactions(store: Store<i64>) -> Result<(), Failure> {
    loop {
        let mut transaction = store.begin().await;
        let calls = transaction.get("calls").await.unwrap_or_default();
        transaction.put("calls", calls + 1);
        match transaction.commit().await {
            Ok(()) => return Ok(()),
            Err(conflict) => assert_eq!(conflict.to_string(), "another transaction has changed 'calls'"),
        }
    }
}

async fn called_twice<F: Future<Output = Result<(), Failure>> + Send + 'static>(
    sim: Sim,
    count: fn(Store<i64>) -> F,
) -> Result<(), Failure> {
    let store = sim.store("calls");
    let graph = sim.graph().service(counter("desk", &store, count)).client("web").start().await;
    for _ in 0..2 {
        graph.client("web").to("desk.count").cast().await?;
    }
    graph.settle().await;
    assert_eq!(store.rows().get("calls"), Some(&2));
    Ok(())
}

#[test]
fn a_read_and_a_write_are_two_operations() {
    let report =
        explore(|sim| called_twice(sim, by_two_operations)).schedules(1000).without_environment().run();
    let failure = report.failure().expect("an update is lost");
    assert_eq!(failure.problem.kind, ProblemKind::Assertion);
    assert_eq!(exhaustive(|sim| called_twice(sim, by_two_operations)).run().ending, Ending::Failed);
}

#[test]
fn an_update_and_a_transaction_are_one() {
    explore(|sim| called_twice(sim, by_an_update)).schedules(300).without_environment().run().assert_ok();
    explore(|sim| called_twice(sim, by_transactions)).schedules(300).without_environment().run().assert_ok();
    exhaustive(|sim| called_twice(sim, by_an_update)).run().assert_ok();
    exhaustive(|sim| called_twice(sim, by_transactions)).run().assert_ok();
}

#[test]
fn a_transaction_that_only_reads_saw_one_moment() {
    let finished = Setup::new(1).run(async |sim: Sim| {
        let store = sim.store("rates");
        store.put("chf", 1).await;
        let mut reads = store.begin().await;
        store.update("chf", |rate| *rate = store.rows().get("chf").map(|rate| rate + 1)).await;
        assert_eq!(reads.get("chf").await, Some(1));
        assert_eq!(reads.commit().await, Ok(()));
        let mut writes = store.begin().await;
        store.put("chf", 3).await;
        assert_eq!(writes.get("chf").await, Some(2));
        writes.put("eur", 2);
        assert_eq!(writes.commit().await.map_err(|conflict| conflict.key), Err("chf".to_owned()));
        assert!(!store.rows().contains_key("eur"));
    });
    assert_eq!(finished.verdict, Verdict::Passed);
}

/// Two services write to one store, or each to its own.
async fn two_desks(sim: Sim, shared: bool) -> Result<(), Failure> {
    let one = sim.store("one");
    let two = if shared { one.clone() } else { sim.store("two") };
    let graph = sim.graph().service(counter("left", &one, by_an_update)).client("web");
    let graph = graph.service(counter("right", &two, by_an_update)).start().await;
    graph.client("web").to("left.count").cast().await?;
    graph.client("web").to("right.count").cast().await?;
    graph.settle().await;
    Ok(())
}

#[test]
fn only_operations_on_one_store_are_tried_in_each_order() {
    let [shared, separate] = [true, false].map(|shared| exhaustive(|sim| two_desks(sim, shared)).run());
    assert_eq!((shared.ending, separate.ending), (Ending::Complete, Ending::Complete));
    assert!(shared.schedules > 1, "{shared}");
    assert_eq!(separate.schedules, 1, "{separate}");
}

#[test]
fn a_process_dies_before_a_write_and_after_it() {
    let seen: Mutex<BTreeSet<Option<i64>>> = Mutex::default();
    let killed_once = async |sim: Sim| {
        let store = sim.store("calls");
        let (found, of_desk) = (Arc::new(Mutex::new(Vec::new())), store.clone());
        let desk = {
            let found = found.clone();
            move || {
                let (found, store) = (found.clone(), of_desk.clone());
                Service::new("desk").rpc("count", move || {
                    let (found, store) = (found.clone(), store.clone());
                    async move {
                        found.lock().unwrap().push(store.rows().get("calls").copied());
                        store.insert("calls", 1).await;
                    }
                })
            }
        };
        let graph = sim.graph().service(desk).client("web").start().await;
        graph.client("web").to("desk.count").cast().await?;
        graph.settle().await;
        assert_eq!(store.rows().get("calls"), Some(&1));
        seen.lock().unwrap().extend(found.lock().unwrap().iter().skip(1));
        Ok::<(), Failure>(())
    };
    exhaustive(killed_once).fault(Site::Wait, Fault::Crash(Duration::from_millis(1))).run().assert_ok();
    assert_eq!(seen.into_inner().unwrap(), BTreeSet::from([None, Some(1)]), "what the second handling finds");
}

#[test]
fn an_operation_takes_its_time_and_is_an_event() {
    let finished = Setup::new(1).run(async |sim: Sim| {
        let store = sim.store("rates").taking(Duration::from_millis(5));
        store.put("chf", 1).await;
        assert!(!store.insert("chf", 2).await, "it is there");
        assert_eq!(store.remove("chf").await, Some(1));
        assert_eq!(store.get("chf").await, None);
        let mut unread = store.begin().await;
        unread.put("eur", 3);
        assert_eq!(unread.get("eur").await, Some(3));
        drop(unread);
        assert!(store.rows().is_empty(), "it was not committed");
    });
    assert_eq!(finished.verdict, Verdict::Passed);
    let text = finished.trace.text();
    assert!(text.contains("rates: chf written"), "{text}");
    let end = finished.trace.events().last().map(|event| event.at);
    assert_eq!(end, Some(Duration::from_millis(15)), "after three writes");
}
