//! Queues with a length limit, and what happens to messages over it.

use tavrida::field::{Table, Value};
use tavrida::transport::{Publication, PublishErrorKind};

use crate::check::{Kept, same, settled};
use crate::harness::Harness;
use crate::promise::promise;
use crate::values::{body, short, table};
use crate::{Capability, Promise};

pub(super) fn promises() -> Vec<Promise> {
    vec![
        promise("a queue over its length drops its oldest messages", "R73", drop_head),
        promise(
            "a queue over its bytes drops its oldest messages, and counts bodies alone",
            "R72, R73",
            bytes,
        ),
        promise("a message that is too large by itself is dropped, and taken all the same", "R73", too_large),
        promise("a queue that rejects publishes keeps what it has and nacks the new", "R75", reject),
        promise(
            "a queue that rejects publishes takes again what is requeued over its limit",
            "R75",
            requeue_over,
        ),
        promise("unsettled deliveries do not count against the limit", "R72, S9", unsettled),
        promise("what is requeued over the limit drops the oldest", "R74, S9", requeued),
        promise("a message that a waiting consumer takes at once never overflows", "R73", straight_through),
        promise(
            "rejected publishes are dead-lettered where the queue says so",
            "R75, R78",
            reject_dead_letters,
        )
        .needing(Capability::DeadLettering),
    ]
    .into_iter()
    .map(|promise| promise.needing(Capability::LengthLimits))
    .collect()
}

fn max_length(length: i32) -> Table {
    table([("x-max-length", length.into())])
}

fn rejecting(length: i32) -> Table {
    max_length(length).with(short("x-overflow"), "reject-publish")
}

async fn drop_head(harness: Harness) -> Kept {
    let peer = harness.session().await?;
    for (local, arguments) in
        [("default", max_length(2)), ("named", max_length(2).with(short("x-overflow"), "drop-head"))]
    {
        let queue = peer.a_queue_with(local, arguments).await?;
        peer.fill(&queue, &["a", "b", "c", "d"]).await?;
        peer.holds(&queue, &["c", "d"]).await?;
    }
    Ok(())
}

async fn bytes(harness: Harness) -> Kept {
    let peer = harness.session().await?;
    let queue = peer.a_queue_with("q", table([("x-max-length-bytes", 5.into())])).await?;
    peer.fill(&queue, &["aa", "bb", "c"]).await?;
    peer.holds(&queue, &["aa", "bb", "c"]).await?;
    peer.fill(&queue, &["aa", "bb", "cc"]).await?;
    peer.holds(&queue, &["bb", "cc"]).await
}

async fn too_large(harness: Harness) -> Kept {
    let peer = harness.session().await?;
    let small = peer.a_queue_with("small", table([("x-max-length-bytes", 5.into())])).await?;
    let none = peer.a_queue_with("none", max_length(0)).await?;
    for queue in [&small, &none] {
        peer.fill(queue, &["far too large"]).await?;
        peer.holds(queue, &[]).await?;
    }
    Ok(())
}

async fn reject(harness: Harness) -> Kept {
    let peer = harness.session().await?;
    let queue = peer.a_queue_with("q", rejecting(2)).await?;
    peer.fill(&queue, &["a", "b"]).await?;
    peer.fails(Publication::new(short(""), &queue, "c"), &PublishErrorKind::Nacked).await?;
    settled("ack", peer.head(&queue).await?.ack())?;
    peer.fill(&queue, &["d"]).await?;
    peer.holds(&queue, &["b", "d"]).await
}

async fn requeue_over(harness: Harness) -> Kept {
    let peer = harness.session().await?;
    let queue = peer.a_queue_with("q", rejecting(1)).await?;
    peer.fill(&queue, &["a"]).await?;
    let taken = peer.head(&queue).await?;
    peer.fill(&queue, &["b"]).await?;
    settled("requeue", taken.requeue())?;
    peer.ready_is(&queue, 2).await?;
    peer.holds(&queue, &["a", "b"]).await
}

async fn unsettled(harness: Harness) -> Kept {
    let peer = harness.session().await?;
    let queue = peer.a_queue_with("q", max_length(1)).await?;
    peer.fill(&queue, &["a"]).await?;
    let taken = peer.head(&queue).await?;
    peer.fill(&queue, &["b"]).await?;
    same("the taken message", body(&taken).as_str(), "a")?;
    settled("ack", taken.ack())?;
    peer.holds(&queue, &["b"]).await
}

async fn requeued(harness: Harness) -> Kept {
    let (taking, looking) = harness.two_sessions().await?;
    let queue = taking.a_queue_with("q", max_length(2)).await?;
    taking.fill(&queue, &["a", "b"]).await?;
    let taken = [taking.head(&queue).await?, taking.head(&queue).await?];
    taking.fill(&queue, &["c", "d"]).await?;
    for delivery in taken {
        settled("requeue", delivery.requeue())?;
    }
    taking.finish().await?;
    looking.holds(&queue, &["c", "d"]).await
}

async fn straight_through(harness: Harness) -> Kept {
    let peer = harness.session().await?;
    let queue = peer.a_queue_with("q", max_length(0)).await?;
    let mut tap = peer.tap(&queue, 10).await?;
    peer.fill(&queue, &["a", "b"]).await?;
    tap.gives(&["a", "b"]).await
}

async fn reject_dead_letters(harness: Harness) -> Kept {
    let peer = harness.session().await?;
    let dead = peer.a_queue("dead").await?;
    let arguments = max_length(1)
        .with(short("x-overflow"), "reject-publish-dlx")
        .with(short("x-dead-letter-exchange"), "")
        .with(short("x-dead-letter-routing-key"), Value::from(dead.clone()));
    let queue = peer.a_queue_with("q", arguments).await?;
    peer.fill(&queue, &["a"]).await?;
    peer.fails(Publication::new(short(""), &queue, "b"), &PublishErrorKind::Nacked).await?;
    same("the dead letter", body(&peer.arrival(&dead).await?).as_str(), "b")?;
    peer.holds(&queue, &["a"]).await
}
