//! Exclusive queues, and queues that are deleted with their last consumer.

use tavrida::field::ShortString;
use tavrida::transport::{Binding, Consume, Exchange, ExchangeKind, Publication, Queue};

use crate::check::{Fault, Kept, same};
use crate::harness::Harness;
use crate::peer::Peer;
use crate::promise::promise;
use crate::values::short;
use crate::{Capability, Promise};

pub(super) fn promises() -> Vec<Promise> {
    let exclusive = [
        promise(
            "an exclusive queue is closed to other sessions, whatever they ask (405)",
            "R51, R52",
            locked,
        ),
        promise("other sessions may publish into an exclusive queue", "R52", publish_into),
        promise("its own session can do all with an exclusive queue, and declare it again", "R51, R53", own),
        promise("an exclusive queue is gone when its session is closed, at once for others", "R5, R62", gone),
        promise("an exclusive queue outlives its consumers", "R62", outlives_consumers),
        promise(
            "a shared queue cannot be declared as exclusive, nor the other way round (405)",
            "R51",
            not_turned,
        ),
    ];
    let auto_delete = [
        promise(
            "an auto-delete queue goes when its last consumer is cancelled, not before",
            "R61",
            last_cancelled,
        ),
        promise("an auto-delete queue goes when its consumers' session is closed", "R61", session_closed),
        promise("an auto-delete queue goes when its last consumer is dropped", "R61, contract", last_dropped),
        promise("an auto-delete queue that never had a consumer stays", "R61", never_consumed),
        promise("what went with an auto-delete queue does not come back", "R61", not_back),
    ];
    let exclusive = exclusive.into_iter().map(|promise| promise.needing(Capability::ExclusiveQueues));
    let auto_delete = auto_delete.into_iter().map(|promise| promise.needing(Capability::AutoDelete));
    exclusive.chain(auto_delete).collect()
}

fn exclusive(name: ShortString) -> Queue {
    Queue { exclusive: true, ..Queue::transient(name) }
}

fn locked_text(harness: &Harness, queue: &str) -> String {
    format!(
        "RESOURCE_LOCKED - cannot obtain exclusive access to locked {}. It could be originally declared on another \
         connection or the exclusive property value does not match that of the original declaration.",
        harness.queue_text(queue)
    )
}

async fn locked(harness: Harness) -> Kept {
    let (owner, other) = harness.two_sessions().await?;
    let queue = exclusive(harness.name("q"));
    let name = owner.queue(&queue).await?;
    let exchange = owner.an_exchange("x", ExchangeKind::Direct).await?;
    let binding = Binding::queue(&name, &exchange, short("k"));
    owner.tie(&binding).await?;
    let text = locked_text(&harness, &name);
    harness.refused("declaring it as exclusive", other.admin().declare_queue(&queue), 405, &text).await?;
    let shared = Queue::durable(&name);
    harness.refused("declaring it as shared", other.admin().declare_queue(&shared), 405, &text).await?;
    harness.refused("checking it", other.admin().declare_queue_passive(&name), 405, &text).await?;
    harness.refused("getting from it", other.get(&name), 405, &text).await?;
    harness.refused("consuming it", other.consume(&Consume::new(&name, 1)), 405, &text).await?;
    harness.refused("purging it", other.admin().purge_queue(&name), 405, &text).await?;
    harness.refused("binding it", other.admin().bind(&binding), 405, &text).await?;
    harness.refused("unbinding it", other.admin().unbind(&binding), 405, &text).await?;
    harness.refused("deleting it", other.admin().delete_queue(&name, false, false), 405, &text).await?;
    owner.queue_exists(&name, true).await
}

async fn publish_into(harness: Harness) -> Kept {
    let (owner, other) = harness.two_sessions().await?;
    let queue = owner.queue(&exclusive(harness.name("q"))).await?;
    other.fill(&queue, &["m"]).await?;
    owner.holds(&queue, &["m"]).await
}

async fn own(harness: Harness) -> Kept {
    let peer = harness.session().await?;
    let queue = exclusive(harness.name("q"));
    let name = peer.queue(&queue).await?;
    peer.queue(&queue).await?;
    peer.queue(&Queue { durable: true, ..queue }).await?;
    let mut tap = peer.tap(&name, 1).await?;
    peer.fill(&name, &["m"]).await?;
    tap.gives(&["m"]).await?;
    same("messages purged", &harness.done("purging", peer.admin().purge_queue(&name)).await?, &0)?;
    peer.drop_queue(&name).await?;
    peer.queue_exists(&name, false).await
}

async fn gone(harness: Harness) -> Kept {
    let (owner, other) = harness.two_sessions().await?;
    let queue = exclusive(harness.name("q"));
    let name = owner.queue(&queue).await?;
    owner.fill(&name, &["m"]).await?;
    owner.finish().await?;
    other.queue_exists(&name, false).await?;
    other.queue(&queue).await?;
    other.holds(&name, &[]).await
}

async fn outlives_consumers(harness: Harness) -> Kept {
    let peer = harness.session().await?;
    let queue = peer.queue(&exclusive(harness.name("q"))).await?;
    peer.tap(&queue, 1).await?.cancel().await?;
    peer.queue_exists(&queue, true).await
}

async fn not_turned(harness: Harness) -> Kept {
    let peer = harness.session().await?;
    let shared = Queue::durable(harness.name("shared"));
    let own = Queue { exclusive: true, ..Queue::durable(harness.name("own")) };
    peer.queue(&shared).await?;
    peer.queue(&own).await?;
    for queue in [Queue { exclusive: true, ..shared }, Queue { exclusive: false, ..own }] {
        let what = format!("declaring '{}' the other way round", queue.name);
        let text = locked_text(&harness, &queue.name);
        harness.refused(&what, peer.admin().declare_queue(&queue), 405, text).await?;
    }
    Ok(())
}

async fn fleeting(harness: &Harness, peer: &Peer) -> Result<ShortString, Fault> {
    peer.queue(&Queue { auto_delete: true, ..Queue::durable(harness.name("q")) }).await
}

async fn last_cancelled(harness: Harness) -> Kept {
    let (first, second) = harness.two_sessions().await?;
    let queue = fleeting(&harness, &first).await?;
    let mut taps = [first.tap(&queue, 1).await?, second.tap(&queue, 1).await?];
    taps[0].cancel().await?;
    first.queue_exists(&queue, true).await?;
    taps[1].cancel().await?;
    first.queue_exists(&queue, false).await
}

async fn session_closed(harness: Harness) -> Kept {
    let (leaving, staying) = harness.two_sessions().await?;
    let queue = fleeting(&harness, &leaving).await?;
    let tap = leaving.tap(&queue, 1).await?;
    leaving.finish().await?;
    staying.queue_exists(&queue, false).await?;
    drop(tap);
    Ok(())
}

async fn last_dropped(harness: Harness) -> Kept {
    let peer = harness.session().await?;
    let queue = fleeting(&harness, &peer).await?;
    drop(peer.tap(&queue, 1).await?);
    harness
        .until("the queue is gone", async || match peer.admin().declare_queue_passive(&queue).await {
            Ok(_) => Ok(None),
            Err(error) if error.is_not_found() => Ok(Some(())),
            Err(error) => Err(Fault::new("the queue is gone", error)),
        })
        .await
}

async fn never_consumed(harness: Harness) -> Kept {
    let (leaving, staying) = harness.two_sessions().await?;
    let queue = fleeting(&harness, &leaving).await?;
    leaving.fill(&queue, &["m"]).await?;
    leaving.holds(&queue, &["m"]).await?;
    leaving.finish().await?;
    staying.queue_exists(&queue, true).await
}

async fn not_back(harness: Harness) -> Kept {
    let peer = harness.session().await?;
    let queue = fleeting(&harness, &peer).await?;
    let exchange = Exchange::durable(harness.name("x"), ExchangeKind::Fanout);
    peer.exchange(&exchange).await?;
    peer.tie(&Binding::queue(&queue, &exchange.name, short(""))).await?;
    peer.fill(&queue, &["m"]).await?;
    peer.tap(&queue, 1).await?.cancel().await?;
    fleeting(&harness, &peer).await?;
    peer.holds(&queue, &[]).await?;
    let publication = Publication::new(&exchange.name, short(""), "m");
    same("routed", &peer.reaches(publication).await?, &false)
}
