//! Quorum queues, where they differ (R130 to R133).

use tavrida::field::{Table, Value};
use tavrida_memory::core::{ChannelId, Got, Method, Operator, QueueDeclare, RabbitMq};

use crate::rig::*;

fn quorum(name: &str, more: &[(&str, Value)]) -> QueueDeclare {
    let mut arguments = args(&[("x-queue-type", "quorum")]);
    arguments.extend(more.iter().map(|(name, value)| (short(name), value.clone())));
    QueueDeclare { queue: short(name), durable: true, arguments, ..Default::default() }
}

fn with_queue(more: &[(&str, Value)]) -> (Rig, ChannelId) {
    let (mut rig, ch) = Rig::with_channel();
    rig.declare(ch, quorum("q", more));
    (rig, ch)
}

fn count(got: &Got) -> Option<i64> {
    got.publication.properties.headers().get("x-delivery-count").and_then(Value::as_i64)
}

#[test]
fn r130_what_a_quorum_queue_cannot_be() {
    let (mut rig, ch) = Rig::with_channel();
    let mut refused = |declare: QueueDeclare, text: &str| {
        rig.refused(ch, Method::QueueDeclare(declare), 406, &format!("PRECONDITION_FAILED - {text}"));
    };
    let property = |name| format!("invalid property '{name}' for queue 'q' in vhost '/'");
    refused(QueueDeclare { durable: false, ..quorum("q", &[]) }, &property("non-durable"));
    refused(QueueDeclare { exclusive: true, ..quorum("q", &[]) }, &property("exclusive-owner"));
    refused(QueueDeclare { auto_delete: true, ..quorum("q", &[]) }, &property("auto-delete"));
    refused(quorum("", &[]), "Cannot declare a server-named queue for type rabbit_quorum_queue");
    for (name, value) in
        [("x-max-priority", 5.into()), ("x-queue-mode", "lazy".into()), ("x-queue-version", 2.into())]
    {
        let text =
            format!("invalid arg '{name}' for queue 'q' in vhost '/' of queue type rabbit_quorum_queue");
        refused(quorum("q", &[(name, value)]), &text);
    }
}

#[test]
fn r130_the_type_is_compared() {
    let (mut rig, ch) = with_queue(&[]);
    let classic = QueueDeclare { arguments: Table::new(), ..quorum("q", &[]) };
    let text = "PRECONDITION_FAILED - inequivalent arg 'x-queue-type' for queue 'q' in vhost '/': received none but current \
                is the value 'quorum' of type 'longstr'";
    rig.refused(ch, Method::QueueDeclare(classic), 406, text);
}

#[test]
fn r131_returns_are_counted_and_redelivered_means_returned() {
    let (mut rig, ch) = with_queue(&[]);
    rig.fill(ch, "q", ["m"]);
    for returns in 0..3 {
        let got = rig.get(ch, "q").expect("the message");
        assert_eq!((count(&got), got.redelivered), (Some(returns), returns > 0));
        rig.requeue(ch, got.delivery_tag);
    }
    rig.consume(ch, "q", "t");
    let delivered = rig.delivery(ch);
    assert_eq!(delivered.publication.properties.headers().get("x-delivery-count"), Some(&Value::I64(3)));
}

#[test]
fn r131_a_consumer_is_told_no_count_of_what_was_never_returned() {
    let (mut rig, ch) = with_queue(&[]);
    rig.consume(ch, "q", "t");
    rig.fill(ch, "q", ["m"]);
    let delivered = rig.delivery(ch);
    assert_eq!((delivered.publication.properties.headers.clone(), delivered.redelivered), (None, false));
}

#[test]
fn r132_a_limit_of_returns_ends_in_the_dead_letter_exchange() {
    let (mut rig, ch) = with_queue(&[
        ("x-delivery-limit", 2.into()),
        ("x-dead-letter-exchange", "".into()),
        ("x-dead-letter-routing-key", "dead".into()),
    ]);
    rig.queue(ch, "dead");
    rig.fill(ch, "q", ["m"]);
    for tag in 1..=3 {
        assert_eq!(rig.gets(ch, "q", 1).len(), 1);
        rig.requeue(ch, tag);
    }
    assert_eq!(rig.ready("q"), 0);
    let dead = rig.drain_whole("dead").remove(0);
    assert_eq!(count(&dead), None);
    let Some(Value::Array(deaths)) = dead.publication.properties.headers().get("x-death") else { panic!() };
    let Value::Table(death) = &deaths[0] else { panic!() };
    assert_eq!(death.get("reason").and_then(Value::as_str), Some("delivery_limit"));
}

#[test]
fn r133_with_a_delivery_limit_what_was_returned_comes_first_in_the_order_of_its_return() {
    let (mut rig, ch) = with_queue(&[("x-delivery-limit", 9.into())]);
    rig.fill(ch, "q", 0..4);
    rig.gets(ch, "q", 3);
    for tag in [2, 1, 3] {
        rig.requeue(ch, tag);
    }
    assert_eq!(rig.drain("q"), ["1*", "0*", "2*", "3"]);
}

#[test]
fn r133_without_a_delivery_limit_what_is_requeued_goes_to_the_tail() {
    let (mut rig, ch) = with_queue(&[]);
    rig.fill(ch, "q", 0..4);
    rig.gets(ch, "q", 3);
    for tag in [2, 1, 3] {
        rig.requeue(ch, tag);
    }
    assert_eq!(rig.drain("q"), ["3", "1*", "0*", "2*"]);
}

#[test]
fn r133_what_is_requeued_enters_and_goes_out_one_after_the_other() {
    let (mut rig, ch) = with_queue(&[]);
    rig.fill(ch, "q", 0..3);
    rig.consume(ch, "q", "t");
    assert_eq!(rig.arrived(ch), ["t:1:0", "t:2:1", "t:3:2"]);
    rig.consume(ch, "q", "b");
    rig.ok(ch, nack(0, true, true));
    // All three at once would be sent consumer after consumer, the one with the lesser tag first.
    assert_eq!(rig.arrived(ch), ["t:4:0*", "b:5:1*", "t:6:2*"]);
}

#[test]
fn r133_what_a_quorum_queue_does_not_support() {
    let (mut rig, ch) = with_queue(&[]);
    let text = |what: &str| format!("NOT_IMPLEMENTED - {what}");
    let delete =
        |if_unused, if_empty| Method::QueueDelete { queue: short("q"), if_unused, if_empty, nowait: false };
    rig.fatal(
        ch,
        delete(true, true),
        540,
        &text("cannot delete queue 'q' in vhost '/'. queue.delete operations with if-unused flag set are not supported by quorum queues"),
    );
    let ch = rig.client();
    rig.fatal(
        ch,
        delete(false, true),
        540,
        &text("cannot delete queue 'q' in vhost '/'. queue.delete operations with if-empty flag set are not supported by quorum queues"),
    );
    let ch = rig.client();
    rig.qos(ch, 5, true);
    rig.fatal(ch, consume("q", "t"), 540, &text("queue 'q' in vhost '/' does not support global qos"));
    let ch = rig.client();
    rig.declare(ch, quorum("sac", &[("x-single-active-consumer", true.into())]));
    let locked = "RESOURCE_LOCKED - cannot obtain access to locked queue 'sac' in vhost '/'. basic.get operations are not \
                  supported by quorum queues with single active consumer";
    rig.refused(ch, get("sac"), 405, locked);
}

#[test]
fn r133_exclusive_consumers_are_taken_note_of() {
    let (mut rig, ch) = with_queue(&[]);
    for tag in ["t", "u"] {
        rig.consume_with(ch, "q", tag, |consume| consume.exclusive = true);
    }
    rig.fill(ch, "q", 0..2);
    assert_eq!(rig.arrived(ch), ["t:1:0", "u:2:1"]);
}

#[test]
fn r133_a_full_queue_refuses_when_it_is_over_and_until_it_is_well_below() {
    let (mut rig, ch) = with_queue(&[("x-max-length", 5.into()), ("x-overflow", "reject-publish".into())]);
    rig.fill(ch, "q", 0..6);
    assert_eq!(rig.publish(ch, "", "q", "over"), NACK);
    rig.gets(ch, "q", 1);
    assert_eq!(rig.publish(ch, "", "q", "five of five is not well below"), NACK);
    rig.gets(ch, "q", 1);
    assert_eq!(rig.publish(ch, "", "q", "four of five is"), ACK);
}

#[test]
fn r133_drop_head_as_in_a_classic_queue() {
    let (mut rig, ch) = with_queue(&[("x-max-length", 2.into())]);
    rig.fill(ch, "q", 0..4);
    assert_eq!(rig.drain("q"), ["2", "3"]);
}

#[test]
fn r133_what_is_dropped_at_one_time_is_dead_lettered_in_the_opposite_order() {
    let dead = [("x-dead-letter-exchange", "".into()), ("x-dead-letter-routing-key", "dead".into())];
    let (mut rig, ch) = with_queue(&[("x-max-length", 1.into()), dead[0].clone(), dead[1].clone()]);
    rig.queue(ch, "dead");
    let other = rig.client();
    rig.consume(other, "q", "t");
    rig.fill(ch, "q", 0..4);
    rig.ok(other, Method::ChannelClose);
    assert_eq!(rig.drain("q"), ["3*"]);
    assert_eq!(rig.drain("dead"), ["2", "1", "0"]);
}

#[test]
fn r109_not_so_here_a_tag_used_again_counts_what_is_still_out() {
    let (mut rig, ch) = with_queue(&[]);
    rig.fill(ch, "q", 0..4);
    rig.qos(ch, 1, false);
    rig.consume(ch, "q", "t");
    rig.cancel(ch, "t");
    rig.consume(ch, "q", "t");
    assert_eq!(rig.arrived(ch), ["t:1:0"]);
    rig.ack(ch, 1);
    assert_eq!(rig.arrived(ch), ["t:2:1"]);
}

#[test]
fn a_single_active_consumer_is_followed_by_the_next_that_came() {
    let (mut rig, ch) = Rig::with_channel();
    rig.declare(ch, quorum("q", &[("x-single-active-consumer", true.into())]));
    rig.consume(ch, "q", "a");
    rig.consume(ch, "q", "b");
    rig.consume_with(ch, "q", "c", |c| c.arguments = args(&[("x-priority", 9)]));
    rig.cancel(ch, "a");
    rig.fill(ch, "q", ["m"]);
    assert_eq!(rig.arrived(ch), ["b:1:m"]);
}

#[test]
fn a_restart_keeps_transient_messages_and_counts_what_was_out() {
    let (mut rig, ch) = with_queue(&[]);
    rig.fill(ch, "q", 0..3);
    rig.gets(ch, "q", 1);
    rig.operate(Operator::Kill);
    assert_eq!(rig.drain("q"), ["0*", "1", "2"]);
}

#[test]
fn messages_expire_here_too_after_a_millisecond_at_least() {
    let (mut rig, ch) = with_queue(&[]);
    rig.publish(ch, "", "q", Message::from("m").expiration("0"));
    assert_eq!(rig.ready("q"), 1);
    rig.wait(1);
    assert_eq!(rig.ready("q"), 0);
}

#[test]
fn r141_a_tag_used_again_takes_up_its_place_while_messages_of_it_are_unsettled() {
    let (mut rig, ch) = Rig::like(RabbitMq::V4_0);
    let other = rig.client();
    rig.declare(ch, quorum("q", &[]));
    rig.qos(ch, 2, false);
    rig.consume(ch, "q", "a");
    rig.fill(ch, "q", ["0"]);
    rig.consume(other, "q", "b");
    rig.cancel(ch, "a");
    rig.consume(ch, "q", "a");
    rig.fill(ch, "q", ["1", "2", "3"]);
    assert_eq!((rig.arrived(ch), rig.arrived(other)), told(&["a:1:0", "a:2:1"], &["b:1:2", "b:2:3"]));
}

fn told(ours: &[&str], theirs: &[&str]) -> (Vec<String>, Vec<String>) {
    let all = |told: &[&str]| told.iter().map(|one| (*one).to_owned()).collect();
    (all(ours), all(theirs))
}
