//! Queues are declared, checked, purged and deleted.

use tavrida::field::ShortString;
use tavrida::transport::{Binding, ExchangeKind, Publication, Queue};

use crate::check::{Fault, Kept, holds, same, settled};
use crate::harness::Harness;
use crate::peer::Peer;
use crate::promise::promise;
use crate::values::{body, short};
use crate::{Capability, Promise};

pub(super) fn promises() -> Vec<Promise> {
    vec![
        promise("a declared queue is there, one that was not is not (404)", "R57", declared),
        promise(
            "declaring a queue again with the same fields is fine, and keeps what is in it",
            "R51",
            again,
        ),
        promise("the same is true of a queue that a restart deletes", "R51", transient_again)
            .needing(Capability::TransientQueues),
        promise("a queue's status counts ready messages and consumers", "R57", status),
        promise("unsettled deliveries do not count as ready", "R57", unsettled_do_not_count),
        promise("an empty name gets one from the broker, a new one each time", "R49", server_named)
            .needing(Capability::ServerNamedQueues),
        promise("names with amq. are the broker's to give (403)", "R50", reserved)
            .needing(Capability::ServerNamedQueues),
        promise("purging removes the ready messages and tells how many, unsettled ones stay", "R60", purged),
        promise("purging a missing queue is refused (404)", "R60", purge_missing),
        promise("deleting a queue tells how many ready messages went with it", "R59", deleted),
        promise("deleting a missing queue is fine: 0 messages", "R59", delete_missing),
        promise("a queue with messages is not deleted if empty (406)", "R59", not_empty),
        promise("a queue with a consumer is not deleted if unused (406)", "R59", in_use),
        promise(
            "unsettled deliveries do not keep a queue from being deleted if empty",
            "R59",
            only_unsettled,
        ),
        promise("a deleted queue's messages do not come back with its name", "R59", not_back),
        promise("names may be any text of up to 255 bytes", "R29", odd_names),
        promise("an empty name means no queue where one is looked for (404)", "R57, R58", empty_name),
    ]
}

async fn declared(harness: Harness) -> Kept {
    let peer = harness.session().await?;
    let missing = harness.name("missing");
    let text = format!("NOT_FOUND - no {}", harness.queue_text(&missing));
    harness
        .refused("checking a missing queue", peer.admin().declare_queue_passive(&missing), 404, text)
        .await?;
    let queue = Queue::durable(harness.name("q"));
    let status = harness.done("declaring", peer.admin().declare_queue(&queue)).await?;
    same("the name", &status.name, &queue.name)?;
    same("messages and consumers", &(status.messages, status.consumers), &(0, 0))?;
    same(
        "the status",
        &harness.done("checking", peer.admin().declare_queue_passive(&queue.name)).await?,
        &status,
    )
}

async fn again(harness: Harness) -> Kept {
    let queue = Queue::durable(harness.name("q"));
    twice(harness, queue).await
}

async fn transient_again(harness: Harness) -> Kept {
    let queue = Queue::transient(harness.name("q"));
    twice(harness, queue).await
}

async fn twice(harness: Harness, queue: Queue) -> Kept {
    let peer = harness.session().await?;
    peer.queue(&queue).await?;
    peer.fill(&queue.name, &["m"]).await?;
    let status = harness.done("declaring again", peer.admin().declare_queue(&queue)).await?;
    same("messages when declared again", &status.messages, &1)
}

async fn status(harness: Harness) -> Kept {
    let peer = harness.session().await?;
    let queue = peer.a_queue("q").await?;
    peer.fill(&queue, &["a", "b", "c"]).await?;
    same("ready messages", &peer.ready(&queue).await?, &3)?;
    let mut taps = Vec::new();
    for consumers in 1..=2 {
        taps.push(peer.tap(&queue, 1).await?);
        let status = harness.done("checking", peer.admin().declare_queue_passive(&queue)).await?;
        same(
            "ready messages and consumers",
            &(status.messages, status.consumers),
            &(3 - consumers, consumers),
        )?;
    }
    for mut tap in taps {
        tap.cancel().await?;
    }
    same(
        "consumers",
        &harness.done("checking", peer.admin().declare_queue_passive(&queue)).await?.consumers,
        &0,
    )
}

async fn unsettled_do_not_count(harness: Harness) -> Kept {
    let peer = harness.session().await?;
    let queue = peer.a_queue("q").await?;
    peer.fill(&queue, &["a", "b", "c"]).await?;
    let by_get = peer.head(&queue).await?;
    let mut tap = peer.tap(&queue, 1).await?;
    let by_consumer = tap.next().await?;
    same("ready messages", &peer.ready(&queue).await?, &1)?;
    drop((by_get, by_consumer));
    Ok(())
}

/// Declares a queue that the broker names.
async fn a_named_one(harness: &Harness, peer: &Peer) -> Result<ShortString, Fault> {
    let name = peer.queue(&Queue::durable(short(""))).await?;
    harness.delete_later(name.clone());
    Ok(name)
}

async fn server_named(harness: Harness) -> Kept {
    let peer = harness.session().await?;
    let mut names = Vec::new();
    for _ in 0..2 {
        let name = a_named_one(&harness, &peer).await?;
        holds(!name.is_empty(), "a name", "none")?;
        peer.fill(&name, &["m"]).await?;
        peer.holds(&name, &["m"]).await?;
        names.push(name);
    }
    holds(names[0] != names[1], "two names", format_args!("'{}' twice", names[0]))
}

async fn reserved(harness: Harness) -> Kept {
    let peer = harness.session().await?;
    let given = a_named_one(&harness, &peer).await?;
    for name in [short("amq.conformance"), given.clone()] {
        let text = format!("ACCESS_REFUSED - queue name '{name}' contains reserved prefix 'amq.*'");
        harness
            .refused("declaring the name", peer.admin().declare_queue(&Queue::durable(name)), 403, text)
            .await?;
    }
    peer.queue_exists(&given, true).await
}

async fn purged(harness: Harness) -> Kept {
    let peer = harness.session().await?;
    let queue = peer.a_queue("q").await?;
    peer.fill(&queue, &["a", "b", "c"]).await?;
    let unsettled = peer.head(&queue).await?;
    same("messages purged", &harness.done("purging", peer.admin().purge_queue(&queue)).await?, &2)?;
    same("messages purged", &harness.done("purging", peer.admin().purge_queue(&queue)).await?, &0)?;
    settled("requeue", unsettled.requeue())?;
    same("what is left", body(&peer.arrival(&queue).await?).as_str(), "a")
}

async fn purge_missing(harness: Harness) -> Kept {
    let peer = harness.session().await?;
    let missing = harness.name("missing");
    let text = format!("NOT_FOUND - no {}", harness.queue_text(&missing));
    harness.refused("purging", peer.admin().purge_queue(&missing), 404, text).await
}

async fn deleted(harness: Harness) -> Kept {
    let peer = harness.session().await?;
    let queue = peer.a_queue("q").await?;
    peer.fill(&queue, &["a", "b", "c"]).await?;
    let unsettled = peer.head(&queue).await?;
    same("messages deleted", &peer.drop_queue(&queue).await?, &2)?;
    drop(unsettled);
    peer.queue_exists(&queue, false).await
}

async fn delete_missing(harness: Harness) -> Kept {
    let peer = harness.session().await?;
    let missing = harness.name("missing");
    for (if_unused, if_empty) in [(false, false), (true, true)] {
        let deletion = peer.admin().delete_queue(&missing, if_unused, if_empty);
        same("messages deleted", &harness.done("deleting", deletion).await?, &0)?;
    }
    Ok(())
}

async fn not_empty(harness: Harness) -> Kept {
    let peer = harness.session().await?;
    let queue = peer.a_queue("q").await?;
    peer.fill(&queue, &["m"]).await?;
    let text = format!("PRECONDITION_FAILED - {} not empty", harness.queue_text(&queue));
    harness.refused("deleting it full", peer.admin().delete_queue(&queue, false, true), 406, text).await?;
    peer.holds(&queue, &["m"]).await?;
    harness.done("deleting it empty", peer.admin().delete_queue(&queue, false, true)).await?;
    peer.queue_exists(&queue, false).await
}

async fn in_use(harness: Harness) -> Kept {
    let (consuming, deleting) = harness.two_sessions().await?;
    let queue = consuming.a_queue("q").await?;
    let mut tap = consuming.tap(&queue, 1).await?;
    let text = format!("PRECONDITION_FAILED - {} in use", harness.queue_text(&queue));
    harness
        .refused("deleting it in use", deleting.admin().delete_queue(&queue, true, false), 406, text)
        .await?;
    tap.cancel().await?;
    harness.done("deleting it unused", deleting.admin().delete_queue(&queue, true, false)).await?;
    deleting.queue_exists(&queue, false).await
}

async fn only_unsettled(harness: Harness) -> Kept {
    let peer = harness.session().await?;
    let queue = peer.a_queue("q").await?;
    peer.fill(&queue, &["m"]).await?;
    let unsettled = peer.head(&queue).await?;
    harness.done("deleting if empty", peer.admin().delete_queue(&queue, true, true)).await?;
    drop(unsettled);
    peer.queue_exists(&queue, false).await
}

async fn not_back(harness: Harness) -> Kept {
    let peer = harness.session().await?;
    let queue = peer.a_queue("q").await?;
    peer.fill(&queue, &["old"]).await?;
    peer.drop_queue(&queue).await?;
    peer.a_queue("q").await?;
    peer.holds(&queue, &[]).await
}

async fn odd_names(harness: Harness) -> Kept {
    let peer = harness.session().await?;
    let room = 255 - harness.name("").len();
    for local in ["with space", "ünïcödé ☃", "a/b?c=d#e%20", "#.*", &"n".repeat(room)] {
        let queue = peer.a_queue(local).await?;
        let exchange = peer.an_exchange(local, ExchangeKind::Direct).await?;
        peer.tie(&Binding::queue(&queue, &exchange, &queue)).await?;
        peer.send(Publication::new(&exchange, &queue, "m")).await?;
        peer.holds(&queue, &["m"]).await?;
    }
    Ok(())
}

async fn empty_name(harness: Harness) -> Kept {
    let peer = harness.session().await?;
    let text = format!("NOT_FOUND - no {}", harness.queue_text(""));
    harness.refused("checking ''", peer.admin().declare_queue_passive(""), 404, text).await?;
    let text = "NOT_FOUND - no previously declared queue";
    harness.refused("getting from ''", peer.get(""), 404, text).await?;
    harness.refused("purging ''", peer.admin().purge_queue(""), 404, text).await
}
