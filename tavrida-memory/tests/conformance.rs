//! Runs the conformance suite on this transport, in virtual time.

use std::future::ready;
use std::sync::Arc;
use std::time::Duration;

use tavrida_conformance::Suite;
use tavrida_memory::{MemoryBroker, RabbitMq};

#[tokio::test(start_paused = true)]
async fn like_rabbitmq_3_10_it_keeps_every_promise() {
    keeps_every_promise(RabbitMq::V3_10, (3, 10)).await;
}

#[tokio::test(start_paused = true)]
async fn like_rabbitmq_4_0_it_keeps_every_promise() {
    keeps_every_promise(RabbitMq::V4_0, (4, 0)).await;
}

async fn keeps_every_promise(version: RabbitMq, number: (u16, u16)) {
    let broker = MemoryBroker::builder().like(version).frame_max(131_072).build();
    let (breaker, alarm) = (broker.clone(), broker.clone());
    let suite = Suite::new(Arc::new(broker.transport()))
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
        .like(number);
    suite.run().await.assert_ok();
}
