//! Dispatch to consumers (R109 to R112, A3, A4).

use crate::rig::*;

#[test]
fn r111_idle_consumers_take_turns() {
    let (mut rig, ch) = Rig::with_channel();
    rig.queue(ch, "q");
    for tag in ["a", "b", "c"] {
        rig.consume(ch, "q", tag);
    }
    rig.fill(ch, "q", 0..5);
    assert_eq!(rig.arrived(ch), ["a:1:0", "b:2:1", "c:3:2", "a:4:3", "b:5:4"]);
}

#[test]
fn r111_a_new_consumer_takes_the_whole_backlog() {
    let (mut rig, ch) = Rig::with_channel();
    rig.queue(ch, "q");
    rig.fill(ch, "q", 0..3);
    rig.consume(ch, "q", "a");
    rig.consume(ch, "q", "b");
    assert_eq!(rig.arrived(ch), ["a:1:0", "a:2:1", "a:3:2"]);
}

#[test]
fn r111_a_long_backlog_too() {
    let (mut rig, ch) = Rig::with_channel();
    let other = rig.client();
    rig.queue(ch, "q");
    rig.fill(ch, "q", 0..300);
    rig.consume(ch, "q", "a");
    rig.consume(other, "q", "b");
    assert_eq!(rig.arrived(ch).len(), 300, "RabbitMQ turns to the next consumer after 200 that nobody read");
    assert!(rig.arrived(other).is_empty());
}

#[test]
fn r111_a_higher_priority_starves_the_others_until_its_credit_is_used_up() {
    let (mut rig, ch) = Rig::with_channel();
    rig.queue(ch, "q");
    rig.consume(ch, "q", "low");
    rig.qos(ch, 2, false);
    rig.consume_with(ch, "q", "high", |high| high.arguments = args(&[("x-priority", 1)]));
    rig.consume_with(ch, "q", "lower", |lower| lower.arguments = args(&[("x-priority", -1)]));
    rig.fill(ch, "q", 0..4);
    assert_eq!(rig.arrived(ch), ["high:1:0", "high:2:1", "low:3:2", "low:4:3"]);
    rig.ack(ch, 1);
    rig.fill(ch, "q", ["4"]);
    assert_eq!(rig.arrived(ch), ["high:5:4"]);
}

#[test]
fn r111_what_two_limited_consumers_give_back() {
    let (mut rig, ch) = Rig::with_channel();
    rig.queue(ch, "q");
    rig.qos(ch, 1, false);
    rig.consume(ch, "q", "a");
    rig.consume(ch, "q", "b");
    rig.fill(ch, "q", ["m"]);
    assert_eq!(rig.arrived(ch), ["a:1:m"]);
    // `a` is behind `b` in the line, and gets it only after `b`.
    rig.requeue(ch, 1);
    assert_eq!(rig.arrived(ch), ["b:2:m*"]);
}

#[test]
fn r110_who_regains_credit_goes_to_the_end_of_the_line() {
    let (mut rig, ch) = Rig::with_channel();
    rig.queue(ch, "q");
    rig.qos(ch, 1, false);
    rig.consume(ch, "q", "a");
    rig.consume(ch, "q", "b");
    rig.fill(ch, "q", 0..3);
    assert_eq!(rig.arrived(ch), ["a:1:0", "b:2:1"]);
    rig.ok(ch, ack(2, false));
    assert_eq!(rig.arrived(ch), ["b:3:2"]);
    // `a` was found without credit and left the line; `b` was not checked since its last message, and kept its position.
    rig.ok(ch, ack(1, false));
    rig.ok(ch, ack(3, false));
    rig.fill(ch, "q", ["3"]);
    assert_eq!(rig.arrived(ch), ["b:4:3"]);
}

#[test]
fn r109_another_tag_inherits_nothing() {
    let (mut rig, ch) = Rig::with_channel();
    rig.queue(ch, "q");
    rig.fill(ch, "q", 0..4);
    rig.qos(ch, 1, false);
    rig.consume(ch, "q", "t");
    rig.cancel(ch, "t");
    rig.consume(ch, "q", "u");
    assert_eq!(rig.arrived(ch), ["t:1:0", "u:2:1"]);
    rig.ack(ch, 1);
    assert!(rig.arrived(ch).is_empty());
    rig.ack(ch, 2);
    assert_eq!(rig.arrived(ch), ["u:3:2"]);
}

#[test]
fn r109_deliveries_of_two_consumers_with_one_tag_settled_together_all_count_for_the_second() {
    let (mut rig, ch) = Rig::with_channel();
    rig.queue(ch, "q");
    rig.fill(ch, "q", 0..5);
    rig.qos(ch, 1, false);
    rig.consume(ch, "q", "t");
    rig.cancel(ch, "t");
    rig.consume(ch, "q", "t");
    assert_eq!(rig.arrived(ch), ["t:1:0", "t:2:1"]);
    rig.ok(ch, ack(0, true));
    assert_eq!(rig.arrived(ch), ["t:3:2", "t:4:3"]);
    // When the second is cancelled too, its deliveries are removed with those of the first.
    rig.cancel(ch, "t");
    rig.ok(ch, nack(0, true, true));
    assert_eq!(rig.drain("q"), ["2*", "3*", "4"]);
}

#[test]
fn r109_nor_does_the_same_tag_on_another_queue() {
    let (mut rig, ch) = Rig::with_channel();
    for queue in ["q", "r"] {
        rig.queue(ch, queue);
        rig.fill(ch, queue, 0..3);
    }
    rig.qos(ch, 1, false);
    rig.consume(ch, "q", "t");
    rig.cancel(ch, "t");
    rig.consume(ch, "r", "t");
    assert_eq!(rig.arrived(ch), ["t:1:0", "t:2:0"]);
    rig.ack(ch, 1);
    assert!(rig.arrived(ch).is_empty());
}

#[test]
fn r112_each_channel_sees_the_order_of_the_queue() {
    let (mut rig, ch) = Rig::with_channel();
    let other = rig.client();
    rig.queue(ch, "q");
    for channel in [ch, other] {
        rig.consume(channel, "q", "t");
    }
    rig.fill(ch, "q", 0..6);
    assert_eq!(rig.arrived(ch), ["t:1:0", "t:2:2", "t:3:4"]);
    assert_eq!(rig.arrived(other), ["t:1:1", "t:2:3", "t:3:5"]);
}

#[test]
fn the_outbox_says_when_something_arrives_and_keeps_the_order() {
    let (mut rig, ch) = Rig::with_channel();
    rig.queue(ch, "q");
    rig.consume(ch, "q", "t");
    assert!(rig.broker.sending().is_empty());
    rig.fill(ch, "q", 0..2);
    assert_eq!(rig.broker.sending(), [ch]);
    rig.ok(ch, delete_queue("q"));
    assert_eq!(rig.arrived(ch), ["t:1:0", "t:2:1", "cancel t"]);
    assert!(rig.broker.sending().is_empty());
}
