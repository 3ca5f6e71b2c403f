//! The conformance suite notices what is wrong: each mutant of the memory transport breaks one promise, and the suite
//! names it.

mod consumer;
mod table;
mod twist;
mod wrapper;

use std::future::ready;
use std::sync::{Arc, Mutex};

use tavrida_memory::MemoryBroker;
use tavrida_testkit::conformance::{Report, Suite};

use crate::table::{Mutant, mutants};
use crate::twist::Twist;
use crate::wrapper::Twisted;

async fn put_through(twist: Twist, room: Option<&str>) -> Report {
    let broker = MemoryBroker::new();
    let (breaker, alarm) = (broker.clone(), broker.clone());
    let twisted = Twisted { inner: Arc::new(broker.transport()), twist, only: Mutex::default() };
    let suite = Suite::new(Arc::new(twisted))
        .with_breaker(move || {
            breaker.close_sessions("an operator did it");
            ready(())
        })
        .with_alarm(move |raised| {
            if raised {
                alarm.block("low on memory")
            } else {
                alarm.unblock()
            }
            ready(())
        });
    match room {
        Some(room) => suite.only(room).run().await,
        None => suite.run().await,
    }
}

#[tokio::test(start_paused = true)]
async fn a_wrapper_without_a_twist_keeps_every_promise() {
    put_through(Twist::NONE, None).await.assert_ok();
}

#[tokio::test(start_paused = true)]
async fn every_mutant_is_caught_by_the_promise_that_it_breaks() {
    let mut escaped = Vec::new();
    for mutant in mutants() {
        let report = put_through(mutant.twist, Some(mutant.room)).await;
        let broken: Vec<_> = report.broken().map(|finding| finding.promise).collect();
        if !broken.iter().any(|promise| promise.contains(mutant.promise)) {
            let Mutant { fault, room, promise, .. } = mutant;
            escaped.push(format!("{fault}: '{room}: {promise}' was kept; broken were {broken:?}"));
        }
    }
    assert!(escaped.is_empty(), "{}", escaped.join("\n"));
}
