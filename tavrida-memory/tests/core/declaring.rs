//! Arguments of queues: which are valid, which must be repeated, and the error texts (R54 to R56).

use tavrida::field::{Table, Value};

use crate::rig::*;

/// Returns the reason why a queue with one argument is refused.
fn refusal(name: &str, value: Value) -> Option<String> {
    refusal_of(table(&[(name, value)]))
}

fn refusal_of(arguments: Table) -> Option<String> {
    let (mut rig, ch) = Rig::with_channel();
    match rig.call(ch, declare_queue("q", arguments)) {
        Answer::ChannelClosed(reason) => {
            assert_eq!(reason.code, 406);
            Some(reason.text.replace("PRECONDITION_FAILED - ", "").replace("queue 'q' in vhost '/'", "R(q)"))
        }
        Answer::Reply(_) => None,
        other => panic!("{other:?}"),
    }
}

#[test]
fn r55_values_out_of_range_are_refused_with_their_reason() {
    let cases: [(&str, Value, &str); 22] = [
        ("x-message-ttl", (-1).into(), "{value_negative,-1}"),
        ("x-message-ttl", Value::I64(315_360_000_001), "{value_too_large,315360000001}"),
        ("x-message-ttl", "5".into(), "\"expected integer, got longstr\""),
        ("x-message-ttl", Value::Timestamp(5), "\"expected integer, got timestamp\""),
        ("x-message-ttl", true.into(), "\"expected integer, got bool\""),
        ("x-message-ttl", 5.0.into(), "\"expected integer, got double\""),
        ("x-message-ttl", Value::Void, "\"expected integer, got void\""),
        ("x-expires", 0.into(), "{value_zero,0}"),
        ("x-expires", (-1).into(), "{value_negative,-1}"),
        ("x-max-length", (-1).into(), "{value_negative,-1}"),
        ("x-max-length-bytes", "a".into(), "\"expected integer, got longstr\""),
        ("x-max-priority", 256.into(), "{max_value_exceeded,256}"),
        ("x-max-priority", (-1).into(), "{value_negative,-1}"),
        ("x-overflow", "sink".into(), "invalid_overflow"),
        ("x-overflow", 1.into(), "{unacceptable_type,signedint}"),
        ("x-dead-letter-routing-key", "k".into(), "routing_key_but_no_dlx_defined"),
        ("x-dead-letter-routing-key", 1.into(), "{unacceptable_type,signedint}"),
        ("x-queue-mode", "zz".into(), "\"unsupported queue mode 'zz'\""),
        ("x-queue-type", "zz".into(), "\"unsupported queue type 'zz'\""),
        ("x-queue-version", 3.into(), "\"unsupported queue version '3'\""),
        ("x-single-active-consumer", "true".into(), "{unacceptable_type,longstr}"),
        ("x-queue-type", 1.into(), "{unacceptable_type,signedint}"),
    ];
    for (name, value, reason) in cases {
        let expected = format!("invalid arg '{name}' for R(q): {reason}");
        assert_eq!(refusal(name, value.clone()), Some(expected), "{name}={value:?}");
    }
}

#[test]
fn r55_every_integer_type_will_do_and_zero_where_it_makes_sense() {
    for value in [
        Value::I8(0),
        Value::U8(0),
        Value::I16(0),
        Value::U16(0),
        Value::I32(0),
        Value::U32(0),
        Value::I64(0),
    ] {
        for name in ["x-message-ttl", "x-max-length", "x-max-length-bytes", "x-max-priority"] {
            assert_eq!(refusal(name, value.clone()), None, "{name}={value:?}");
        }
    }
    assert_eq!(refusal("x-queue-type", "classic".into()), None);
    assert_eq!(refusal("x-queue-mode", "lazy".into()), None);
    assert_eq!(refusal("x-queue-version", 2.into()), None);
    assert_eq!(refusal("x-mine", vec![].into()), None, "what nobody knows is ignored");
}

#[test]
fn r55_the_type_is_looked_at_first_and_then_the_others_in_order() {
    let both = table(&[("x-expires", 0.into()), ("x-queue-type", "zz".into())]);
    assert!(refusal_of(both).is_some_and(|text| text.contains("unsupported queue type")));
    let both = table(&[("x-overflow", "sink".into()), ("x-message-ttl", (-1).into())]);
    assert!(refusal_of(both).is_some_and(|text| text.contains("x-message-ttl")));
}

#[test]
fn r56_a_dead_letter_exchange_is_a_name_and_foreign_arguments_are_refused() {
    assert_eq!(
        refusal("x-dead-letter-exchange", 1.into()).as_deref(),
        Some("invalid type 'signedint' for arg 'x-dead-letter-exchange' in R(q)")
    );
    assert_eq!(refusal("x-dead-letter-exchange", "no such".into()), None);
    for name in [
        "x-delivery-limit",
        "x-max-age",
        "x-queue-leader-locator",
        "x-dead-letter-strategy",
        "x-max-in-memory-length",
        "x-quorum-initial-group-size",
        "x-initial-cluster-size",
        "x-stream-max-segment-size-bytes",
    ] {
        assert_eq!(
            refusal(name, 1.into()),
            Some(format!("invalid arg '{name}' for R(q) of queue type rabbit_classic_queue"))
        );
    }
}

#[test]
fn r54_arguments_are_compared_by_value() {
    let (mut rig, ch) = Rig::with_channel();
    rig.queue_with(ch, "q", table(&[("x-message-ttl", Value::I32(10)), ("x-mine", 1.into())]));
    for same in [Value::I8(10), Value::I64(10), Value::Timestamp(10)] {
        rig.queue_with(ch, "q", table(&[("x-message-ttl", same), ("x-queue-type", "classic".into())]));
    }
    let mut inequivalent = |arguments: Table, text: &str| {
        let text = format!("PRECONDITION_FAILED - inequivalent arg {text}")
            .replace("R(q)", "queue 'q' in vhost '/'");
        rig.refused(ch, declare_queue("q", arguments), 406, &text);
    };
    inequivalent(
        args(&[("x-message-ttl", 20)]),
        "'x-message-ttl' for R(q): received '20' but current is '10'",
    );
    inequivalent(
        args(&[("x-message-ttl", 10.0)]),
        "'x-message-ttl' for R(q): received '10.0' but current is '10'",
    );
    inequivalent(
        Table::new(),
        "'x-message-ttl' for R(q): received none but current is the value '10' of type 'signedint'",
    );
    // Existing arguments are compared before the new ones are checked, in RabbitMQ's order.
    inequivalent(
        table(&[("x-message-ttl", 10.into()), ("x-max-length", (-1).into())]),
        "'x-max-length' for R(q): received the value '-1' of type 'signedint' but current is none",
    );
    inequivalent(
        table(&[("x-message-ttl", 20.into()), ("x-expires", 5.into())]),
        "'x-expires' for R(q): received the value '5' of type 'signedint' but current is none",
    );
    inequivalent(
        table(&[("x-message-ttl", 10.into()), ("x-queue-type", "quorum".into())]),
        "'x-queue-type' for R(q): received the value 'quorum' of type 'longstr' but current is none",
    );
}

#[test]
fn r135_streams_are_said_not_to_be_modelled() {
    let (mut rig, ch) = Rig::with_channel();
    let stream = declare_queue("q", args(&[("x-queue-type", "stream")]));
    rig.fatal(ch, stream, 540, "NOT_IMPLEMENTED - stream queues are not modelled by this broker");
}
