//! The 25 concrete scenarios of the broker semantics (section 19), by their numbers, on both sides.

use tavrida_testkit::rabbitmq;

use crate::random::show;
use crate::run::{Site, Watch};
use crate::text;

/// Runs a scenario on both sides. `left_out` steps meet faults of RabbitMQ's that are not copied.
async fn agree(name: &str, left_out: usize, program: &str) {
    let node = rabbitmq::shared().await.expect("RabbitMQ is installed and starts");
    let site = Site::new(node, format!("scenario-{name}")).await;
    let program = text::parse(program);
    let outcome = site.run(&program, Watch::EachStep).await;
    assert!(outcome.divergence.is_none(), "{}", outcome.divergence.as_ref().map(show).unwrap_or_default());
    assert_eq!(outcome.operations + left_out, program.steps.len(), "steps that were done or left out");
}

macro_rules! scenario {
    ($name:ident, $program:literal) => {
        scenario!($name, leaving_out 0, $program);
    };
    ($name:ident, leaving_out $left_out:literal, $program:literal) => {
        #[tokio::test]
        async fn $name() {
            agree(stringify!($name), $left_out, $program).await;
        }
    };
}

scenario!(
    s1_the_default_exchange_is_no_alternate,
    r#"
    1.1 exchange.declare exchange=x type=direct arguments={alternate-exchange=S:""}
    1.1 queue.declare queue=k
    1.1 basic.publish exchange=x routing_key=k mandatory body=m
    "#
);

scenario!(
    s2_an_alternate_serves_who_has_no_destination,
    r#"
    1.1 exchange.declare exchange=x type=direct arguments={alternate-exchange=S:"y"}
    1.1 exchange.declare exchange=y type=fanout
    1.1 exchange.declare exchange=z type=direct
    1.1 queue.declare queue=q
    1.1 queue.bind queue=q exchange=y
    1.1 exchange.bind destination=z source=x routing_key=k
    1.1 basic.publish exchange=x routing_key=k mandatory body=m1
    1.1 basic.publish exchange=x routing_key=other mandatory body=m2
    "#
);

scenario!(
    s3_a_binding_to_itself_keeps_an_exchange,
    r#"
    1.1 exchange.declare exchange=x type=fanout auto_delete
    1.1 exchange.bind destination=x source=x
    1.1 queue.declare queue=q
    1.1 queue.bind queue=q exchange=x
    1.1 basic.publish exchange=x body=m
    1.1 queue.unbind queue=q exchange=x
    1.1 exchange.declare exchange=x type=fanout passive
    1.1 exchange.unbind destination=x source=x
    1.1 exchange.declare exchange=x type=fanout passive
    "#
);

scenario!(
    s4_topic_patterns,
    r#"
    1.1 exchange.declare exchange=x type=topic
    1.1 queue.declare queue=q0
    1.1 queue.bind queue=q0 exchange=x routing_key=#
    1.1 queue.declare queue=q1
    1.1 queue.bind queue=q1 exchange=x routing_key=*
    1.1 queue.declare queue=q2
    1.1 queue.bind queue=q2 exchange=x
    1.1 queue.declare queue=q3
    1.1 queue.bind queue=q3 exchange=x routing_key=a.#
    1.1 queue.declare queue=q4
    1.1 queue.bind queue=q4 exchange=x routing_key=a.*
    1.1 queue.declare queue=q5
    1.1 queue.bind queue=q5 exchange=x routing_key=*.*
    1.1 queue.declare queue=q6
    1.1 queue.bind queue=q6 exchange=x routing_key=#.#
    1.1 queue.declare queue=q7
    1.1 queue.bind queue=q7 exchange=x routing_key=a.#.b
    1.1 queue.declare queue=q8
    1.1 queue.bind queue=q8 exchange=x routing_key=a..b
    1.1 basic.publish exchange=x mandatory body=empty
    1.1 basic.publish exchange=x routing_key=a mandatory body=a
    1.1 basic.publish exchange=x routing_key=a. mandatory body=a-dot
    1.1 basic.publish exchange=x routing_key="." mandatory body=dot
    1.1 basic.publish exchange=x routing_key=a.b mandatory body=a-b
    1.1 basic.publish exchange=x routing_key=a.*.b mandatory body=a-star-b
    1.1 basic.publish exchange=x routing_key=# mandatory body=hash
    "#
);

scenario!(
    s5_headers,
    r#"
    1.1 exchange.declare exchange=x type=headers
    1.1 queue.declare queue=q0
    1.1 queue.bind queue=q0 exchange=x
    1.1 queue.declare queue=q1
    1.1 queue.bind queue=q1 exchange=x arguments={x-match=S:"any"}
    1.1 queue.declare queue=q2
    1.1 queue.bind queue=q2 exchange=x arguments={a=V}
    1.1 queue.declare queue=q3
    1.1 queue.bind queue=q3 exchange=x arguments={a=I:1}
    1.1 queue.declare queue=q4
    1.1 queue.bind queue=q4 exchange=x arguments={a=S:"1"}
    1.1 queue.declare queue=q5
    1.1 queue.bind queue=q5 exchange=x arguments={a=A[I:1]}
    1.1 queue.declare queue=q6
    1.1 queue.bind queue=q6 exchange=x arguments={x-match=S:"all", x-k=I:1}
    1.1 queue.declare queue=q7
    1.1 queue.bind queue=q7 exchange=x arguments={x-match=S:"all-with-x", x-k=I:1}
    1.1 queue.declare queue=q8
    1.1 queue.bind queue=q8 exchange=x arguments={x-match=S:"any", x-k=I:1}
    1.1 basic.publish exchange=x body=none
    1.1 basic.publish exchange=x body=one headers={a=I:1}
    1.1 basic.publish exchange=x body=text headers={a=S:"zz"}
    1.1 basic.publish exchange=x body=double headers={a=d:1.0}
    1.1 basic.publish exchange=x body=truth headers={a=t:true}
    1.1 basic.publish exchange=x body=array headers={a=A[l:1]}
    1.1 basic.publish exchange=x body=x headers={x-k=I:1}
    "#
);

scenario!(
    s6_requeued_messages_return_to_their_places,
    r#"
    1.1 queue.declare queue=q
    1.1 basic.publish routing_key=q body=0
    1.1 basic.publish routing_key=q body=1
    1.1 basic.publish routing_key=q body=2
    1.1 basic.publish routing_key=q body=3
    1.1 basic.publish routing_key=q body=4
    1.1 basic.publish routing_key=q body=5
    1.1 basic.get queue=q
    1.1 basic.get queue=q
    1.1 basic.get queue=q
    1.1 basic.get queue=q
    1.1 basic.nack 3 requeue
    1.1 basic.nack 1 requeue
    1.1 basic.get queue=q
    1.1 basic.get queue=q
    1.1 basic.get queue=q
    1.1 channel.close
    "#
);

scenario!(
    s7_a_tag_must_be_outstanding,
    r#"
    1.1 queue.declare queue=q
    1.1 basic.publish routing_key=q body=0
    1.1 basic.publish routing_key=q body=1
    1.1 basic.publish routing_key=q body=2
    1.1 basic.get queue=q
    1.1 basic.get queue=q
    1.1 basic.get queue=q
    1.1 basic.ack 2 multiple
    1.1 basic.ack 2 multiple
    "#
);

scenario!(
    s8_all_of_nothing,
    r#"
    1.1 basic.ack 0 multiple
    1.1 basic.ack 0
    "#
);

scenario!(
    s9_a_requeue_over_the_limit,
    r#"
    1.1 queue.declare queue=q arguments={x-max-length=I:2}
    1.1 basic.publish routing_key=q body=a
    1.1 basic.publish routing_key=q body=b
    1.1 basic.get queue=q
    1.1 basic.get queue=q
    1.1 basic.publish routing_key=q body=c
    1.1 basic.publish routing_key=q body=d
    1.1 basic.nack 0 multiple requeue
    "#
);

scenario!(
    s10_one_refusal_refuses_the_publish,
    r#"
    1.1 queue.declare queue=q arguments={x-max-length=I:1, x-overflow=S:"reject-publish"}
    1.1 queue.declare queue=r
    1.1 queue.bind queue=q exchange=amq.fanout
    1.1 queue.bind queue=r exchange=amq.fanout
    1.1 basic.publish exchange=amq.fanout mandatory body=a
    1.1 basic.publish exchange=amq.fanout mandatory body=b
    "#
);

scenario!(
    s11_the_highest_priority_is_dropped_first,
    r#"
    1.1 queue.declare queue=q arguments={x-max-priority=I:5, x-max-length=I:2}
    1.1 basic.publish routing_key=q body=p5 priority=5
    1.1 basic.publish routing_key=q body=p1 priority=1
    1.1 basic.publish routing_key=q body=p1b priority=1
    1.1 basic.publish routing_key=q body=p0 priority=0
    "#
);

scenario!(
    s12_an_automatic_cycle_ends,
    r#"
    1.1 queue.declare queue=a arguments={x-message-ttl=I:10, x-dead-letter-exchange=S:"", x-dead-letter-routing-key=S:"b"}
    1.1 queue.declare queue=b arguments={x-message-ttl=I:10, x-dead-letter-exchange=S:"", x-dead-letter-routing-key=S:"a"}
    1.1 basic.publish routing_key=a body=m
    1.1 wait 150
    1.1 queue.declare queue=a passive
    1.1 queue.declare queue=b passive
    "#
);

scenario!(
    s13_counts_of_a_retry_loop,
    r#"
    1.1 queue.declare queue=work arguments={x-dead-letter-exchange=S:"", x-dead-letter-routing-key=S:"wait"}
    1.1 queue.declare queue=wait arguments={x-message-ttl=I:10, x-dead-letter-exchange=S:"", x-dead-letter-routing-key=S:"work"}
    1.1 basic.publish routing_key=work body=m
    1.1 basic.get queue=work
    1.1 basic.nack @0
    1.1 wait 150
    1.1 basic.get queue=work
    1.1 basic.nack @0
    1.1 wait 150
    1.1 basic.get queue=work
    1.1 basic.nack @0
    1.1 wait 150
    1.1 basic.get queue=work
    "#
);

scenario!(
    s14_the_order_of_x_death,
    r#"
    1.1 queue.declare queue=a arguments={x-dead-letter-exchange=S:"", x-dead-letter-routing-key=S:"b"}
    1.1 queue.declare queue=b arguments={x-dead-letter-exchange=S:"", x-dead-letter-routing-key=S:"c"}
    1.1 queue.declare queue=c arguments={x-dead-letter-exchange=S:"", x-dead-letter-routing-key=S:"d"}
    1.1 queue.declare queue=d arguments={x-dead-letter-exchange=S:"", x-dead-letter-routing-key=S:"z"}
    1.1 queue.declare queue=z
    1.1 basic.publish routing_key=a body=m
    1.1 basic.get queue=a
    1.1 basic.reject @0
    1.1 basic.get queue=b
    1.1 basic.reject @0
    1.1 basic.get queue=c
    1.1 basic.reject @0
    1.1 basic.get queue=d
    1.1 basic.reject @0
    1.1 basic.get queue=z
    "#
);

scenario!(
    s15_copies,
    r#"
    1.1 queue.declare queue=q
    1.1 queue.declare queue=b
    1.1 basic.publish routing_key=nosuch mandatory body=m headers={CC=A[S:"q"], BCC=A[S:"b"], x=I:1}
    "#
);

scenario!(
    s16_turns_of_two_consumers,
    r#"
    1.1 queue.declare queue=q
    1.1 basic.publish routing_key=q body=0
    1.1 basic.publish routing_key=q body=1
    1.1 basic.publish routing_key=q body=2
    1.1 basic.publish routing_key=q body=3
    1.2 basic.qos prefetch_count=1
    1.2 basic.consume queue=q consumer_tag=t
    1.2 basic.consume queue=q consumer_tag=u
    1.2 basic.nack 1 requeue
    1.2 basic.nack 0 multiple requeue
    "#
);

scenario!(
    s17_credit_goes_by_tag,
    r#"
    1.1 queue.declare queue=q
    1.1 basic.publish routing_key=q body=0
    1.1 basic.publish routing_key=q body=1
    1.1 basic.publish routing_key=q body=2
    1.2 basic.qos prefetch_count=1
    1.2 basic.consume queue=q consumer_tag=t
    1.2 basic.cancel consumer_tag=t
    1.2 basic.consume queue=q consumer_tag=t
    1.2 basic.ack 1
    "#
);

scenario!(
    s18_the_limit_of_each_lifts_that_of_all,
    r#"
    1.1 queue.declare queue=q
    1.1 basic.publish routing_key=q body=0
    1.1 basic.publish routing_key=q body=1
    1.1 basic.publish routing_key=q body=2
    1.1 basic.publish routing_key=q body=3
    1.2 basic.qos prefetch_count=3 global
    1.2 basic.qos prefetch_count=1
    1.2 basic.consume queue=q consumer_tag=t
    "#
);

scenario!(
    // That the next active consumer is not told of what is ready is not copied (R115): the cancel is left out.
    s19_one_active_consumer,
    leaving_out 1,
    r#"
    1.1 queue.declare queue=q arguments={x-single-active-consumer=t:true}
    1.2 basic.qos prefetch_count=1
    1.2 basic.consume queue=q consumer_tag=a
    2.1 basic.consume queue=q consumer_tag=b arguments={x-priority=I:5}
    2.2 basic.consume queue=q consumer_tag=c arguments={x-priority=I:9}
    1.1 basic.publish routing_key=q body=0
    1.1 basic.publish routing_key=q body=1
    1.1 basic.publish routing_key=q body=2
    1.2 basic.cancel consumer_tag=a
    1.2 basic.nack 1 requeue
    1.2 channel.close
    "#
);

scenario!(
    s20_an_auto_delete_queue_goes_with_its_consumer,
    r#"
    1.1 queue.declare queue=q auto_delete
    1.2 basic.consume queue=q consumer_tag=t
    1.1 basic.publish routing_key=q body=m
    1.2 basic.cancel consumer_tag=t
    1.1 queue.declare queue=q passive
    1.2 basic.ack 1
    "#
);

scenario!(
    // That an old tag means a message of the new queue is not copied (R63): the second declaration is left out.
    s21_a_tag_of_a_deleted_queue,
    leaving_out 1,
    r#"
    1.1 queue.declare queue=q
    1.1 basic.publish routing_key=q body=old
    1.1 basic.get queue=q
    1.1 queue.delete queue=q
    1.1 queue.declare queue=q
    1.1 basic.publish routing_key=q body=new
    1.1 basic.ack 1
    1.1 basic.get queue=q
    "#
);

scenario!(
    s22_direct_replies,
    r#"
    1.1 basic.consume queue=amq.rabbitmq.reply-to consumer_tag=r no_ack
    2.1 queue.declare queue=q
    1.1 basic.publish routing_key=q body=request reply_to=amq.rabbitmq.reply-to
    2.1 basic.get queue=q no_ack
    2.1 basic.publish routing_key=$r1 mandatory body=one
    2.1 basic.publish routing_key=$r1 body=two
    1.1 basic.publish routing_key=q body=again reply_to=amq.rabbitmq.reply-to
    2.1 queue.declare queue=$r1
    1.1 basic.cancel consumer_tag=r
    2.1 basic.publish routing_key=$r1 mandatory body=late
    1.1 basic.publish routing_key=q body=never reply_to=amq.rabbitmq.reply-to
    "#
);

scenario!(
    s23_a_transaction_routes_at_once,
    r#"
    modes tx confirm confirm confirm
    1.1 exchange.declare exchange=x type=direct
    1.1 queue.declare queue=q
    1.1 basic.publish exchange=x routing_key=k mandatory body=m
    1.1 queue.bind queue=q exchange=x routing_key=k
    1.1 tx.commit
    "#
);

scenario!(
    s24_cancels_of_a_deleted_queue,
    r#"
    1.1 queue.declare queue=q
    1.2 basic.consume queue=q consumer_tag=b
    1.2 basic.consume queue=q consumer_tag=a
    1.1 queue.delete queue=q
    "#
);

scenario!(
    s25_messages_that_are_refused,
    r#"
    1.1 basic.publish body=m expiration=x
    1.1 basic.publish body=m user_id=""
    1.1 basic.publish body=m delivery_mode=3
    1.1 basic.publish body=m headers={CC=S:"q"}
    1.1 basic.publish body=m expiration=-1 user_id=zz
    "#
);
