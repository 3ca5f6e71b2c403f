//! Regressions of quorum queues.

use super::agree;

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
    /// R141: a tag that is used again takes up its place in a quorum queue of 4.0.
    a_tag_used_again_takes_up_its_place,
    r#"
    2.2 queue.declare queue=q0 durable arguments={x-queue-type=S:"quorum"}
    2.1 basic.consume queue=q0 consumer_tag=a
    1.2 basic.publish routing_key=q0 mandatory body=m1
    1.1 basic.consume queue=q0 consumer_tag=t2
    2.1 basic.cancel consumer_tag=a
    2.1 basic.consume queue=q0 consumer_tag=a
    1.2 basic.publish routing_key=q0 body=m12
    "#
);

regression!(
    /// R107, R133: in a quorum queue a consumer that need not ack has a prefetch too.
    a_prefetch_without_acks,
    r#"
    2.2 queue.declare queue=q1 durable arguments={x-queue-type=S:"quorum"}
    1.1 basic.consume queue=q1 consumer_tag=t2
    2.2 basic.publish routing_key=q1 mandatory body=m7
    2.2 basic.qos prefetch_count=1
    2.1 basic.publish routing_key=q1 mandatory body=m11
    2.1 basic.publish routing_key=q1 body=m12
    2.2 basic.consume queue=q1 consumer_tag=t2 no_ack
    2.2 basic.consume queue=q1 consumer_tag=b
    1.1 channel.close
    "#
);

regression!(
    /// R137: what is requeued without a limit loses its priority.
    a_requeue_without_a_limit_loses_its_priority,
    r#"
    2.2 queue.declare queue=q2 durable arguments={x-queue-type=S:"quorum", x-delivery-limit=I:-1}
    2.1 basic.publish routing_key=q2 mandatory body=m8 priority=9
    1.2 basic.get queue=q2
    2.1 basic.publish routing_key=q2 body=m12 priority=9
    1.2 basic.reject @1 requeue
    "#
);

regression!(
    /// R138: a consumer with a higher priority takes over from an idle one.
    a_higher_priority_takes_over,
    r#"
    1.1 queue.declare queue=q0 durable arguments={x-queue-type=S:"quorum", x-single-active-consumer=t:true}
    1.1 basic.consume queue=q0 consumer_tag=low
    1.2 basic.consume queue=q0 consumer_tag=middle arguments={x-priority=I:3}
    2.1 basic.consume queue=q0 consumer_tag=high arguments={x-priority=I:9}
    2.2 basic.publish routing_key=q0 body=m1
    2.2 basic.publish routing_key=q0 body=m2
    2.1 basic.cancel consumer_tag=high
    2.2 basic.publish routing_key=q0 body=m3
    "#
);

regression!(
    /// R140: what a quorum queue of 4.0 failed to deliver is counted on in the next one.
    a_dead_letter_between_quorum_queues,
    r#"
    1.1 queue.declare queue=q1 durable arguments={x-queue-type=S:"quorum"}
    1.1 queue.declare queue=q0 durable arguments={x-queue-type=S:"quorum", x-dead-letter-exchange=S:"", x-dead-letter-routing-key=S:"q1"}
    1.1 basic.publish routing_key=q0 body=m1
    1.1 basic.publish routing_key=q0 body=m2
    1.2 basic.get queue=q0
    1.2 basic.nack 1
    1.2 basic.get queue=q0
    1.2 channel.close
    1.1 basic.get queue=q0
    1.1 basic.nack 1
    2.1 basic.get queue=q1
    2.1 basic.get queue=q1
    2.1 basic.nack 2 requeue
    2.1 basic.get queue=q1
    "#
);

regression!(
    /// R69: what expired behind the head of a quorum queue is counted when the head is fetched.
    what_expired_behind_the_head_is_counted,
    r#"
    2.2 queue.declare queue=q0 durable arguments={x-queue-type=S:"quorum"}
    2.1 basic.publish routing_key=q0 mandatory body=m9
    1.1 basic.publish routing_key=q0 mandatory body=m10 expiration=300
    1.2 wait 600
    1.1 basic.get queue=q0
    1.1 basic.get queue=q0
    "#
);

regression!(
    /// R69: a get that needs no ack counts what is left behind the expired messages that follow.
    a_get_without_ack_does_not_count_what_expired_behind_the_head,
    r#"
    2.2 queue.declare queue=q0 durable arguments={x-queue-type=S:"quorum"}
    1.1 basic.publish routing_key=q0 body=m5
    1.1 basic.publish routing_key=q0 body=m7 expiration=300
    1.1 wait 600
    1.1 basic.get queue=q0 no_ack
    "#
);

regression!(
    /// R133: what does not fit into a quorum queue is dead-lettered before what came back too often at the same time.
    what_does_not_fit_goes_before_what_came_back_too_often,
    r#"
    1.1 queue.declare queue=q1
    1.1 queue.declare queue=q0 durable arguments={x-queue-type=S:"quorum", x-delivery-limit=I:0, x-max-length=I:1, x-dead-letter-exchange=S:"", x-dead-letter-routing-key=S:"q1"}
    2.1 basic.consume queue=q0 consumer_tag=a
    1.1 basic.publish routing_key=q0 body=m1
    2.1 basic.cancel consumer_tag=a
    1.1 basic.publish routing_key=q0 body=m2
    2.2 basic.get queue=q0
    2.2 basic.nack 1
    2.1 channel.close
    "#
);

regression!(
    /// R133: the limit of a quorum queue counts what a consumer that need not ack left for its next turn.
    the_limit_counts_what_waits_for_credit_that_needs_no_ack,
    r#"
    2.2 queue.declare queue=q1 durable arguments={x-queue-type=S:"quorum", x-max-length=I:1}
    1.2 basic.consume queue=q1 consumer_tag=z
    2.1 basic.publish routing_key=q1 body=m5
    1.2 basic.publish routing_key=q1 body=m10
    1.1 basic.publish routing_key=q1 body=m11
    2.1 basic.qos prefetch_count=1
    2.1 basic.consume queue=q1 consumer_tag=t1 no_ack
    1.1 connection.close
    "#
);

regression!(
    /// R133: a consumer that need not ack gets its credit back when all that was requeued has entered the queue.
    what_is_requeued_at_once_comes_before_the_credit_that_needs_no_ack,
    r#"
    1.1 queue.declare queue=q3 durable arguments={x-queue-type=S:"quorum"}
    1.2 basic.consume queue=q3 consumer_tag=z
    1.2 basic.qos prefetch_count=1
    2.2 basic.publish routing_key=q3 mandatory body=m3
    1.2 basic.consume queue=q3 no_ack
    1.2 basic.publish routing_key=q3 body=m9
    1.2 basic.recover-async requeue
    2.1 basic.publish routing_key=q3 body=m11
    "#
);

regression!(
    /// R133: the same across the deliveries of several consumers that one call requeues.
    what_one_call_requeues_comes_before_the_credit_that_needs_no_ack,
    r#"
    2.2 queue.declare queue=q0 durable arguments={x-queue-type=S:"quorum"}
    1.2 basic.consume queue=q0 consumer_tag=a
    1.2 basic.qos prefetch_count=2
    1.2 basic.publish routing_key=q0 body=m4
    2.1 basic.publish routing_key=q0 body=m7
    1.1 basic.publish routing_key=q0 body=m8
    1.2 basic.consume queue=q0
    2.1 basic.publish routing_key=q0
    1.2 basic.consume queue=q0 consumer_tag=z no_ack
    1.2 basic.nack @2 multiple requeue
    1.1 basic.publish routing_key=q0 body=m11
    2.1 basic.publish routing_key=q0 body=m13
    1.2 basic.recover requeue
    "#
);
