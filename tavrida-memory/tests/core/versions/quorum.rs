//! Quorum queues.

use tavrida_memory::core::Method;

use super::*;

fn count(got: &Got) -> Option<i64> {
    headers(got).get("x-delivery-count").and_then(Value::as_i64)
}

#[test]
fn r131_a_first_delivery_has_no_count() {
    let found = both(|rig, ch| {
        declare(rig, ch, "q", &quorum(&[]));
        rig.fill(ch, "q", ["m"]);
        [0, 1].map(|_| {
            let got = rig.get(ch, "q").expect("the message");
            rig.requeue(ch, got.delivery_tag);
            count(&got)
        })
    });
    assert_eq!(found, [[Some(0), Some(1)], [None, Some(1)]]);
}

#[test]
fn r132_without_a_limit_it_is_20() {
    let found = both(|rig, ch| {
        rig.queue(ch, "dead");
        let address = [("x-dead-letter-exchange", "".into()), ("x-dead-letter-routing-key", "dead".into())];
        declare(rig, ch, "q", &quorum(&address));
        rig.fill(ch, "q", ["m"]);
        let mut deliveries = 0;
        while deliveries < 30
            && let Some(got) = rig.get(ch, "q")
        {
            deliveries += 1;
            rig.requeue(ch, got.delivery_tag);
        }
        (deliveries, rig.ready("dead"))
    });
    assert_eq!(found, [(30, 0), (21, 1)]);
}

#[test]
fn r132_without_a_dead_letter_exchange_the_limit_drops_for_good() {
    let found = both(|rig, ch| {
        declare(rig, ch, "q", &quorum(&[]));
        rig.fill(ch, "q", ["m"]);
        for _ in 0..21 {
            let Some(got) = rig.get(ch, "q") else { break };
            rig.requeue(ch, got.delivery_tag);
        }
        rig.ready("q")
    });
    assert_eq!(found, [1, 0]);
}

#[test]
fn r132_a_negative_limit_is_none() {
    let found = both(|rig, ch| {
        declare(rig, ch, "q", &quorum(&[("x-delivery-limit", (-1).into())]));
        rig.fill(ch, "q", ["m"]);
        let mut returns = 0;
        while returns < 25
            && let Some(got) = rig.get(ch, "q")
        {
            returns += 1;
            rig.requeue(ch, got.delivery_tag);
        }
        returns
    });
    assert_eq!(found, [1, 25]);
}

#[test]
fn r132_a_message_dropped_by_the_limit_gives_its_credit_back_once() {
    let found = both(|rig, ch| {
        declare(rig, ch, "q", &quorum(&[("x-delivery-limit", 0.into())]));
        rig.qos(ch, 1, false);
        rig.consume(ch, "q", "t");
        rig.fill(ch, "q", ["0"]);
        rig.requeue(ch, 1);
        rig.fill(ch, "q", ["1", "2"]);
        rig.arrived(ch)
    });
    assert_eq!(found[0], ["t:1:0", "t:2:1", "t:3:2"], "two credits");
    assert_eq!(found[1], ["t:1:0", "t:2:1"], "one credit");
}

#[test]
fn r133_a_requeue_without_an_own_limit_is_served_first_too() {
    let found = both(|rig, ch| {
        declare(rig, ch, "q", &quorum(&[]));
        rig.fill(ch, "q", 0..4);
        rig.gets(ch, "q", 3);
        for tag in [2, 1, 3] {
            rig.requeue(ch, tag);
        }
        rig.drain("q")
    });
    assert_eq!(found, [["3", "1*", "0*", "2*"], ["1*", "0*", "2*", "3"]]);
}

#[test]
fn r133_consumers_take_turns_by_age() {
    let found = both(|rig, ch| {
        let prefetched = &quorum(&[("x-delivery-limit", 9.into())]);
        declare(rig, ch, "q", prefetched);
        rig.qos(ch, 1, false);
        rig.consume(ch, "q", "z");
        rig.consume(ch, "q", "a");
        rig.fill(ch, "q", 0..2);
        assert_eq!(rig.arrived(ch), ["z:1:0", "a:2:1"]);
        rig.ok(ch, Method::ChannelClose);
        rig.drain("q")
    });
    assert_eq!(found, [["1*", "0*"], ["0*", "1*"]]);
}

#[test]
fn r133_a_get_returns_after_the_consumers() {
    let found = both(|rig, ch| {
        declare(rig, ch, "q", &quorum(&[("x-delivery-limit", 9.into())]));
        rig.fill(ch, "q", 0..2);
        rig.gets(ch, "q", 1);
        rig.consume(ch, "q", "t");
        rig.ok(ch, Method::ChannelClose);
        rig.drain("q")
    });
    assert_eq!(found, [["0*", "1*"], ["1*", "0*"]]);
}

#[test]
fn r137_two_high_ones_for_one_of_the_others() {
    let found = both(|rig, ch| {
        declare(rig, ch, "q", &quorum(&[]));
        rig.fill(ch, "q", ["a", "b", "c"]);
        for (body, priority) in [("D", 4), ("E", 5), ("F", 255), ("G", 9)] {
            rig.publish(ch, "", "q", Message::from(body).priority(priority));
        }
        rig.drain("q")
    });
    assert_eq!(found, [["a", "b", "c", "D", "E", "F", "G"], ["E", "F", "a", "G", "b", "c", "D"]]);
}

#[test]
fn r138_a_higher_priority_takes_a_single_active_consumer_over() {
    let found = both(|rig, ch| {
        declare(rig, ch, "q", &quorum(&[("x-single-active-consumer", true.into())]));
        rig.consume(ch, "q", "low");
        rig.consume_with(ch, "q", "high", |high| high.arguments = args(&[("x-priority", 9)]));
        rig.fill(ch, "q", ["0"]);
        rig.arrived(ch)
    });
    assert_eq!(found, [["low:1:0"], ["high:1:0"]]);
}

#[test]
fn r138_when_the_active_one_has_settled_what_it_holds() {
    let found = both(|rig, ch| {
        declare(rig, ch, "q", &quorum(&[("x-single-active-consumer", true.into())]));
        rig.consume(ch, "q", "low");
        rig.fill(ch, "q", ["0"]);
        rig.consume_with(ch, "q", "high", |high| high.arguments = args(&[("x-priority", 9)]));
        rig.fill(ch, "q", ["1"]);
        let before = rig.arrived(ch);
        rig.ack(ch, 1);
        (before, rig.arrived(ch))
    });
    let told = |all: &[&str]| all.iter().map(|one| (*one).to_owned()).collect::<Vec<_>>();
    assert_eq!(found[0], (told(&["low:1:0", "low:2:1"]), Vec::new()));
    assert_eq!(found[1], (told(&["low:1:0"]), told(&["high:2:1"])));
}

#[test]
fn r113_r138_the_next_one_is_that_with_the_highest_priority() {
    let found = both(|rig, ch| {
        declare(rig, ch, "q", &quorum(&[("x-single-active-consumer", true.into())]));
        rig.consume_with(ch, "q", "first", |first| first.arguments = args(&[("x-priority", 9)]));
        rig.consume(ch, "q", "second");
        rig.consume_with(ch, "q", "third", |third| third.arguments = args(&[("x-priority", 5)]));
        rig.cancel(ch, "first");
        rig.fill(ch, "q", ["0"]);
        rig.arrived(ch)
    });
    assert_eq!(found, [["second:1:0"], ["third:1:0"]]);
}

#[test]
fn r140_what_another_quorum_queue_failed_to_deliver_is_counted_on() {
    let found = both(|rig, ch| {
        declare(rig, ch, "second", &quorum(&[]));
        let address = [("x-dead-letter-exchange", "".into()), ("x-dead-letter-routing-key", "second".into())];
        declare(rig, ch, "first", &quorum(&address));
        rig.fill(ch, "first", ["m"]);
        let got = rig.get(ch, "first").expect("the message");
        rig.discard(ch, got.delivery_tag);
        let got = rig.get(ch, "second").expect("the dead letter");
        (count(&got), got.redelivered)
    });
    assert_eq!(found, [(Some(0), false), (Some(1), true)]);
}

#[test]
fn r64_the_time_of_a_policy_and_of_a_quorum_queue() {
    use tavrida_memory::core::{Definition, Operator, Policy};
    let found = both(|rig, ch| {
        declare(rig, ch, "q", &quorum(&[("x-expires", 1000.into())]));
        let definition = Definition { expires: Some(5000), ..Default::default() };
        rig.operate(Operator::SetPolicy(Policy { definition, ..Default::default() }));
        rig.wait(2000);
        rig.broker.consumers("q").is_some()
    });
    assert_eq!(found, [true, false]);
}
