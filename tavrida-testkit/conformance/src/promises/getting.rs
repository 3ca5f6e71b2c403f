//! `basic.get`: fetching one message at a time.

use futures_util::future::join_all;

use crate::Promise;
use crate::check::{Fault, Kept, same, settled};
use crate::harness::Harness;
use crate::promise::promise;
use crate::values::body;

pub(super) fn promises() -> Vec<Promise> {
    vec![
        promise("get takes the first message and tells how many are left", "R101", left),
        promise("get gives nothing from an empty queue", "R101", empty),
        promise("getting from a missing queue is refused (404)", "R101", missing),
        promise("a message that was got is settled like any other", "R98, R101", verdicts),
        promise(
            "a message that was got and dropped goes back, marked as redelivered",
            "R98, contract",
            dropped,
        ),
        promise("get takes what a consumer's prefetch leaves", "R101", beside_consumer),
        promise("gets at the same time each get a message of their own", "R101", at_once),
        promise(
            "a requeued message is got before later ones, those that were taken first first",
            "R98, S6",
            order,
        ),
    ]
}

async fn left(harness: Harness) -> Kept {
    let peer = harness.session().await?;
    let queue = peer.a_queue("q").await?;
    peer.fill(&queue, &["a", "b", "c"]).await?;
    for (text, left) in [("a", 2), ("b", 1), ("c", 0)] {
        let Some(fetched) = peer.take(&queue).await? else {
            return Err(Fault::new(format_args!("the message '{text}'"), "an empty queue"));
        };
        same(
            "body and messages left",
            &(body(&fetched.delivery).as_str(), fetched.messages_left),
            &(text, left),
        )?;
        settled("ack", fetched.delivery.ack())?;
    }
    Ok(())
}

async fn empty(harness: Harness) -> Kept {
    let peer = harness.session().await?;
    let queue = peer.a_queue("q").await?;
    match peer.take(&queue).await? {
        None => Ok(()),
        Some(fetched) => Err(Fault::new("nothing", format_args!("{fetched:?}"))),
    }
}

async fn missing(harness: Harness) -> Kept {
    let peer = harness.session().await?;
    let missing = harness.name("missing");
    let text = format!("NOT_FOUND - no {}", harness.queue_text(&missing));
    harness.refused("getting", peer.get(&missing), 404, text).await
}

async fn verdicts(harness: Harness) -> Kept {
    let (getting, looking) = harness.two_sessions().await?;
    let queue = getting.a_queue("q").await?;
    getting.fill(&queue, &["acked", "rejected", "requeued", "untouched"]).await?;
    settled("ack", getting.head(&queue).await?.ack())?;
    settled("reject", getting.head(&queue).await?.reject())?;
    settled("requeue", getting.head(&queue).await?.requeue())?;
    getting.finish().await?;
    for (text, redelivered) in [("requeued", true), ("untouched", false)] {
        let delivery = looking.head(&queue).await?;
        same(
            "body and redelivered",
            &(body(&delivery).as_str(), delivery.redelivered()),
            &(text, redelivered),
        )?;
        settled("ack", delivery.ack())?;
    }
    looking.holds(&queue, &[]).await
}

async fn dropped(harness: Harness) -> Kept {
    let peer = harness.session().await?;
    let queue = peer.a_queue("q").await?;
    peer.fill(&queue, &["a", "b"]).await?;
    drop(peer.head(&queue).await?);
    peer.ready_is(&queue, 2).await?;
    let delivery = peer.head(&queue).await?;
    same("body and redelivered", &(body(&delivery).as_str(), delivery.redelivered()), &("a", true))
}

async fn beside_consumer(harness: Harness) -> Kept {
    let peer = harness.session().await?;
    let queue = peer.a_queue("q").await?;
    let mut tap = peer.tap(&queue, 1).await?;
    peer.fill(&queue, &["a", "b", "c"]).await?;
    let held = tap.next().await?;
    same("the consumer's", body(&held).as_str(), "a")?;
    same("got", body(&peer.head(&queue).await?).as_str(), "b")
}

async fn at_once(harness: Harness) -> Kept {
    let peer = harness.session().await?;
    let queue = peer.a_queue("q").await?;
    let expected: Vec<String> = (0..20).map(|number| format!("{number:02}")).collect();
    peer.fill(&queue, &expected.iter().map(String::as_str).collect::<Vec<_>>()).await?;
    let got: Vec<_> =
        join_all((0..20).map(|_| peer.head(&queue))).await.into_iter().collect::<Result<_, _>>()?;
    let mut bodies: Vec<_> = got.iter().map(body).collect();
    bodies.sort();
    same("the bodies that were got", &bodies, &expected)
}

async fn order(harness: Harness) -> Kept {
    let peer = harness.session().await?;
    let queue = peer.a_queue("q").await?;
    peer.fill(&queue, &["0", "1", "2", "3", "4", "5"]).await?;
    let mut taken = Vec::new();
    for _ in 0..4 {
        taken.push(peer.head(&queue).await?);
    }
    settled("requeue", taken.remove(2).requeue())?;
    peer.ready_is(&queue, 3).await?;
    settled("requeue", taken.remove(0).requeue())?;
    peer.ready_is(&queue, 4).await?;
    for expected in [("0", true), ("2", true), ("4", false)] {
        let delivery = peer.head(&queue).await?;
        same("body and redelivered", &(body(&delivery).as_str(), delivery.redelivered()), &expected)?;
        taken.push(delivery);
    }
    drop(taken);
    peer.ready_is(&queue, 6).await?;
    peer.holds(&queue, &["0", "1", "2", "3", "4", "5"]).await
}
