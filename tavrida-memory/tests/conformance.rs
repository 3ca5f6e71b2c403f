//! Runs the conformance suite on this transport, in virtual time.

use std::future::ready;
use std::sync::Arc;
use std::time::Duration;

use tavrida_conformance::Suite;
use tavrida_memory::MemoryBroker;

#[tokio::test(start_paused = true)]
async fn the_memory_transport_keeps_every_promise() {
    let broker = MemoryBroker::builder().frame_max(131_072).build();
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
        .like((3, 10));
    suite.run().await.assert_ok();
}
