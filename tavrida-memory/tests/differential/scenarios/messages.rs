//! Scenarios 12 to 25: dead letters, consumers, replies, transactions.

use super::agree;

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
    // The bug that the next active consumer does not get ready messages is not copied (R115): the cancel is left out.
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
    // The bug that an old tag refers to a message of the new queue is not copied (R63): the second declaration is left out.
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
