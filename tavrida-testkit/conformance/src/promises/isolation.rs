//! Sessions share one broker, and do not affect each other's consumers, deliveries and failures.

use tavrida::transport::{Binding, Exchange, ExchangeKind, Publication};

use crate::Promise;
use crate::check::{Kept, same, settled};
use crate::harness::Harness;
use crate::promise::promise;
use crate::values::{body, short};

pub(super) fn promises() -> Vec<Promise> {
    vec![
        promise("what one session declares every other sees at once", "R48, contract", shared_topology),
        promise("what one session deletes is gone for every other at once", "R48, contract", shared_deletion),
        promise("a message published by one session is consumed by another", "R94", across),
        promise("what one session has unsettled no other gets", "R98", unsettled_hidden),
        promise("what one session declared stays when it is closed", "R5", stays),
        promise("closing a session leaves the consumers of others alone", "R100", consumers_stay),
    ]
}

async fn shared_topology(harness: Harness) -> Kept {
    let (one, other) = harness.two_sessions().await?;
    for number in 0..5 {
        let queue = one.a_queue(&format!("q{number}")).await?;
        other.queue_exists(&queue, true).await?;
        let exchange = one.an_exchange(&format!("x{number}"), ExchangeKind::Direct).await?;
        other.exchange_exists(&exchange, true).await?;
        one.tie(&Binding::queue(&queue, &exchange, short("k"))).await?;
        other.send(Publication::new(&exchange, short("k"), "m")).await?;
        one.holds(&queue, &["m"]).await?;
    }
    Ok(())
}

async fn shared_deletion(harness: Harness) -> Kept {
    let (one, other) = harness.two_sessions().await?;
    for number in 0..5 {
        let queue = one.a_queue(&format!("q{number}")).await?;
        let exchange = Exchange::durable(harness.name(&format!("x{number}")), ExchangeKind::Direct);
        one.exchange(&exchange).await?;
        other.drop_queue(&queue).await?;
        one.queue_exists(&queue, false).await?;
        harness.done("deleting the exchange", other.admin().delete_exchange(&exchange.name, false)).await?;
        one.exchange_exists(&exchange.name, false).await?;
    }
    Ok(())
}

async fn across(harness: Harness) -> Kept {
    let (consuming, publishing) = harness.two_sessions().await?;
    let queue = consuming.a_queue("q").await?;
    let mut tap = consuming.tap(&queue, 1).await?;
    publishing.fill(&queue, &["a", "b", "c"]).await?;
    tap.gives(&["a", "b", "c"]).await
}

async fn unsettled_hidden(harness: Harness) -> Kept {
    let (one, other) = harness.two_sessions().await?;
    let queue = one.a_queue("q").await?;
    one.fill(&queue, &["a", "b", "c"]).await?;
    let mut first = one.tap(&queue, 1).await?;
    let held = first.next().await?;
    same("the first", body(&held).as_str(), "a")?;
    other.holds(&queue, &["b", "c"]).await?;
    settled("ack", held.ack())
}

async fn stays(harness: Harness) -> Kept {
    let (leaving, staying) = harness.two_sessions().await?;
    let queue = leaving.a_queue("q").await?;
    let exchange = leaving.an_exchange("x", ExchangeKind::Direct).await?;
    leaving.tie(&Binding::queue(&queue, &exchange, short("k"))).await?;
    leaving.send(Publication::new(&exchange, short("k"), "before")).await?;
    leaving.finish().await?;
    staying.send(Publication::new(&exchange, short("k"), "after")).await?;
    staying.holds(&queue, &["before", "after"]).await
}

async fn consumers_stay(harness: Harness) -> Kept {
    let (leaving, staying) = harness.two_sessions().await?;
    let queue = staying.a_queue("q").await?;
    let mut left = leaving.tap(&queue, 1).await?;
    let mut stayed = staying.tap(&queue, 10).await?;
    staying.fill(&queue, &["a", "b"]).await?;
    let (held, kept) = (left.next().await?, stayed.next().await?);
    leaving.finish().await?;
    let again = stayed.next().await?;
    same("body and redelivered", &(body(&again).as_str(), again.redelivered()), &("a", true))?;
    settled("ack of a delivery from before", kept.ack())?;
    drop(held);
    settled("ack", again.ack())
}
