//! Dead letters and their history.

use tavrida::transport::Properties;

use super::*;

fn to(key: &str) -> [(&'static str, Value); 2] {
    [("x-dead-letter-exchange", "".into()), ("x-dead-letter-routing-key", key.into())]
}

/// The dead letter of a message that queue `q` rejected.
fn rejected(rig: &mut Rig, ch: ChannelId, message: Message) -> Got {
    rig.queue(ch, "dead");
    rig.queue_with(ch, "q", table(&to("dead")));
    rig.publish(ch, "", "q", message);
    let got = rig.get(ch, "q").expect("the message");
    rig.discard(ch, got.delivery_tag);
    rig.drain_whole("dead").remove(0)
}

#[test]
fn r80_the_last_death_is_told_too() {
    let found = both(|rig, ch| names(&headers(&rejected(rig, ch, "m".into()))));
    let first = ["x-first-death-exchange", "x-first-death-queue", "x-first-death-reason"];
    let last = ["x-last-death-exchange", "x-last-death-queue", "x-last-death-reason"];
    let old = [&["x-death"], &first[..]].concat();
    assert_eq!(found, [old.clone(), [&old[..], &last].concat()]);
}

#[test]
fn r80_an_entry_begins_with_the_expiration() {
    let found = both(|rig, ch| {
        rig.queue(ch, "dead");
        rig.queue_with(ch, "q", table(&to("dead")));
        rig.publish(ch, "", "q", Message::from("m").expiration("0"));
        names(&deaths(&headers(&rig.drain_whole("dead")[0]))[0])
    });
    let fields = ["count", "reason", "queue", "time", "exchange", "routing-keys"];
    let expiration = ["original-expiration"];
    assert_eq!(found, [[&fields[..], &expiration].concat(), [&expiration[..], &fields].concat()]);
}

#[test]
fn r84_what_a_client_says_in_x_death_is_replaced() {
    let said = table(&[("queue", "q".into()), ("reason", "rejected".into()), ("count", Value::I64(7))]);
    let forged = || {
        let mut headers = table(&[("x-death", Value::Array(vec![said.clone().into()]))]);
        headers.insert(short("x-first-death-queue"), "mine");
        Message::from("m").headers(headers)
    };
    let found = both(|rig, ch| {
        let headers = headers(&rejected(rig, ch, forged()));
        let count = deaths(&headers)[0].get("count").and_then(Value::as_i64);
        (count, text(&headers, "x-first-death-queue"))
    });
    assert_eq!(found, [(Some(8), Some("mine".to_owned())), (Some(1), Some("q".to_owned()))]);
}

#[test]
fn r84_r85_what_a_client_says_makes_no_circle() {
    let entry = table(&[("queue", "dead".into()), ("reason", "expired".into()), ("count", Value::I64(1))]);
    let found = both(|rig, ch| {
        rig.queue(ch, "dead");
        rig.queue_with(ch, "q", table(&to("dead")));
        let headers = table(&[("x-death", Value::Array(vec![entry.clone().into()]))]);
        rig.publish(ch, "", "q", Message::from("m").headers(headers).expiration("0"));
        rig.ready("dead")
    });
    assert_eq!(found, [0, 1]);
}

#[test]
fn r82_the_history_is_not_reversed() {
    let found = both(|rig, ch| {
        for (queue, next) in [("a", "b"), ("b", "c"), ("c", "d")] {
            rig.queue_with(ch, queue, table(&to(next)));
        }
        rig.queue(ch, "d");
        rig.publish(ch, "", "a", "m");
        for queue in ["a", "b", "c"] {
            let got = rig.get(ch, queue).expect("the message");
            rig.discard(ch, got.delivery_tag);
        }
        let entries = deaths(&headers(&rig.drain_whole("d")[0]));
        entries.iter().map(|entry| text(entry, "queue").expect("a queue")).collect::<Vec<_>>()
    });
    assert_eq!(found, [["c", "a", "b"], ["c", "b", "a"]]);
}

#[test]
fn r79_copies_are_kept_and_not_routed_by() {
    let copies = || {
        let cc = Value::Array(vec!["copy".into()]);
        Message::from("m").headers(table(&[("CC", cc)]))
    };
    let found = both(|rig, ch| {
        rig.queue(ch, "copy");
        let letter = rejected(rig, ch, copies());
        (headers(&letter).contains("CC"), rig.ready("copy"))
    });
    assert_eq!(found, [(false, 1), (true, 1)], "the one copy is that of the publish");
}

#[test]
fn r79_r80_a_redirected_letter_forgets_its_copies_for_good() {
    let cc = Value::Array(vec!["copy".into()]);
    let message = || Message::from("m").headers(table(&[("CC", cc.clone())]));
    let found = both(|rig, ch| {
        rig.queue(ch, "copy");
        rig.queue_with(ch, "second", table(&[("x-dead-letter-exchange", "".into())]));
        rig.queue_with(ch, "q", table(&to("second")));
        rig.publish(ch, "", "q", message());
        for queue in ["q", "second"] {
            let got = rig.get(ch, queue).expect("the message");
            rig.discard(ch, got.delivery_tag);
        }
        let entry = &deaths(&headers(&rig.drain_whole("second")[0]))[0];
        (rig.ready("copy"), entry.get("routing-keys").cloned())
    });
    let keys = Value::Array(vec!["second".into()]);
    assert_eq!(found, [(1, Some(keys.clone())), (1, Some(keys))]);
}

#[test]
fn r84_a_headers_exchange_sees_what_the_client_published() {
    let found = both(|rig, ch| {
        rig.queue(ch, "dead");
        rig.bind_with(
            ch,
            "dead",
            "amq.headers",
            "",
            table(&[("x-match", "all-with-x".into()), ("x-death", Value::Void)]),
        );
        rig.queue_with(ch, "q", table(&[("x-dead-letter-exchange", "amq.headers".into())]));
        let properties = Properties::default();
        rig.publish(ch, "", "q", Message::from("m").properties(properties));
        let got = rig.get(ch, "q").expect("the message");
        rig.discard(ch, got.delivery_tag);
        rig.ready("dead")
    });
    assert_eq!(found, [1, 0]);
}
