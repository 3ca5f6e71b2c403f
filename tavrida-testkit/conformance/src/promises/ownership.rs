//! Exclusive queues, and queues that are deleted with their last consumer.

use tavrida::field::ShortString;
use tavrida::transport::{Binding, Consume, Exchange, ExchangeKind, Publication, Queue};

use crate::check::{Fault, Kept, same};
use crate::peer::Peer;
use crate::promise::promise;
use crate::stage::Stage;
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

fn locked_text(stage: &Stage, queue: &str) -> String {
    format!(
        "RESOURCE_LOCKED - cannot obtain exclusive access to locked {}. It could be originally declared on another \
         connection or the exclusive property value does not match that of the original declaration.",
        stage.queue_text(queue)
    )
}

async fn locked(stage: Stage) -> Kept {
    let (owner, other) = stage.two_sessions().await?;
    let queue = exclusive(stage.name("q"));
    let name = owner.queue(&queue).await?;
    let exchange = owner.an_exchange("x", ExchangeKind::Direct).await?;
    let binding = Binding::queue(&name, &exchange, short("k"));
    owner.tie(&binding).await?;
    let text = locked_text(&stage, &name);
    stage.refused("declaring it as exclusive", other.admin().declare_queue(&queue), 405, &text).await?;
    let shared = Queue::durable(&name);
    stage.refused("declaring it as shared", other.admin().declare_queue(&shared), 405, &text).await?;
    stage.refused("checking it", other.admin().declare_queue_passive(&name), 405, &text).await?;
    stage.refused("getting from it", other.get(&name), 405, &text).await?;
    stage.refused("consuming it", other.consume(&Consume::new(&name, 1)), 405, &text).await?;
    stage.refused("purging it", other.admin().purge_queue(&name), 405, &text).await?;
    stage.refused("binding it", other.admin().bind(&binding), 405, &text).await?;
    stage.refused("unbinding it", other.admin().unbind(&binding), 405, &text).await?;
    stage.refused("deleting it", other.admin().delete_queue(&name, false, false), 405, &text).await?;
    owner.queue_exists(&name, true).await
}

async fn publish_into(stage: Stage) -> Kept {
    let (owner, other) = stage.two_sessions().await?;
    let queue = owner.queue(&exclusive(stage.name("q"))).await?;
    other.fill(&queue, &["m"]).await?;
    owner.holds(&queue, &["m"]).await
}

async fn own(stage: Stage) -> Kept {
    let peer = stage.session().await?;
    let queue = exclusive(stage.name("q"));
    let name = peer.queue(&queue).await?;
    peer.queue(&queue).await?;
    peer.queue(&Queue { durable: true, ..queue }).await?;
    let mut tap = peer.tap(&name, 1).await?;
    peer.fill(&name, &["m"]).await?;
    tap.gives(&["m"]).await?;
    same("messages purged", &stage.done("purging", peer.admin().purge_queue(&name)).await?, &0)?;
    peer.drop_queue(&name).await?;
    peer.queue_exists(&name, false).await
}

async fn gone(stage: Stage) -> Kept {
    let (owner, other) = stage.two_sessions().await?;
    let queue = exclusive(stage.name("q"));
    let name = owner.queue(&queue).await?;
    owner.fill(&name, &["m"]).await?;
    owner.finish().await?;
    other.queue_exists(&name, false).await?;
    other.queue(&queue).await?;
    other.holds(&name, &[]).await
}

async fn outlives_consumers(stage: Stage) -> Kept {
    let peer = stage.session().await?;
    let queue = peer.queue(&exclusive(stage.name("q"))).await?;
    peer.tap(&queue, 1).await?.cancel().await?;
    peer.queue_exists(&queue, true).await
}

async fn not_turned(stage: Stage) -> Kept {
    let peer = stage.session().await?;
    let shared = Queue::durable(stage.name("shared"));
    let own = Queue { exclusive: true, ..Queue::durable(stage.name("own")) };
    peer.queue(&shared).await?;
    peer.queue(&own).await?;
    for queue in [Queue { exclusive: true, ..shared }, Queue { exclusive: false, ..own }] {
        let what = format!("declaring '{}' the other way round", queue.name);
        let text = locked_text(&stage, &queue.name);
        stage.refused(&what, peer.admin().declare_queue(&queue), 405, text).await?;
    }
    Ok(())
}

async fn fleeting(stage: &Stage, peer: &Peer) -> Result<ShortString, Fault> {
    peer.queue(&Queue { auto_delete: true, ..Queue::durable(stage.name("q")) }).await
}

async fn last_cancelled(stage: Stage) -> Kept {
    let (first, second) = stage.two_sessions().await?;
    let queue = fleeting(&stage, &first).await?;
    let mut taps = [first.tap(&queue, 1).await?, second.tap(&queue, 1).await?];
    taps[0].cancel().await?;
    first.queue_exists(&queue, true).await?;
    taps[1].cancel().await?;
    first.queue_exists(&queue, false).await
}

async fn session_closed(stage: Stage) -> Kept {
    let (leaving, staying) = stage.two_sessions().await?;
    let queue = fleeting(&stage, &leaving).await?;
    let tap = leaving.tap(&queue, 1).await?;
    leaving.finish().await?;
    staying.queue_exists(&queue, false).await?;
    drop(tap);
    Ok(())
}

async fn last_dropped(stage: Stage) -> Kept {
    let peer = stage.session().await?;
    let queue = fleeting(&stage, &peer).await?;
    drop(peer.tap(&queue, 1).await?);
    stage
        .until("the queue is gone", async || match peer.admin().declare_queue_passive(&queue).await {
            Ok(_) => Ok(None),
            Err(error) if error.is_not_found() => Ok(Some(())),
            Err(error) => Err(Fault::new("the queue is gone", error)),
        })
        .await
}

async fn never_consumed(stage: Stage) -> Kept {
    let (leaving, staying) = stage.two_sessions().await?;
    let queue = fleeting(&stage, &leaving).await?;
    leaving.fill(&queue, &["m"]).await?;
    leaving.holds(&queue, &["m"]).await?;
    leaving.finish().await?;
    staying.queue_exists(&queue, true).await
}

async fn not_back(stage: Stage) -> Kept {
    let peer = stage.session().await?;
    let queue = fleeting(&stage, &peer).await?;
    let exchange = Exchange::durable(stage.name("x"), ExchangeKind::Fanout);
    peer.exchange(&exchange).await?;
    peer.tie(&Binding::queue(&queue, &exchange.name, short(""))).await?;
    peer.fill(&queue, &["m"]).await?;
    peer.tap(&queue, 1).await?.cancel().await?;
    fleeting(&stage, &peer).await?;
    peer.holds(&queue, &[]).await?;
    let publication = Publication::new(&exchange.name, short(""), "m");
    same("routed", &peer.reaches(publication).await?, &false)
}
