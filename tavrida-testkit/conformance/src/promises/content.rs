//! A delivery equals what was published, bit for bit.

use bytes::Bytes;
use tavrida::field::{Decimal, MAX_DEPTH, Table, Value};
use tavrida::transport::{Properties, Publication, PublishErrorKind, Queue};

use crate::check::{Fault, Kept, holds, same, settled};
use crate::harness::Harness;
use crate::promise::promise;
use crate::values::{as_sent, named, short, table};
use crate::{Capability, Promise};

pub(super) fn promises() -> Vec<Promise> {
    vec![
        promise("a delivery has the exchange, routing key and body of its publish", "R28, R95", address),
        promise("every property comes through unchanged", "R95", all_properties),
        promise("properties that are absent stay absent", "R95", absent),
        promise("properties that are empty or zero stay present", "R95", empty),
        promise("every type of header field comes through, with its type", "R95", field_types)
            .needing(Capability::FieldTypes),
        promise("nested headers, foreign text and bytes that are no text come through", "R95", odd_headers)
            .needing(Capability::FieldTypes),
        promise("an empty body comes through, and bodies around the size of a frame", "R95", sizes),
        promise("a body of one MiB comes through", "R95", large),
        promise(
            "headers above a frame, too deep, or with an infinite float, are refused to their sender alone",
            "R7",
            above,
        ),
        promise("a message that comes back is whole as well, properties and body", "R91, R95", returned),
    ]
}

/// Publishes with these properties and body, and compares the delivery.
async fn round_trip(harness: Harness, properties: Properties, body: impl Into<Bytes>) -> Kept {
    let peer = harness.session().await?;
    let queue = peer.a_queue("q").await?;
    let publication = Publication { properties, ..Publication::new(short(""), queue.clone(), body) };
    peer.send(publication.clone()).await?;
    peer.send(publication.clone()).await?;
    same("the message, by get", &as_sent(&peer.head(&queue).await?), &publication)?;
    let mut tap = peer.tap(&queue, 1).await?;
    same("the message, by a consumer", &as_sent(&tap.next().await?), &publication)
}

/// A frame has at most 128 KiB by default, and the test may have set less.
async fn above(harness: Harness) -> Kept {
    let peer = harness.session().await?;
    let queue = peer.a_queue("q").await?;
    let deep = (0..=MAX_DEPTH).fold(Value::Void, |value, _| Value::Array(vec![value]));
    for value in [Value::from("x".repeat(131_072)), deep, Value::F64(f64::INFINITY)] {
        let mut publication = Publication::new(short(""), queue.clone(), "above");
        publication.properties.headers = Some(table([("h", value.clone())]));
        let reason = peer.failure(publication).await?;
        match &reason {
            PublishErrorKind::Refused(refusal) if refusal.code == 501 => {}
            other => return Err(Fault::new("a refusal with 501", other)),
        }
        let declared = peer
            .admin()
            .declare_queue(&Queue::durable(harness.name("never")).argument(short("x-any"), value))
            .await;
        same(
            "the refusal of arguments",
            &declared.err().and_then(|error| error.refusal().map(|r| r.code)),
            &Some(501),
        )?;
    }
    peer.fill(&queue, &["m"]).await?;
    peer.holds(&queue, &["m"]).await
}

fn everything(harness: &Harness) -> Properties {
    Properties {
        content_type: Some(short("application/json")),
        content_encoding: Some(short("utf-8")),
        headers: Some(table([("trace", "abc".into())])),
        delivery_mode: Some(Properties::PERSISTENT),
        priority: Some(7),
        correlation_id: Some(short("correlation")),
        reply_to: Some(short("service.orders")),
        expiration: Some(short("3600000")),
        message_id: Some(short("message")),
        timestamp: Some(1_700_000_000),
        kind: Some(short("call")),
        user_id: Some(harness.login()),
        app_id: Some(short("orders")),
        cluster_id: Some(short("cluster")),
    }
}

async fn address(harness: Harness) -> Kept {
    round_trip(harness, Properties::default(), "the body").await
}

async fn all_properties(harness: Harness) -> Kept {
    let properties = everything(&harness);
    round_trip(harness, properties, "m").await
}

async fn absent(harness: Harness) -> Kept {
    let peer = harness.session().await?;
    let queue = peer.a_queue("q").await?;
    for mandatory in [true, false] {
        peer.send(Publication { mandatory, ..Publication::new(short(""), queue.clone(), "m") }).await?;
        let delivery = peer.head(&queue).await?;
        let what = format!("the properties of a message (mandatory: {mandatory})");
        same(&what, delivery.properties(), &Properties::default())?;
        settled("ack", delivery.ack())?;
    }
    Ok(())
}

async fn empty(harness: Harness) -> Kept {
    let nothing = Some(short(""));
    let properties = Properties {
        content_type: nothing.clone(),
        content_encoding: nothing.clone(),
        headers: Some(Table::new()),
        priority: Some(0),
        correlation_id: nothing.clone(),
        reply_to: nothing.clone(),
        message_id: nothing.clone(),
        timestamp: Some(0),
        kind: nothing.clone(),
        app_id: nothing.clone(),
        cluster_id: nothing,
        ..Properties::default()
    };
    round_trip(harness, properties, "m").await
}

fn with_headers(headers: Table) -> Properties {
    Properties { headers: Some(headers), ..Properties::default() }
}

async fn field_types(harness: Harness) -> Kept {
    let headers = table([
        ("void", Value::Void),
        ("true", true.into()),
        ("false", false.into()),
        ("i8", Value::I8(i8::MIN)),
        ("u8", Value::U8(u8::MAX)),
        ("i16", Value::I16(i16::MIN)),
        ("u16", Value::U16(u16::MAX)),
        ("i32", Value::I32(i32::MIN)),
        ("u32", Value::U32(u32::MAX)),
        ("i64", Value::I64(i64::MIN)),
        ("f32", Value::F32(1.1)),
        ("f64", Value::F64(-1.1e300)),
        ("decimal", Value::Decimal(Decimal { scale: 2, value: 12_345 })),
        ("text", "text".into()),
        ("bytes", Value::Bytes(b"bytes".into())),
        ("array", Value::Array(vec![Value::I8(1), "two".into(), Value::Void])),
        ("timestamp", Value::Timestamp(1_700_000_000)),
        ("table", table([("inner", Value::U16(1))]).into()),
    ]);
    round_trip(harness, with_headers(headers), "m").await
}

async fn odd_headers(harness: Harness) -> Kept {
    let deep = (0..8).fold(Value::I32(0), |inner, level| match level % 2 {
        0 => Value::Array(vec![inner]),
        _ => table([("in", inner)]).into(),
    });
    let mut headers = table([
        ("deep", deep),
        ("empty text", "".into()),
        ("empty array", Value::Array(Vec::new())),
        ("empty table", Table::new().into()),
        ("déjà vu ☂", "ünïcödé ☃".into()),
        ("no text", Value::LongString(b"\xff\x00\xfe".into())),
        ("long", "x".repeat(20_000).into()),
        ("Case", 1.into()),
        ("case", 2.into()),
    ]);
    headers.insert(named("n".repeat(255)), 1);
    round_trip(harness, with_headers(headers), "m").await
}

/// Bytes that repeat late and hold every value.
fn bytes(size: usize) -> Bytes {
    (0..size).map(|index| (index * 31 / 7 % 256) as u8).collect()
}

async fn sizes(harness: Harness) -> Kept {
    let peer = harness.session().await?;
    let queue = peer.a_queue("q").await?;
    // Frames of 131,072 and of 4,096 bytes carry 8 bytes less.
    for size in [0, 1, 4_087, 4_088, 4_089, 131_063, 131_064, 131_065, 262_129] {
        peer.send(Publication::new(short(""), queue.clone(), bytes(size))).await?;
        let delivery = peer.head(&queue).await?;
        holds(
            delivery.body() == &bytes(size),
            format_args!("the body of {size} bytes"),
            format_args!("another of {} bytes", delivery.body().len()),
        )?;
        settled("ack", delivery.ack())?;
    }
    Ok(())
}

async fn large(harness: Harness) -> Kept {
    let peer = harness.session().await?;
    let queue = peer.a_queue("q").await?;
    let mut tap = peer.tap(&queue, 1).await?;
    peer.send(Publication::new(short(""), queue, bytes(1 << 20))).await?;
    let delivery = tap.next().await?;
    holds(
        delivery.body() == &bytes(1 << 20),
        "the body of one MiB",
        format_args!("another of {} bytes", delivery.body().len()),
    )
}

async fn returned(harness: Harness) -> Kept {
    let peer = harness.session().await?;
    let nobody = harness.name("nobody");
    for (properties, body) in [
        (everything(&harness), bytes(200_000)),
        (Properties::default(), Bytes::new()),
        (with_headers(Table::new()), bytes(1)),
    ] {
        let publication = Publication { properties, ..Publication::new(short(""), &nobody, body) };
        peer.fails(publication, &PublishErrorKind::Unroutable).await?;
    }
    Ok(())
}
