//! Programs on which the memory broker and RabbitMQ once differed.

use crate::run::{Site, Watch};
use crate::text;

/// Runs a program on both sides.
async fn agree(name: &str, program: &str) {
    let node = tavrida_rabbitmq::shared().await.expect("RabbitMQ is installed and starts");
    let site = Site::new(node, format!("regression-{name}")).await;
    site.run(&text::parse(program), Watch::EachStep).await.agreed();
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

mod quorum;

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
    /// R117, R118: what a transaction of 4.0 sent to a queue that was deleted is lost, and the commit fails.
    a_queue_that_goes_before_the_commit,
    r#"
    modes tx confirm confirm confirm
    2.1 queue.declare queue=q2
    1.1 basic.publish routing_key=q2 mandatory body=m9
    1.2 queue.delete queue=q2
    1.1 tx.commit
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
    /// R1: a long text is cut after 252 bytes, in the middle of a character too.
    a_text_is_cut_in_the_middle_of_a_character,
    r#"
    1.1 basic.get queue="éééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééé"
    1.1 basic.get queue="néééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééé"
    1.1 basic.get queue=qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqq
    "#
);

regression!(
    /// R3, R129: what was sent behind a call that fails has no effect.
    calls_behind_one_that_fails,
    r#"
    1.1 queue.declare queue=q0
    + 1.1 queue.bind queue=q0 exchange=e9
    + 1.1 queue.declare queue=q1
    + 1.1 basic.qos prefetch_count=1
    2.1 queue.declare queue=q1 passive
    2.1 queue.declare queue=q0 passive
    "#
);

regression!(
    /// R5, R165: a connection that breaks gives its messages back, and its exclusive queues are gone.
    a_connection_that_breaks,
    r#"
    1.1 queue.declare queue=q0
    1.1 queue.declare queue=q1 exclusive
    2.1 basic.publish routing_key=q0 body=m1
    2.1 basic.publish routing_key=q0 body=m2
    1.1 basic.consume queue=q0 consumer_tag=t
    2.2 basic.consume queue=q0 consumer_tag=u
    1.1 connection.abort
    2.1 queue.declare queue=q1 passive
    "#
);

regression!(
    /// R80: a death of 4.0 leaves out the first key that equals one of `BCC`, whichever it is.
    a_death_leaves_out_hidden_keys,
    r#"
    1.2 queue.declare queue=q0 arguments={x-dead-letter-exchange=S:"", x-dead-letter-routing-key=S:"q1"}
    1.2 queue.declare queue=q1
    1.1 basic.publish routing_key=q0 mandatory body=m6 expiration=0 headers={CC=A[S:"q2"], BCC=A[S:"q0"], k=V}
    "#
);

regression!(
    /// R64: the policy with the highest priority applies, and changes queues that exist.
    policies_of_a_queue,
    r#"
    1.1 queue.declare queue=q0 arguments={x-max-length=I:3}
    1.1 queue.declare queue=q1
    1.1 basic.publish routing_key=q0 body=m1
    1.1 basic.publish routing_key=q0 body=m2
    1.1 basic.publish routing_key=q0 body=m3
    1.1 policy.set name=p0 prefix=q apply_to=queues priority=1 dead_letter_exchange="" dead_letter_routing_key=q1 max_length=5
    1.1 basic.publish routing_key=q0 body=m4
    1.1 policy.set name=p1 only=q0 apply_to=all priority=2 max_length=1 overflow=reject-publish
    1.1 basic.publish routing_key=q0 body=m5
    1.1 policy.clear name=p1
    1.1 basic.publish routing_key=q0 body=m6
    1.1 policy.clear name=p0
    "#
);

regression!(
    /// R64: a policy may give an exchange an alternate.
    a_policy_of_an_exchange,
    r#"
    1.1 exchange.declare exchange=e0 type=direct
    1.1 queue.declare queue=q0
    1.1 queue.bind queue=q0 exchange=amq.fanout
    1.1 policy.set name=p0 prefix=e apply_to=exchanges priority=1 alternate_exchange=amq.fanout
    1.1 basic.publish exchange=e0 routing_key=a mandatory body=m1
    1.1 policy.clear name=p0
    1.1 basic.publish exchange=e0 routing_key=a mandatory body=m2
    "#
);

regression!(
    /// R3, R6: behind a call that fails, an open is a second one.
    an_open_behind_a_call_that_fails,
    r#"
    1.1 queue.bind queue=q0 exchange=e9
    + 1.1 channel.open
    1.1 queue.declare queue=q0
    "#
);

regression!(
    /// R10: an empty message goes through the alarm that blocks its connection.
    an_empty_message_goes_through_an_alarm,
    r#"
    1.1 queue.declare queue=q0
    2.2 basic.consume queue=q0 consumer_tag=z
    1.1 alarm.raise
    1.1 basic.publish routing_key=q0 mandatory
    1.1 basic.publish routing_key=q0 mandatory
    1.1 alarm.clear
    "#
);

regression!(
    /// R27: what an alternate exchange with the empty name takes goes on to the alternate that a policy gives the default exchange.
    a_policy_gives_the_default_exchange_an_alternate,
    r#"
    1.1 exchange.declare exchange=e0 type=topic
    1.1 exchange.declare exchange=e1 type=direct arguments={alternate-exchange=S:""}
    1.1 queue.declare queue=q3
    1.1 queue.bind queue=q3 exchange=e0 routing_key=#.*
    1.1 policy.set name=p0 apply_to=all priority=1 alternate_exchange=e0
    1.1 basic.publish exchange=e1 routing_key=a.b.c mandatory body=m6
    1.1 basic.publish routing_key=nowhere mandatory body=m7
    "#
);
