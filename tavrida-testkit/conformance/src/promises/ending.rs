//! How a consumer ends, and what happens to its deliveries.

use futures_util::FutureExt;
use tavrida::transport::{Consume, ConsumerError};

use crate::check::{Fault, Kept, same, settled};
use crate::harness::Harness;
use crate::promise::promise;
use crate::values::body;
use crate::{Capability, Promise};

pub(super) fn promises() -> Vec<Promise> {
    vec![
        promise(
            "a cancelled consumer gives what was sent, then its end, as often as asked",
            "R103",
            cancelled,
        ),
        promise("a cancelled consumer gets nothing more, the queue keeps it", "R103", nothing_more),
        promise("what was taken can be settled after the consumer is cancelled", "R103", settled_afterwards),
        promise("cancelling twice is fine", "R102", twice),
        promise("a dropped consumer gives back what it did not take, in order", "contract", dropped),
        promise(
            "what was taken can be settled after the consumer is dropped",
            "contract",
            settled_after_drop,
        ),
        promise(
            "what is dropped unsettled after its consumer was dropped goes back",
            "contract",
            dropped_after_drop,
        ),
        promise("deleting the queue ends the consumer, the session lives on", "R106", queue_deleted),
        promise(
            "the end is known before what came ahead of it is taken, which is there still",
            "contract",
            known_ahead,
        ),
        promise("deleting the queue ends every consumer of every session", "R106", all_end),
        promise(
            "after the queue was deleted what was taken can still be settled",
            "R59",
            settled_after_delete,
        ),
        promise(
            "an exclusive consumer keeps all others out (403), and is kept out by them",
            "R104",
            exclusive,
        )
        .needing(Capability::ExclusiveConsumers),
        promise("a message can be got beside an exclusive consumer", "R101", get_beside_exclusive)
            .needing(Capability::ExclusiveConsumers),
    ]
}

async fn cancelled(harness: Harness) -> Kept {
    let peer = harness.session().await?;
    let queue = peer.a_queue("q").await?;
    peer.fill(&queue, &["a", "b", "c"]).await?;
    let mut tap = peer.tap(&queue, 2).await?;
    peer.ready_is(&queue, 1).await?;
    tap.cancel().await?;
    let sent = tap.take(2).await?;
    same("what was sent before", &[body(&sent[0]), body(&sent[1])], &["a", "b"])?;
    for _ in 0..2 {
        same("the end", &tap.end().await?, &ConsumerError::Cancelled)?;
    }
    Ok(())
}

async fn nothing_more(harness: Harness) -> Kept {
    let peer = harness.session().await?;
    let queue = peer.a_queue("q").await?;
    let mut tap = peer.tap(&queue, 0).await?;
    tap.cancel().await?;
    peer.fill(&queue, &["m"]).await?;
    peer.holds(&queue, &["m"]).await?;
    same("the end", &tap.end().await?, &ConsumerError::Cancelled)
}

async fn settled_afterwards(harness: Harness) -> Kept {
    let (consuming, looking) = harness.two_sessions().await?;
    let queue = consuming.a_queue("q").await?;
    consuming.fill(&queue, &["acked", "requeued", "dropped"]).await?;
    let mut tap = consuming.tap(&queue, 10).await?;
    let mut taken = tap.take(3).await?.into_iter();
    tap.cancel().await?;
    let mut take = || taken.next().expect("three were taken");
    settled("ack", take().ack())?;
    settled("requeue", take().requeue())?;
    drop(take());
    consuming.finish().await?;
    looking.holds(&queue, &["requeued", "dropped"]).await
}

async fn twice(harness: Harness) -> Kept {
    let peer = harness.session().await?;
    let queue = peer.a_queue("q").await?;
    let mut tap = peer.tap(&queue, 1).await?;
    tap.cancel().await?;
    tap.cancel().await?;
    same("the end", &tap.end().await?, &ConsumerError::Cancelled)?;
    tap.cancel().await
}

async fn dropped(harness: Harness) -> Kept {
    let peer = harness.session().await?;
    let queue = peer.a_queue("q").await?;
    peer.fill(&queue, &["a", "b", "c", "d"]).await?;
    let mut tap = peer.tap(&queue, 3).await?;
    tap.gives(&["a"]).await?;
    drop(tap);
    peer.ready_is(&queue, 3).await?;
    peer.holds(&queue, &["b", "c", "d"]).await
}

async fn settled_after_drop(harness: Harness) -> Kept {
    let (consuming, looking) = harness.two_sessions().await?;
    let queue = consuming.a_queue("q").await?;
    consuming.fill(&queue, &["a", "b", "c"]).await?;
    let mut tap = consuming.tap(&queue, 10).await?;
    let taken = tap.next().await?;
    drop(tap);
    // The others are ready again: the broker has removed the consumer.
    looking.ready_is(&queue, 2).await?;
    settled("ack", taken.ack())?;
    consuming.finish().await?;
    looking.holds(&queue, &["b", "c"]).await
}

async fn dropped_after_drop(harness: Harness) -> Kept {
    let peer = harness.session().await?;
    let queue = peer.a_queue("q").await?;
    peer.fill(&queue, &["a", "b"]).await?;
    let mut tap = peer.tap(&queue, 10).await?;
    let taken = tap.next().await?;
    drop(tap);
    peer.ready_is(&queue, 1).await?;
    drop(taken);
    peer.ready_is(&queue, 2).await?;
    peer.holds(&queue, &["a", "b"]).await
}

async fn queue_deleted(harness: Harness) -> Kept {
    let peer = harness.session().await?;
    let queue = peer.a_queue("q").await?;
    let mut tap = peer.tap(&queue, 1).await?;
    peer.drop_queue(&queue).await?;
    for _ in 0..2 {
        same("the end", &tap.end().await?, &ConsumerError::CancelledByBroker)?;
    }
    tap.cancel().await?;
    let again = peer.a_queue("q").await?;
    peer.fill(&again, &["m"]).await?;
    peer.tap(&again, 1).await?.gives(&["m"]).await?;
    match peer.closed().now_or_never() {
        None => Ok(()),
        Some(loss) => Err(Fault::new("a living session", loss)),
    }
}

async fn all_end(harness: Harness) -> Kept {
    let (one, other) = harness.two_sessions().await?;
    let queue = one.a_queue("q").await?;
    let mut taps = [one.tap(&queue, 1).await?, one.tap(&queue, 0).await?, other.tap(&queue, 1).await?];
    other.drop_queue(&queue).await?;
    for tap in &mut taps {
        same("the end", &tap.end().await?, &ConsumerError::CancelledByBroker)?;
    }
    Ok(())
}

async fn settled_after_delete(harness: Harness) -> Kept {
    let peer = harness.session().await?;
    let queue = peer.a_queue("q").await?;
    peer.fill(&queue, &["a", "b", "c", "d"]).await?;
    let mut tap = peer.tap(&queue, 10).await?;
    let mut taken = tap.take(4).await?.into_iter();
    peer.drop_queue(&queue).await?;
    same("the end", &tap.end().await?, &ConsumerError::CancelledByBroker)?;
    let mut take = || taken.next().expect("four were taken");
    settled("ack", take().ack())?;
    settled("reject", take().reject())?;
    settled("requeue", take().requeue())?;
    drop(take());
    peer.finish().await
}

async fn exclusive(harness: Harness) -> Kept {
    let (one, other) = harness.two_sessions().await?;
    let queue = one.a_queue("q").await?;
    let usual = Consume::new(&queue, 1);
    let alone = Consume { exclusive: true, ..usual.clone() };
    let text = format!("ACCESS_REFUSED - {} in exclusive use", harness.queue_text(&queue));
    let mut tap = one.tap_with(&usual).await?;
    harness.refused("taking it alone beside another", other.consume(&alone), 403, &text).await?;
    tap.cancel().await?;
    let mut tap = one.tap_with(&alone).await?;
    harness.refused("consuming beside the one", other.consume(&usual), 403, &text).await?;
    harness.refused("consuming beside one's own", one.consume(&usual), 403, &text).await?;
    one.fill(&queue, &["m"]).await?;
    tap.gives(&["m"]).await?;
    tap.cancel().await?;
    other.tap_with(&alone).await.map(drop)
}

async fn get_beside_exclusive(harness: Harness) -> Kept {
    let (one, other) = harness.two_sessions().await?;
    let queue = one.a_queue("q").await?;
    let mut tap = one.tap_with(&Consume { exclusive: true, ..Consume::new(&queue, 1) }).await?;
    one.fill(&queue, &["a", "b"]).await?;
    let held = tap.next().await?;
    same("what the consumer has", body(&held).as_str(), "a")?;
    other.holds(&queue, &["b"]).await
}

async fn known_ahead(harness: Harness) -> Kept {
    let peer = harness.session().await?;
    let queue = peer.a_queue("q").await?;
    peer.fill(&queue, &["a", "b", "c"]).await?;
    let mut tap = peer.tap(&queue, 10).await?;
    tap.gives(&["a"]).await?;
    peer.ready_is(&queue, 0).await?;
    same("whether it is over", &tap.consumer().ended().now_or_never().is_some(), &false)?;
    peer.drop_queue(&queue).await?;
    for _ in 0..2 {
        harness.within("the end is known", tap.consumer().ended()).await?;
    }
    let left = tap.take(2).await?;
    same("what was sent before", &[body(&left[0]), body(&left[1])], &["b", "c"])?;
    same("the end", &tap.end().await?, &ConsumerError::CancelledByBroker)?;
    harness.within("the end is known afterwards", tap.consumer().ended()).await
}
