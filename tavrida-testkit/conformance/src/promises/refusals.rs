//! An error has its reason, and closes what it names and nothing else.

use futures_util::FutureExt;
use tavrida::transport::{
    Binding, BrokerError, Consume, ConsumerError, Exchange, ExchangeKind, Publication, PublishErrorKind,
    SessionError,
};

use crate::check::{Fault, Kept, same, settled};
use crate::harness::Harness;
use crate::peer::Peer;
use crate::promise::{V4_0, promise};
use crate::values::{body, short, table};
use crate::{Capability, Promise};

pub(super) fn promises() -> Vec<Promise> {
    vec![
        promise("refused operations leave the session alive", "R1, contract", session_lives),
        promise("refused operations leave consumers and their deliveries alone", "contract", consumers_live),
        promise("refused operations leave a message that was got alone", "contract", got_lives),
        promise("refused operations leave publishes under way alone", "contract", publishes_live),
        promise("an unknown exchange type is refused (503) and ends the session", "R6", unknown_type)
            .needing(Capability::ConnectionErrors)
            .before(V4_0),
        promise("an unknown exchange type is refused (406) and the session lives", "R6", unknown_type_4)
            .since(V4_0),
        promise("what a refusal ended gives everything back", "R4, R100", given_back)
            .needing(Capability::ConnectionErrors)
            .needing(Capability::QuorumQueues),
        promise("other sessions do not notice the end of one", "contract", others_live)
            .needing(Capability::ConnectionErrors)
            .needing(Capability::QuorumQueues),
        promise("refusals come in RabbitMQ's own words", "R1, R44, R57", wording)
            .needing(Capability::RabbitWording),
    ]
}

/// Provokes an error in one operation of each kind, several times.
async fn provoke(harness: &Harness, peer: &Peer) -> Kept {
    let missing = harness.name("missing");
    let exchange = harness.name("provoked");
    let reserved = Exchange::durable(short(""), ExchangeKind::Direct);
    for _ in 0..3 {
        for (what, outcome, code) in [
            ("checking a missing queue", peer.admin().declare_queue_passive(&missing).await.map(drop), 404),
            ("checking a missing exchange", peer.admin().declare_exchange_passive(&missing).await, 404),
            ("purging a missing queue", peer.admin().purge_queue(&missing).await.map(drop), 404),
            ("getting from a missing queue", peer.get(&missing).await.map(drop), 404),
            ("consuming a missing queue", peer.consume(&Consume::new(&missing, 1)).await.map(drop), 404),
            (
                "binding to nothing",
                peer.admin().bind(&Binding::queue(&missing, &exchange, short(""))).await,
                404,
            ),
            ("declaring the default exchange", peer.admin().declare_exchange(&reserved).await, 403),
        ] {
            let seen = outcome.map_err(|error| match error {
                SessionError::Refused(refusal) => Ok(refusal.code),
                other => Err(other),
            });
            same(what, &seen, &Err(Ok(code)))?;
        }
        match peer.failure(Publication::new(&missing, short(""), "m")).await? {
            PublishErrorKind::Refused(refusal) => same("publishing to nothing", &refusal.code, &404)?,
            other => return Err(Fault::new("a refused publish", other)),
        }
    }
    Ok(())
}

fn alive(peer: &Peer) -> Kept {
    match peer.closed().now_or_never() {
        None => Ok(()),
        Some(loss) => Err(Fault::new("a living session", loss)),
    }
}

async fn session_lives(harness: Harness) -> Kept {
    let peer = harness.session().await?;
    let queue = peer.a_queue("q").await?;
    provoke(&harness, &peer).await?;
    alive(&peer)?;
    peer.fill(&queue, &["m"]).await?;
    peer.holds(&queue, &["m"]).await
}

async fn consumers_live(harness: Harness) -> Kept {
    let (peer, looking) = harness.two_sessions().await?;
    let queue = peer.a_queue("q").await?;
    peer.fill(&queue, &["a", "b"]).await?;
    let mut tap = peer.tap(&queue, 2).await?;
    let held = tap.next().await?;
    provoke(&harness, &peer).await?;
    peer.fill(&queue, &["c"]).await?;
    tap.gives(&["b", "c"]).await?;
    settled("ack of a delivery from before", held.ack())?;
    peer.finish().await?;
    looking.holds(&queue, &[]).await
}

async fn got_lives(harness: Harness) -> Kept {
    let (peer, looking) = harness.two_sessions().await?;
    let queue = peer.a_queue("q").await?;
    peer.fill(&queue, &["a", "b"]).await?;
    let got = peer.head(&queue).await?;
    provoke(&harness, &peer).await?;
    same("ready meanwhile", &looking.ready(&queue).await?, &1)?;
    settled("ack of a message from before", got.ack())?;
    peer.finish().await?;
    looking.holds(&queue, &["b"]).await
}

async fn publishes_live(harness: Harness) -> Kept {
    let peer = harness.session().await?;
    let queue = peer.a_queue("q").await?;
    let publication = |number: i32| Publication::new(short(""), &queue, number.to_string());
    let before = peer.start((0..50).map(publication).collect()).await;
    provoke(&harness, &peer).await?;
    let after = peer.start((50..100).map(publication).collect()).await;
    for started in [before, after] {
        for outcome in peer.outcomes(started).await? {
            outcome.map_err(|unpublished| Fault::new("every publish is taken", unpublished))?;
        }
    }
    same("messages in the queue", &peer.ready(&queue).await?, &100)
}

/// Provokes an error that closes the whole connection.
pub(super) async fn end_by_refusal(harness: &Harness, peer: &Peer) -> Kept {
    let queue = peer.a_queue_with("quorum", table([("x-queue-type", "quorum".into())])).await?;
    let text = harness.queue_text(&queue);
    let refusal = BrokerError::connection(
        540,
        format!(
            "NOT_IMPLEMENTED - cannot delete {text}. queue.delete operations with if-empty flag set are not supported by quorum queues"
        ),
    );
    let deletion = peer.admin().delete_queue(&queue, false, true);
    harness.refused_as("deleting a quorum queue if it is empty", deletion, &refusal).await
}

fn of_no_type(harness: &Harness) -> Exchange {
    Exchange::durable(harness.name("never"), ExchangeKind::Other(short("no-such-type")))
}

async fn unknown_type_4(harness: Harness) -> Kept {
    let peer = harness.session().await?;
    let text = "PRECONDITION_FAILED - unknown exchange type 'no-such-type'";
    let exchange = of_no_type(&harness);
    harness
        .refused("declaring an exchange of no type", peer.admin().declare_exchange(&exchange), 406, text)
        .await?;
    alive(&peer)
}

async fn unknown_type(harness: Harness) -> Kept {
    let peer = harness.session().await?;
    let queue = peer.a_queue("q").await?;
    let mut tap = peer.tap(&queue, 1).await?;
    let refusal = BrokerError::connection(503, "COMMAND_INVALID - unknown exchange type 'no-such-type'");
    let exchange = of_no_type(&harness);
    harness
        .refused_as("declaring an exchange of no type", peer.admin().declare_exchange(&exchange), &refusal)
        .await?;
    let loss = peer.loss().await?;
    same("closed on this side", &loss.is_closed_here(), &false)?;
    match loss.refusal() {
        Some(seen) => harness.same_refusal("the end of the session", seen, &refusal)?,
        None => return Err(Fault::new(&refusal, &loss)),
    }
    same("the end of its consumer", &tap.end().await?, &ConsumerError::Lost(loss.clone()))?;
    harness.lost("checking a queue afterwards", peer.admin().declare_queue_passive(&queue), &loss).await
}

async fn given_back(harness: Harness) -> Kept {
    let (ending, looking) = harness.two_sessions().await?;
    let queue = ending.a_queue("q").await?;
    ending.fill(&queue, &["a", "b"]).await?;
    let mut tap = ending.tap(&queue, 10).await?;
    let taken = tap.take(2).await?;
    end_by_refusal(&harness, &ending).await?;
    for text in ["a", "b"] {
        let delivery = looking.arrival(&queue).await?;
        same("body and redelivered", &(body(&delivery).as_str(), delivery.redelivered()), &(text, true))?;
        settled("ack", delivery.ack())?;
    }
    let loss = ending.loss().await?;
    for delivery in taken {
        same("a late ack", &delivery.ack(), &Err(loss.clone()))?;
    }
    Ok(())
}

async fn others_live(harness: Harness) -> Kept {
    let (ending, other) = harness.two_sessions().await?;
    let queue = other.a_queue("q").await?;
    let mut tap = other.tap(&queue, 1).await?;
    end_by_refusal(&harness, &ending).await?;
    ending.loss().await?;
    alive(&other)?;
    other.fill(&queue, &["m"]).await?;
    tap.gives(&["m"]).await
}

async fn wording(harness: Harness) -> Kept {
    let peer = harness.session().await?;
    let missing = harness.name("missing");
    let text = format!("NOT_FOUND - no {}", harness.queue_text(&missing));
    harness.refused("checking a missing queue", peer.admin().declare_queue_passive(&missing), 404, text).await
}
