//! Publishing: checks, copies, returns, confirms (R88 to R95).

use bytes::Bytes;
use tavrida::field::Value;
use tavrida::transport::{Properties, Publication};
use tavrida_memory::core::{Command, ConnectionOptions, Effect, Method};

use crate::rig::*;

#[test]
fn r88_checks_come_in_order() {
    let (mut rig, ch) = Rig::with_channel();
    // A body over the limit, to a missing exchange, with everything wrong: the errors come in order.
    let body = Bytes::from(vec![0; 134_217_729]);
    let properties = Properties {
        user_id: Some(short("zz")),
        expiration: Some(short("x")),
        delivery_mode: Some(3),
        reply_to: Some(short("amq.rabbitmq.reply-to")),
        ..Default::default()
    };
    let everything = Message(Publication { properties, body, ..Message::from("").0 });
    let text = "PRECONDITION_FAILED - message size 134217729 is larger than configured max size 134217728";
    rig.refused(ch, publish("nosuch", "", everything.clone()), 406, text);
    let everything = Message(Publication { body: Bytes::new(), ..everything.0 });
    rig.refused(
        ch,
        publish("nosuch", "", everything.clone()),
        404,
        "NOT_FOUND - no exchange 'nosuch' in vhost '/'",
    );
    let text = "PRECONDITION_FAILED - fast reply consumer does not exist";
    rig.refused(ch, publish("", "", everything.clone()), 406, text);
    let everything = Message(Publication {
        properties: Properties { reply_to: None, ..everything.0.properties.clone() },
        ..everything.0
    });
    let text = "PRECONDITION_FAILED - user_id property set to 'zz' but authenticated user was 'guest'";
    rig.refused(ch, publish("", "", everything.clone()), 406, text);
    let everything = Message(Publication {
        properties: Properties { user_id: Some(short("guest")), ..everything.0.properties.clone() },
        ..everything.0
    });
    rig.refused(
        ch,
        publish("", "", everything),
        406,
        "PRECONDITION_FAILED - invalid expiration 'x': no_integer",
    );
}

#[test]
fn r6_r88_immediate_ends_the_connection() {
    let (mut rig, ch) = Rig::with_channel();
    let Method::BasicPublish { publication, .. } = publish("nosuch", "", "m") else { panic!() };
    let immediate = Method::BasicPublish { publication, immediate: true };
    rig.fatal(ch, immediate, 540, "NOT_IMPLEMENTED - immediate=true");
}

#[test]
fn r89_the_user_is_who_logged_in() {
    let mut rig = Rig::new();
    let options = ConnectionOptions { user: short("anna"), ..Default::default() };
    let connection = rig.connect_with(options);
    let ch = rig.channel(connection, 1);
    let from = |user: &str| {
        let properties = Properties { user_id: Some(short(user)), ..Default::default() };
        Message::from("m").properties(properties)
    };
    assert_eq!(rig.publish(ch, "", "q", from("anna")), ACK);
    let text = "PRECONDITION_FAILED - user_id property set to 'guest' but authenticated user was 'anna'";
    rig.refused(ch, publish("", "q", from("guest")), 406, text);
}

#[test]
fn r89_delivery_modes_are_one_and_two_and_copies_are_lists() {
    let (mut rig, ch) = Rig::with_channel();
    let mode =
        |mode| Message::from("m").properties(Properties { delivery_mode: Some(mode), ..Default::default() });
    for good in [1, 2] {
        assert_eq!(rig.publish(ch, "", "q", mode(good)), ACK);
    }
    for bad in [0, 3, 255] {
        let text = format!("PRECONDITION_FAILED - invalid message: {{delivery_mode_unknown,{bad}}}");
        rig.refused(ch, publish("", "q", mode(bad)), 406, &text);
    }
    let headers = table(&[("BCC", 1.into())]);
    let text = "PRECONDITION_FAILED - invalid message: {unacceptable_type_in_header,\"BCC\",signedint}";
    rig.refused(ch, publish("", "q", Message::from("m").headers(headers)), 406, text);
    // Items that are not text are ignored.
    rig.queue(ch, "q");
    let headers = table(&[("CC", vec![Value::I32(1), "q".into(), Value::Void].into())]);
    assert_eq!(rig.publish(ch, "", "nosuch", Message::from("m").headers(headers).mandatory()), ACK);
    assert_eq!(rig.ready("q"), 1);
}

#[test]
fn r90_copies_route_by_every_type_of_exchange_once_to_each_queue() {
    let (mut rig, ch) = Rig::with_channel();
    rig.queue(ch, "q");
    rig.bind(ch, "q", "amq.topic", "a.*");
    rig.bind(ch, "q", "amq.topic", "b.*");
    rig.queue(ch, "r");
    rig.bind(ch, "r", "amq.topic", "c");
    let headers = table(&[("CC", vec![Value::from("b.1"), "c".into()].into())]);
    rig.publish(ch, "amq.topic", "a.1", Message::from("m").headers(headers));
    assert_eq!(rig.drain("q"), ["m"]);
    assert_eq!(rig.drain("r"), ["m"]);
}

#[test]
fn r91_a_return_comes_before_the_confirm_and_shows_no_hidden_keys() {
    let (mut rig, ch) = Rig::with_channel();
    let headers = table(&[("BCC", vec![Value::from("nosuch")].into()), ("x", 1.into())]);
    let message = Message::from("m").headers(headers).mandatory();
    let effects = rig.apply(Command::Method { channel: ch, method: publish("amq.direct", "k", message) });
    let [Effect::Return { code, text, publication, .. }, Effect::Confirm { delivery_tag, ack, .. }] =
        &effects[..]
    else {
        panic!("{effects:?}")
    };
    assert_eq!((*code, text.as_str(), *delivery_tag, *ack), (312, "NO_ROUTE", 1, true));
    assert_eq!((&*publication.exchange, &*publication.routing_key), ("amq.direct", "k"));
    assert_eq!(publication.properties.headers, Some(table(&[("x", 1.into())])));
}

#[test]
fn r92_confirms_count_from_their_selection_and_start_again_with_the_channel() {
    let mut rig = Rig::new();
    let connection = rig.connect();
    let ch = rig.plain_channel(connection, 1);
    rig.ok(ch, publish("", "nosuch", "not counted"));
    let confirmed = |rig: &mut Rig, method: Method| -> Option<u64> {
        rig.apply(Command::Method { channel: ch, method }).iter().find_map(|effect| match effect {
            Effect::Confirm { delivery_tag, .. } => Some(*delivery_tag),
            _ => None,
        })
    };
    assert_eq!(confirmed(&mut rig, publish("", "nosuch", "not confirmed")), None);
    rig.ok(ch, Method::ConfirmSelect { nowait: false });
    assert_eq!(confirmed(&mut rig, publish("", "nosuch", "m")), Some(1));
    rig.ok(ch, Method::ConfirmSelect { nowait: false });
    assert_eq!(confirmed(&mut rig, publish("", "nosuch", "m")), Some(2));
    rig.refused(ch, get("nosuch"), 404, "NOT_FOUND - no queue 'nosuch' in vhost '/'");
    assert_eq!(confirmed(&mut rig, publish("", "nosuch", "m")), Some(1));
}

#[test]
fn r95_nothing_is_added_and_nothing_is_lost() {
    let (mut rig, ch) = Rig::with_channel();
    rig.queue(ch, "q");
    let bare = Message::from("");
    let full = Message::from("body").properties(Properties {
        content_type: Some(short("")),
        headers: Some(table(&[])),
        priority: Some(0),
        timestamp: Some(0),
        kind: Some(short("k")),
        app_id: Some(short("a")),
        cluster_id: Some(short("c")),
        ..Default::default()
    });
    for Message(message) in [bare, full] {
        rig.publish(ch, "", "q", Message(message.clone()));
        let got = rig.drain_whole("q").remove(0);
        assert_eq!(got.publication.properties, message.properties);
        assert_eq!(got.publication.body, message.body);
    }
}

#[test]
fn r92_the_message_goes_out_shared_by_all_queues() {
    let (mut rig, ch) = Rig::with_channel();
    for queue in ["q", "r"] {
        rig.queue(ch, queue);
        rig.bind(ch, queue, "amq.fanout", "");
    }
    rig.publish(ch, "amq.fanout", "", "m");
    let (one, two) = (rig.get(ch, "q").expect("one"), rig.get(ch, "r").expect("two"));
    assert!(std::sync::Arc::ptr_eq(&one.publication, &two.publication));
}
