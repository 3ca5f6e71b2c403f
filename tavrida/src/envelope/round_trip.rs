//! Properties of the envelope: what is encoded decodes to the same, and no input panics.

use bytes::Bytes;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::Value as Json;

use super::{decode, encode, encode_to_queue, names};
use crate::entry_point::EntryPoint;
use crate::field::{Decimal, ShortString, Table, Value};
use crate::json::agreement::{FRAGMENTS, objects};
use crate::message::{Addresses, CorrelationId, Failure, Headers, Message, MessageKind, Parts};
use crate::transport::{Properties, Publication};

const EXCHANGE: ShortString = ShortString::from_static("exchange");

proptest! {
    #![proptest_config(crate::seeded::config())]

    #[test]
    fn every_message_reads_as_it_was_written(message in messages()) {
        let publication = encode(&message, EXCHANGE);
        let whole: Json = serde_json::from_slice(&publication.body).expect("the body is JSON");
        prop_assert_eq!(whole.as_object().map(|body| body.len()), Some(2));
        prop_assert_eq!(decode(&publication), Ok(message));
    }

    #[test]
    fn no_body_breaks_the_reader(body in bodies()) {
        let mut publication = encode(&message(), EXCHANGE);
        publication.body = body.into();
        let read = decode(&publication);
        if let Ok(message) = &read {
            let context = message.context().object();
            prop_assert!(message.payload().members().names().chain(context.members().names()).count() < usize::MAX);
            prop_assert_eq!(decode(&encode(message, EXCHANGE)), Ok(message.clone()));
        }
        if let Ok(Json::Object(body)) = serde_json::from_slice(&publication.body) {
            let sound = body.get("payload").is_some_and(Json::is_object)
                && body.get("context").is_some_and(|context| context.is_object() || context.is_null());
            prop_assert_eq!(read.is_ok(), sound);
        }
    }

    #[test]
    fn no_headers_break_the_reader(headers in option::of(wild_tables()), reply_to in option::of(short_strings())) {
        let mut publication = encode(&message(), EXCHANGE);
        publication.properties = Properties { headers, reply_to, ..Properties::default() };
        match decode(&publication) {
            Ok(message) => prop_assert_eq!(decode(&encode(&message, EXCHANGE)), Ok(message)),
            Err(undecodable) => if let Some(asker) = undecodable.asker {
                let answer: Message = asker.fail(&Failure::new("class", undecodable.error.to_string())).into();
                let read = match answer.parts().addresses.reply_queue.clone() {
                    Some(queue) => decode(&encode_to_queue(&answer, queue)),
                    None => decode(&encode(&answer, EXCHANGE)),
                };
                prop_assert!(read.is_ok(), "{:?}", read);
            }
        }
    }
}

fn message() -> Message {
    let addresses = Addresses { source: "client".parse().expect("an address"), ..Addresses::default() };
    Message::new(MessageKind::Request, "id".into(), addresses)
}

prop_compose! {
    fn messages()(
        kind in select(&MessageKind::ALL[..]),
        correlation_id in prop_oneof![texts(), values()],
        (request_id, message_id) in any::<(String, String)>(),
        source in entry_points(),
        (destination, reply_to) in (option::of(entry_points()), option::of(entry_points())),
        (reply_queue, deadline) in (option::of(reply_queues()), option::of(0..=i64::MAX.unsigned_abs())),
        headers in vec((short_strings(), values()), 0..4),
        echoed in vec((short_strings(), values()), 0..2),
        (payload, context) in (objects(), objects()),
    ) -> Message {
        let custom = headers.into_iter().filter(|(name, _)| names::is_custom(name));
        let echoed = echoed.into_iter().map(|(name, value)| {
            (ShortString::try_from(format!("tavrida-{}", &*name)).unwrap_or_default(), value)
        });
        let echoed = echoed.filter(|(name, _)| names::is_echoed(name));
        let addresses = Addresses {
            source,
            destination: destination.unwrap_or_default(),
            reply_to: reply_to.unwrap_or_default(),
            reply_queue: reply_queue.filter(|_| kind == MessageKind::Request),
        };
        let deadline = deadline.filter(|_| addresses.reply_queue.is_some());
        Parts {
            kind,
            correlation_id: CorrelationId::from(correlation_id),
            addresses,
            deadline,
            request_id: request_id.into(),
            message_id: message_id.into(),
            headers: Headers::from_wire(custom.collect(), echoed.collect()),
            context: context.into(),
            payload: payload.into(),
        }
        .into()
    }
}

fn entry_points() -> impl Strategy<Value = EntryPoint> {
    let word = || {
        "[^.]{1,12}".prop_filter("a name", |word| {
            word != "*" && word != "#" && !word.contains(crate::show::is_control)
        })
    };
    (word(), option::of(word())).prop_map(|(service, method)| match method {
        Some(method) => EntryPoint::new(&service, &method).expect("two words"),
        None => service.parse().expect("one word"),
    })
}

fn reply_queues() -> impl Strategy<Value = ShortString> {
    r"amq\.gen-.{0,60}".prop_map(|name| name.try_into().expect("sixty characters have at most 240 bytes"))
}

fn short_strings() -> impl Strategy<Value = ShortString> {
    ".{0,60}".prop_map(|text| text.try_into().expect("sixty characters have at most 240 bytes"))
}

fn texts() -> impl Strategy<Value = Value> {
    any::<String>().prop_map(Value::from)
}

/// Fields of every type. (No NaN: it does not equal itself.)
fn values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Void),
        any::<bool>().prop_map(Value::Bool),
        any::<i8>().prop_map(Value::I8),
        any::<u8>().prop_map(Value::U8),
        any::<i16>().prop_map(Value::I16),
        any::<u16>().prop_map(Value::U16),
        any::<i32>().prop_map(Value::I32),
        any::<u32>().prop_map(Value::U32),
        any::<i64>().prop_map(Value::I64),
        proptest::num::f32::NORMAL.prop_map(Value::F32),
        proptest::num::f64::NORMAL.prop_map(Value::F64),
        any::<(u8, u32)>().prop_map(|(scale, value)| Value::Decimal(Decimal { scale, value })),
        texts(),
        any::<Vec<u8>>().prop_map(|bytes| Value::LongString(bytes.into())),
        any::<Vec<u8>>().prop_map(|bytes| Value::Bytes(bytes.into())),
        any::<u64>().prop_map(Value::Timestamp),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::Array),
            vec((short_strings(), inner), 0..4)
                .prop_map(|entries| Value::Table(entries.into_iter().collect())),
        ]
    })
}

/// Tables that are mostly valid, with one or two faults.
fn wild_tables() -> impl Strategy<Value = Table> {
    let good = |name| match name {
        names::MESSAGE_TYPE => "request",
        names::DESTINATION => "service.method",
        _ => "client",
    };
    let name = prop_oneof![select(&names::RESERVED[..]).prop_map(ShortString::from_static), short_strings(),];
    let wrong = (name, option::of(prop_oneof![texts(), values()]));
    vec(wrong, 0..3).prop_map(move |wrong| {
        let mut table: Table =
            names::RESERVED.map(|name| (ShortString::from_static(name), good(name))).into_iter().collect();
        for (name, value) in wrong {
            match value {
                Some(value) => drop(table.insert(name, value)),
                None => drop(table.remove(&name)),
            }
        }
        table
    })
}

/// Arbitrary bytes, and valid bodies with a few bytes inserted.
fn bodies() -> impl Strategy<Value = Vec<u8>> {
    let fragment = prop_oneof![
        any::<Vec<u8>>(),
        select(&FRAGMENTS[..]).prop_map(|text| text.as_bytes().to_vec()),
        select(&["\"payload\": ", "\"context\": ", "\"\\ud800\": 1, ", "\u{feff}"][..])
            .prop_map(|text| text.as_bytes().to_vec()),
    ];
    let broken = (messages(), vec((any::<Index>(), fragment), 0..3)).prop_map(|(message, put)| {
        let mut body = encode(&message, EXCHANGE).body.to_vec();
        for (place, fragment) in put {
            let place = place.index(body.len() + 1);
            body.splice(place..place, fragment);
        }
        body
    });
    prop_oneof![1 => any::<Vec<u8>>(), 9 => broken]
}

#[test]
fn payload_and_context_are_slices_of_the_body() {
    let body = Bytes::from(r#"{"context": {"how": "plain"}, "payload": {"param": 123}}"#.to_owned());
    let publication = Publication { body: body.clone(), ..encode(&message(), EXCHANGE) };
    let message = decode(&publication).expect("sound");
    let within = |text: &str| body.as_ptr_range().contains(&text.as_ptr());
    assert!(within(message.payload().as_str()) && within(message.context().object().as_str()));
}
