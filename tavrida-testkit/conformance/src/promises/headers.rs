//! How headers exchanges match headers against binding arguments.

use tavrida::field::{Decimal, Table, Value};
use tavrida::transport::{Binding, ExchangeKind, Publication};

use crate::check::{Kept, same};
use crate::harness::Harness;
use crate::promise::{V4_0, promise};
use crate::values::{short, table, with_headers};
use crate::{Capability, Promise};

pub(super) fn promises() -> Vec<Promise> {
    vec![
        promise(
            "x-match all, the default, wants every argument, and routes all if there is none",
            "R37",
            all,
        ),
        promise("x-match any wants one argument, and routes nothing if there is none", "R37", any),
        promise("x-match all-with-x compares arguments that begin with x- too", "R37", all_with_x),
        promise("x-match any-with-x compares arguments that begin with x- too", "R37", any_with_x),
        promise("a void argument matches any value of that header", "R38", void),
        promise("numbers are compared by value, whatever their type", "R39", numbers).before(V4_0),
        promise("integers are equal to integers alone, floats to floats alone", "R39", numbers_4).since(V4_0),
        promise("text, truth and decimals are equal to their like alone", "R39", other_types),
        promise("arrays and tables are compared deep, with the types inside", "R40", nested),
        promise("a message without headers is matched like one with empty headers", "R37", no_headers),
        promise("the routing key plays no part", "R42", key_ignored),
        promise("an x-match that does not exist is refused (406)", "R36", bad_match),
    ]
    .into_iter()
    .map(|promise| promise.needing(Capability::HeadersExchange))
    .collect()
}

/// Binding arguments, message headers, and whether they match.
type Case = (Table, Table, bool);

/// Tries each case on a separate exchange.
async fn check(harness: Harness, cases: impl IntoIterator<Item = Case>) -> Kept {
    let peer = harness.session().await?;
    let queue = peer.a_queue("q").await?;
    for (number, (arguments, headers, expected)) in cases.into_iter().enumerate() {
        let exchange = peer.an_exchange(&format!("x{number}"), ExchangeKind::Headers).await?;
        let what = format!("arguments {arguments:?} match headers {headers:?}");
        peer.tie(&Binding::queue(&queue, &exchange, short("")).arguments(arguments)).await?;
        let publication = with_headers(Publication::new(&exchange, short(""), "m"), headers);
        same(&what, &peer.reaches(publication).await?, &expected)?;
    }
    Ok(())
}

fn one(value: impl Into<Value>) -> Table {
    table([("a", value.into())])
}

fn matching<const N: usize>(form: &'static str, arguments: [(&'static str, Value); N]) -> Table {
    table(arguments).with(short("x-match"), form)
}

fn ab(a: i32, b: i32) -> Table {
    table([("a", a.into()), ("b", b.into())])
}

async fn all(harness: Harness) -> Kept {
    let both = [("a", 1.into()), ("b", 2.into())];
    let cases = [
        (matching("all", both.clone()), ab(1, 2).with(short("c"), 3), true),
        (table(both.clone()), ab(1, 2), true),
        (table(both.clone()), ab(1, 3), false),
        (matching("all", both), one(1), false),
        (table([]), one(1), true),
        (matching("all", []), table([]), true),
        (matching("all", [("x-k", 1.into())]), table([]), true),
        (matching("all", [("x", 1.into())]), table([]), false),
        (matching("all", [("X-k", 1.into())]), table([]), false),
    ];
    check(harness, cases).await
}

async fn any(harness: Harness) -> Kept {
    let both = [("a", 1.into()), ("b", 2.into())];
    let cases = [
        (matching("any", both.clone()), ab(1, 3), true),
        (matching("any", both.clone()), ab(0, 2), true),
        (matching("any", both.clone()), ab(0, 3), false),
        (matching("any", both), table([]), false),
        (matching("any", []), one(1), false),
        (matching("any", [("x-k", 1.into())]), table([("x-k", 1.into())]), false),
    ];
    check(harness, cases).await
}

async fn all_with_x(harness: Harness) -> Kept {
    let arguments = || matching("all-with-x", [("a", 1.into()), ("x-k", 1.into())]);
    let cases = [
        (arguments(), one(1).with(short("x-k"), 1), true),
        (arguments(), one(1), false),
        (matching("all-with-x", [("x-k", 1.into())]), table([]), false),
        (matching("all-with-x", []), table([]), true),
    ];
    check(harness, cases).await
}

async fn any_with_x(harness: Harness) -> Kept {
    let arguments = || matching("any-with-x", [("a", 1.into()), ("x-k", 1.into())]);
    let cases = [
        (arguments(), table([("x-k", 1.into())]), true),
        (arguments(), one(1), true),
        (arguments(), table([("x-k", 2.into())]), false),
        (matching("any-with-x", []), one(1), false),
    ];
    check(harness, cases).await
}

async fn void(harness: Harness) -> Kept {
    let cases = [
        (one(Value::Void), one("zz"), true),
        (one(Value::Void), one(Value::Void), true),
        (one(Value::Void), table([("b", 1.into())]), false),
        (one(1), one(Value::Void), false),
    ];
    check(harness, cases).await
}

async fn numbers(harness: Harness) -> Kept {
    let same_value = [
        Value::I8(1),
        Value::U8(1),
        Value::I16(1),
        Value::U16(1),
        Value::U32(1),
        Value::I64(1),
        Value::F32(1.0),
        Value::F64(1.0),
        Value::Timestamp(1),
    ];
    let exact = [
        (one(1), one(2), false),
        (one(1), one(true), false),
        (one(1), one("1"), false),
        (one(0.0), one(-0.0), true),
        (one(Value::F32(1.5)), one(1.5), true),
        (one(Value::F32(0.1)), one(0.1), false),
        (one((1_i64 << 53) + 1), one((1_u64 << 53) as f64), false),
    ];
    check(harness, same_value.map(|value| (one(1), one(value), true)).into_iter().chain(exact)).await
}

async fn numbers_4(harness: Harness) -> Kept {
    let integers = [Value::I8(1), Value::U8(1), Value::I16(1), Value::U16(1), Value::U32(1), Value::I64(1)];
    let exact = [
        (one(1), one(2), false),
        (one(1), one(Value::F64(1.0)), false),
        (one(1.0), one(1), false),
        (one(Value::F32(1.5)), one(1.5), true),
        (one(Value::F32(0.1)), one(0.1), false),
        (one(0.0), one(-0.0), false),
        (one(1), one(true), false),
        (one(1), one("1"), false),
        (one(Value::Timestamp(1)), one(1), true),
        (one(1), one(Value::Timestamp(1)), false),
    ];
    check(harness, integers.map(|value| (one(1), one(value), true)).into_iter().chain(exact)).await
}

async fn other_types(harness: Harness) -> Kept {
    let decimal = |scale, value| Value::Decimal(Decimal { scale, value });
    let cases = [
        (one("text"), one("text"), true),
        (one("text"), one("Text"), false),
        (one("text"), one(Value::Bytes("text".into())), true),
        (one(""), one(Value::Void), false),
        (one(true), one(true), true),
        (one(true), one(false), false),
        (one(decimal(1, 10)), one(decimal(1, 10)), true),
        (one(decimal(1, 10)), one(decimal(0, 1)), false),
    ];
    check(harness, cases).await
}

async fn nested(harness: Harness) -> Kept {
    let array = |items: &[Value]| Value::Array(items.to_vec());
    let cases = [
        (one(array(&[1.into(), "x".into()])), one(array(&[1.into(), "x".into()])), true),
        (one(array(&[1.into(), 2.into()])), one(array(&[2.into(), 1.into()])), false),
        (one(array(&[1.into()])), one(array(&[Value::I64(1)])), false),
        (one(array(&["x".into()])), one(array(&[Value::Bytes("x".into())])), false),
        (one(ab(1, 2)), one(ab(1, 2)), true),
        (one(ab(1, 2)), one(ab(1, 3)), false),
        (one(array(&[ab(1, 2).into()])), one(array(&[ab(1, 2).into()])), true),
    ];
    check(harness, cases).await
}

async fn no_headers(harness: Harness) -> Kept {
    let peer = harness.session().await?;
    let queue = peer.a_queue("q").await?;
    for (number, (arguments, expected)) in
        [(table([]), true), (one(1), false), (matching("any", []), false)].into_iter().enumerate()
    {
        let exchange = peer.an_exchange(&format!("x{number}"), ExchangeKind::Headers).await?;
        let what = format!("arguments {arguments:?} match a message without headers");
        peer.tie(&Binding::queue(&queue, &exchange, short("")).arguments(arguments)).await?;
        same(&what, &peer.reaches(Publication::new(&exchange, short(""), "m")).await?, &expected)?;
    }
    Ok(())
}

async fn key_ignored(harness: Harness) -> Kept {
    let peer = harness.session().await?;
    let exchange = peer.an_exchange("x", ExchangeKind::Headers).await?;
    let queue = peer.a_queue("q").await?;
    peer.tie(&Binding::queue(&queue, &exchange, short("bound")).arguments(one(1))).await?;
    for (key, headers, expected) in [("sent", one(1), true), ("bound", one(2), false)] {
        let publication = with_headers(Publication::new(&exchange, short(key), "m"), headers);
        let what = format!("a message with key '{key}' is routed");
        same(&what, &peer.reaches(publication).await?, &expected)?;
    }
    Ok(())
}

async fn bad_match(harness: Harness) -> Kept {
    let peer = harness.session().await?;
    let exchange = peer.an_exchange("x", ExchangeKind::Headers).await?;
    let queue = peer.a_queue("q").await?;
    let forms = [
        (
            Value::from("some"),
            "Invalid x-match field value <<\"some\">>; expected all, any, all-with-x, or any-with-x",
        ),
        (Value::I32(5), "Invalid x-match field type signedint (value 5); expected longstr"),
    ];
    for (form, text) in forms {
        let what = format!("binding with x-match {form:?}");
        let binding = Binding::queue(&queue, &exchange, short("")).arguments(table([("x-match", form)]));
        harness
            .refused(&what, peer.admin().bind(&binding), 406, format!("PRECONDITION_FAILED - {text}"))
            .await?;
    }
    Ok(())
}
