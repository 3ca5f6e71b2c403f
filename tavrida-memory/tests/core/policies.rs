//! Policies (R64).

use tavrida_memory::core::{ApplyTo, ChannelId, Definition, NamePattern, Operator, Policy};

use crate::rig::*;

fn policy(name: &str, priority: i32, pattern: NamePattern, definition: Definition) -> Operator {
    Operator::SetPolicy(Policy { name: short(name), pattern, apply_to: ApplyTo::All, priority, definition })
}

fn length(limit: u64) -> Definition {
    Definition { max_length: Some(limit), ..Default::default() }
}

fn filled(limit: Option<i32>) -> (Rig, ChannelId) {
    let (mut rig, ch) = Rig::with_channel();
    let arguments = limit.map(|limit| args(&[("x-max-length", limit)]));
    rig.queue_with(ch, "q", arguments.unwrap_or_default());
    rig.fill(ch, "q", 0..4);
    (rig, ch)
}

#[test]
fn r64_a_policy_changes_what_is_there_and_its_end_takes_the_change_back() {
    let (mut rig, ch) = filled(None);
    rig.operate(policy("p", 0, NamePattern::All, length(2)));
    assert_eq!(rig.ready("q"), 2);
    rig.operate(Operator::ClearPolicy { name: short("p") });
    rig.fill(ch, "q", 4..6);
    assert_eq!(rig.drain("q"), ["2", "3", "4", "5"]);
}

#[test]
fn r64_the_smaller_limit_counts_and_the_address_of_the_arguments() {
    let (mut rig, ch) = filled(Some(3));
    rig.operate(policy("p", 0, NamePattern::All, length(9)));
    assert_eq!(rig.drain("q").len(), 3);
    rig.queue(ch, "ours");
    rig.queue(ch, "theirs");
    let to = |key: &str| {
        [("x-dead-letter-exchange", String::new()), ("x-dead-letter-routing-key", key.to_owned())]
    };
    rig.queue_with(ch, "dead", args(&to("ours")));
    let definition = Definition {
        dead_letter_exchange: Some(short("")),
        dead_letter_routing_key: Some(short("theirs")),
        ..Default::default()
    };
    rig.operate(policy("p", 0, NamePattern::All, definition));
    for queue in ["dead", "q"] {
        rig.fill(ch, queue, ["m"]);
        let got = rig.get(ch, queue).expect("a message");
        rig.discard(ch, got.delivery_tag);
    }
    assert_eq!((rig.ready("ours"), rig.ready("theirs")), (1, 1));
}

#[test]
fn r64_only_the_policy_with_the_highest_priority_applies() {
    let (mut rig, _) = filled(None);
    rig.operate(policy("high", 2, NamePattern::Name(short("other")), length(1)));
    rig.operate(policy("middle", 1, NamePattern::Prefix(short("q")), Definition::default()));
    rig.operate(policy("low", 0, NamePattern::All, length(2)));
    assert_eq!(rig.ready("q"), 4, "the one that matches sets no limit");
    rig.operate(Operator::ClearPolicy { name: short("middle") });
    assert_eq!(rig.ready("q"), 2);
}

#[test]
fn r64_a_policy_that_sets_what_a_classic_queue_lacks_does_not_apply_to_it() {
    let (mut rig, _) = filled(None);
    let definition = Definition { delivery_limit: Some(1), ..length(1) };
    rig.operate(policy("p", 0, NamePattern::All, definition));
    assert_eq!(rig.ready("q"), 4);
}

#[test]
fn r64_a_queue_that_comes_later_follows_too_and_stays_equal_to_its_declaration() {
    let (mut rig, ch) = Rig::with_channel();
    rig.operate(policy("p", 0, NamePattern::All, length(1)));
    rig.queue(ch, "q");
    rig.fill(ch, "q", 0..3);
    rig.queue(ch, "q");
    assert_eq!(rig.drain("q"), ["2"]);
}

#[test]
fn r64_an_alternate_exchange_by_policy() {
    let (mut rig, ch) = Rig::with_channel();
    rig.queue(ch, "q");
    rig.bind(ch, "q", "amq.fanout", "");
    rig.exchange(ch, "x", "direct");
    let definition = Definition { alternate_exchange: Some(short("amq.fanout")), ..Default::default() };
    rig.operate(policy("p", 0, NamePattern::Name(short("x")), definition));
    rig.publish(ch, "x", "nobody", "m");
    assert_eq!(rig.drain("q"), ["m"]);
}
