//! Programs on which the memory broker and RabbitMQ once differed.

use crate::random::show;
use crate::run::{Site, Watch};
use crate::text;

/// Runs a program on both sides.
async fn agree(name: &str, program: &str) {
    let node = tavrida_rabbitmq::shared().await.expect("RabbitMQ is installed and starts");
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
    /// R108: the settled delivery no longer counts when the requeued message needs a consumer.
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
    /// R117: through the default exchange a publish waits with its key, not with its queue.
    a_queue_that_comes_before_the_commit,
    r#"
    modes tx confirm confirm confirm
    1.1 basic.publish routing_key=q0 mandatory body=m5
    1.1 basic.publish routing_key=q1 mandatory body=m6
    1.2 queue.declare queue=q0
    1.1 tx.commit
    "#
);

regression!(
    /// R54: quorum queues have other arguments that must be equal.
    equal_arguments_of_quorum_queues,
    r#"
    1.2 queue.declare queue=q2 durable arguments={x-queue-type=S:"quorum"}
    1.2 queue.declare queue=q2 durable arguments={x-queue-type=S:"quorum", x-delivery-limit=I:1}
    1.2 queue.declare queue=q2 durable arguments={x-queue-type=S:"quorum", x-max-in-memory-length=I:1}
    1.2 queue.declare queue=q2 durable arguments={x-queue-type=S:"quorum", x-unknown=I:1}
    1.2 queue.declare queue=q3 durable
    1.2 queue.declare queue=q3 durable arguments={x-delivery-limit=I:1}
    1.2 queue.declare queue=q3 durable arguments={x-queue-type=S:"quorum", x-delivery-limit=I:1}
    1.2 queue.declare queue=q2 durable arguments={x-expires=I:600000, x-max-length=I:1}
    "#
);

regression!(
    /// R57: for a quorum queue an unsettled `basic.get` is a consumer.
    a_get_counts_as_a_consumer_of_a_quorum_queue,
    r#"
    1.2 queue.declare queue=q0 durable arguments={x-queue-type=S:"quorum"}
    1.2 basic.publish routing_key=q0 body=m1
    1.2 basic.publish routing_key=q0 body=m2
    2.1 basic.get queue=q0
    2.1 basic.get queue=q0
    1.1 queue.declare queue=q0 passive
    2.1 basic.ack @0
    1.1 queue.declare queue=q0 passive
    2.1 basic.nack @0 requeue
    1.1 queue.declare queue=q0 passive
    2.1 basic.get queue=q0 no_ack
    1.1 queue.declare queue=q0 passive
    "#
);

regression!(
    /// R133: a channel's consumers return their messages one after the other.
    a_closing_channel_returns_to_a_quorum_queue_by_consumer,
    r#"
    1.1 queue.declare queue=q1 durable arguments={x-queue-type=S:"quorum"}
    1.1 basic.publish routing_key=q1 body=g0
    1.1 basic.publish routing_key=q1 body=g1
    1.2 basic.get queue=q1
    1.2 basic.get queue=q1
    1.2 basic.consume queue=q1 consumer_tag=z
    1.2 basic.consume queue=q1 consumer_tag=t2
    1.1 basic.publish routing_key=q1 body=m7
    1.1 basic.publish routing_key=q1 body=m10
    1.2 channel.close
    "#
);

regression!(
    /// R133: without a delivery limit a quorum queue puts what a client requeues behind all ready messages.
    a_requeue_without_a_delivery_limit_is_a_new_entry,
    r#"
    2.2 queue.declare queue=q0 durable arguments={x-queue-type=S:"quorum"}
    1.1 basic.publish routing_key=q0 body=0
    1.1 basic.publish routing_key=q0 body=1
    1.1 basic.publish routing_key=q0 body=2
    1.1 basic.publish routing_key=q0 body=3
    1.2 basic.get queue=q0
    1.2 basic.get queue=q0
    1.2 basic.get queue=q0
    1.2 basic.nack 2 requeue
    1.2 basic.nack 1 requeue
    1.2 basic.nack 3 requeue
    1.1 basic.get queue=q0
    1.1 basic.get queue=q0
    1.1 basic.nack 0 multiple requeue
    "#
);

regression!(
    /// R133: with a delivery limit requeued messages are delivered first, in the order of their return.
    a_requeue_with_a_delivery_limit_is_served_first,
    r#"
    2.2 queue.declare queue=q0 durable arguments={x-queue-type=S:"quorum", x-delivery-limit=I:9}
    1.1 basic.publish routing_key=q0 body=0
    1.1 basic.publish routing_key=q0 body=1
    1.1 basic.publish routing_key=q0 body=2
    1.1 basic.publish routing_key=q0 body=3
    1.2 basic.get queue=q0
    1.2 basic.get queue=q0
    1.2 basic.get queue=q0
    1.2 basic.nack 2 requeue
    1.2 basic.nack 1 requeue
    1.2 basic.nack 3 requeue
    "#
);

regression!(
    /// R57: a cancelled consumer of a quorum queue counts while it has unsettled messages.
    a_cancelled_consumer_of_a_quorum_queue_counts_while_it_holds_messages,
    r#"
    2.2 queue.declare queue=q3 durable arguments={x-queue-type=S:"quorum"}
    1.1 basic.consume queue=q3 consumer_tag=t2
    1.2 basic.publish routing_key=q3 body=m1
    1.2 basic.publish routing_key=q3 body=m2
    1.1 basic.cancel consumer_tag=t2
    1.2 queue.declare queue=q3 passive
    1.1 basic.ack 1
    1.2 queue.declare queue=q3 passive
    1.1 basic.ack 2
    1.2 queue.declare queue=q3 passive
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

regression!(
    /// R108: a quorum queue has its own count, and ignores the shared limit of a channel.
    a_consumer_of_a_quorum_queue_is_not_held_by_the_limit_of_its_channel,
    r#"
    1.2 queue.declare queue=q0 durable arguments={x-queue-type=S:"quorum"}
    1.1 basic.consume queue=q0 consumer_tag=a
    1.1 basic.publish routing_key=q0 body=m3
    1.1 basic.qos prefetch_count=1 global
    1.1 basic.publish routing_key=q0 body=m11
    "#
);

regression!(
    /// A5: a quorum queue sends what it delivers at one time consumer after consumer, by their tags.
    a_quorum_queue_sends_what_it_gives_out_consumer_after_consumer,
    r#"
    modes confirm plain confirm confirm
    1.2 queue.declare queue=q2 durable arguments={x-queue-type=S:"quorum"}
    1.1 basic.publish routing_key=q2 body=m2
    2.2 basic.publish routing_key=q2 body=m4
    1.1 basic.consume queue=q2 consumer_tag=b
    1.2 basic.publish routing_key=q2 mandatory body=m16
    2.2 basic.consume queue=q2 consumer_tag=t1 arguments={x-priority=I:-1}
    2.2 basic.consume queue=q2 consumer_tag=z exclusive arguments={x-priority=I:-1}
    "#
);

regression!(
    /// R57: consumers of a quorum queue that wait for their turn are not counted.
    waiting_consumers_of_a_quorum_queue_do_not_count,
    r#"
    2.1 queue.declare queue=q0 durable arguments={x-queue-type=S:"quorum", x-single-active-consumer=t:true}
    2.2 basic.consume queue=q0 consumer_tag=a
    2.2 basic.consume queue=q0 consumer_tag=z no_ack
    2.1 queue.declare queue=q0 passive
    "#
);

regression!(
    /// R133: without a delivery limit requeued messages enter a quorum queue one after the other, and are delivered so.
    messages_requeued_together_enter_a_quorum_queue_one_after_the_other,
    r#"
    modes confirm plain confirm confirm
    1.1 exchange.declare exchange=e2 type=fanout
    1.1 queue.declare queue=q0
    1.1 queue.declare queue=q1 durable arguments={x-queue-type=S:"quorum"}
    1.1 queue.bind queue=q1 exchange=e2 routing_key=*
    1.1 basic.publish exchange=e2 body=m1
    2.1 basic.consume queue=q1 consumer_tag=t1 no_local
    1.1 basic.publish exchange=e2 routing_key=q0 mandatory body=m3
    2.2 basic.publish routing_key=q0 body=m5
    2.1 basic.get queue=q0
    2.2 basic.publish exchange=e2 routing_key=q1 body=m11
    2.1 basic.consume queue=q1 consumer_tag=b
    2.1 basic.nack @3 multiple requeue
    "#
);

regression!(
    /// R109: deliveries of two consumers with one tag, settled together.
    a_tag_used_again_while_deliveries_of_it_are_out,
    r#"
    1.1 queue.declare queue=q0
    1.1 basic.publish routing_key=q0 body=m0
    1.1 basic.publish routing_key=q0 body=m1
    1.1 basic.publish routing_key=q0 body=m2
    1.1 basic.publish routing_key=q0 body=m3
    1.1 basic.publish routing_key=q0 body=m4
    2.1 basic.qos prefetch_count=1
    2.1 basic.consume queue=q0 consumer_tag=t
    2.1 basic.cancel consumer_tag=t
    2.1 basic.consume queue=q0 consumer_tag=t
    2.1 basic.ack @0 multiple
    2.1 basic.cancel consumer_tag=t
    2.1 basic.nack @0 multiple requeue
    "#
);

regression!(
    /// R133: what a quorum queue drops at one time it dead-letters in the opposite order.
    a_quorum_queue_dead_letters_what_it_drops_in_the_opposite_order,
    r#"
    1.1 queue.declare queue=q2 durable
    1.1 queue.declare queue=q3 durable arguments={x-queue-type=S:"quorum", x-max-length=I:1, x-dead-letter-exchange=S:"", x-dead-letter-routing-key=S:"q2"}
    1.1 basic.publish routing_key=q3 body=m1
    2.1 basic.consume queue=q3 consumer_tag=z
    1.1 basic.publish routing_key=q3 body=m2
    1.1 basic.publish routing_key=q3 body=m3
    1.1 basic.publish routing_key=q3 body=m4
    2.1 channel.close
    1.1 basic.get queue=q2 no_ack
    1.1 basic.get queue=q2 no_ack
    1.1 basic.get queue=q2 no_ack
    1.1 basic.get queue=q3 no_ack
    "#
);

regression!(
    /// R132: a message that is dropped by its limit gives its consumer two credits on 3.10, and one on 4.0.
    the_credit_of_a_message_that_its_limit_drops,
    r#"
    1.1 queue.declare queue=q0 durable arguments={x-queue-type=S:"quorum", x-delivery-limit=I:0}
    2.1 basic.qos prefetch_count=1
    2.1 basic.consume queue=q0 consumer_tag=t
    1.1 basic.publish routing_key=q0 body=m0
    2.1 basic.nack 1 requeue
    1.1 basic.publish routing_key=q0 body=m1
    1.1 basic.publish routing_key=q0 body=m2
    "#
);

regression!(
    /// R88, R89: of two faults in one publish each version names its first.
    two_faults_in_one_publish,
    r#"
    1.1 queue.declare queue=q0
    1.1 basic.publish routing_key=q0 body=m1 delivery_mode=3 headers={CC=S:"q0"}
    1.1 basic.publish routing_key=q0 body=m2 user_id=zz expiration=x
    1.1 basic.publish routing_key=q0 body=m3 user_id=zz headers={CC=S:"q0"}
    1.1 basic.publish routing_key=q0 body=m4 expiration=x headers={BCC=I:1}
    1.1 basic.publish routing_key=q0 body=m5 user_id=zz delivery_mode=0
    1.1 basic.publish routing_key=q0 body=m6 user_id=zz reply_to=amq.rabbitmq.reply-to
    "#
);

regression!(
    /// R58, R102: the name of the queue is completed before the tag is looked at.
    a_tag_in_use_without_a_last_queue,
    r#"
    1.1 queue.declare queue=q0
    2.1 basic.consume queue=q0 consumer_tag=t
    2.1 basic.consume consumer_tag=t
    2.1 basic.consume queue=q0 consumer_tag=t
    2.1 basic.consume queue=q0 consumer_tag=t
    "#
);

regression!(
    /// R40, R43: in a nested table the order of entries counts, for a match and for the identity of a binding.
    the_order_of_nested_tables,
    r#"
    1.1 queue.declare queue=q0
    1.1 queue.declare queue=q1
    1.1 queue.bind queue=q0 exchange=amq.headers arguments={a=F{x=I:1, y=I:2}, b=V}
    1.1 queue.bind queue=q0 exchange=amq.headers arguments={b=V, a=F{x=I:1, y=I:2}}
    1.1 queue.bind queue=q1 exchange=amq.headers arguments={a=F{y=I:2, x=I:1}, b=V}
    1.1 basic.publish exchange=amq.headers mandatory body=m1 headers={a=F{x=I:1, y=I:2}, b=I:1}
    1.1 basic.publish exchange=amq.headers mandatory body=m2 headers={b=I:1, a=F{y=I:2, x=I:1}}
    1.1 queue.unbind queue=q0 exchange=amq.headers arguments={a=F{y=I:2, x=I:1}, b=V}
    1.1 basic.publish exchange=amq.headers mandatory body=m3 headers={a=F{x=I:1, y=I:2}, b=I:1}
    1.1 queue.unbind queue=q0 exchange=amq.headers arguments={b=V, a=F{x=I:1, y=I:2}}
    1.1 basic.publish exchange=amq.headers mandatory body=m4 headers={a=F{x=I:1, y=I:2}, b=I:1}
    "#
);

regression!(
    /// R87, R131: where the broker adds a header, it sorts all of them.
    the_count_is_sorted_among_the_headers,
    r#"
    1.1 queue.declare queue=q0 durable arguments={x-queue-type=S:"quorum"}
    1.1 basic.publish routing_key=q0 body=m1 headers={z=I:1, a=I:2}
    1.1 basic.get queue=q0
    1.1 basic.nack 1 requeue
    1.1 basic.consume queue=q0 consumer_tag=t
    "#
);

regression!(
    /// R1: a long text is cut after 252 bytes, in the middle of a character too.
    a_text_is_cut_in_the_middle_of_a_character,
    r#"
    1.1 basic.get queue="éééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééé"
    1.1 basic.get queue="néééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééé"
    1.1 basic.get queue=qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqq
    "#
);
