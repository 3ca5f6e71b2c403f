//! Bindings: created once, identified by all their fields, deleted by unbinding.

use tavrida::transport::{Binding, ExchangeKind, Publication, PublishErrorKind};

use crate::check::{Kept, same};
use crate::harness::Harness;
use crate::peer::Peer;
use crate::promise::promise;
use crate::values::{short, table};
use crate::{Capability, Promise};

pub(super) fn promises() -> Vec<Promise> {
    vec![
        promise("binding twice is one binding, and one unbind removes it", "R43", idempotent),
        promise("arguments are part of a binding's identity, with their types", "R43", identity),
        promise("a binding has taken effect for every session when it is done", "R48", at_once),
        promise("unbinding what is not there is fine: binding, queue or exchange", "R45", unbind_missing),
        promise("the default exchange cannot be bound or unbound (403)", "R15", default_exchange),
        promise(
            "binding a missing exchange or queue is refused (404), the exchange named first",
            "R44",
            missing,
        ),
        promise(
            "missing exchanges are refused when bound (404), and fine when unbound",
            "R44, R45",
            missing_exchanges,
        )
        .needing(Capability::ExchangeBindings),
        promise("the default exchange cannot be bound to an exchange either (403)", "R15", default_exchanges)
            .needing(Capability::ExchangeBindings),
        promise("a deleted queue's bindings do not come back with its name", "R47", not_back),
        promise("an empty key on a named queue is the key ''", "R46", empty_key),
    ]
}

async fn idempotent(harness: Harness) -> Kept {
    let peer = harness.session().await?;
    let exchange = peer.an_exchange("x", ExchangeKind::Direct).await?;
    let queue = peer.a_queue("q").await?;
    let binding = Binding::queue(&queue, &exchange, short("k"));
    peer.tie(&binding).await?;
    peer.tie(&binding).await?;
    let publication = Publication::new(&exchange, short("k"), "m");
    peer.send(publication.clone()).await?;
    peer.holds(&queue, &["m"]).await?;
    peer.untie(&binding).await?;
    peer.fails(publication, &PublishErrorKind::Unroutable).await
}

async fn identity(harness: Harness) -> Kept {
    let peer = harness.session().await?;
    let exchange = peer.an_exchange("x", ExchangeKind::Direct).await?;
    let queue = peer.a_queue("q").await?;
    let plain = Binding::queue(&queue, &exchange, short("k"));
    let small = plain.clone().arguments(table([("n", 1.into()), ("m", 2.into())]));
    let large = plain.clone().arguments(table([("n", 1_i64.into()), ("m", 2.into())]));
    let turned = plain.clone().arguments(table([("m", 2.into()), ("n", 1.into())]));
    let publication = Publication::new(&exchange, short("k"), "m");
    for binding in [&plain, &small, &large] {
        peer.tie(binding).await?;
    }
    for (step, binding) in [&plain, &turned, &large].into_iter().enumerate() {
        let what = format!("routed before unbind {}", step + 1);
        same(&what, &peer.reaches(publication.clone()).await?, &true)?;
        peer.untie(binding).await?;
    }
    same("routed after the last unbind", &peer.reaches(publication).await?, &false)
}

async fn at_once(harness: Harness) -> Kept {
    let (binder, publisher) = harness.two_sessions().await?;
    let exchange = binder.an_exchange("x", ExchangeKind::Direct).await?;
    let queue = binder.a_queue("q").await?;
    let binding = Binding::queue(&queue, &exchange, short("k"));
    let publication = Publication::new(&exchange, short("k"), "m");
    for _ in 0..10 {
        binder.tie(&binding).await?;
        same("routed once bound", &publisher.reaches(publication.clone()).await?, &true)?;
        binder.untie(&binding).await?;
        same("routed once unbound", &publisher.reaches(publication.clone()).await?, &false)?;
    }
    Ok(())
}

async fn unbind_missing(harness: Harness) -> Kept {
    let peer = harness.session().await?;
    let exchange = peer.an_exchange("x", ExchangeKind::Direct).await?;
    let queue = peer.a_queue("q").await?;
    let missing = harness.name("missing");
    peer.untie(&Binding::queue(&queue, &exchange, short("k"))).await?;
    peer.untie(&Binding::queue(&missing, &exchange, short("k"))).await?;
    peer.untie(&Binding::queue(&queue, &missing, short("k"))).await
}

/// Checks that a binding can neither be created nor deleted.
async fn not_permitted(harness: &Harness, peer: &Peer, binding: &Binding) -> Kept {
    let text = "ACCESS_REFUSED - operation not permitted on the default exchange";
    harness.refused(&format!("binding {binding:?}"), peer.admin().bind(binding), 403, text).await?;
    harness.refused(&format!("unbinding {binding:?}"), peer.admin().unbind(binding), 403, text).await
}

async fn default_exchange(harness: Harness) -> Kept {
    let peer = harness.session().await?;
    let queue = peer.a_queue("q").await?;
    not_permitted(&harness, &peer, &Binding::queue(&queue, short(""), short("k"))).await?;
    not_permitted(&harness, &peer, &Binding::queue(harness.name("missing"), short(""), short("k"))).await
}

async fn default_exchanges(harness: Harness) -> Kept {
    let peer = harness.session().await?;
    let exchange = peer.an_exchange("x", ExchangeKind::Direct).await?;
    not_permitted(&harness, &peer, &Binding::exchange(&exchange, short(""), short("k"))).await?;
    not_permitted(&harness, &peer, &Binding::exchange(short(""), &exchange, short("k"))).await
}

async fn missing(harness: Harness) -> Kept {
    let peer = harness.session().await?;
    let exchange = peer.an_exchange("x", ExchangeKind::Direct).await?;
    let queue = peer.a_queue("q").await?;
    let nothing = harness.name("missing");
    let no_exchange = format!("NOT_FOUND - no {}", harness.exchange_text(&nothing));
    let no_queue = format!("NOT_FOUND - no {}", harness.queue_text(&nothing));
    for (what, queue, exchange, text) in [
        ("binding a missing exchange", &queue, &nothing, &no_exchange),
        ("binding a missing queue", &nothing, &exchange, &no_queue),
        ("binding two missing ones", &nothing, &nothing, &no_exchange),
    ] {
        let binding = Binding::queue(queue, exchange, short("k"));
        harness.refused(what, peer.admin().bind(&binding), 404, text).await?;
    }
    Ok(())
}

async fn missing_exchanges(harness: Harness) -> Kept {
    let peer = harness.session().await?;
    let exchange = peer.an_exchange("x", ExchangeKind::Direct).await?;
    let nothing = harness.name("missing");
    let text = format!("NOT_FOUND - no {}", harness.exchange_text(&nothing));
    for (what, destination, source) in
        [("a missing destination", &nothing, &exchange), ("a missing source", &exchange, &nothing)]
    {
        let binding = Binding::exchange(destination, source, short("k"));
        harness.refused(what, peer.admin().bind(&binding), 404, &text).await?;
        peer.untie(&binding).await?;
    }
    Ok(())
}

async fn not_back(harness: Harness) -> Kept {
    let peer = harness.session().await?;
    let exchange = peer.an_exchange("x", ExchangeKind::Direct).await?;
    let queue = peer.a_queue("q").await?;
    peer.tie(&Binding::queue(&queue, &exchange, short("k"))).await?;
    peer.drop_queue(&queue).await?;
    peer.a_queue("q").await?;
    peer.fails(Publication::new(&exchange, short("k"), "m"), &PublishErrorKind::Unroutable).await
}

async fn empty_key(harness: Harness) -> Kept {
    let peer = harness.session().await?;
    let exchange = peer.an_exchange("x", ExchangeKind::Direct).await?;
    let queue = peer.a_queue("q").await?;
    peer.tie(&Binding::queue(&queue, &exchange, short(""))).await?;
    same(
        "a message with key '' is routed",
        &peer.reaches(Publication::new(&exchange, short(""), "m")).await?,
        &true,
    )?;
    let named_key = peer.reaches(Publication::new(&exchange, &queue, "m")).await?;
    same("a message with the queue's name as key is routed", &named_key, &false)
}
