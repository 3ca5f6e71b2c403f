//! Arguments of a queue are checked when it is new, and compared when it is declared again.

use tavrida::field::{Table, Value};
use tavrida::transport::Queue;

use crate::check::Kept;
use crate::harness::Harness;
use crate::promise::promise;
use crate::values::{short, table};
use crate::{Capability, Promise};

pub(super) fn promises() -> Vec<Promise> {
    let checked = [
        promise("declaring a queue with other flags is refused (406), and changes nothing", "R51", flags)
            .needing(Capability::AutoDelete)
            .needing(Capability::TransientQueues),
        promise("declaring a queue with other arguments is refused (406)", "R54", compared)
            .needing(Capability::MessageTtl)
            .needing(Capability::DeadLettering),
        promise("arguments are compared by value, whatever the width of an integer", "R54", widths)
            .needing(Capability::LengthLimits),
        promise("a time to live that makes no sense is refused (406)", "R55", odd_ttl)
            .needing(Capability::MessageTtl),
        promise("a time of expiry that makes no sense is refused (406)", "R55", odd_expiry)
            .needing(Capability::QueueExpiry),
        promise("length limits that make no sense are refused (406)", "R55", odd_limits)
            .needing(Capability::LengthLimits),
        promise("a greatest priority that makes no sense is refused (406)", "R55", odd_priority)
            .needing(Capability::MessagePriorities),
        promise("a dead-letter address that makes no sense is refused (406)", "R55, R56", odd_dead_letters)
            .needing(Capability::DeadLettering),
        promise("a queue type or mode that does not exist is refused (406)", "R55", odd_types),
    ];
    let unknown = promise("arguments that mean nothing to the broker are not compared", "R54", unknown);
    checked.into_iter().map(|promise| promise.needing(Capability::DeclareChecks)).chain([unknown]).collect()
}

async fn flags(harness: Harness) -> Kept {
    let peer = harness.session().await?;
    let original = Queue::durable(harness.name("q"));
    peer.queue(&original).await?;
    for (field, received, current, other) in [
        ("durable", "false", "true", Queue { durable: false, ..original.clone() }),
        ("auto_delete", "true", "false", Queue { auto_delete: true, ..original.clone() }),
        ("durable", "false", "true", Queue { durable: false, auto_delete: true, ..original.clone() }),
    ] {
        let text = format!(
            "PRECONDITION_FAILED - inequivalent arg '{field}' for {}: received '{received}' but current is '{current}'",
            harness.queue_text(&original.name)
        );
        let what = format!("declaring it with another {field}");
        harness.refused(&what, peer.admin().declare_queue(&other), 406, text).await?;
    }
    peer.queue(&original).await.map(drop)
}

async fn compared(harness: Harness) -> Kept {
    let peer = harness.session().await?;
    let ttl = |value: i32| table([("x-message-ttl", value.into())]);
    let dlx = |name: &str| table([("x-dead-letter-exchange", name.into())]);
    let none = Table::new;
    let all = ttl(60_000).with(short("x-dead-letter-exchange"), "a");
    let (time, exchange) = ("x-message-ttl", "x-dead-letter-exchange");
    let cases = [
        (ttl(60_000), ttl(60_001), time, "received '60001' but current is '60000'"),
        (dlx("a"), dlx("b"), exchange, "received 'b' but current is 'a'"),
        (dlx("a"), none(), exchange, "received none but current is the value 'a' of type 'longstr'"),
        (none(), dlx("a"), exchange, "received the value 'a' of type 'longstr' but current is none"),
        (none(), all, time, "received the value '60000' of type 'signedint' but current is none"),
    ];
    for (number, (first, second, argument, difference)) in cases.into_iter().enumerate() {
        let queue = peer.a_queue_with(&format!("q{number}"), first).await?;
        let text = format!(
            "PRECONDITION_FAILED - inequivalent arg '{argument}' for {}: {difference}",
            harness.queue_text(&queue)
        );
        let other = Queue { arguments: second, ..Queue::durable(queue) };
        harness.refused(difference, peer.admin().declare_queue(&other), 406, text).await?;
    }
    Ok(())
}

async fn widths(harness: Harness) -> Kept {
    let peer = harness.session().await?;
    for value in [Value::I32(100), Value::I64(100), Value::U8(100), Value::I16(100)] {
        peer.a_queue_with("q", table([("x-max-length", value)])).await?;
    }
    Ok(())
}

async fn unknown(harness: Harness) -> Kept {
    let peer = harness.session().await?;
    for value in [Value::from("one"), Value::I32(2)] {
        peer.a_queue_with("q", table([("owner", value)])).await?;
    }
    peer.a_queue("q").await.map(drop)
}

/// Declares a queue with each of these arguments; it must be refused for this reason, and must not exist afterwards.
async fn refused<const N: usize>(harness: Harness, cases: [(&'static str, Value, &str); N]) -> Kept {
    let peer = harness.session().await?;
    for (number, (argument, value, reason)) in cases.into_iter().enumerate() {
        let name = harness.name(&format!("q{number}"));
        let text = format!(
            "PRECONDITION_FAILED - invalid arg '{argument}' for {}: {reason}",
            harness.queue_text(&name)
        );
        let what = format!("declaring it with {argument} {value:?}");
        let queue = Queue { arguments: table([(argument, value)]), ..Queue::durable(name) };
        harness.refused(&what, peer.admin().declare_queue(&queue), 406, text).await?;
        peer.queue_exists(&queue.name, false).await?;
    }
    Ok(())
}

async fn odd_ttl(harness: Harness) -> Kept {
    let cases = [
        ("x-message-ttl", (-1).into(), "{value_negative,-1}"),
        ("x-message-ttl", Value::I64(315_360_000_001), "{value_too_large,315360000001}"),
        ("x-message-ttl", "5".into(), "\"expected integer, got longstr\""),
    ];
    refused(harness, cases).await
}

async fn odd_expiry(harness: Harness) -> Kept {
    let cases =
        [("x-expires", 0.into(), "{value_zero,0}"), ("x-expires", (-1).into(), "{value_negative,-1}")];
    refused(harness, cases).await
}

async fn odd_limits(harness: Harness) -> Kept {
    let cases = [
        ("x-max-length", (-1).into(), "{value_negative,-1}"),
        ("x-max-length-bytes", true.into(), "\"expected integer, got bool\""),
        ("x-overflow", "zz".into(), "invalid_overflow"),
    ];
    refused(harness, cases).await
}

async fn odd_priority(harness: Harness) -> Kept {
    refused(harness, [("x-max-priority", 256.into(), "{max_value_exceeded,256}")]).await
}

async fn odd_types(harness: Harness) -> Kept {
    let cases = [
        ("x-queue-mode", "zz".into(), "\"unsupported queue mode 'zz'\""),
        ("x-queue-type", "zz".into(), "\"unsupported queue type 'zz'\""),
    ];
    refused(harness, cases).await
}

async fn odd_dead_letters(harness: Harness) -> Kept {
    let cases = [
        ("x-dead-letter-routing-key", "k".into(), "routing_key_but_no_dlx_defined"),
        ("x-dead-letter-routing-key", 5.into(), "{unacceptable_type,signedint}"),
    ];
    refused(harness.clone(), cases).await?;
    let peer = harness.session().await?;
    let queue = Queue::durable(harness.name("q")).argument(short("x-dead-letter-exchange"), 5);
    let text = format!(
        "PRECONDITION_FAILED - invalid type 'signedint' for arg 'x-dead-letter-exchange' in {}",
        harness.queue_text(&queue.name)
    );
    harness
        .refused(
            "declaring it with an exchange that is no name",
            peer.admin().declare_queue(&queue),
            406,
            text,
        )
        .await
}
