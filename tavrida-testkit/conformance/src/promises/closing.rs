//! Closing a session ends everything that belongs to it, in good order.

use tavrida::field::ShortString;
use tavrida::transport::{
    Binding, ConnectionLost, Consume, ConsumerError, Delivery, Exchange, ExchangeKind, Publication,
    PublishErrorKind, Queue, SessionError,
};

use crate::check::{Fault, Kept, same, settled};
use crate::harness::Harness;
use crate::peer::Peer;
use crate::promise::promise;
use crate::promises::refusals::end_by_refusal;
use crate::tap::Tap;
use crate::values::{body, short};
use crate::{Capability, Promise};

pub(super) fn promises() -> Vec<Promise> {
    vec![
        promise(
            "everybody who waits for the end is told the same: closed on this side",
            "contract",
            told_to_all,
        ),
        promise("who asks later is told the same", "contract", told_later),
        promise("closing twice is fine, at once or later", "contract", twice),
        promise("closing a session that the broker ended is fine", "contract", after_refusal)
            .needing(Capability::ConnectionErrors)
            .needing(Capability::QuorumQueues),
        promise("unsettled deliveries go back in order, marked as redelivered", "R4, R100", unsettled),
        promise("deliveries that were sent but not taken go back as well", "R100, contract", untaken),
        promise("settlements that were made are flushed", "contract", settlements_flushed),
        promise("publishes that were made are flushed, each with its outcome", "contract", publishes_flushed),
        promise("all operations fail afterwards with the loss", "contract", operations_fail),
        promise(
            "publishes fail afterwards as not sent, with the publication back",
            "contract",
            publishes_fail,
        ),
        promise("consumers end with the loss, as often as asked", "contract", consumers_end),
        promise("a consumer hands out nothing more once its session is over", "contract", nothing_more),
        promise("settlements fail afterwards with the loss", "contract", settlements_fail),
        promise("a waiting consumer is woken by the end", "contract", consumer_woken),
    ]
}

/// Closes a session. Returns why it ended.
async fn closed(peer: &Peer) -> Result<ConnectionLost, Fault> {
    peer.finish().await?;
    let loss = peer.loss().await?;
    same("the loss", &loss, &ConnectionLost::closed_here())?;
    Ok(loss)
}

async fn told_to_all(harness: Harness) -> Kept {
    let peer = harness.session().await?;
    let waiting: Vec<_> = (0..3)
        .map(|_| {
            let waiting = peer.clone();
            tokio::spawn(async move { waiting.loss().await })
        })
        .collect();
    tokio::task::yield_now().await;
    let loss = closed(&peer).await?;
    same("closed on this side", &loss.is_closed_here(), &true)?;
    for told in waiting {
        let told = told.await.map_err(|error| Fault::new("a task that ends", error))??;
        same("what a waiting task was told", &told, &loss)?;
    }
    Ok(())
}

async fn told_later(harness: Harness) -> Kept {
    let peer = harness.session().await?;
    let loss = closed(&peer).await?;
    for _ in 0..2 {
        same("what is told later", &peer.loss().await?, &loss)?;
    }
    Ok(())
}

async fn twice(harness: Harness) -> Kept {
    let peer = harness.session().await?;
    let both = harness.within("closing twice at once", async { tokio::join!(peer.close(), peer.close()) });
    let (first, second) = both.await?;
    same("the two outcomes", &(first, second), &(Ok(()), Ok(())))?;
    peer.finish().await
}

async fn after_refusal(harness: Harness) -> Kept {
    let peer = harness.session().await?;
    end_by_refusal(&harness, &peer).await?;
    let loss = peer.loss().await?;
    peer.finish().await?;
    same("the loss is the first one", &peer.loss().await?, &loss)
}

/// Checks that a queue has exactly these bodies in this order, all redelivered.
async fn all_back(peer: &Peer, queue: &str, expected: &[&str]) -> Kept {
    for text in expected {
        let delivery = peer.head(queue).await?;
        same("body and redelivered", &(body(&delivery).as_str(), delivery.redelivered()), &(*text, true))?;
        settled("ack", delivery.ack())?;
    }
    peer.holds(queue, &[]).await
}

async fn unsettled(harness: Harness) -> Kept {
    let (leaving, staying) = harness.two_sessions().await?;
    let queue = leaving.a_queue("q").await?;
    leaving.fill(&queue, &["a", "b", "c", "d"]).await?;
    let got = leaving.head(&queue).await?;
    let mut tap = leaving.tap(&queue, 3).await?;
    let taken = tap.take(3).await?;
    closed(&leaving).await?;
    all_back(&staying, &queue, &["a", "b", "c", "d"]).await?;
    drop((got, taken));
    Ok(())
}

async fn untaken(harness: Harness) -> Kept {
    let (leaving, staying) = harness.two_sessions().await?;
    let queue = leaving.a_queue("q").await?;
    leaving.fill(&queue, &["a", "b", "c"]).await?;
    let tap = leaving.tap(&queue, 2).await?;
    staying.ready_is(&queue, 1).await?;
    closed(&leaving).await?;
    staying.holds(&queue, &["a", "b", "c"]).await?;
    drop(tap);
    Ok(())
}

async fn settlements_flushed(harness: Harness) -> Kept {
    let (leaving, staying) = harness.two_sessions().await?;
    let queue = leaving.a_queue("q").await?;
    let texts: Vec<String> = (0..100).map(|number| number.to_string()).collect();
    leaving.fill(&queue, &texts.iter().map(String::as_str).collect::<Vec<_>>()).await?;
    let mut tap = leaving.tap(&queue, 0).await?;
    for (number, delivery) in tap.take(100).await?.into_iter().enumerate() {
        match number {
            50 => settled("requeue", delivery.requeue())?,
            _ => settled("ack", delivery.ack())?,
        }
    }
    closed(&leaving).await?;
    staying.holds(&queue, &["50"]).await
}

async fn publishes_flushed(harness: Harness) -> Kept {
    let (leaving, staying) = harness.two_sessions().await?;
    let queue = leaving.a_queue("q").await?;
    let publication = |number: i32| Publication::new(short(""), &queue, number.to_string());
    let started = leaving.start((0..50).map(publication).collect()).await;
    let ((), outcomes) = tokio::try_join!(leaving.finish(), leaving.outcomes(started))?;
    for outcome in outcomes {
        outcome.map_err(|unpublished| Fault::new("every publish is flushed and taken", unpublished))?;
    }
    same("messages in the queue", &staying.ready(&queue).await?, &50)
}

async fn operations_fail(harness: Harness) -> Kept {
    let peer = harness.session().await?;
    let queue = peer.a_queue("q").await?;
    let exchange = Exchange::durable(harness.name("x"), ExchangeKind::Direct);
    let binding = Binding::queue(&queue, &exchange.name, short("k"));
    let loss = closed(&peer).await?;
    harness.lost("declaring an exchange", peer.admin().declare_exchange(&exchange), &loss).await?;
    harness
        .lost("checking an exchange", peer.admin().declare_exchange_passive(&exchange.name), &loss)
        .await?;
    harness.lost("deleting an exchange", peer.admin().delete_exchange(&exchange.name, false), &loss).await?;
    harness.lost("declaring a queue", peer.admin().declare_queue(&Queue::durable(&queue)), &loss).await?;
    harness.lost("checking a queue", peer.admin().declare_queue_passive(&queue), &loss).await?;
    harness.lost("purging a queue", peer.admin().purge_queue(&queue), &loss).await?;
    harness.lost("deleting a queue", peer.admin().delete_queue(&queue, false, false), &loss).await?;
    harness.lost("binding", peer.admin().bind(&binding), &loss).await?;
    harness.lost("unbinding", peer.admin().unbind(&binding), &loss).await?;
    harness.lost("getting", peer.get(&queue), &loss).await?;
    harness.lost("consuming", peer.consume(&Consume::new(&queue, 1)), &loss).await
}

async fn publishes_fail(harness: Harness) -> Kept {
    let (leaving, staying) = harness.two_sessions().await?;
    let queue = leaving.a_queue("q").await?;
    let unpolled = leaving.publish(Publication::new(short(""), &queue, "made before"));
    let loss = closed(&leaving).await?;
    let late = Publication::new(short(""), &queue, "made after");
    leaving.fails(late, &PublishErrorKind::NotSent(loss.clone())).await?;
    let outcome = harness.within("a publish that was made before", unpolled).await?;
    let reason = outcome.map_err(|unpublished| unpublished.reason);
    same("a publish made before and polled after", &reason, &Err(PublishErrorKind::NotSent(loss)))?;
    staying.holds(&queue, &[]).await
}

/// Returns a session with a consumer that has received one of three messages.
async fn consuming(peer: &Peer) -> Result<(ShortString, Tap, Delivery), Fault> {
    let queue = peer.a_queue("q").await?;
    peer.fill(&queue, &["a", "b", "c"]).await?;
    let mut tap = peer.tap(&queue, 10).await?;
    peer.ready_is(&queue, 0).await?;
    let taken = tap.next().await?;
    Ok((queue, tap, taken))
}

async fn consumers_end(harness: Harness) -> Kept {
    let peer = harness.session().await?;
    let queue = peer.a_queue("q").await?;
    let mut tap = peer.tap(&queue, 10).await?;
    let loss = closed(&peer).await?;
    for _ in 0..2 {
        same("the end of the consumer", &tap.end().await?, &ConsumerError::Lost(loss.clone()))?;
    }
    let cancelled = tap.consumer().cancel().await;
    same("cancelling it", &cancelled, &Err(SessionError::Lost(loss)))
}

async fn nothing_more(harness: Harness) -> Kept {
    let (leaving, staying) = harness.two_sessions().await?;
    let (queue, mut tap, taken) = consuming(&leaving).await?;
    let loss = closed(&leaving).await?;
    same("the end of the consumer", &tap.end().await?, &ConsumerError::Lost(loss))?;
    staying.holds(&queue, &["a", "b", "c"]).await?;
    drop(taken);
    Ok(())
}

async fn settlements_fail(harness: Harness) -> Kept {
    let (leaving, staying) = harness.two_sessions().await?;
    let queue = leaving.a_queue("q").await?;
    leaving.fill(&queue, &["a", "b", "c", "d", "e"]).await?;
    let got = leaving.head(&queue).await?;
    let mut tap = leaving.tap(&queue, 10).await?;
    let mut taken = tap.take(4).await?.into_iter();
    let loss = closed(&leaving).await?;
    let mut take = || taken.next().expect("four were taken");
    same("ack of what was got", &got.ack(), &Err(loss.clone()))?;
    same("ack", &take().ack(), &Err(loss.clone()))?;
    same("reject", &take().reject(), &Err(loss.clone()))?;
    same("requeue", &take().requeue(), &Err(loss))?;
    drop(take());
    all_back(&staying, &queue, &["a", "b", "c", "d", "e"]).await
}

async fn consumer_woken(harness: Harness) -> Kept {
    let peer = harness.session().await?;
    let queue = peer.a_queue("q").await?;
    let mut tap = peer.tap(&queue, 10).await?;
    let waiting = tokio::spawn(async move { tap.end().await });
    tokio::task::yield_now().await;
    let loss = closed(&peer).await?;
    let end = waiting.await.map_err(|error| Fault::new("a task that ends", error))??;
    same("the end of the consumer", &end, &ConsumerError::Lost(loss))
}
