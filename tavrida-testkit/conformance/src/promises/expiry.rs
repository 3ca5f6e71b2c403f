//! Messages and queues with a time to live.

use std::time::Duration;

use tavrida::field::{ShortString, Table};
use tavrida::transport::{Properties, Publication};
use tokio::time::sleep;

use crate::check::{Kept, same, settled};
use crate::harness::Harness;
use crate::promise::promise;
use crate::values::{body, named, short, table};
use crate::{Capability, Promise};

/// The time to live, in milliseconds.
const LIFE: u32 = 50;

/// Longer than [`LIFE`], also on a busy machine.
const AFTERWARDS: Duration = Duration::from_millis(5 * LIFE as u64);

pub(super) fn promises() -> Vec<Promise> {
    vec![
        promise("a message is gone after the queue's time to live", "R66, R67", queue_ttl)
            .needing(Capability::MessageTtl),
        promise("a message is gone after its own expiration, others stay", "R66, R67", own_ttl)
            .needing(Capability::MessageTtl),
        promise("the shorter of the two times holds", "R67", shorter).needing(Capability::MessageTtl),
        promise(
            "an expired message behind a living one is counted until it comes to the head",
            "R67",
            behind,
        )
        .needing(Capability::MessageTtl),
        promise(
            "an unsettled delivery does not expire, a requeued one does at its old time",
            "R67",
            requeued,
        )
        .needing(Capability::MessageTtl),
        promise("a message with no time to live goes to a waiting consumer, else nowhere", "R68", no_time)
            .needing(Capability::MessageTtl),
        promise(
            "an expired message is dead-lettered, with its expiration in x-death alone",
            "R78-R80",
            dead_letter,
        )
        .needing(Capability::MessageTtl)
        .needing(Capability::DeadLettering),
        promise("an unused queue is gone after its time, publishes notwithstanding", "R71", queue_expires)
            .needing(Capability::QueueExpiry),
        promise("a consumer keeps a queue that expires", "R71", consumer_keeps)
            .needing(Capability::QueueExpiry),
    ]
}

fn ttl(milliseconds: u32) -> Table {
    table([("x-message-ttl", i64::from(milliseconds).into())])
}

fn expiring(queue: &ShortString, body: &'static str, milliseconds: u32) -> Publication {
    let expiration = Some(named(milliseconds.to_string()));
    Publication {
        properties: Properties { expiration, ..Properties::default() },
        ..Publication::new(short(""), queue, body)
    }
}

async fn queue_ttl(harness: Harness) -> Kept {
    let peer = harness.session().await?;
    let queue = peer.a_queue_with("q", ttl(LIFE)).await?;
    peer.fill(&queue, &["a", "b"]).await?;
    // A busy broker may be late, but it expires messages without a consumer.
    peer.ready_is(&queue, 0).await?;
    peer.holds(&queue, &[]).await
}

async fn own_ttl(harness: Harness) -> Kept {
    let peer = harness.session().await?;
    let queue = peer.a_queue("q").await?;
    peer.send(expiring(&queue, "short", LIFE)).await?;
    peer.send(expiring(&queue, "long", 3_600_000)).await?;
    peer.fill(&queue, &["for ever"]).await?;
    sleep(AFTERWARDS).await;
    peer.holds(&queue, &["long", "for ever"]).await
}

async fn shorter(harness: Harness) -> Kept {
    let peer = harness.session().await?;
    let (short_queue, long_queue) =
        (peer.a_queue_with("short", ttl(LIFE)).await?, peer.a_queue_with("long", ttl(3_600_000)).await?);
    peer.send(expiring(&short_queue, "m", 3_600_000)).await?;
    peer.send(expiring(&long_queue, "m", LIFE)).await?;
    sleep(AFTERWARDS).await;
    peer.holds(&short_queue, &[]).await?;
    peer.holds(&long_queue, &[]).await
}

async fn behind(harness: Harness) -> Kept {
    let peer = harness.session().await?;
    let queue = peer.a_queue("q").await?;
    peer.fill(&queue, &["living"]).await?;
    peer.send(expiring(&queue, "expired", LIFE)).await?;
    sleep(AFTERWARDS).await;
    same("ready messages", &peer.ready(&queue).await?, &2)?;
    peer.holds(&queue, &["living"]).await
}

async fn requeued(harness: Harness) -> Kept {
    let (taking, looking) = harness.two_sessions().await?;
    let queue = taking.a_queue_with("q", ttl(LIFE)).await?;
    let mut tap = taking.tap(&queue, 2).await?;
    taking.fill(&queue, &["acked", "requeued"]).await?;
    let mut taken = tap.take(2).await?;
    sleep(AFTERWARDS).await;
    settled("requeue", taken.remove(1).requeue())?;
    settled("ack", taken.remove(0).ack())?;
    taking.finish().await?;
    looking.holds(&queue, &[]).await
}

async fn no_time(harness: Harness) -> Kept {
    let peer = harness.session().await?;
    let (consumed, idle) = (peer.a_queue_with("consumed", ttl(0)).await?, peer.a_queue("idle").await?);
    let mut tap = peer.tap(&consumed, 10).await?;
    peer.fill(&consumed, &["m"]).await?;
    tap.gives(&["m"]).await?;
    peer.send(expiring(&idle, "m", 0)).await?;
    peer.holds(&idle, &[]).await
}

async fn dead_letter(harness: Harness) -> Kept {
    let peer = harness.session().await?;
    let dead = peer.a_queue("dead").await?;
    let arguments =
        table([("x-dead-letter-exchange", "".into()), ("x-dead-letter-routing-key", dead.clone().into())]);
    let queue = peer.a_queue_with("q", arguments).await?;
    peer.send(expiring(&queue, "m", LIFE)).await?;
    let delivery = peer.arrival(&dead).await?;
    same("the body", body(&delivery).as_str(), "m")?;
    same("the expiration", &delivery.properties().expiration, &None::<ShortString>)?;
    let death = super::dead_letters::deaths(&delivery)?.remove(0);
    let texts =
        ["reason", "queue", "original-expiration"].map(|name| super::dead_letters::text(&death, name));
    same("reason, queue and expiration in x-death", &texts, &["expired", &queue, &LIFE.to_string()])
}

async fn queue_expires(harness: Harness) -> Kept {
    let peer = harness.session().await?;
    let queue = peer.a_queue_with("q", table([("x-expires", 50.into())])).await?;
    peer.fill(&queue, &["m"]).await?;
    sleep(AFTERWARDS).await;
    peer.queue_exists(&queue, false).await
}

async fn consumer_keeps(harness: Harness) -> Kept {
    let peer = harness.session().await?;
    let queue = peer.a_queue_with("q", table([("x-expires", 200.into())])).await?;
    let mut tap = peer.tap(&queue, 1).await?;
    sleep(Duration::from_millis(600)).await;
    peer.queue_exists(&queue, true).await?;
    tap.cancel().await?;
    sleep(Duration::from_millis(1_000)).await;
    peer.queue_exists(&queue, false).await
}
