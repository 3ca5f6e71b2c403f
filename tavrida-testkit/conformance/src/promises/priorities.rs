//! Order by priority: message priorities, consumer priorities, single active consumer.

use tavrida::field::{ShortString, Value};
use tavrida::transport::{Consume, Properties, Publication};

use crate::check::{Fault, Kept, same, settled};
use crate::harness::Harness;
use crate::peer::Peer;
use crate::promise::promise;
use crate::tap::Tap;
use crate::values::{body, short, table};
use crate::{Capability, Promise};

pub(super) fn promises() -> Vec<Promise> {
    vec![
        promise("messages of higher priority come first, equal ones in order", "R77", messages)
            .needing(Capability::MessagePriorities),
        promise("a priority above the queue's greatest counts as the greatest", "R77", capped)
            .needing(Capability::MessagePriorities),
        promise("a requeued message goes back to its place within its priority", "R77, R98", requeued)
            .needing(Capability::MessagePriorities),
        promise("a queue without priorities ignores those of its messages", "R77", ignored),
        promise("a consumer of higher priority gets all that it can take", "R110, R111", consumers)
            .needing(Capability::ConsumerPriorities),
        promise("a consumer priority that is no number is refused (406)", "R105", odd_priority)
            .needing(Capability::ConsumerPriorities),
        promise(
            "of the consumers of a queue with a single active one the first gets all",
            "R113",
            single_active,
        )
        .needing(Capability::SingleActiveConsumer),
        promise("when the active consumer's session ends the next takes over", "R113, R114", takes_over)
            .needing(Capability::SingleActiveConsumer),
    ]
}

async fn prioritised(peer: &Peer) -> Result<ShortString, Fault> {
    peer.a_queue_with("q", table([("x-max-priority", 5.into())])).await
}

async fn send(peer: &Peer, queue: &ShortString, body: &'static str, priority: Option<u8>) -> Kept {
    let properties = Properties { priority, ..Properties::default() };
    peer.send(Publication { properties, ..Publication::new(short(""), queue, body) }).await
}

async fn messages(harness: Harness) -> Kept {
    let peer = harness.session().await?;
    let queue = prioritised(&peer).await?;
    for (body, priority) in [("none", None), ("3a", Some(3)), ("0", Some(0)), ("5", Some(5)), ("3b", Some(3))]
    {
        send(&peer, &queue, body, priority).await?;
    }
    let mut tap = peer.tap(&queue, 1).await?;
    tap.gives(&["5", "3a", "3b", "none", "0"]).await
}

async fn capped(harness: Harness) -> Kept {
    let peer = harness.session().await?;
    let queue = prioritised(&peer).await?;
    send(&peer, &queue, "5", Some(5)).await?;
    send(&peer, &queue, "200", Some(200)).await?;
    let (first, second) = (peer.head(&queue).await?, peer.head(&queue).await?);
    same("in order of publishing", &[body(&first), body(&second)], &["5", "200"])?;
    same("the priority of the second", &second.properties().priority, &Some(200))
}

async fn requeued(harness: Harness) -> Kept {
    let peer = harness.session().await?;
    let queue = prioritised(&peer).await?;
    send(&peer, &queue, "low", Some(1)).await?;
    send(&peer, &queue, "middle", Some(3)).await?;
    let taken = peer.head(&queue).await?;
    send(&peer, &queue, "middle, later", Some(3)).await?;
    send(&peer, &queue, "high", Some(5)).await?;
    settled("requeue", taken.requeue())?;
    peer.ready_is(&queue, 4).await?;
    peer.holds(&queue, &["high", "middle", "middle, later", "low"]).await
}

async fn ignored(harness: Harness) -> Kept {
    let peer = harness.session().await?;
    let queue = peer.a_queue("q").await?;
    send(&peer, &queue, "low", Some(1)).await?;
    send(&peer, &queue, "high", Some(5)).await?;
    peer.holds(&queue, &["low", "high"]).await
}

fn with_priority(queue: &ShortString, prefetch: u16, priority: impl Into<Value>) -> Consume {
    Consume { arguments: table([("x-priority", priority.into())]), ..Consume::new(queue, prefetch) }
}

async fn consumers(harness: Harness) -> Kept {
    let peer = harness.session().await?;
    let queue = peer.a_queue("q").await?;
    let mut low = peer.tap_with(&with_priority(&queue, 10, -1)).await?;
    let mut usual = peer.tap(&queue, 10).await?;
    let mut high = peer.tap_with(&with_priority(&queue, 2, 5)).await?;
    peer.fill(&queue, &["a", "b", "c"]).await?;
    let held = high.take(2).await?;
    same("the high consumer's", &[body(&held[0]), body(&held[1])], &["a", "b"])?;
    same("the usual consumer's", body(&usual.next().await?).as_str(), "c")?;
    low.idle()
}

async fn odd_priority(harness: Harness) -> Kept {
    let peer = harness.session().await?;
    let queue = peer.a_queue("q").await?;
    let text = format!(
        "PRECONDITION_FAILED - invalid arg 'x-priority' for {}: \"expected integer, got longstr\"",
        harness.queue_text(&queue)
    );
    harness.refused("consuming", peer.consume(&with_priority(&queue, 1, "high")), 406, text).await
}

/// Returns a queue with a single active consumer, and two consumers in order.
async fn two_waiting(first: &Peer, second: &Peer) -> Result<(ShortString, Tap, Tap), Fault> {
    let queue = first.a_queue_with("q", table([("x-single-active-consumer", true.into())])).await?;
    let taps = (first.tap(&queue, 10).await?, second.tap(&queue, 10).await?);
    Ok((queue, taps.0, taps.1))
}

async fn single_active(harness: Harness) -> Kept {
    let (one, other) = harness.two_sessions().await?;
    let (queue, mut first, mut second) = two_waiting(&one, &other).await?;
    one.fill(&queue, &["a", "b", "c"]).await?;
    first.gives(&["a", "b", "c"]).await?;
    second.idle()
}

async fn takes_over(harness: Harness) -> Kept {
    let (one, other) = harness.two_sessions().await?;
    let (queue, mut first, mut second) = two_waiting(&one, &other).await?;
    one.fill(&queue, &["a", "b"]).await?;
    let unsettled = first.take(2).await?;
    one.finish().await?;
    drop(unsettled);
    for text in ["a", "b"] {
        let delivery = second.next().await?;
        let expected = (text, true);
        same(
            "the successor's next, and redelivered",
            &(body(&delivery).as_str(), delivery.redelivered()),
            &expected,
        )?;
        settled("ack", delivery.ack())?;
    }
    Ok(())
}
