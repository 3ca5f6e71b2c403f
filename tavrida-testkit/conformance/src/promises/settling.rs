//! Each delivery is settled once, by any task, at any time.

use tavrida::transport::{AckKind, Delivery};

use crate::check::{Fault, Kept, same, settled};
use crate::harness::Harness;
use crate::promise::promise;
use crate::values::{body, table};
use crate::{Capability, Promise};

pub(super) fn promises() -> Vec<Promise> {
    vec![
        promise("an acknowledged message is gone for good", "R97", acked),
        promise("a requeued delivery comes first again, marked as redelivered", "R98", requeued),
        promise("a requeued delivery goes to its old place, whatever was published since", "R98", old_place),
        promise("a delivery that is dropped comes again, marked as redelivered", "contract", dropped),
        promise("a rejected message is gone where it is not dead-lettered", "R78", rejected),
        promise("deliveries are settled in any order, each by its own verdict", "R97, R98", any_order)
            .needing(Capability::DeadLettering),
        promise("a verdict that was computed does what its method does", "contract", computed),
        promise("deliveries are settled from other tasks", "contract", other_task),
        promise("settling makes room for the next, by whatever verdict", "R109", room),
        promise(
            "a hundred unsettled deliveries can be held and settled from the last to the first",
            "R97",
            backwards,
        ),
    ]
}

async fn acked(harness: Harness) -> Kept {
    let (consuming, looking) = harness.two_sessions().await?;
    let queue = consuming.a_queue("q").await?;
    consuming.fill(&queue, &["a", "b", "c"]).await?;
    let mut tap = consuming.tap(&queue, 1).await?;
    tap.gives(&["a", "b", "c"]).await?;
    consuming.finish().await?;
    looking.holds(&queue, &[]).await
}

async fn requeued(harness: Harness) -> Kept {
    let peer = harness.session().await?;
    let queue = peer.a_queue("q").await?;
    peer.fill(&queue, &["a", "b"]).await?;
    let mut tap = peer.tap(&queue, 1).await?;
    settled("requeue", tap.next().await?.requeue())?;
    for expected in [("a", true), ("b", false)] {
        let delivery = tap.next().await?;
        same("body and redelivered", &(body(&delivery).as_str(), delivery.redelivered()), &expected)?;
        settled("ack", delivery.ack())?;
    }
    Ok(())
}

async fn old_place(harness: Harness) -> Kept {
    let (consuming, looking) = harness.two_sessions().await?;
    let queue = consuming.a_queue("q").await?;
    consuming.fill(&queue, &["a", "b", "c"]).await?;
    let mut tap = consuming.tap(&queue, 3).await?;
    let mut taken = tap.take(3).await?.into_iter();
    looking.fill(&queue, &["d"]).await?;
    tap.cancel().await?;
    let mut take = || taken.next().expect("three were taken");
    let (a, b, c) = (take(), take(), take());
    for delivery in [c, a, b] {
        settled("requeue", delivery.requeue())?;
    }
    consuming.finish().await?;
    looking.holds(&queue, &["a", "b", "c", "d"]).await
}

async fn dropped(harness: Harness) -> Kept {
    let peer = harness.session().await?;
    let queue = peer.a_queue("q").await?;
    peer.fill(&queue, &["a", "b"]).await?;
    let mut tap = peer.tap(&queue, 1).await?;
    drop(tap.next().await?);
    let delivery = tap.next().await?;
    same("body and redelivered", &(body(&delivery).as_str(), delivery.redelivered()), &("a", true))
}

async fn rejected(harness: Harness) -> Kept {
    let (consuming, looking) = harness.two_sessions().await?;
    let queue = consuming.a_queue("q").await?;
    consuming.fill(&queue, &["a", "b"]).await?;
    let mut tap = consuming.tap(&queue, 1).await?;
    settled("reject", tap.next().await?.reject())?;
    tap.gives(&["b"]).await?;
    consuming.finish().await?;
    looking.holds(&queue, &[]).await
}

/// Takes five deliveries with the bodies 0 to 4, and settles them from the middle outwards.
async fn any_order(harness: Harness) -> Kept {
    let (consuming, looking) = harness.two_sessions().await?;
    let dead = consuming.a_queue("dead").await?;
    let arguments =
        table([("x-dead-letter-exchange", "".into()), ("x-dead-letter-routing-key", dead.clone().into())]);
    let queue = consuming.a_queue_with("q", arguments).await?;
    consuming.fill(&queue, &["0", "1", "2", "3", "4"]).await?;
    let mut tap = consuming.tap(&queue, 10).await?;
    let mut taken: Vec<_> = tap.take(5).await?.into_iter().map(Some).collect();
    tap.cancel().await?;
    let mut take = |index: usize| taken[index].take().expect("each is settled once");
    settled("ack", take(2).ack())?;
    settled("requeue", take(0).requeue())?;
    settled("reject", take(4).reject())?;
    settled("ack", take(1).ack())?;
    drop(take(3));
    consuming.finish().await?;
    looking.holds(&queue, &["0", "3"]).await?;
    same("the dead letter", body(&looking.arrival(&dead).await?).as_str(), "4")
}

async fn computed(harness: Harness) -> Kept {
    let (consuming, looking) = harness.two_sessions().await?;
    let queue = consuming.a_queue("q").await?;
    consuming.fill(&queue, &["a", "b", "c"]).await?;
    let mut tap = consuming.tap(&queue, 10).await?;
    let taken = tap.take(3).await?;
    tap.cancel().await?;
    for (delivery, verdict) in taken.into_iter().zip([AckKind::Ack, AckKind::Reject, AckKind::Requeue]) {
        settled(&format!("{verdict:?}"), delivery.settle(verdict))?;
    }
    consuming.finish().await?;
    looking.holds(&queue, &["c"]).await
}

async fn other_task(harness: Harness) -> Kept {
    let (consuming, looking) = harness.two_sessions().await?;
    let queue = consuming.a_queue("q").await?;
    consuming.fill(&queue, &["a", "b", "c"]).await?;
    let mut tap = consuming.tap(&queue, 10).await?;
    let tasks: Vec<_> =
        tap.take(3).await?.into_iter().map(|delivery| tokio::spawn(async move { delivery.ack() })).collect();
    for task in tasks {
        let outcome = task.await.map_err(|error| Fault::new("a task that ends", error))?;
        settled("ack", outcome)?;
    }
    consuming.finish().await?;
    looking.holds(&queue, &[]).await
}

async fn room(harness: Harness) -> Kept {
    let peer = harness.session().await?;
    let queue = peer.a_queue("q").await?;
    peer.fill(&queue, &["a", "b", "c", "d"]).await?;
    let mut tap = peer.tap(&queue, 1).await?;
    settled("ack", tap.next().await?.ack())?;
    settled("reject", tap.next().await?.reject())?;
    settled("requeue", tap.next().await?.requeue())?;
    tap.gives(&["c", "d"]).await
}

async fn backwards(harness: Harness) -> Kept {
    let (consuming, looking) = harness.two_sessions().await?;
    let queue = consuming.a_queue("q").await?;
    let texts: Vec<String> = (0..100).map(|number| number.to_string()).collect();
    consuming.fill(&queue, &texts.iter().map(String::as_str).collect::<Vec<_>>()).await?;
    let mut tap = consuming.tap(&queue, 100).await?;
    let taken: Vec<Delivery> = tap.take(100).await?;
    let mut unsettled = Vec::new();
    for (number, delivery) in taken.into_iter().enumerate().rev() {
        match number % 10 {
            5 => unsettled.push(delivery),
            _ => settled("ack", delivery.ack())?,
        }
    }
    consuming.finish().await?;
    drop(unsettled);
    looking.holds(&queue, &["5", "15", "25", "35", "45", "55", "65", "75", "85", "95"]).await
}
