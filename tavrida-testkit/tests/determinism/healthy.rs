//! Handlers that wait in all permitted ways in a simulation: nothing is reported about them.

use std::sync::Arc;
use std::time::Duration;

use tavrida::handler::params;
use tavrida::message::Failure;
use tavrida::{Proxy, Service};
use tavrida_testkit::fault::{At, Fault};
use tavrida_testkit::schedule::Policy;
use tavrida_testkit::sim::{Setup, Sim, Verdict};

use tokio::sync::{Mutex, Notify, Semaphore, mpsc, oneshot};
use tokio::task::JoinSet;

use crate::chain::three_requests;

/// Waits for timers, tasks, channels, locks and answers.
fn busy() -> Service {
    async fn work(proxy: Proxy, number: i64) -> Result<(), Failure> {
        let (gate, lock) = (Arc::new(Notify::new()), Arc::new(Mutex::new(0)));
        let permits = Arc::new(Semaphore::new(2));
        let (send, mut receive) = mpsc::channel(1);
        let (tell, told) = oneshot::channel();
        let mut tasks = JoinSet::new();
        for nth in 0..4 {
            let (gate, lock, permits, send) = (gate.clone(), lock.clone(), permits.clone(), send.clone());
            tasks.spawn(async move {
                let _permit = permits.acquire().await.expect("it stays open");
                gate.notified().await;
                tokio::time::sleep(Duration::from_micros(700 * nth)).await;
                *lock.lock().await += nth;
                send.send(nth).await.expect("it is received");
            });
        }
        drop(send);
        tasks.spawn(async move {
            for _ in 0..4 {
                tokio::task::yield_now().await;
                gate.notify_one();
                tokio::time::sleep(Duration::from_millis(number as u64 % 3)).await;
            }
            tell.send(()).expect("it is received");
        });
        let slow = async {
            tokio::time::sleep(Duration::from_secs(1)).await;
            proxy.to("rest.pause").param("number", number).ask().timeout(Duration::from_secs(60)).await
        };
        let in_vain = tokio::time::timeout(Duration::from_millis(5), std::future::pending::<()>());
        let received = async { while receive.recv().await.is_some() {} };
        let (answer, _, (), told) = tokio::join!(slow, in_vain, received, told);
        answer?;
        told.expect("it is told");
        while tasks.join_next().await.is_some() {}
        assert_eq!(*lock.lock().await, 6);
        Ok(())
    }
    Service::new("busy").rpc("work", params(["number"], work))
}

/// Fails at times, and is slow.
fn rest() -> Service {
    async fn pause(number: i64) -> Result<(), Failure> {
        let mut ticks = tokio::time::interval(Duration::from_millis(10));
        for _ in 0..number {
            ticks.tick().await;
        }
        Ok(())
    }
    Service::new("rest").rpc("pause", params(["number"], pause))
}

pub(crate) async fn scenario(sim: Sim) -> Result<(), Failure> {
    let graph = sim.graph().service(busy).service(rest).replicas("rest", 2).client("web").start().await;
    let draw = sim.random().draw();
    let trouble = [
        (At::before_ack("rest.pause").nth(2), Fault::ConnectionLost),
        (At::delivery("rest.pause"), Fault::Partition(Duration::from_secs(3))),
        (At::in_handler("rest.pause"), Fault::Crash(Duration::from_secs(2))),
    ];
    // One run in four has no fault.
    if let Some((at, fault)) = trouble.into_iter().nth((draw % 4) as usize) {
        sim.fault(at.optional(), fault);
    }
    let web = graph.client("web");
    for number in 0..3 {
        web.to("busy.work").param("number", number).cast().await?;
        if draw & 16 == 0 {
            sim.advance(Duration::from_millis(draw % 7)).await;
        }
    }
    graph.settle().await;
    web.to("busy.work").param("number", 7).cast().await?;
    Ok(())
}

#[test]
fn nothing_is_told_of_handlers_that_keep_to_the_runtime() {
    for seed in 0..500 {
        let finished = Setup { policy: Policy::Random, ..Setup::new(seed) }.run(scenario);
        assert_eq!(finished.verdict, Verdict::Passed, "seed {seed}");
        let finished = Setup { policy: Policy::Random, ..Setup::new(seed) }.run(three_requests);
        assert_eq!(finished.verdict, Verdict::Passed, "seed {seed}");
    }
}
