//! Interventions: forced closes, cancels, alarms (R9, R10; section 24 of the semantics).

use tavrida_memory::core::{Command, Effect, Eviction, Operator};

use crate::rig::*;

#[test]
fn r9_an_operator_closes_a_connection() {
    let (mut rig, ch) = Rig::with_channel();
    let close = Operator::CloseConnection { connection: ch.connection, reason: "enough".to_owned() };
    let effects = rig.operate(close);
    let [Effect::ConnectionClosed { connection, reason: Some(reason) }] = &effects[..] else {
        panic!("{effects:?}")
    };
    assert_eq!(*connection, ch.connection);
    assert_eq!((reason.code, reason.text.as_str()), (320, "CONNECTION_FORCED - enough"));
    assert_eq!((reason.class, reason.method), (0, 0));
}

#[test]
fn r11_a_channel_is_closed_with_the_words_of_the_test() {
    let (mut rig, ch) = Rig::with_channel();
    rig.queue(ch, "q");
    rig.fill(ch, "q", ["m"]);
    let other = rig.client();
    rig.consume(other, "q", "t");
    let text = "PRECONDITION_FAILED - delivery acknowledgement on channel 1 timed out";
    let effects = rig.operate(Operator::CloseChannel { channel: other, code: 406, text: text.to_owned() });
    assert!(matches!(&effects[..], [Effect::ChannelClosed { channel, reason }]
        if *channel == other && reason.code == 406 && reason.text == text && reason.class == 0));
    assert_eq!(rig.drain("q"), ["m*"]);
    rig.reopen(other);
}

#[test]
fn a_consumer_is_cancelled_and_its_deliveries_can_be_settled() {
    let (mut rig, ch) = Rig::with_channel();
    rig.queue(ch, "q");
    rig.consume(ch, "q", "t");
    rig.fill(ch, "q", ["a"]);
    rig.operate(Operator::CancelConsumer { channel: ch, consumer_tag: short("t") });
    rig.fill(ch, "q", ["b"]);
    assert_eq!(rig.arrived(ch), ["t:1:a", "cancel t"]);
    rig.ack(ch, 1);
    assert_eq!(rig.drain("q"), ["b"]);
    // Cancelling a missing consumer does nothing.
    rig.operate(Operator::CancelConsumer { channel: ch, consumer_tag: short("t") });
    assert!(rig.arrived(ch).is_empty());
}

#[test]
fn r10_an_alarm_blocks_who_publishes_and_nobody_else() {
    let (mut rig, ch) = Rig::with_channel();
    let reader = rig.client();
    rig.queue(ch, "q");
    rig.fill(ch, "q", ["before"]);
    assert_eq!(rig.operate(Operator::Block { reason: "low on memory".to_owned() }), []);
    assert_eq!(rig.gets(ch, "q", 1), ["before"], "it has not published yet");
    let effects = rig.apply(Command::Method { channel: ch, method: publish("", "q", "held") });
    let blocked = Effect::Blocked { connection: ch.connection, reason: "low on memory".to_owned() };
    assert_eq!(effects, [blocked]);
    // Nothing from it is read now, not even an acknowledgement.
    assert_eq!(rig.call(ch, ack(1, false)), Answer::Nothing);
    assert_eq!(rig.call(ch, declare_queue("later", args::<i32>(&[]))), Answer::Nothing);
    assert_eq!(rig.gets(reader, "q", 1).len(), 0);
    assert_eq!(rig.broker.snapshot().queue("q").map(|queue| queue.unacked), Some(1));
    let effects = rig.operate(Operator::Unblock);
    assert!(matches!(
        &effects[..],
        [Effect::Unblocked { .. }, Effect::Confirm { delivery_tag: 2, ack: true, .. }, Effect::Reply { .. }]
    ));
    assert_eq!(
        rig.broker.snapshot().queue("q").map(|queue| (queue.unacked, queue.ready.len())),
        Some((0, 1))
    );
    assert_eq!(rig.counts("later"), Some((0, 0)));
}

#[test]
fn r10_an_empty_message_goes_through_the_alarm_that_blocks_its_connection() {
    let (mut rig, ch) = Rig::with_channel();
    rig.queue(ch, "q");
    rig.operate(Operator::Block { reason: "low on disk".to_owned() });
    let mut empty = || rig.apply(Command::Method { channel: ch, method: publish("", "q", "") });
    assert!(matches!(
        &empty()[..],
        [Effect::Blocked { .. }, Effect::Confirm { delivery_tag: 1, ack: true, .. }]
    ));
    assert_eq!(empty(), [], "the connection is not read any more");
    assert_eq!(rig.ready("q"), 1);
}

#[test]
fn r10_a_blocked_connection_can_break() {
    let (mut rig, ch) = Rig::with_channel();
    rig.queue(ch, "q");
    rig.operate(Operator::Block { reason: "low on disk".to_owned() });
    rig.apply(Command::Method { channel: ch, method: publish("", "q", "never") });
    rig.apply(Command::Close { connection: ch.connection });
    assert!(
        rig.broker.snapshot().connections.iter().any(|connection| connection.blocked),
        "the close waits as well"
    );
    rig.apply(Command::Abort { connection: ch.connection });
    assert_eq!(rig.operate(Operator::Unblock), []);
    assert_eq!(rig.ready("q"), 0);
}

#[test]
fn a_snapshot_prints_what_a_failing_test_needs() {
    let (mut rig, ch) = Rig::with_channel();
    rig.exchange(ch, "x", "topic");
    rig.queue_with(ch, "q", args(&[("x-max-length", 5)]));
    rig.bind(ch, "q", "x", "a.#");
    rig.qos(ch, 1, false);
    rig.consume(ch, "q", "t");
    rig.fill(ch, "q", ["one", "two"]);
    assert_eq!(
        rig.broker.snapshot().to_string(),
        "queues:\n  q: 1 ready [\"two\"], 1 unacked, consumer t on c1.1 (credit 0), x-max-length=5\n\
         exchanges (without the predeclared):\n  x: topic\n\
         bindings:\n  x --'a.#'--> queue q\n\
         connections:\n  c1; c1.1: unacked [1], 1 on the way\n"
    );
}

#[test]
fn what_is_next_to_arrive_leaves_its_queue_as_if_it_had_waited_there() {
    for (why, reason) in [(Eviction::Expired, "expired"), (Eviction::Overflow, "maxlen")] {
        let (mut rig, ch) = Rig::with_channel();
        let reader = rig.client();
        rig.queue(ch, "dead");
        let to_dead = [("x-dead-letter-exchange", ""), ("x-dead-letter-routing-key", "dead")];
        rig.queue_with(ch, "q", args(&to_dead));
        rig.consume(reader, "q", "t");
        rig.fill(ch, "q", ["a", "b"]);
        rig.operate(Operator::Evict { channel: reader, why });
        assert_eq!(rig.arrived(reader), ["t:2:b"], "the other one stays on its way");
        rig.operate(Operator::Evict { channel: reader, why });
        let dead = rig.drain_whole("dead");
        assert_eq!(dead.len(), 1, "nothing was on its way the second time");
        let first = dead[0].publication.properties.headers().get("x-first-death-reason").cloned();
        assert_eq!(first, Some(reason.into()));
    }
}

#[test]
fn what_can_leave_its_queue_is_known() {
    let can = |arguments, message: Message| {
        let (mut rig, ch) = Rig::with_channel();
        rig.queue_with(ch, "q", arguments);
        rig.consume(ch, "q", "t");
        rig.publish(ch, "", "q", message);
        [Eviction::Expired, Eviction::Overflow].map(|why| rig.broker.can_evict(ch, why))
    };
    assert_eq!(can(table(&[]), "m".into()), [false, false]);
    assert_eq!(can(table(&[]), Message::from("m").expiration("1000")), [true, false]);
    assert_eq!(can(table(&[("x-message-ttl", 1000.into())]), "m".into()), [true, false]);
    assert_eq!(can(table(&[("x-max-length", 5.into())]), "m".into()), [false, true]);
    let refusing = table(&[("x-max-length", 5.into()), ("x-overflow", "reject-publish".into())]);
    assert_eq!(can(refusing, "m".into()), [false, false]);
}
