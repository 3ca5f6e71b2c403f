//! Runs the conformance suite on this transport.

use std::sync::Arc;
use std::time::Duration;

use tavrida_amqp::{AmqpConfig, AmqpTransport};
use tavrida_conformance::Suite;
use tavrida_rabbitmq::Node;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_keeps_every_promise_of_a_transport() {
    // Three minutes between two rounds of dead letters are too long for a test.
    let rounds = Duration::from_millis(300);
    let variable = "dead_letter_worker_publisher_confirm_timeout";
    let node = Arc::new(Node::builder().variable(variable, rounds.as_millis()).start().await.unwrap());
    let breaker = {
        let node = node.clone();
        move || {
            let node = node.clone();
            async move { node.close_all_connections("the suite asked for it").await.unwrap() }
        }
    };
    let alarm = {
        let node = node.clone();
        move |raised| {
            let node = node.clone();
            async move { node.set_memory_watermark(if raised { 0.0 } else { 0.4 }).await.unwrap() }
        }
    };
    // Small buffers, because the suite opens hundreds of sessions; its largest headers fit.
    let config = AmqpConfig::from_uri(&node.uri()).unwrap().frame_max(32_768);
    // What ends a connection ends all sessions on it: the suite promises more of sessions that do not share one.
    let transport = Arc::new(AmqpTransport::new(config).unshared());
    let suite = Suite::new(transport).with_breaker(breaker).with_alarm(alarm);
    let suite = suite.dead_letters_anew_within(rounds);
    let report = suite.run().await;
    tavrida_rabbitmq::say(report.summary());
    report.assert_ok();
}
