//! Length limits and priorities (R72 to R77).

use tavrida::field::{Table, Value};

use crate::rig::*;

fn limited(limit: i32, overflow: &str) -> Table {
    table(&[("x-max-length", limit.into()), ("x-overflow", overflow.into())])
}

#[test]
fn r72_only_ready_messages_count_and_only_the_bytes_of_their_bodies() {
    let (mut rig, ch) = Rig::with_channel();
    rig.queue_with(ch, "q", args(&[("x-max-length-bytes", 5)]));
    let heavy_headers = Message::from("abc").headers(args(&[("h", "a long value that weighs nothing")]));
    rig.publish(ch, "", "q", heavy_headers);
    rig.gets(ch, "q", 1);
    rig.fill(ch, "q", ["123", "45"]);
    assert_eq!(rig.ready("q"), 2, "what is unsettled does not count");
    rig.fill(ch, "q", ["6"]);
    assert_eq!(rig.drain("q"), ["45", "6"]);
}

#[test]
fn r73_the_head_is_dropped_even_if_it_is_the_new_message() {
    let (mut rig, ch) = Rig::with_channel();
    rig.queue_with(ch, "none", args(&[("x-max-length", 0)]));
    rig.queue_with(ch, "small", args(&[("x-max-length-bytes", 2)]));
    rig.fill(ch, "none", ["a"]);
    rig.fill(ch, "small", ["ab", "too long"]);
    assert_eq!((rig.ready("none"), rig.ready("small")), (0, 0));
    // A message delivered at once was never ready.
    rig.consume(ch, "none", "t");
    rig.fill(ch, "none", ["b"]);
    assert_eq!(rig.arrived(ch), ["t:1:b"]);
}

#[test]
fn r74_a_return_drops_the_oldest_and_dead_letters_them_as_maxlen() {
    let (mut rig, ch) = Rig::with_channel();
    let mut arguments = args(&[("x-dead-letter-exchange", ""), ("x-dead-letter-routing-key", "dead")]);
    arguments.insert(short("x-max-length"), 1);
    rig.queue_with(ch, "q", arguments);
    rig.queue(ch, "dead");
    rig.fill(ch, "q", ["a"]);
    rig.gets(ch, "q", 1);
    rig.fill(ch, "q", ["b"]);
    rig.requeue(ch, 1);
    assert_eq!(rig.drain("q"), ["b"]);
    let dead = rig.drain_whole("dead");
    assert_eq!(dead.len(), 1);
    let Some(Value::Array(deaths)) = dead[0].publication.properties.headers().get("x-death") else {
        panic!()
    };
    let Value::Table(death) = &deaths[0] else { panic!() };
    assert_eq!(death.get("reason").and_then(Value::as_str), Some("maxlen"));
}

#[test]
fn r75_a_full_queue_refuses_before_it_looks_at_consumers() {
    let (mut rig, ch) = Rig::with_channel();
    rig.queue_with(ch, "q", limited(0, "reject-publish"));
    rig.consume(ch, "q", "t");
    assert_eq!(rig.publish(ch, "", "q", Message::from("m").mandatory()), NACK);
    assert!(rig.arrived(ch).is_empty());
}

#[test]
fn r75_a_return_may_exceed_the_limit_of_a_queue_that_refuses() {
    let (mut rig, ch) = Rig::with_channel();
    rig.queue_with(ch, "q", limited(1, "reject-publish"));
    rig.fill(ch, "q", ["a"]);
    rig.gets(ch, "q", 1);
    rig.fill(ch, "q", ["b"]);
    rig.requeue(ch, 1);
    assert_eq!(rig.drain("q"), ["a*", "b"]);
}

#[test]
fn r75_only_reject_publish_dlx_dead_letters_what_it_refuses() {
    for (overflow, dead) in [("reject-publish", 0), ("reject-publish-dlx", 1)] {
        let (mut rig, ch) = Rig::with_channel();
        rig.queue(ch, "dead");
        let mut arguments = limited(0, overflow);
        arguments.insert(short("x-dead-letter-exchange"), "");
        arguments.insert(short("x-dead-letter-routing-key"), "dead");
        rig.queue_with(ch, "q", arguments);
        assert_eq!(rig.publish(ch, "", "q", "m"), NACK);
        assert_eq!(rig.ready("dead"), dead, "{overflow}");
    }
}

#[test]
fn r76_one_refusal_nacks_the_publish_whatever_the_order_of_the_queues() {
    for full_first in [true, false] {
        let (mut rig, ch) = Rig::with_channel();
        let names = if full_first { ["full", "free"] } else { ["free", "full"] };
        for name in names {
            let arguments = if name == "full" { limited(0, "reject-publish") } else { Table::new() };
            rig.queue_with(ch, name, arguments);
            rig.bind(ch, name, "amq.fanout", "");
        }
        assert_eq!(rig.publish(ch, "amq.fanout", "", "m"), NACK);
        assert_eq!(rig.drain("free"), ["m"]);
    }
}

#[test]
fn r77_priorities_are_capped_where_they_count_and_kept_where_they_are_seen() {
    let (mut rig, ch) = Rig::with_channel();
    rig.queue_with(ch, "q", args(&[("x-max-priority", 3)]));
    for (body, priority) in [("a", 3), ("b", 9), ("c", 0), ("d", 3)] {
        rig.publish(ch, "", "q", Message::from(body).priority(priority));
    }
    rig.fill(ch, "q", ["none"]);
    assert_eq!(rig.gets(ch, "q", 2), ["a", "b"]);
    rig.requeue(ch, 2);
    let got = rig.drain_whole("q");
    let seen: Vec<_> = got.iter().map(|got| got.publication.properties.priority).collect();
    assert_eq!(seen, [Some(9), Some(3), Some(0), None]);
}

#[test]
fn r77_without_priorities_a_queue_is_in_order_of_arrival() {
    let (mut rig, ch) = Rig::with_channel();
    rig.queue(ch, "q");
    for (body, priority) in [("a", 1), ("b", 9)] {
        rig.publish(ch, "", "q", Message::from(body).priority(priority));
    }
    assert_eq!(rig.drain("q"), ["a", "b"]);
}
