//! What a consumer receives, how much at a time, and in which order.

use std::time::Duration;

use futures_util::FutureExt;
use tavrida::transport::{Consume, Publication};
use tokio::time::timeout;

use crate::Promise;
use crate::check::{Fault, Kept, same, settled};
use crate::harness::Harness;
use crate::promise::promise;
use crate::values::{body, short};

pub(super) fn promises() -> Vec<Promise> {
    vec![
        promise("deliveries come in queue order, those that waited and those that come later", "R112", order),
        promise(
            "a thousand messages come through one consumer without a limit, in order",
            "R112, R107",
            thousand,
        ),
        promise("a message that was never handed out is not redelivered", "R98", fresh),
        promise("no more than the prefetch are handed out before one is settled", "R107, R109", prefetch),
        promise("a prefetch of 0 is no limit", "R107", unlimited),
        promise("each consumer has a prefetch of its own", "R107", own_prefetch),
        promise("without acknowledgements all is settled when it is sent", "R96, R107", no_ack),
        promise("settling what needs no settling does nothing", "contract", settling_no_ack),
        promise("a consumer that waits is woken by the next message", "R103", woken),
        promise("a wait for a delivery that is given up loses none", "contract", cancel_safe),
        promise("consuming a missing queue is refused (404)", "R101", missing),
        promise("idle consumers take turns", "R110, R111", turns),
        promise("each message goes to one consumer", "R110", shared),
        promise("a consumer that holds all it may is passed over", "R110", passed_over),
        promise("what one consumer gives back another gets, marked as redelivered", "R98", handed_on),
        promise("several queues are consumed by one session at the same time", "contract", several),
    ]
}

async fn order(harness: Harness) -> Kept {
    let peer = harness.session().await?;
    let queue = peer.a_queue("q").await?;
    peer.fill(&queue, &["a", "b"]).await?;
    let mut tap = peer.tap(&queue, 10).await?;
    peer.fill(&queue, &["c", "d"]).await?;
    tap.gives(&["a", "b", "c", "d"]).await?;
    peer.fill(&queue, &["e"]).await?;
    tap.gives(&["e"]).await
}

async fn thousand(harness: Harness) -> Kept {
    let peer = harness.session().await?;
    let queue = peer.a_queue("q").await?;
    let texts: Vec<String> = (0..1_000).map(|number| number.to_string()).collect();
    let publications = texts.iter().map(|text| Publication::new(short(""), &queue, text.clone()));
    for outcome in peer.outcomes(peer.start(publications.collect()).await).await? {
        outcome.map_err(|unpublished| Fault::new("every message is taken", unpublished))?;
    }
    let mut tap = peer.tap(&queue, 0).await?;
    tap.gives(&texts.iter().map(String::as_str).collect::<Vec<_>>()).await
}

async fn fresh(harness: Harness) -> Kept {
    let peer = harness.session().await?;
    let queue = peer.a_queue("q").await?;
    peer.fill(&queue, &["a", "b"]).await?;
    let got = peer.head(&queue).await?;
    same("redelivered, by get", &got.redelivered(), &false)?;
    let mut tap = peer.tap(&queue, 1).await?;
    same("redelivered, by a consumer", &tap.next().await?.redelivered(), &false)
}

async fn prefetch(harness: Harness) -> Kept {
    let peer = harness.session().await?;
    let queue = peer.a_queue("q").await?;
    peer.fill(&queue, &["a", "b", "c", "d", "e", "f"]).await?;
    let mut tap = peer.tap(&queue, 2).await?;
    let mut held = tap.take(2).await?;
    // A third message on its way to the consumer would not be the head of the queue.
    let head = peer.head(&queue).await?;
    same("the head of the queue", body(&head).as_str(), "c")?;
    tap.idle()?;
    settled("ack", held.remove(0).ack())?;
    tap.gives(&["d", "e"]).await?;
    settled("ack", head.ack())
}

async fn unlimited(harness: Harness) -> Kept {
    let peer = harness.session().await?;
    let queue = peer.a_queue("q").await?;
    let bodies: Vec<String> = (0..100).map(|number| number.to_string()).collect();
    peer.fill(&queue, &bodies.iter().map(String::as_str).collect::<Vec<_>>()).await?;
    let mut tap = peer.tap(&queue, 0).await?;
    let held = tap.take(100).await?;
    same("the bodies held at once", &held.iter().map(body).collect::<Vec<_>>(), &bodies)
}

async fn own_prefetch(harness: Harness) -> Kept {
    let peer = harness.session().await?;
    let (first, second) = (peer.a_queue("first").await?, peer.a_queue("second").await?);
    let (mut one, mut three) = (peer.tap(&first, 1).await?, peer.tap(&second, 3).await?);
    for queue in [&first, &second] {
        peer.fill(queue, &["a", "b", "c", "d"]).await?;
    }
    let held = (one.take(1).await?, three.take(3).await?);
    same("ready in the first queue", &peer.ready(&first).await?, &3)?;
    same("ready in the second queue", &peer.ready(&second).await?, &1)?;
    drop(held);
    Ok(())
}

async fn no_ack(harness: Harness) -> Kept {
    let (consuming, looking) = harness.two_sessions().await?;
    let queue = consuming.a_queue("q").await?;
    consuming.fill(&queue, &["a", "b", "c"]).await?;
    // A prefetch limits only what can be unsettled.
    let consume = Consume { no_ack: true, ..Consume::new(&queue, 1) };
    let mut tap = consuming.tap_with(&consume).await?;
    for text in ["a", "b", "c"] {
        let delivery = tap.next().await?;
        same("the next body", body(&delivery).as_str(), text)?;
        drop(delivery);
    }
    consuming.finish().await?;
    looking.holds(&queue, &[]).await
}

async fn settling_no_ack(harness: Harness) -> Kept {
    let (consuming, looking) = harness.two_sessions().await?;
    let queue = consuming.a_queue("q").await?;
    let mut tap = consuming.tap_with(&Consume { no_ack: true, ..Consume::new(&queue, 0) }).await?;
    consuming.fill(&queue, &["a", "b", "c", "d"]).await?;
    settled("ack", tap.next().await?.ack())?;
    settled("reject", tap.next().await?.reject())?;
    settled("requeue", tap.next().await?.requeue())?;
    same("the next body", body(&tap.next().await?).as_str(), "d")?;
    consuming.finish().await?;
    looking.holds(&queue, &[]).await
}

async fn woken(harness: Harness) -> Kept {
    let (consuming, publishing) = harness.two_sessions().await?;
    let queue = consuming.a_queue("q").await?;
    let mut tap = consuming.tap(&queue, 1).await?;
    let waiting = tokio::spawn(async move { tap.gives(&["a", "b"]).await });
    tokio::task::yield_now().await;
    publishing.fill(&queue, &["a", "b"]).await?;
    waiting.await.map_err(|error| Fault::new("a task that ends", error))?
}

async fn cancel_safe(harness: Harness) -> Kept {
    let peer = harness.session().await?;
    let queue = peer.a_queue("q").await?;
    let mut tap = peer.tap(&queue, 0).await?;
    let texts: Vec<String> = (0..50).map(|number| number.to_string()).collect();
    let mut seen = Vec::new();
    for text in &texts {
        peer.fill(&queue, &[text]).await?;
        let hasty = timeout(Duration::from_micros(50), tap.consumer().next());
        if let Ok(Ok(delivery)) = hasty.await {
            seen.push(body(&delivery));
            settled("ack", delivery.ack())?;
        }
        if let Some(Ok(delivery)) = tap.consumer().next().now_or_never() {
            seen.push(body(&delivery));
            settled("ack", delivery.ack())?;
        }
    }
    while seen.len() < texts.len() {
        let delivery = tap.next().await?;
        seen.push(body(&delivery));
        settled("ack", delivery.ack())?;
    }
    same("the bodies in their order", &seen, &texts)
}

async fn missing(harness: Harness) -> Kept {
    let peer = harness.session().await?;
    let missing = harness.name("missing");
    let text = format!("NOT_FOUND - no {}", harness.queue_text(&missing));
    harness.refused("consuming", peer.consume(&Consume::new(&missing, 1)), 404, text).await
}

async fn turns(harness: Harness) -> Kept {
    let (one, other) = harness.two_sessions().await?;
    let queue = one.a_queue("q").await?;
    let (mut first, mut second) = (one.tap(&queue, 10).await?, other.tap(&queue, 10).await?);
    one.fill(&queue, &["a", "b", "c", "d", "e", "f"]).await?;
    first.gives(&["a", "c", "e"]).await?;
    second.gives(&["b", "d", "f"]).await
}

async fn shared(harness: Harness) -> Kept {
    let (one, other) = harness.two_sessions().await?;
    let queue = one.a_queue("q").await?;
    let expected: Vec<String> = (0..60).map(|number| format!("{number:02}")).collect();
    one.fill(&queue, &expected.iter().map(String::as_str).collect::<Vec<_>>()).await?;
    let mut taps = [one.tap(&queue, 1).await?, one.tap(&queue, 3).await?, other.tap(&queue, 2).await?];
    let mut seen = Vec::new();
    while seen.len() < expected.len() {
        let [a, b, c] = &mut taps;
        let delivery = harness
            .within("a delivery to any consumer", async {
                tokio::select! {
                    biased;
                    next = a.consumer().next() => next,
                    next = b.consumer().next() => next,
                    next = c.consumer().next() => next,
                }
            })
            .await?
            .map_err(|end| Fault::new("a delivery", end))?;
        seen.push(body(&delivery));
        settled("ack", delivery.ack())?;
    }
    seen.sort();
    same("what the consumers got together", &seen, &expected)?;
    for tap in &mut taps {
        tap.idle()?;
    }
    Ok(())
}

async fn passed_over(harness: Harness) -> Kept {
    let (one, other) = harness.two_sessions().await?;
    let queue = one.a_queue("q").await?;
    let (mut narrow, mut wide) = (one.tap(&queue, 1).await?, other.tap(&queue, 10).await?);
    one.fill(&queue, &["a", "b", "c", "d"]).await?;
    let held = narrow.next().await?;
    same("the narrow consumer's", body(&held).as_str(), "a")?;
    wide.gives(&["b", "c", "d"]).await?;
    narrow.idle()
}

async fn handed_on(harness: Harness) -> Kept {
    let (one, other) = harness.two_sessions().await?;
    let queue = one.a_queue("q").await?;
    let mut first = one.tap(&queue, 1).await?;
    one.fill(&queue, &["m"]).await?;
    let delivery = first.next().await?;
    let mut second = other.tap(&queue, 1).await?;
    first.cancel().await?;
    settled("requeue", delivery.requeue())?;
    let delivery = second.next().await?;
    same("body and redelivered", &(body(&delivery).as_str(), delivery.redelivered()), &("m", true))
}

async fn several(harness: Harness) -> Kept {
    let peer = harness.session().await?;
    let (mut queues, mut taps) = (Vec::new(), Vec::new());
    for number in 0..10 {
        let queue = peer.a_queue(&format!("q{number}")).await?;
        taps.push(peer.tap(&queue, 1).await?);
        queues.push(queue);
    }
    for queue in queues.iter().rev() {
        peer.fill(queue, &[queue, "second"]).await?;
    }
    for (queue, tap) in queues.iter().zip(&mut taps) {
        tap.gives(&[queue, "second"]).await?;
    }
    Ok(())
}
