//! Settling: tags, groups, positions, recover (R97 to R100, A6, A13).

use tavrida::field::Table;
use tavrida_memory::core::{Command, Method, MethodReply};

use crate::rig::*;

fn dead_letter_to(key: &str) -> Table {
    args(&[("x-dead-letter-exchange", ""), ("x-dead-letter-routing-key", key)])
}

#[test]
fn r97_a_tag_must_be_unsettled_with_multiple_too() {
    let (mut rig, ch) = Rig::with_channel();
    rig.queue(ch, "q");
    for method in [ack(1, true), nack(1, true, true), Method::BasicReject { delivery_tag: 1, requeue: true }]
    {
        rig.fill(ch, "q", ["m"]);
        rig.gets(ch, "q", 2);
        rig.ok(ch, ack(1, false));
        rig.refused(ch, method, 406, "PRECONDITION_FAILED - unknown delivery tag 1");
        rig.ok(ch, purge("q"));
    }
}

#[test]
fn r97_multiple_settles_what_is_below_of_all_queues() {
    let (mut rig, ch) = Rig::with_channel();
    for queue in ["q", "r"] {
        rig.queue(ch, queue);
        rig.fill(ch, queue, 0..2);
        rig.gets(ch, queue, 2);
    }
    rig.ok(ch, ack(3, true));
    rig.ok(ch, nack(0, true, true));
    assert_eq!((rig.drain("q").len(), rig.drain("r")), (0, vec!["1*".to_owned()]));
}

#[test]
fn r97_groups_are_settled_by_queue_then_gets_then_consumers_by_tag() {
    let (mut rig, ch) = Rig::with_channel();
    rig.queue(ch, "dead");
    rig.queue_with(ch, "b", dead_letter_to("dead"));
    rig.queue_with(ch, "a", dead_letter_to("dead"));
    rig.qos(ch, 1, false);
    rig.consume(ch, "b", "z");
    rig.consume(ch, "b", "y");
    rig.fill(ch, "b", ["b-z", "b-y", "b-get1", "b-get2"]);
    rig.gets(ch, "b", 2);
    rig.consume(ch, "a", "x");
    rig.fill(ch, "a", ["a-x", "a-get"]);
    rig.gets(ch, "a", 1);
    rig.ok(ch, nack(0, true, false));
    assert_eq!(rig.drain("dead"), ["a-get", "a-x", "b-get1", "b-get2", "b-y", "b-z"]);
}

#[test]
fn r97_a_group_is_one_step_and_what_it_frees_is_delivered_before_the_next() {
    let (mut rig, ch) = Rig::with_channel();
    rig.queue(ch, "q");
    rig.qos(ch, 1, false);
    rig.consume(ch, "q", "b");
    rig.consume(ch, "q", "a");
    rig.fill(ch, "q", 0..4);
    assert_eq!(rig.arrived(ch), ["b:1:0", "a:2:1"]);
    // The group of `a` comes first: its message is requeued and delivered to it again; then that of `b`.
    rig.ok(ch, nack(0, true, true));
    assert_eq!(rig.arrived(ch), ["a:3:1*", "b:4:0*"]);
}

#[test]
fn r98_what_is_given_back_is_delivered_again_at_once_to_the_same_consumer_too() {
    let (mut rig, ch) = Rig::with_channel();
    rig.queue(ch, "q");
    rig.consume(ch, "q", "t");
    rig.fill(ch, "q", 0..2);
    assert_eq!(rig.arrived(ch), ["t:1:0", "t:2:1"]);
    rig.requeue(ch, 1);
    assert_eq!(rig.arrived(ch), ["t:3:0*"]);
}

#[test]
fn r98_a_message_taken_at_once_by_a_consumer_has_a_place_to_go_back_to() {
    let (mut rig, ch) = Rig::with_channel();
    rig.queue(ch, "q");
    rig.qos(ch, 1, false);
    rig.consume(ch, "q", "t");
    rig.fill(ch, "q", 0..3);
    assert_eq!(rig.arrived(ch), ["t:1:0"]);
    rig.cancel(ch, "t");
    rig.requeue(ch, 1);
    assert_eq!(rig.drain("q"), ["0*", "1", "2"]);
}

#[test]
fn r99_recover_gives_everything_back() {
    let (mut rig, ch) = Rig::with_channel();
    rig.queue(ch, "q");
    rig.fill(ch, "q", 0..3);
    rig.gets(ch, "q", 2);
    assert_eq!(rig.ok(ch, Method::BasicRecover { requeue: true }), Some(MethodReply::BasicRecoverOk));
    assert_eq!(rig.gets(ch, "q", 3), ["0*", "1*", "2"]);
    assert_eq!(rig.ok(ch, Method::BasicRecoverAsync { requeue: true }), None);
    assert_eq!(rig.drain("q"), ["0*", "1*", "2*"]);
    rig.fatal(ch, Method::BasicRecover { requeue: false }, 540, "NOT_IMPLEMENTED - requeue=false");
}

#[test]
fn r100_the_end_of_a_channel_gives_back_in_the_original_order() {
    let (mut rig, ch) = Rig::with_channel();
    rig.queue(ch, "q");
    rig.fill(ch, "q", 0..6);
    let other = rig.client();
    rig.qos(other, 2, false);
    rig.consume(other, "q", "a");
    rig.consume(other, "q", "b");
    rig.gets(other, "q", 1);
    rig.apply(Command::Abort { connection: other.connection });
    assert_eq!(rig.drain("q"), ["0*", "1*", "2*", "3*", "4*", "5"]);
}

#[test]
fn a6_discarding_without_a_dead_letter_exchange_forgets() {
    let (mut rig, ch) = Rig::with_channel();
    rig.queue(ch, "q");
    rig.fill(ch, "q", 0..2);
    rig.gets(ch, "q", 1);
    rig.ok(ch, Method::BasicReject { delivery_tag: 1, requeue: false });
    assert_eq!(rig.drain("q"), ["1"]);
}

#[test]
fn many_tags_settled_from_the_middle_leave_the_others_to_be_found() {
    let (mut rig, ch) = Rig::with_channel();
    rig.queue(ch, "q");
    rig.fill(ch, "q", 0..300);
    rig.consume(ch, "q", "t");
    for tag in (1..=300).filter(|tag| tag % 3 != 1) {
        rig.ack(ch, tag);
    }
    assert_eq!(rig.broker.snapshot().queue("q").map(|queue| queue.unacked), Some(100));
    rig.ok(ch, ack(298, true));
    assert_eq!(rig.broker.snapshot().queue("q").map(|queue| queue.unacked), Some(0));
}
