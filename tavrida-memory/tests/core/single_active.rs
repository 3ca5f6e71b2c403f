//! Queues with a single active consumer (R113 to R115).

use tavrida::field::Table;
use tavrida_memory::core::{Command, Method};

use crate::rig::*;

fn single_active() -> Table {
    table(&[("x-single-active-consumer", true.into())])
}

#[test]
fn r113_the_first_gets_everything_whatever_the_priority_of_the_others() {
    let (mut rig, ch) = Rig::with_channel();
    rig.queue_with(ch, "q", single_active());
    rig.consume(ch, "q", "first");
    rig.consume_with(ch, "q", "high", |high| high.arguments = args(&[("x-priority", 9)]));
    rig.fill(ch, "q", 0..3);
    assert_eq!(rig.arrived(ch), ["first:1:0", "first:2:1", "first:3:2"]);
    rig.cancel(ch, "first");
    rig.fill(ch, "q", ["3"]);
    assert_eq!(rig.arrived(ch), ["high:4:3"]);
}

#[test]
fn r114_a_closed_channel_hands_its_messages_to_the_next() {
    let (mut rig, ch) = Rig::with_channel();
    rig.queue_with(ch, "q", single_active());
    let first = rig.channel(ch.connection, 2);
    rig.qos(first, 2, false);
    rig.consume(first, "q", "t");
    rig.consume(ch, "q", "u");
    rig.fill(ch, "q", 0..3);
    assert_eq!(rig.arrived(first), ["t:1:0", "t:2:1"]);
    assert!(rig.arrived(ch).is_empty());
    rig.ok(first, Method::ChannelClose);
    assert_eq!(rig.arrived(ch), ["u:1:0*", "u:2:1*", "u:3:2"]);
}

#[test]
fn r114_while_the_active_one_is_full_the_others_get_nothing() {
    let (mut rig, ch) = Rig::with_channel();
    rig.queue_with(ch, "q", single_active());
    rig.qos(ch, 1, false);
    rig.consume(ch, "q", "active");
    rig.consume(ch, "q", "waiting");
    rig.fill(ch, "q", 0..2);
    assert_eq!(rig.arrived(ch), ["active:1:0"]);
    let other = rig.client();
    assert_eq!(rig.gets(other, "q", 1), ["1"]);
    rig.requeue(other, 1);
    rig.ack(ch, 1);
    assert_eq!(rig.arrived(ch), ["active:2:1*"]);
}

#[test]
fn r115_a_cancel_with_a_backlog_serves_the_next_at_once() {
    let (mut rig, ch) = Rig::with_channel();
    rig.queue_with(ch, "q", single_active());
    rig.qos(ch, 1, false);
    rig.consume(ch, "q", "t");
    rig.consume(ch, "q", "u");
    rig.fill(ch, "q", 0..3);
    rig.cancel(ch, "t");
    assert_eq!(rig.arrived(ch), ["t:1:0", "u:2:1"]);
    rig.fill(ch, "q", ["3"]);
    assert_eq!(rig.ready("q"), 2);
}

#[test]
fn the_end_of_a_connection_with_two_consumers_activates_neither() {
    let (mut rig, ch) = Rig::with_channel();
    rig.queue_with(ch, "q", single_active());
    let gone = rig.client();
    rig.consume(gone, "q", "a");
    rig.consume(gone, "q", "b");
    rig.consume(ch, "q", "c");
    rig.fill(ch, "q", ["m"]);
    rig.apply(Command::Abort { connection: gone.connection });
    assert_eq!(rig.arrived(ch), ["c:1:m*"]);
}
