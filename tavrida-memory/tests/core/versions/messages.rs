//! Publishing: checks, content, transactions.

use tavrida::transport::Properties;
use tavrida_memory::core::{Effect, Method};

use super::*;

fn sent(rig: &mut Rig, ch: ChannelId, properties: Properties) -> Option<(u16, String)> {
    refusal(rig, ch, publish("", "q", Message::from("m").properties(properties)))
}

#[test]
fn r88_the_largest_body_is_16_mebibytes() {
    let found = both(|rig, ch| {
        let body = "x".repeat(16_777_217);
        refusal(rig, ch, publish("", "q", body)).map(|(_, text)| text)
    });
    let text = "PRECONDITION_FAILED - message size 16777217 is larger than configured max size 16777216";
    assert_eq!(found, [None, Some(text.to_owned())]);
}

#[test]
fn r89_every_delivery_mode_is_taken() {
    for mode in [0, 3, 255] {
        let found = both(|rig, ch| {
            code(sent(rig, ch, Properties { delivery_mode: Some(mode), ..Default::default() }))
        });
        assert_eq!(found, [Some(406), None]);
    }
}

#[test]
fn r88_the_user_is_checked_after_the_expiration() {
    let properties =
        || Properties { user_id: Some(short("zz")), expiration: Some(short("x")), ..Default::default() };
    let [old, new] = both(|rig, ch| sent(rig, ch, properties()).expect("two faults").1);
    assert!(old.contains("user_id property set to 'zz'"), "{old}");
    assert!(new.contains("invalid expiration 'x'"), "{new}");
}

#[test]
fn r89_copies_are_checked_before_the_delivery_mode() {
    let headers = args(&[("CC", "q")]);
    let properties = Properties { delivery_mode: Some(3), headers: Some(headers), ..Default::default() };
    let text = "PRECONDITION_FAILED - invalid message: {unacceptable_type_in_header,\"CC\",longstr}";
    for found in both(|rig, ch| sent(rig, ch, properties.clone())) {
        assert_eq!(found, Some((406, text.to_owned())));
    }
}

#[test]
fn r66_an_expiration_becomes_a_plain_number() {
    for (text, plain) in [("+00", "0"), ("007000", "7000"), ("600000", "600000"), ("0", "0")] {
        let found = both(|rig, ch| {
            rig.queue(ch, "q");
            rig.consume(ch, "q", "t");
            rig.publish(ch, "", "q", Message::from("m").expiration(text));
            rig.delivery(ch).publication.properties.expiration.as_deref().map(str::to_owned)
        });
        assert_eq!(found, [Some(text.to_owned()), Some(plain.to_owned())]);
    }
}

#[test]
fn r87_headers_are_sorted_by_name() {
    let headers = table(&[("b", 1.into()), ("C", 2.into()), ("a", 3.into())]);
    let found = both(|rig, ch| {
        rig.queue(ch, "q");
        rig.publish(ch, "", "q", Message::from("m").headers(headers.clone()));
        names(&super::headers(&rig.drain_whole("q")[0]))
    });
    assert_eq!(found, [["b", "C", "a"], ["C", "a", "b"]]);
}

#[test]
fn r117_a_transaction_routes_when_it_publishes() {
    let found = both(|rig, ch| {
        let tx = rig.plain_channel(ch.connection, 2);
        rig.ok(tx, Method::TxSelect);
        rig.ok(tx, publish("", "later", Message::from("m").mandatory()));
        rig.queue(ch, "later");
        let effects =
            rig.apply(tavrida_memory::core::Command::Method { channel: tx, method: Method::TxCommit });
        let returned = effects.iter().any(|effect| matches!(effect, Effect::Return { .. }));
        (returned, rig.ready("later"))
    });
    assert_eq!(found, [(false, 1), (true, 0)]);
}

#[test]
fn r117_what_a_transaction_sent_to_a_queue_that_is_gone_is_lost() {
    let found = both(|rig, ch| {
        rig.queue(ch, "q");
        let tx = rig.plain_channel(ch.connection, 2);
        rig.ok(tx, Method::TxSelect);
        rig.ok(tx, publish("", "q", Message::from("m").mandatory()));
        rig.ok(ch, delete_queue("q"));
        let effects =
            rig.apply(tavrida_memory::core::Command::Method { channel: tx, method: Method::TxCommit });
        let returned = effects.iter().any(|effect| matches!(effect, Effect::Return { .. }));
        let failed = effects.iter().any(|effect| matches!(effect, Effect::ChannelClosed { .. }));
        (returned, failed)
    });
    assert_eq!(found, [(true, false), (false, true)]);
}
