//! The conformance suite detects faults, and only those: each mutant of the memory transport breaks one promise, which the suite names; and
//! a broker without a capability keeps all promises except those that need it.

mod consumer;
mod table;
mod twist;
mod unable;
mod wrapper;

use std::future::ready;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tavrida_memory::{MemoryBroker, RabbitMq};
use tavrida_testkit::conformance::{Capability, Suite};

use crate::table::{Mutant, mutants};
use crate::twist::Twist;
use crate::unable::unable;
use crate::wrapper::Twisted;

fn suite(twist: Twist) -> Suite {
    let broker = MemoryBroker::builder().like(RabbitMq::V4_0).frame_max(131_072).build();
    let (breaker, alarm) = (broker.clone(), broker.clone());
    let twisted = Twisted { inner: Arc::new(broker.transport()), twist, only: Mutex::default() };
    Suite::new(Arc::new(twisted))
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
        })
        .dead_letters_anew_within(Duration::from_secs(3 * 60))
}

#[tokio::test(start_paused = true)]
async fn a_wrapper_without_a_twist_keeps_every_promise() {
    suite(Twist::NONE).run().await.assert_ok();
}

#[tokio::test(start_paused = true)]
async fn runs_with_names_of_their_own_share_a_broker() {
    let broker = MemoryBroker::builder().like(RabbitMq::V4_0).frame_max(131_072).build();
    let run = |prefix| Suite::new(Arc::new(broker.transport())).prefix(prefix).run();
    let (one, other) = tokio::join!(run("one"), run("other"));
    one.assert_ok();
    other.assert_ok();
}

#[tokio::test(start_paused = true)]
async fn every_mutant_is_caught_by_the_promise_that_it_breaks() {
    let mut escaped = Vec::new();
    for mutant in mutants() {
        let report = suite(mutant.twist).only(mutant.room).run().await;
        let broken: Vec<_> = report.broken().map(|finding| finding.promise).collect();
        if !broken.iter().any(|promise| promise.contains(mutant.promise)) {
            let Mutant { fault, room, promise, .. } = mutant;
            escaped.push(format!("{fault}: '{room}: {promise}' was kept; broken were {broken:?}"));
        }
    }
    assert!(escaped.is_empty(), "{}", escaped.join("\n"));
}

#[tokio::test(start_paused = true)]
async fn a_broker_that_cannot_do_one_thing_keeps_all_other_promises() {
    let mut broken = Vec::new();
    for capability in Capability::ALL {
        let report = suite(unable(capability)).without(capability).run().await;
        broken.extend(report.broken().map(|finding| format!("without {capability}: {finding}")));
        let reason = format!("without {capability}");
        assert!(report.summary().contains(&reason), "no promise needs {capability}");
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}
