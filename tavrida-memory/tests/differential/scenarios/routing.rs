//! Scenarios 1 to 11: routing, settlements and limits.

use super::agree;

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
