//! Messages that a queue rejects, expires or drops go to its dead-letter exchange, with their history.

use std::time::Duration;

use tavrida::field::{ShortString, Table, Value};
use tavrida::transport::{Binding, Delivery, ExchangeKind, Properties, Publication};
use tokio::time::sleep;

use crate::check::{Fault, Kept, same, settled};
use crate::harness::Harness;
use crate::peer::Peer;
use crate::promise::{V4_0, promise};
use crate::values::{body, short, table};
use crate::{Capability, Promise};

pub(super) fn promises() -> Vec<Promise> {
    vec![
        promise("a rejected message goes to the dead-letter exchange with its own key", "R78, R79", rejected),
        promise("a dead-letter routing key replaces the message's own", "R79", other_key),
        promise("the default exchange can be the dead-letter exchange", "R27", by_default_exchange),
        promise("x-death tells where, why, when and how often a message died", "R80, R84", history),
        promise("another death in the same queue for the same reason is counted", "R81, S13", counted),
        promise("a message that was dropped by a length limit is dead-lettered", "R78", dropped)
            .needing(Capability::LengthLimits),
        promise("properties, headers and body survive", "R79", content),
        promise("a dead letter says where it died last", "R79", last_death).since(V4_0),
        promise("a dead letter is no redelivery", "R79", not_redelivered),
        promise("without a dead-letter exchange, or with a missing one, the message is gone", "R78", nowhere),
        promise("an acknowledged or requeued message is no dead letter", "R78", others),
        promise("a dead letter that expires in circles is dropped", "R85, S12", circle)
            .needing(Capability::MessageTtl),
    ]
    .into_iter()
    .map(|promise| promise.needing(Capability::DeadLettering))
    .collect()
}

/// Returns the entries of `x-death`, the newest first.
pub(super) fn deaths(delivery: &Delivery) -> Result<Vec<Table>, Fault> {
    let header = delivery.properties().headers().get("x-death");
    let Some(Value::Array(entries)) = header else {
        return Err(Fault::new("an array in the header x-death", format_args!("{header:?}")));
    };
    let tables: Option<Vec<_>> = entries
        .iter()
        .map(|entry| match entry {
            Value::Table(table) => Some(table.clone()),
            _ => None,
        })
        .collect();
    match tables {
        Some(tables) if !tables.is_empty() => Ok(tables),
        _ => Err(Fault::new("tables in the header x-death", format_args!("{entries:?}"))),
    }
}

/// Returns a text field of an entry; other values are shown as they are.
pub(super) fn text(table: &Table, name: &str) -> String {
    let value = table.get(name);
    value.and_then(Value::as_str).map_or_else(|| format!("{value:?}"), str::to_owned)
}

/// Declares an exchange for dead letters with a queue that gets all keys.
async fn cemetery(peer: &Peer) -> Result<(ShortString, ShortString), Fault> {
    let exchange = peer.an_exchange("dlx", ExchangeKind::Fanout).await?;
    let queue = peer.a_queue("dead").await?;
    peer.tie(&Binding::queue(&queue, &exchange, short(""))).await?;
    Ok((exchange, queue))
}

fn dying_to(exchange: &ShortString) -> Table {
    table([("x-dead-letter-exchange", exchange.clone().into())])
}

/// Gets the head of a queue and rejects it.
async fn reject(peer: &Peer, queue: &str) -> Kept {
    settled("reject", peer.arrival(queue).await?.reject())
}

async fn rejected(harness: Harness) -> Kept {
    let peer = harness.session().await?;
    let (dlx, dead) = cemetery(&peer).await?;
    let queue = peer.a_queue_with("q", dying_to(&dlx)).await?;
    peer.fill(&queue, &["m"]).await?;
    reject(&peer, &queue).await?;
    let delivery = peer.arrival(&dead).await?;
    let publication = delivery.publication();
    same(
        "exchange, key and body",
        &(publication.exchange.as_str(), publication.routing_key.as_str(), body(&delivery).as_str()),
        &(dlx.as_str(), queue.as_str(), "m"),
    )
}

async fn other_key(harness: Harness) -> Kept {
    let peer = harness.session().await?;
    let dlx = peer.an_exchange("dlx", ExchangeKind::Direct).await?;
    let dead = peer.a_queue("dead").await?;
    for (local, key) in [("named", "buried.here"), ("empty", "")] {
        peer.tie(&Binding::queue(&dead, &dlx, short(key))).await?;
        let arguments = dying_to(&dlx).with(short("x-dead-letter-routing-key"), key);
        let queue = peer.a_queue_with(local, arguments).await?;
        peer.fill(&queue, &["m"]).await?;
        reject(&peer, &queue).await?;
        let delivery = peer.arrival(&dead).await?;
        same("the routing key", delivery.publication().routing_key.as_str(), key)?;
        settled("ack", delivery.ack())?;
    }
    Ok(())
}

async fn by_default_exchange(harness: Harness) -> Kept {
    let peer = harness.session().await?;
    let dead = peer.a_queue("dead").await?;
    let arguments = dying_to(&short("")).with(short("x-dead-letter-routing-key"), Value::from(dead.clone()));
    let queue = peer.a_queue_with("q", arguments).await?;
    peer.fill(&queue, &["m"]).await?;
    reject(&peer, &queue).await?;
    same("the dead letter", body(&peer.arrival(&dead).await?).as_str(), "m")
}

async fn history(harness: Harness) -> Kept {
    let peer = harness.session().await?;
    let (dlx, dead) = cemetery(&peer).await?;
    let exchange = peer.an_exchange("x", ExchangeKind::Direct).await?;
    let queue = peer.a_queue_with("q", dying_to(&dlx)).await?;
    peer.tie(&Binding::queue(&queue, &exchange, short("k"))).await?;
    peer.send(Publication::new(&exchange, short("k"), "m")).await?;
    reject(&peer, &queue).await?;
    let delivery = peer.arrival(&dead).await?;
    let mut deaths = deaths(&delivery)?;
    same("deaths", &deaths.len(), &1)?;
    let time = deaths[0].remove("time");
    if !matches!(time, Some(Value::Timestamp(_))) {
        return Err(Fault::new("a timestamp as time of death", format_args!("{time:?}")));
    }
    let expected = table([
        ("count", Value::I64(1)),
        ("reason", "rejected".into()),
        ("queue", queue.clone().into()),
        ("exchange", exchange.into()),
        ("routing-keys", Value::Array(vec!["k".into()])),
    ]);
    same("the entry of x-death", &deaths[0], &expected)?;
    let headers = delivery.properties().headers();
    let firsts = ["x-first-death-reason", "x-first-death-queue", "x-first-death-exchange"];
    let expected = ["rejected", queue.as_str(), &text(&deaths[0], "exchange")];
    same(
        "the headers of the first death",
        &firsts.map(|name| text(headers, name)),
        &expected.map(str::to_owned),
    )
}

async fn counted(harness: Harness) -> Kept {
    let peer = harness.session().await?;
    let exchange = peer.an_exchange("x", ExchangeKind::Fanout).await?;
    let queue = peer.a_queue_with("q", dying_to(&exchange)).await?;
    peer.tie(&Binding::queue(&queue, &exchange, short(""))).await?;
    peer.fill(&queue, &["m"]).await?;
    for _ in 0..3 {
        reject(&peer, &queue).await?;
    }
    let deaths = deaths(&peer.arrival(&queue).await?)?;
    same("deaths told", &deaths.len(), &1)?;
    same("the count", &deaths[0].get("count"), &Some(&Value::I64(3)))
}

async fn dropped(harness: Harness) -> Kept {
    let peer = harness.session().await?;
    let (dlx, dead) = cemetery(&peer).await?;
    let queue = peer.a_queue_with("q", dying_to(&dlx).with(short("x-max-length"), 1)).await?;
    peer.fill(&queue, &["old", "new"]).await?;
    let delivery = peer.arrival(&dead).await?;
    same("the dead letter", body(&delivery).as_str(), "old")?;
    same("the reason", text(&deaths(&delivery)?[0], "reason").as_str(), "maxlen")?;
    peer.holds(&queue, &["new"]).await
}

async fn content(harness: Harness) -> Kept {
    let peer = harness.session().await?;
    let (dlx, dead) = cemetery(&peer).await?;
    let queue = peer.a_queue_with("q", dying_to(&dlx)).await?;
    let properties = Properties {
        headers: Some(table([("trace", "abc".into()), ("n", Value::I16(3))])),
        correlation_id: Some(short("17")),
        reply_to: Some(short("asker")),
        message_id: Some(short("m-1")),
        delivery_mode: Some(Properties::PERSISTENT),
        ..Properties::default()
    };
    let publication =
        Publication { properties: properties.clone(), ..Publication::new(short(""), &queue, "the body") };
    peer.send(publication).await?;
    reject(&peer, &queue).await?;
    let delivery = peer.arrival(&dead).await?;
    let mut seen = delivery.properties().clone();
    if let Some(headers) = &mut seen.headers {
        let history = ["x-death", "x-first-death", "x-last-death"];
        headers.retain(|name, _| !history.iter().any(|prefix| name.starts_with(prefix)));
    }
    same("the properties but for the history", &seen, &properties)?;
    same("the body", body(&delivery).as_str(), "the body")
}

async fn last_death(harness: Harness) -> Kept {
    let peer = harness.session().await?;
    let (dlx, dead) = cemetery(&peer).await?;
    let second = peer.a_queue_with("second", dying_to(&dlx)).await?;
    let to_second =
        dying_to(&short("")).with(short("x-dead-letter-routing-key"), Value::from(second.clone()));
    let first = peer.a_queue_with("first", to_second).await?;
    peer.fill(&first, &["m"]).await?;
    reject(&peer, &first).await?;
    reject(&peer, &second).await?;
    let delivery = peer.arrival(&dead).await?;
    let headers = delivery.properties().headers();
    let told = ["x-first-death-queue", "x-last-death-queue", "x-last-death-exchange", "x-last-death-reason"]
        .map(|name| text(headers, name));
    same(
        "the first queue, the last one, its exchange and reason",
        &told,
        &[first.to_string(), second.to_string(), String::new(), "rejected".to_owned()],
    )
}

async fn not_redelivered(harness: Harness) -> Kept {
    let peer = harness.session().await?;
    let (dlx, dead) = cemetery(&peer).await?;
    let queue = peer.a_queue_with("q", dying_to(&dlx)).await?;
    peer.fill(&queue, &["m"]).await?;
    settled("requeue", peer.head(&queue).await?.requeue())?;
    reject(&peer, &queue).await?;
    same("redelivered", &peer.arrival(&dead).await?.redelivered(), &false)
}

async fn nowhere(harness: Harness) -> Kept {
    let (rejecting, looking) = harness.two_sessions().await?;
    let plain = rejecting.a_queue("plain").await?;
    let astray = rejecting.a_queue_with("astray", dying_to(&harness.name("missing"))).await?;
    for queue in [&plain, &astray] {
        rejecting.fill(queue, &["a", "b"]).await?;
        reject(&rejecting, queue).await?;
    }
    rejecting.finish().await?;
    for queue in [&plain, &astray] {
        looking.holds(queue, &["b"]).await?;
    }
    Ok(())
}

async fn others(harness: Harness) -> Kept {
    let peer = harness.session().await?;
    let (dlx, dead) = cemetery(&peer).await?;
    let queue = peer.a_queue_with("q", dying_to(&dlx)).await?;
    peer.fill(&queue, &["acked", "requeued", "rejected"]).await?;
    settled("ack", peer.head(&queue).await?.ack())?;
    settled("requeue", peer.head(&queue).await?.requeue())?;
    peer.ready_is(&queue, 2).await?;
    settled("ack", peer.head(&queue).await?.ack())?;
    reject(&peer, &queue).await?;
    same("the only dead letter", body(&peer.arrival(&dead).await?).as_str(), "rejected")?;
    peer.holds(&queue, &[]).await
}

async fn circle(harness: Harness) -> Kept {
    let peer = harness.session().await?;
    let names = [harness.name("a"), harness.name("b")];
    for (local, other) in [("a", &names[1]), ("b", &names[0])] {
        let arguments = dying_to(&short(""))
            .with(short("x-dead-letter-routing-key"), Value::from(other.clone()))
            .with(short("x-message-ttl"), 10);
        peer.a_queue_with(local, arguments).await?;
    }
    peer.fill(&names[0], &["m"]).await?;
    sleep(Duration::from_millis(250)).await;
    for queue in &names {
        same("ready messages", &peer.ready(queue).await?, &0)?;
        peer.holds(queue, &[]).await?;
    }
    Ok(())
}
