//! Programs on which the memory broker and RabbitMQ once differed.

use tavrida_testkit::rabbitmq;

use crate::random::show;
use crate::run::{Site, Watch};
use crate::text;

/// Runs a program on both sides.
async fn agree(name: &str, program: &str) {
    let node = rabbitmq::shared().await.expect("RabbitMQ is installed and starts");
    let site = Site::new(node, format!("regression-{name}")).await;
    let divergence = site.run(&text::parse(program), Watch::EachStep).await.divergence;
    assert!(divergence.is_none(), "{}", divergence.as_ref().map(show).unwrap_or_default());
}

macro_rules! regression {
    ($(#[$doc:meta])* $name:ident, $program:literal) => {
        $(#[$doc])*
        #[tokio::test]
        async fn $name() {
            agree(stringify!($name), $program).await;
        }
    };
}

regression!(
    /// R108: the settled delivery no longer counts when the requeued message looks for a consumer.
    requeue_under_a_shared_limit,
    r#"
    1.2 queue.declare queue=q2
    2.2 basic.consume queue=q2 consumer_tag=a
    1.2 basic.consume queue=q2 consumer_tag=z arguments={x-priority=I:5}
    2.2 basic.publish routing_key=q2 mandatory body=m4
    1.2 basic.qos prefetch_count=1 global
    1.2 basic.nack @0 requeue
    "#
);

regression!(
    /// R66: Erlang breaks the line before the 80th column.
    long_reasons_are_broken_into_lines,
    r#"
    1.2 basic.publish routing_key=q1 expiration=99999999999999999999
    1.2 basic.publish routing_key=q1 expiration=+9999999999999999999
    1.2 basic.publish routing_key=q1 expiration=9999999999999999999
    1.2 basic.publish routing_key=q1 expiration=999999999999999999
    1.2 basic.publish routing_key=q1 expiration=+0000000000000315360000001
    1.2 basic.publish routing_key=q1 expiration=-0000000000000315360000001
    1.2 basic.publish routing_key=q1 expiration=5abcdefghijklmnopqr
    1.2 basic.publish routing_key=q1 expiration=5abcdefghijklmnopqrst
    "#
);
