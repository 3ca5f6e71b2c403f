//! Dead-lettering: triggers, the new message, `x-death`, circles, order (R78 to R87, A11).

use tavrida::field::{Table, Value};
use tavrida::transport::Properties;

use crate::rig::*;

fn to(exchange: &str, key: Option<&str>) -> Table {
    let mut arguments = args(&[("x-dead-letter-exchange", exchange)]);
    if let Some(key) = key {
        arguments.insert(short("x-dead-letter-routing-key"), key);
    }
    arguments
}

fn deaths(headers: &Table) -> Vec<Table> {
    let Some(Value::Array(deaths)) = headers.get("x-death") else { panic!("no x-death in {headers:?}") };
    deaths
        .iter()
        .map(|death| match death {
            Value::Table(death) => death.clone(),
            other => panic!("{other:?} is no table"),
        })
        .collect()
}

fn text(table: &Table, name: &str) -> String {
    table.get(name).and_then(Value::as_str).unwrap_or_else(|| panic!("no {name} in {table:?}")).to_owned()
}

/// Rejects the head of a queue.
fn reject(rig: &mut Rig, ch: tavrida_memory::core::ChannelId, queue: &str) {
    let got = rig.get(ch, queue).unwrap_or_else(|| panic!("nothing in {queue}"));
    rig.discard(ch, got.delivery_tag);
}

#[test]
fn r78_to_an_internal_exchange_with_an_alternate() {
    let (mut rig, ch) = Rig::with_channel();
    rig.exchange_with(ch, "inner", "direct", |x| {
        x.internal = true;
        x.arguments = args(&[("alternate-exchange", "amq.fanout")]);
    });
    rig.queue(ch, "dead");
    rig.bind(ch, "dead", "amq.fanout", "");
    rig.queue_with(ch, "q", to("inner", None));
    rig.fill(ch, "q", ["m"]);
    reject(&mut rig, ch, "q");
    assert_eq!(rig.drain("dead"), ["m"]);
}

#[test]
fn r78_without_an_exchange_to_go_to_it_is_gone_and_a_full_target_loses_it() {
    let (mut rig, ch) = Rig::with_channel();
    rig.queue_with(ch, "nowhere", to("no such", None));
    rig.queue_with(ch, "full", table(&[("x-max-length", 0.into()), ("x-overflow", "reject-publish".into())]));
    rig.queue_with(ch, "somewhere", to("", Some("full")));
    for queue in ["nowhere", "somewhere"] {
        rig.fill(ch, queue, ["m"]);
        reject(&mut rig, ch, queue);
        assert_eq!(rig.ready(queue), 0);
    }
    assert_eq!(rig.ready("full"), 0);
}

#[test]
fn r79_the_new_message() {
    let (mut rig, ch) = Rig::with_channel();
    rig.queue(ch, "dead");
    rig.bind(ch, "dead", "amq.direct", "grave");
    rig.queue_with(ch, "q", to("amq.direct", Some("grave")));
    let properties = Properties {
        content_type: Some(short("text/plain")),
        expiration: Some(short("60000")),
        message_id: Some(short("1")),
        headers: Some(table(&[("CC", vec![Value::from("more")].into()), ("mine", 1.into())])),
        ..Default::default()
    };
    rig.publish(ch, "", "q", Message::from("m").properties(properties.clone()));
    rig.gets(ch, "q", 1);
    rig.requeue(ch, 1);
    reject(&mut rig, ch, "q");
    let got = rig.get(ch, "dead").expect("it was dead-lettered");
    assert!(!got.redelivered);
    let publication = &got.publication;
    assert_eq!((&*publication.exchange, &*publication.routing_key), ("amq.direct", "grave"));
    assert_eq!(publication.properties.content_type, properties.content_type);
    assert_eq!(publication.properties.message_id, properties.message_id);
    assert_eq!(publication.properties.expiration, None);
    assert!(!publication.properties.headers().contains("CC"), "the other keys are replaced as well");
    assert_eq!(publication.properties.headers().get("mine"), Some(&Value::I32(1)));
}

#[test]
fn r79_an_empty_dead_letter_key_is_a_key() {
    let (mut rig, ch) = Rig::with_channel();
    rig.queue(ch, "dead");
    rig.bind(ch, "dead", "amq.direct", "");
    rig.queue_with(ch, "q", to("amq.direct", Some("")));
    rig.fill(ch, "q", ["m"]);
    reject(&mut rig, ch, "q");
    assert_eq!(rig.drain("dead"), ["m"]);
}

#[test]
fn r79_without_a_key_of_its_own_the_hidden_keys_route_again() {
    let (mut rig, ch) = Rig::with_channel();
    for (queue, key) in [("primary", "q"), ("cc", "copy"), ("bcc", "hidden")] {
        rig.queue(ch, queue);
        rig.bind(ch, queue, "amq.direct", key);
    }
    rig.queue_with(ch, "q", to("amq.direct", None));
    let headers =
        table(&[("CC", vec![Value::from("copy")].into()), ("BCC", vec![Value::from("hidden")].into())]);
    rig.publish(ch, "", "q", Message::from("m").headers(headers));
    reject(&mut rig, ch, "q");
    for queue in ["primary", "cc", "bcc"] {
        assert_eq!(rig.ready(queue), 1, "{queue}");
    }
    let got = rig.get(ch, "bcc").expect("a copy");
    let keys = deaths(got.publication.properties.headers())[0].get("routing-keys").cloned();
    assert_eq!(keys, Some(vec![Value::from("q"), "copy".into()].into()), "BCC is never told (R80)");
}

#[test]
fn r80_r83_an_entry_of_x_death() {
    let (mut rig, ch) = Rig::with_channel();
    rig.queue(ch, "dead");
    rig.queue_with(ch, "q", to("", Some("dead")));
    rig.bind(ch, "q", "amq.topic", "a.#");
    rig.wait(5000);
    rig.publish(ch, "amq.topic", "a.b", Message::from("m").expiration("60000"));
    reject(&mut rig, ch, "q");
    let got = rig.get(ch, "dead").expect("it was dead-lettered");
    let headers = got.publication.properties.headers();
    let expected = table(&[
        ("count", Value::I64(1)),
        ("reason", "rejected".into()),
        ("queue", "q".into()),
        ("time", Value::Timestamp(1005)),
        ("exchange", "amq.topic".into()),
        ("routing-keys", vec![Value::from("a.b")].into()),
        ("original-expiration", "60000".into()),
    ]);
    assert_eq!(deaths(headers), [expected]);
    assert_eq!(text(headers, "x-first-death-reason"), "rejected");
    assert_eq!(text(headers, "x-first-death-queue"), "q");
    assert_eq!(text(headers, "x-first-death-exchange"), "amq.topic");
}

#[test]
fn r81_another_death_of_the_kind_counts_and_keeps_the_rest() {
    let (mut rig, ch) = Rig::with_channel();
    rig.queue_with(ch, "q", to("", Some("q")));
    rig.publish(ch, "", "q", Message::from("m").expiration("60000"));
    for _ in 0..3 {
        reject(&mut rig, ch, "q");
        rig.wait(2000);
    }
    let got = rig.get(ch, "q").expect("rejected into itself");
    let deaths = deaths(got.publication.properties.headers());
    assert_eq!(deaths.len(), 1);
    assert_eq!(deaths[0].get("count"), Some(&Value::I64(3)));
    assert_eq!(deaths[0].get("time"), Some(&Value::Timestamp(1000)), "the time of the first");
    assert_eq!(text(&deaths[0], "original-expiration"), "60000");
}

#[test]
fn r84_what_a_client_says_of_deaths() {
    let (mut rig, ch) = Rig::with_channel();
    rig.queue(ch, "dead");
    rig.queue_with(ch, "q", to("", Some("dead")));
    let mut died = |headers: Table| {
        rig.publish(ch, "", "q", Message::from("m").headers(headers));
        reject(&mut rig, ch, "q");
        rig.drain_whole("dead").remove(0).publication.properties.headers().clone()
    };
    let overwritten = died(args(&[("x-first-death-queue", "mine")]));
    assert_eq!(text(&overwritten, "x-first-death-queue"), "q");
    let replaced = died(args(&[("x-death", "no array")]));
    assert_eq!(deaths(&replaced).len(), 1);
    assert!(!replaced.contains("x-first-death-queue"));
    let continued = died(table(&[("x-death", vec![].into())]));
    assert_eq!(deaths(&continued).len(), 1);
    assert!(!continued.contains("x-first-death-queue"));
    // RabbitMQ's queue crashes on these.
    let odd = died(table(&[("x-death", vec![Value::from(1), Value::from("two")].into())]));
    assert_eq!(deaths(&odd).len(), 1);
}

#[test]
fn r85_a_circle_without_a_rejection_ends_and_other_targets_still_get_it() {
    let (mut rig, ch) = Rig::with_channel();
    let mut arguments = to("amq.fanout", None);
    arguments.insert(short("x-message-ttl"), 10);
    rig.queue_with(ch, "q", arguments);
    rig.queue(ch, "other");
    rig.bind(ch, "q", "amq.fanout", "");
    rig.bind(ch, "other", "amq.fanout", "");
    rig.fill(ch, "q", ["m"]);
    rig.wait(10);
    assert_eq!((rig.ready("q"), rig.ready("other")), (0, 1));
}

#[test]
fn r85_reject_then_expire_into_itself_is_dropped_though_rejects_alone_go_on() {
    let (mut rig, ch) = Rig::with_channel();
    rig.queue_with(ch, "forever", to("", Some("forever")));
    rig.fill(ch, "forever", ["m"]);
    for _ in 0..5 {
        reject(&mut rig, ch, "forever");
    }
    assert_eq!(rig.ready("forever"), 1);
    let mut arguments = to("", Some("q"));
    arguments.insert(short("x-message-ttl"), 10);
    rig.queue_with(ch, "q", arguments);
    rig.fill(ch, "q", ["m"]);
    reject(&mut rig, ch, "q");
    assert_eq!(rig.ready("q"), 1);
    rig.wait(10);
    assert_eq!(rig.ready("q"), 0);
}

#[test]
fn r86_in_one_settlement_the_higher_priority_dies_first() {
    let (mut rig, ch) = Rig::with_channel();
    rig.queue(ch, "dead");
    let mut arguments = to("", Some("dead"));
    arguments.insert(short("x-max-priority"), 5);
    rig.queue_with(ch, "q", arguments);
    rig.consume(ch, "q", "t");
    for (body, priority) in [("low", 1), ("high", 5), ("low too", 1)] {
        rig.publish(ch, "", "q", Message::from(body).priority(priority));
    }
    rig.ok(ch, nack(0, true, false));
    assert_eq!(rig.drain("dead"), ["high", "low", "low too"]);
}

#[test]
fn r87_headers_are_written_again_by_name() {
    let (mut rig, ch) = Rig::with_channel();
    rig.queue(ch, "dead");
    rig.queue_with(ch, "q", to("", Some("dead")));
    rig.publish(ch, "", "q", Message::from("m").headers(args(&[("z", 1), ("a", 2)])));
    reject(&mut rig, ch, "q");
    let got = rig.get(ch, "dead").expect("it was dead-lettered");
    let names: Vec<_> =
        got.publication.properties.headers().iter().map(|(name, _)| name.to_string()).collect();
    assert_eq!(
        names,
        ["a", "x-death", "x-first-death-exchange", "x-first-death-queue", "x-first-death-reason", "z"]
    );
}

#[test]
fn a11_what_a_queue_gives_to_itself_comes_after_the_step() {
    let (mut rig, ch) = Rig::with_channel();
    rig.queue_with(ch, "q", to("", Some("q")));
    rig.fill(ch, "q", ["a", "b", "c"]);
    rig.gets(ch, "q", 2);
    rig.ok(ch, nack(0, true, false));
    assert_eq!(rig.drain("q"), ["c", "a", "b"]);
}
