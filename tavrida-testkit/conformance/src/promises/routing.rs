//! Routing by direct and fanout exchanges, and by chains of exchanges.

use tavrida::field::ShortString;
use tavrida::transport::{Binding, BrokerError, Exchange, ExchangeKind, Publication, PublishErrorKind};

use crate::check::{Fault, Kept, same};
use crate::harness::Harness;
use crate::peer::Peer;
use crate::promise::promise;
use crate::values::{as_sent, short, table};
use crate::{Capability, Promise};

pub(super) fn promises() -> Vec<Promise> {
    vec![
        promise("the default exchange routes to the queue that the key names", "R15", default_exchange),
        promise(
            "a direct exchange compares the key byte by byte, wildcards and the empty key included",
            "R30",
            direct,
        ),
        promise("a fanout exchange routes to all its bindings and ignores the key", "R30", fanout),
        promise("a queue gets one copy, however many bindings match", "R25", one_copy),
        promise(
            "a message goes on from exchange to exchange, with its own exchange and key",
            "R25, R28",
            onward,
        )
        .needing(Capability::ExchangeBindings),
        promise("circles and diamonds of exchanges give each queue one copy", "R25", circles)
            .needing(Capability::ExchangeBindings),
        promise(
            "an internal exchange refuses publishes (403) and is reached through another",
            "R24",
            internal,
        )
        .needing(Capability::InternalExchange)
        .needing(Capability::ExchangeBindings),
        promise("what an exchange cannot route goes to its alternate exchange", "R26, R28", alternate)
            .needing(Capability::AlternateExchange),
        promise("a binding to an exchange that leads nowhere keeps the alternate out", "R26, S2", dead_end)
            .needing(Capability::AlternateExchange)
            .needing(Capability::ExchangeBindings),
        promise("a missing alternate routes nothing until it is declared", "R26", late_alternate)
            .needing(Capability::AlternateExchange),
        promise("the default exchange as alternate routes nothing", "R27, S1", default_alternate)
            .needing(Capability::AlternateExchange),
        promise("exchanges that are each other's alternate end in unroutable", "R26", alternate_circle)
            .needing(Capability::AlternateExchange),
        promise(
            "an auto-delete exchange goes with its last binding, not before its first",
            "R23",
            auto_delete,
        )
        .needing(Capability::AutoDelete),
        promise("an auto-delete exchange goes when its last queue is deleted", "R23", auto_delete_queue)
            .needing(Capability::AutoDelete),
        promise("a chain of auto-delete exchanges collapses at once", "R22, R23", auto_delete_chain)
            .needing(Capability::AutoDelete)
            .needing(Capability::ExchangeBindings),
    ]
}

fn to(exchange: &ShortString, key: &'static str) -> Publication {
    Publication::new(exchange, short(key), "m")
}

/// Declares an exchange with an alternate exchange.
async fn with_alternate(
    harness: &Harness,
    peer: &Peer,
    local: &str,
    alternate: &ShortString,
) -> Result<ShortString, Fault> {
    let arguments = table([("alternate-exchange", alternate.clone().into())]);
    let exchange = Exchange { arguments, ..Exchange::durable(harness.name(local), ExchangeKind::Direct) };
    peer.exchange(&exchange).await?;
    Ok(exchange.name)
}

async fn default_exchange(harness: Harness) -> Kept {
    let peer = harness.session().await?;
    let (queue, other) = (peer.a_queue("q").await?, peer.a_queue("other").await?);
    peer.fill(&queue, &["m"]).await?;
    peer.holds(&queue, &["m"]).await?;
    peer.holds(&other, &[]).await
}

async fn direct(harness: Harness) -> Kept {
    let peer = harness.session().await?;
    let queue = peer.a_queue("q").await?;
    let keys = ["", "a", "A", "a.b", "a.*", "#", "*", "é"];
    for bound in keys {
        let exchange = peer.an_exchange(&format!("x-{bound}"), ExchangeKind::Direct).await?;
        peer.tie(&Binding::queue(&queue, &exchange, short(bound))).await?;
        for key in keys {
            let what = format!("bound with '{bound}', published with '{key}': routed");
            same(&what, &peer.reaches(to(&exchange, key)).await?, &(bound == key))?;
        }
    }
    Ok(())
}

async fn fanout(harness: Harness) -> Kept {
    let peer = harness.session().await?;
    let exchange = peer.an_exchange("x", ExchangeKind::Fanout).await?;
    let (first, second) = (peer.a_queue("first").await?, peer.a_queue("second").await?);
    peer.tie(&Binding::queue(&first, &exchange, short(""))).await?;
    peer.tie(&Binding::queue(&second, &exchange, short("key")).arguments(table([("a", 1.into())]))).await?;
    peer.send(to(&exchange, "anything")).await?;
    peer.holds(&first, &["m"]).await?;
    peer.holds(&second, &["m"]).await
}

async fn one_copy(harness: Harness) -> Kept {
    let peer = harness.session().await?;
    let exchange = peer.an_exchange("x", ExchangeKind::Fanout).await?;
    let queue = peer.a_queue("q").await?;
    for key in ["", "a", "a.b"] {
        peer.tie(&Binding::queue(&queue, &exchange, short(key))).await?;
    }
    peer.send(to(&exchange, "a.b")).await?;
    peer.holds(&queue, &["m"]).await
}

async fn onward(harness: Harness) -> Kept {
    let peer = harness.session().await?;
    let first = peer.an_exchange("first", ExchangeKind::Direct).await?;
    let second = peer.an_exchange("second", ExchangeKind::Direct).await?;
    let queue = peer.a_queue("q").await?;
    let hop = Binding::exchange(&second, &first, short("a.b"));
    peer.tie(&hop).await?;
    peer.tie(&Binding::queue(&queue, &second, short("a.b"))).await?;
    peer.send(to(&first, "a.b")).await?;
    same("the delivered message", &as_sent(&peer.head(&queue).await?), &to(&first, "a.b"))?;
    peer.fails(to(&first, "a.c"), &PublishErrorKind::Unroutable).await?;
    peer.untie(&hop).await?;
    peer.fails(to(&first, "a.b"), &PublishErrorKind::Unroutable).await
}

async fn circles(harness: Harness) -> Kept {
    let peer = harness.session().await?;
    let mut exchanges = Vec::new();
    for local in ["top", "left", "right", "bottom"] {
        exchanges.push(peer.an_exchange(local, ExchangeKind::Fanout).await?);
    }
    let queue = peer.a_queue("q").await?;
    for (source, destination) in [(0, 1), (0, 2), (1, 3), (2, 3), (3, 0), (0, 0)] {
        peer.tie(&Binding::exchange(&exchanges[destination], &exchanges[source], short(""))).await?;
    }
    peer.tie(&Binding::queue(&queue, &exchanges[3], short(""))).await?;
    peer.send(to(&exchanges[0], "k")).await?;
    peer.holds(&queue, &["m"]).await
}

async fn internal(harness: Harness) -> Kept {
    let peer = harness.session().await?;
    let inner = Exchange { internal: true, ..Exchange::durable(harness.name("inner"), ExchangeKind::Fanout) };
    peer.exchange(&inner).await?;
    let outer = peer.an_exchange("outer", ExchangeKind::Fanout).await?;
    let queue = peer.a_queue("q").await?;
    peer.tie(&Binding::queue(&queue, &inner.name, short(""))).await?;
    peer.tie(&Binding::exchange(&inner.name, &outer, short(""))).await?;
    let text = format!("ACCESS_REFUSED - cannot publish to internal {}", harness.exchange_text(&inner.name));
    match peer.failure(to(&inner.name, "k")).await? {
        PublishErrorKind::Refused(refusal) => {
            harness.same_refusal("publishing to it", &refusal, &BrokerError::channel(403, text))?;
        }
        other => return Err(Fault::new("a refusal with code 403", other)),
    }
    peer.send(to(&outer, "k")).await?;
    peer.holds(&queue, &["m"]).await
}

async fn alternate(harness: Harness) -> Kept {
    let peer = harness.session().await?;
    let fallback = peer.an_exchange("fallback", ExchangeKind::Fanout).await?;
    let exchange = with_alternate(&harness, &peer, "x", &fallback).await?;
    let (bound, rest) = (peer.a_queue("bound").await?, peer.a_queue("rest").await?);
    peer.tie(&Binding::queue(&bound, &exchange, short("k"))).await?;
    peer.tie(&Binding::queue(&rest, &fallback, short(""))).await?;
    peer.send(to(&exchange, "k")).await?;
    peer.send(to(&exchange, "other")).await?;
    peer.holds(&bound, &["m"]).await?;
    same("what the alternate got", &as_sent(&peer.head(&rest).await?), &to(&exchange, "other"))?;
    harness.done("purging", peer.admin().purge_queue(&rest)).await.map(drop)
}

async fn dead_end(harness: Harness) -> Kept {
    let peer = harness.session().await?;
    let fallback = peer.an_exchange("fallback", ExchangeKind::Fanout).await?;
    let exchange = with_alternate(&harness, &peer, "x", &fallback).await?;
    let nowhere = peer.an_exchange("nowhere", ExchangeKind::Fanout).await?;
    let queue = peer.a_queue("q").await?;
    peer.tie(&Binding::queue(&queue, &fallback, short(""))).await?;
    peer.tie(&Binding::exchange(&nowhere, &exchange, short("k"))).await?;
    peer.fails(to(&exchange, "k"), &PublishErrorKind::Unroutable).await?;
    peer.send(to(&exchange, "other")).await?;
    peer.holds(&queue, &["m"]).await
}

async fn late_alternate(harness: Harness) -> Kept {
    let peer = harness.session().await?;
    let fallback = harness.name("fallback");
    let exchange = with_alternate(&harness, &peer, "x", &fallback).await?;
    peer.fails(to(&exchange, "k"), &PublishErrorKind::Unroutable).await?;
    peer.exchange(&Exchange::durable(&fallback, ExchangeKind::Fanout)).await?;
    let queue = peer.a_queue("q").await?;
    peer.tie(&Binding::queue(&queue, &fallback, short(""))).await?;
    peer.send(to(&exchange, "k")).await?;
    peer.holds(&queue, &["m"]).await
}

async fn default_alternate(harness: Harness) -> Kept {
    let peer = harness.session().await?;
    let exchange = with_alternate(&harness, &peer, "x", &short("")).await?;
    let queue = peer.a_queue("q").await?;
    peer.fails(Publication::new(&exchange, &queue, "m"), &PublishErrorKind::Unroutable).await?;
    peer.holds(&queue, &[]).await
}

async fn alternate_circle(harness: Harness) -> Kept {
    let peer = harness.session().await?;
    let second = harness.name("second");
    let first = with_alternate(&harness, &peer, "first", &second).await?;
    with_alternate(&harness, &peer, "second", &first).await?;
    peer.fails(to(&first, "k"), &PublishErrorKind::Unroutable).await
}

/// Declares an auto-delete exchange.
async fn fleeting(harness: &Harness, peer: &Peer, local: &str) -> Result<ShortString, Fault> {
    let exchange =
        Exchange { auto_delete: true, ..Exchange::durable(harness.name(local), ExchangeKind::Fanout) };
    peer.exchange(&exchange).await?;
    Ok(exchange.name)
}

async fn auto_delete(harness: Harness) -> Kept {
    let peer = harness.session().await?;
    let exchange = fleeting(&harness, &peer, "x").await?;
    let queue = peer.a_queue("q").await?;
    let bindings = ["a", "b"].map(|key| Binding::queue(&queue, &exchange, short(key)));
    peer.untie(&bindings[0]).await?;
    peer.exchange_exists(&exchange, true).await?;
    for binding in &bindings {
        peer.tie(binding).await?;
    }
    peer.untie(&bindings[0]).await?;
    peer.exchange_exists(&exchange, true).await?;
    peer.untie(&bindings[1]).await?;
    peer.exchange_exists(&exchange, false).await
}

async fn auto_delete_queue(harness: Harness) -> Kept {
    let peer = harness.session().await?;
    let exchange = fleeting(&harness, &peer, "x").await?;
    let queue = peer.a_queue("q").await?;
    peer.tie(&Binding::queue(&queue, &exchange, short(""))).await?;
    peer.drop_queue(&queue).await?;
    peer.exchange_exists(&exchange, false).await
}

async fn auto_delete_chain(harness: Harness) -> Kept {
    let peer = harness.session().await?;
    let mut chain = Vec::new();
    for local in ["a", "b", "c"] {
        chain.push(fleeting(&harness, &peer, local).await?);
    }
    let queue = peer.a_queue("q").await?;
    peer.tie(&Binding::exchange(&chain[1], &chain[0], short(""))).await?;
    peer.tie(&Binding::exchange(&chain[2], &chain[1], short(""))).await?;
    peer.tie(&Binding::queue(&queue, &chain[2], short(""))).await?;
    peer.drop_queue(&queue).await?;
    for exchange in &chain {
        peer.exchange_exists(exchange, false).await?;
    }
    Ok(())
}
