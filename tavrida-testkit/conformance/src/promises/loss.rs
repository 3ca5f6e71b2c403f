//! The broker breaks the connection: what a session reports, and what a new one finds.

use tavrida::field::ShortString;
use tavrida::transport::{
    ConnectionLost, ConsumerError, Delivery, Publication, PublishError, PublishErrorKind, Queue, Scope,
};

use crate::check::{Fault, Kept, holds, same, settled};
use crate::harness::Harness;
use crate::peer::Peer;
use crate::promise::promise;
use crate::values::{body, short};
use crate::{Capability, Promise};

pub(super) fn promises() -> Vec<Promise> {
    vec![
        promise("the broker's end of the session is told with its code (320), to all who wait", "R9", told),
        promise("all operations and publishes fail afterwards with the loss", "contract", operations_fail),
        promise("consumers end with the loss", "contract", consumers_end),
        promise("settlements of the lost session are stale", "contract", stale),
        promise(
            "a new session gets the unsettled again, in order, marked as redelivered",
            "R5, R100",
            redelivered,
        ),
        promise(
            "what was acknowledged and confirmed before the loss is not undone",
            "R5, contract",
            not_undone,
        ),
        promise("exclusive queues are gone with their session", "R5, R62", exclusive_gone)
            .needing(Capability::ExclusiveQueues),
        promise(
            "publishes under way end as routed, ambiguous or not sent, and truly so",
            "contract",
            under_way,
        ),
        promise("closing a lost session is fine, and does not change its loss", "contract", closing),
    ]
    .into_iter()
    .map(Promise::needing_breaker)
    .collect()
}

/// Breaks the connections. Returns how a session was lost.
async fn lose(harness: &Harness, peer: &Peer) -> Result<ConnectionLost, Fault> {
    harness.break_connections().await?;
    peer.loss().await
}

async fn told(harness: Harness) -> Kept {
    let peer = harness.session().await?;
    let waiting = peer.clone();
    let waiting = tokio::spawn(async move { waiting.loss().await });
    tokio::task::yield_now().await;
    let loss = lose(&harness, &peer).await?;
    same("closed on this side", &loss.is_closed_here(), &false)?;
    let Some(refusal) = loss.refusal() else {
        return Err(Fault::new("a loss with the broker's words", loss));
    };
    same("code and scope", &(refusal.code, refusal.scope), &(320, Scope::Connection))?;
    holds(
        refusal.text.starts_with("CONNECTION_FORCED"),
        "a text that begins with CONNECTION_FORCED",
        &refusal.text,
    )?;
    let early = waiting.await.map_err(|error| Fault::new("a task that ends", error))??;
    same("what an early waiter was told", &early, &loss)?;
    same("what a late one is told", &peer.loss().await?, &loss)
}

async fn operations_fail(harness: Harness) -> Kept {
    let peer = harness.session().await?;
    let queue = peer.a_queue("q").await?;
    let loss = lose(&harness, &peer).await?;
    harness.lost("declaring", peer.admin().declare_queue(&Queue::durable(&queue)), &loss).await?;
    harness.lost("checking", peer.admin().declare_queue_passive(&queue), &loss).await?;
    harness.lost("getting", peer.get(&queue), &loss).await?;
    peer.fails(Publication::new(short(""), &queue, "m"), &PublishErrorKind::NotSent(loss)).await
}

async fn consumers_end(harness: Harness) -> Kept {
    let peer = harness.session().await?;
    let queue = peer.a_queue("q").await?;
    let mut tap = peer.tap(&queue, 1).await?;
    let loss = lose(&harness, &peer).await?;
    for _ in 0..2 {
        same("the end", &tap.end().await?, &ConsumerError::Lost(loss.clone()))?;
    }
    Ok(())
}

/// Returns a queue with these messages, all delivered to a consumer.
async fn all_taken(peer: &Peer, bodies: &[&str]) -> Result<(ShortString, Vec<Delivery>), Fault> {
    let queue = peer.a_queue("q").await?;
    peer.fill(&queue, bodies).await?;
    let mut tap = peer.tap(&queue, 0).await?;
    let taken = tap.take(bodies.len()).await?;
    tap.cancel().await?;
    Ok((queue, taken))
}

async fn stale(harness: Harness) -> Kept {
    let peer = harness.session().await?;
    let (_, taken) = all_taken(&peer, &["a", "b", "c", "d"]).await?;
    let mut taken = taken.into_iter();
    let loss = lose(&harness, &peer).await?;
    let mut take = || taken.next().expect("four were taken");
    same("ack", &take().ack(), &Err(loss.clone()))?;
    same("reject", &take().reject(), &Err(loss.clone()))?;
    same("requeue", &take().requeue(), &Err(loss))?;
    drop(take());
    Ok(())
}

async fn redelivered(harness: Harness) -> Kept {
    let peer = harness.session().await?;
    let (queue, taken) = all_taken(&peer, &["a", "b", "c"]).await?;
    lose(&harness, &peer).await?;
    let again = harness.session().await?;
    again.ready_is(&queue, 3).await?;
    let mut tap = again.tap(&queue, 1).await?;
    for text in ["a", "b", "c"] {
        let delivery = tap.next().await?;
        same("body and redelivered", &(body(&delivery).as_str(), delivery.redelivered()), &(text, true))?;
        settled("ack", delivery.ack())?;
    }
    drop(taken);
    Ok(())
}

async fn not_undone(harness: Harness) -> Kept {
    let peer = harness.session().await?;
    let (queue, mut taken) = all_taken(&peer, &["acked", "held"]).await?;
    settled("ack", taken.remove(0).ack())?;
    // The session that publishes afterwards still lives, so the settlement had time to arrive.
    peer.fill(&queue, &["confirmed"]).await?;
    let other = harness.session().await?;
    other.ready_is(&queue, 1).await?;
    lose(&harness, &peer).await?;
    let again = harness.session().await?;
    again.ready_is(&queue, 2).await?;
    again.holds(&queue, &["held", "confirmed"]).await
}

async fn exclusive_gone(harness: Harness) -> Kept {
    let peer = harness.session().await?;
    let queue = Queue { exclusive: true, ..Queue::transient(harness.name("q")) };
    peer.queue(&queue).await?;
    lose(&harness, &peer).await?;
    let again = harness.session().await?;
    harness
        .until("its name is free", async || match again.admin().declare_queue(&queue).await {
            Ok(status) => Ok(Some(status)),
            Err(error) if error.refusal().is_some_and(|refusal| refusal.code == 405) => Ok(None),
            Err(error) => Err(Fault::new("the name is free", error)),
        })
        .await
        .map(drop)
}

async fn under_way(harness: Harness) -> Kept {
    let peer = harness.session().await?;
    let queue = peer.a_queue("q").await?;
    let publication = |number: i32| Publication::new(short(""), &queue, format!("{number:03}"));
    let started = peer.start((0..200).map(publication).collect()).await;
    let (broken, outcomes) = tokio::join!(harness.break_connections(), peer.outcomes(started));
    broken?;
    let loss = peer.loss().await?;
    let (mut surely, mut perhaps) = (Vec::new(), Vec::new());
    for (number, outcome) in outcomes?.into_iter().enumerate() {
        let text = format!("{number:03}");
        match outcome {
            Ok(()) => surely.push(text),
            Err(PublishError { reason: PublishErrorKind::Ambiguous(seen), .. }) if seen == loss => {
                perhaps.push(text)
            }
            Err(PublishError { reason: PublishErrorKind::NotSent(seen), .. }) if seen == loss => {}
            Err(other) => return Err(Fault::new("routed, ambiguous or not sent, with the loss", other)),
        }
    }
    let again = harness.session().await?;
    let found = again.drain(&queue).await?;
    let missing: Vec<_> = surely.iter().filter(|text| !found.contains(text)).collect();
    same("routed, but not in the queue", &missing, &Vec::<&String>::new())?;
    let surplus: Vec<_> =
        found.iter().filter(|text| !surely.contains(text) && !perhaps.contains(text)).collect();
    same("not sent, but in the queue", &surplus, &Vec::<&String>::new())
}

async fn closing(harness: Harness) -> Kept {
    let peer = harness.session().await?;
    let loss = lose(&harness, &peer).await?;
    peer.finish().await?;
    same("the loss", &peer.loss().await?, &loss)
}
