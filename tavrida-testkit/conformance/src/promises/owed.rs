//! A quorum queue with the strategy `at-least-once` keeps a dead letter until each of its targets has it.

use std::time::Duration;

use tavrida::field::{ShortString, Table, Value};
use tavrida::transport::{Binding, ExchangeKind, Publication, PublishError, PublishErrorKind};
use tokio::time::sleep;

use crate::check::{Fault, Kept, same, settled};
use crate::harness::Harness;
use crate::peer::Peer;
use crate::promise::promise;
use crate::values::{body, short, table};
use crate::{Capability, Promise};

pub(super) fn promises() -> Vec<Promise> {
    vec![
        promise("a dead letter waits for its exchange", "R136", missing_exchange),
        promise("a dead letter waits for a queue to be routed to", "R136", missing_queue),
        promise(
            "a dead letter waits for room, and whoever has it does not get it twice",
            "R136",
            full_target,
        ),
        promise("what waits keeps the history of its death", "R136, R80", history)
            .needing(Capability::MessageTtl),
        promise("a dead letter that would go in a circle is kept", "R136, R85", circle)
            .needing(Capability::MessageTtl),
        promise("what waits counts towards the limit, and is not ready", "R136, R133", counted),
        promise("32 dead letters are tried at a time, and the others wait for them", "R136", window),
        promise("with another overflow than reject-publish a dead letter is tried once", "R136", once)
            .needing(Capability::MessageTtl),
    ]
    .into_iter()
    .map(|promise| {
        let promise = promise
            .needing(Capability::QuorumQueues)
            .needing(Capability::DeadLettering)
            .needing(Capability::LengthLimits);
        promise.needing_rounds()
    })
    .collect()
}

/// Returns the arguments of a queue that dead-letters at least once to an exchange.
fn owing(exchange: &ShortString) -> Table {
    table([
        ("x-queue-type", "quorum".into()),
        ("x-dead-letter-strategy", "at-least-once".into()),
        ("x-overflow", "reject-publish".into()),
        ("x-dead-letter-exchange", exchange.clone().into()),
    ])
}

/// As [`owing`], through the default exchange to a queue.
fn owing_to_queue(queue: &ShortString) -> Table {
    owing(&short("")).with(short("x-dead-letter-routing-key"), Value::from(queue.clone()))
}

async fn bury(peer: &Peer, queue: &ShortString, bodies: &[&str]) -> Kept {
    peer.fill(queue, bodies).await?;
    for _ in bodies {
        settled("reject", peer.arrival(queue).await?.reject())?;
    }
    Ok(())
}

/// Checks that these bodies arrive at a queue.
async fn arrive(harness: &Harness, peer: &Peer, queue: &ShortString, expected: &[&str]) -> Kept {
    let count = u32::try_from(expected.len()).expect("a few messages");
    let what = format!("{count} messages in '{queue}'");
    harness.in_a_round(&what, async || Ok((peer.ready(queue).await? >= count).then_some(()))).await?;
    let seen = peer.drain(queue).await?;
    same(&format!("the bodies in '{queue}'"), &seen, expected)
}

/// Returns whether a queue accepts a message.
async fn takes(peer: &Peer, queue: &ShortString, text: &'static str) -> Result<bool, Fault> {
    match peer.outcome(Publication::new(short(""), queue, text)).await? {
        Ok(()) => Ok(true),
        Err(PublishError { reason: PublishErrorKind::Nacked, .. }) => Ok(false),
        Err(unpublished) => Err(Fault::new("taken or nacked", unpublished)),
    }
}

async fn missing_exchange(harness: Harness) -> Kept {
    let peer = harness.session().await?;
    let queue = peer.a_queue_with("q", owing(&harness.name("dlx"))).await?;
    bury(&peer, &queue, &["a", "b"]).await?;
    let dlx = peer.an_exchange("dlx", ExchangeKind::Fanout).await?;
    let dead = peer.a_queue("dead").await?;
    peer.tie(&Binding::queue(&dead, &dlx, short(""))).await?;
    arrive(&harness, &peer, &dead, &["a", "b"]).await
}

async fn missing_queue(harness: Harness) -> Kept {
    let peer = harness.session().await?;
    let dlx = peer.an_exchange("dlx", ExchangeKind::Direct).await?;
    let named = peer.a_queue_with("named", owing_to_queue(&harness.name("dead"))).await?;
    let bound = peer.a_queue_with("bound", owing(&dlx)).await?;
    bury(&peer, &named, &["a"]).await?;
    bury(&peer, &bound, &["b"]).await?;
    let dead = peer.a_queue("dead").await?;
    arrive(&harness, &peer, &dead, &["a"]).await?;
    peer.tie(&Binding::queue(&dead, &dlx, &bound)).await?;
    arrive(&harness, &peer, &dead, &["b"]).await
}

async fn full_target(harness: Harness) -> Kept {
    for kind in ["classic", "quorum"] {
        let peer = harness.session().await?;
        let local = |name: &str| format!("{kind}.{name}");
        let dlx = peer.an_exchange(&local("dlx"), ExchangeKind::Fanout).await?;
        let roomy = peer.a_queue(&local("roomy")).await?;
        let limited = table([
            ("x-queue-type", kind.into()),
            ("x-max-length", 1.into()),
            ("x-overflow", "reject-publish".into()),
        ]);
        let full = peer.a_queue_with(&local("full"), limited).await?;
        while takes(&peer, &full, "before").await? {}
        for target in [&roomy, &full] {
            peer.tie(&Binding::queue(target, &dlx, short(""))).await?;
        }
        let queue = peer.a_queue_with(&local("q"), owing(&dlx)).await?;
        bury(&peer, &queue, &["m"]).await?;
        peer.ready_is(&roomy, 1).await?;
        let before = peer.drain(&full).await?;
        same("what fills the queue", &before.iter().all(|body| body == "before"), &true)?;
        arrive(&harness, &peer, &full, &["m"]).await?;
        peer.holds(&roomy, &["m"]).await?;
    }
    Ok(())
}

async fn history(harness: Harness) -> Kept {
    let peer = harness.session().await?;
    let arguments = owing_to_queue(&harness.name("dead")).with(short("x-message-ttl"), 20);
    let queue = peer.a_queue_with("q", arguments).await?;
    peer.fill(&queue, &["m"]).await?;
    sleep(Duration::from_millis(100)).await;
    let dead = peer.a_queue("dead").await?;
    let delivery = harness
        .in_a_round("a dead letter", async || Ok(peer.take(&dead).await?.map(|fetched| fetched.delivery)))
        .await?;
    let death = super::dead_letters::deaths(&delivery)?.remove(0);
    let seen = ["reason", "queue"].map(|name| super::dead_letters::text(&death, name));
    same("reason and queue", &seen, &["expired".to_owned(), queue.to_string()])?;
    let publication = delivery.publication();
    same(
        "key, body and redelivered",
        &(publication.routing_key.as_str(), body(&delivery).as_str(), delivery.redelivered()),
        &(dead.as_str(), "m", false),
    )
}

async fn circle(harness: Harness) -> Kept {
    let peer = harness.session().await?;
    let name = harness.name("q");
    let arguments = owing_to_queue(&name).with(short("x-message-ttl"), 20).with(short("x-max-length"), 1);
    let queue = peer.a_queue_with("q", arguments).await?;
    let mut taken = Vec::new();
    for text in ["a", "b", "c", "d"] {
        taken.push(takes(&peer, &queue, text).await?);
        sleep(Duration::from_millis(100)).await;
    }
    same("what is taken", &taken, &[true, true, false, false])?;
    peer.ready_is(&queue, 0).await
}

async fn counted(harness: Harness) -> Kept {
    let peer = harness.session().await?;
    let arguments = owing_to_queue(&harness.name("dead")).with(short("x-max-length"), 1);
    let queue = peer.a_queue_with("q", arguments).await?;
    bury(&peer, &queue, &["owed"]).await?;
    same("ready messages", &peer.ready(&queue).await?, &0)?;
    let mut taken = Vec::new();
    for text in ["a", "b"] {
        taken.push(takes(&peer, &queue, text).await?);
    }
    same("what is taken", &taken, &[true, false])?;
    let purged = peer.drop_queue(&queue).await?;
    same("ready messages at the end", &purged, &1)
}

async fn window(harness: Harness) -> Kept {
    let peer = harness.session().await?;
    let dlx = peer.an_exchange("dlx", ExchangeKind::Direct).await?;
    let dead = peer.a_queue("dead").await?;
    peer.tie(&Binding::queue(&dead, &dlx, short("late"))).await?;
    let queue = peer.a_queue_with("q", owing(&dlx)).await?;
    let feed = peer.an_exchange("feed", ExchangeKind::Fanout).await?;
    peer.tie(&Binding::queue(&queue, &feed, short(""))).await?;
    for number in 0..33 {
        let key = if number < 32 { "early" } else { "late" };
        peer.send(Publication::new(&feed, short(key), key)).await?;
        settled("reject", peer.arrival(&queue).await?.reject())?;
    }
    let early = peer.a_queue("early").await?;
    sleep(Duration::from_millis(100)).await;
    same("what came before its turn", &peer.ready(&dead).await?, &0)?;
    peer.tie(&Binding::queue(&early, &dlx, short("early"))).await?;
    arrive(&harness, &peer, &early, &["early"; 32]).await?;
    arrive(&harness, &peer, &dead, &["late"]).await
}

async fn once(harness: Harness) -> Kept {
    let peer = harness.session().await?;
    let dlx = peer.an_exchange("dlx", ExchangeKind::Direct).await?;
    let dead = peer.a_queue("dead").await?;
    peer.tie(&Binding::queue(&dead, &dlx, short("there"))).await?;
    let mut arguments = owing(&dlx).with(short("x-message-ttl"), 20);
    arguments.insert(short("x-overflow"), "drop-head");
    let queue = peer.a_queue_with("q", arguments).await?;
    let feed = peer.an_exchange("feed", ExchangeKind::Fanout).await?;
    peer.tie(&Binding::queue(&queue, &feed, short(""))).await?;
    for key in ["nowhere", "there"] {
        peer.send(Publication::new(&feed, short(key), key)).await?;
    }
    // The queue dead-letters the first before the second.
    arrive(&harness, &peer, &dead, &["there"]).await?;
    peer.tie(&Binding::queue(&dead, &dlx, short("nowhere"))).await?;
    harness.let_rounds_pass().await;
    peer.holds(&dead, &[]).await
}
