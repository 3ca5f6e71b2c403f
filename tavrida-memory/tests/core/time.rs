//! Time: expiry of messages and queues, and when it is noticed (R66 to R69, R71, R127).

use std::time::Duration;

use tavrida_memory::core::{Broker, Command, Config, Effects, Now, Operator};

use crate::rig::*;

#[test]
fn r66_an_expiration_is_checked_even_of_a_message_that_goes_nowhere() {
    let (mut rig, ch) = Rig::with_channel();
    for (text, reason) in [
        ("", "no_integer"),
        ("abc", "no_integer"),
        ("5abc", "{leftover_string,\"abc\"}"),
        ("1.5", "{leftover_string,\".5\"}"),
        ("-1", "{value_negative,-1}"),
        ("315360000001", "{value_too_large,315360000001}"),
    ] {
        let text = format!("PRECONDITION_FAILED - invalid expiration '{text}': {reason}");
        let message = Message::from("m").expiration(text.split('\'').nth(1).expect("the text in quotes"));
        rig.refused(ch, publish("amq.direct", "nowhere", message), 406, &text);
    }
    assert_eq!(rig.publish(ch, "", "nowhere", Message::from("m").expiration("+007")), ACK);
}

#[test]
fn r67_the_shorter_time_holds_and_only_the_head_expires() {
    let (mut rig, ch) = Rig::with_channel();
    rig.queue_with(ch, "q", args(&[("x-message-ttl", 100)]));
    rig.publish(ch, "", "q", "lives 100");
    rig.publish(ch, "", "q", Message::from("lives 10").expiration("10"));
    rig.wait(50);
    assert_eq!(rig.ready("q"), 2, "an expired message behind a live one is counted");
    rig.wait(50);
    assert_eq!(rig.ready("q"), 0);
}

#[test]
fn r67_a_returned_message_keeps_its_deadline() {
    let (mut rig, ch) = Rig::with_channel();
    rig.queue_with(ch, "q", args(&[("x-message-ttl", 100)]));
    rig.fill(ch, "q", ["a", "b"]);
    rig.gets(ch, "q", 2);
    rig.wait(60);
    rig.requeue(ch, 1);
    assert_eq!(rig.ready("q"), 1);
    rig.wait(40);
    assert_eq!(rig.ready("q"), 0);
    rig.requeue(ch, 2);
    assert_eq!(rig.ready("q"), 0, "its time was over while it was out");
}

#[test]
fn r68_a_message_without_time_goes_to_a_waiting_consumer_or_nowhere() {
    let (mut rig, ch) = Rig::with_channel();
    rig.queue(ch, "q");
    let now = || Message::from("now").expiration("0").mandatory();
    assert_eq!(rig.publish(ch, "", "q", now()), ACK);
    assert_eq!(rig.ready("q"), 0);
    rig.qos(ch, 1, false);
    rig.consume(ch, "q", "t");
    assert_eq!(rig.publish(ch, "", "q", now()), ACK);
    assert_eq!(rig.arrived(ch), ["t:1:now"]);
    // No consumer has credit now; behind a live head an expired message is kept, and it is removed with the head.
    rig.fill(ch, "q", ["head"]);
    rig.publish(ch, "", "q", now());
    assert_eq!(rig.ready("q"), 2);
    let other = rig.client();
    assert_eq!(rig.gets(other, "q", 2), ["head"]);
}

#[test]
fn r69_a_drop_from_the_head_uncovers_what_has_expired() {
    let (mut rig, ch) = Rig::with_channel();
    rig.queue_with(ch, "q", args(&[("x-max-length", 2)]));
    rig.fill(ch, "q", ["head"]);
    rig.publish(ch, "", "q", Message::from("late").expiration("0"));
    rig.fill(ch, "q", ["tail"]);
    assert_eq!(rig.drain("q"), ["tail"]);
}

#[test]
fn r71_an_unused_queue_expires_and_says_nothing() {
    let (mut rig, ch) = Rig::with_channel();
    let arguments = table(&[
        ("x-expires", 100.into()),
        ("x-dead-letter-exchange", "".into()),
        ("x-dead-letter-routing-key", "dead".into()),
    ]);
    rig.queue(ch, "dead");
    rig.queue_with(ch, "q", arguments);
    rig.fill(ch, "q", ["a", "b"]);
    rig.gets(ch, "q", 1);
    rig.wait(60);
    rig.ok(ch, passive_queue("q"));
    rig.wait(60);
    rig.gets(ch, "q", 1);
    rig.wait(60);
    rig.ok(ch, publish("", "q", "publishing is no use"));
    rig.wait(40);
    assert_eq!(rig.counts("q"), None);
    assert_eq!(rig.ready("dead"), 0);
    rig.ack(ch, 1);
}

#[test]
fn r71_a_consumer_keeps_a_queue_and_its_end_starts_the_time() {
    let (mut rig, ch) = Rig::with_channel();
    rig.queue_with(ch, "q", args(&[("x-expires", 100)]));
    rig.consume(ch, "q", "t");
    rig.wait(1000);
    rig.cancel(ch, "t");
    rig.wait(99);
    assert_eq!(rig.broker.snapshot().queues.len(), 1);
    rig.wait(1);
    assert_eq!(rig.broker.snapshot().queues.len(), 0);
}

#[test]
fn the_broker_tells_when_it_wants_to_be_called() {
    let (mut rig, ch) = Rig::with_channel();
    assert_eq!(rig.broker.next_timeout(), None);
    rig.queue_with(ch, "q", args(&[("x-expires", 1000)]));
    assert_eq!(rig.broker.next_timeout(), Some(Duration::from_millis(1000)));
    rig.publish(ch, "", "q", Message::from("m").expiration("50"));
    assert_eq!(rig.broker.next_timeout(), Some(Duration::from_millis(50)));
    rig.wait(50);
    assert_eq!(rig.broker.next_timeout(), Some(Duration::from_millis(1000)));
    rig.ok(ch, delete_queue("q"));
    assert_eq!(rig.broker.next_timeout(), None);
}

#[test]
fn what_is_due_happens_at_its_own_time_however_late_the_broker_is_called() {
    let (mut rig, ch) = Rig::with_channel();
    // In `first` a message expires at 10 and is dead-lettered to `second`, where it expires at 10 + 20.
    rig.queue_with(
        ch,
        "first",
        table(&[
            ("x-message-ttl", 10.into()),
            ("x-dead-letter-exchange", "".into()),
            ("x-dead-letter-routing-key", "second".into()),
        ]),
    );
    rig.queue_with(ch, "second", args(&[("x-message-ttl", 20)]));
    rig.fill(ch, "first", ["m"]);
    rig.wait(29);
    assert_eq!(rig.broker.snapshot().queue("second").map(|queue| queue.ready.len()), Some(1));
    rig.wait(1);
    assert_eq!(rig.broker.snapshot().queue("second").map(|queue| queue.ready.len()), Some(0));
}

#[test]
fn time_does_not_go_backwards() {
    let mut broker = Broker::new(Config::default());
    let mut effects = Effects::new();
    broker.apply(Now::millis(100), Command::Tick, &mut effects);
    broker.apply(Now::millis(50), Command::Tick, &mut effects);
    assert!(effects.as_slice().is_empty());
}

#[test]
fn r127_deadlines_survive_a_restart_and_the_time_of_unused_queues_starts_again() {
    let (mut rig, ch) = Rig::with_channel();
    let durable = |arguments| tavrida_memory::core::QueueDeclare {
        queue: short("q"),
        durable: true,
        arguments,
        ..Default::default()
    };
    rig.declare(ch, durable(args(&[("x-message-ttl", 100), ("x-expires", 200)])));
    rig.publish(ch, "", "q", Message::from("m").persistent());
    rig.wait(60);
    rig.operate(Operator::Restart);
    rig.wait(39);
    assert_eq!(rig.broker.snapshot().queue("q").map(|queue| queue.ready.len()), Some(1));
    rig.wait(1);
    assert_eq!(rig.broker.snapshot().queue("q").map(|queue| queue.ready.len()), Some(0));
    rig.wait(159);
    assert!(rig.broker.snapshot().queue("q").is_some());
    rig.wait(1);
    assert!(rig.broker.snapshot().queue("q").is_none());
}

#[test]
fn r70_an_expired_message_does_not_linger_in_a_queue_with_priorities() {
    let (mut rig, ch) = Rig::with_channel();
    rig.queue_with(ch, "q", args(&[("x-max-priority", 5)]));
    rig.fill(ch, "q", ["low"]);
    rig.publish(ch, "", "q", Message::from("late").priority(5).expiration("0"));
    assert_eq!(rig.ready("q"), 1, "RabbitMQ counts two, and delivers the expired one");
    assert_eq!(rig.drain("q"), ["low"]);
}
