//! Direct replies: answers that go directly to the requesting consumer, through no queue.

use tavrida::field::ShortString;
use tavrida::transport::{BrokerError, Consume, DIRECT_REPLY_TO, Properties, Publication, PublishErrorKind};

use crate::check::{Fault, Kept, holds, same, settled};
use crate::harness::Harness;
use crate::peer::Peer;
use crate::promise::promise;
use crate::tap::Tap;
use crate::values::{body, short};
use crate::{Capability, Promise};

pub(super) fn promises() -> Vec<Promise> {
    [
        promise("a reply comes to the session that published the request", "R120, R121", comes_back),
        promise("many replies come to who asked, in their order", "R121", in_order),
        promise("a mandatory reply is told to be unroutable though it is delivered", "R122", mandatory),
        promise("a request of a session without the consumer is refused (406)", "R120", no_consumer),
        promise("the consumer of replies does not acknowledge (406)", "R119", acknowledging),
        promise(
            "a session has one consumer of replies (406), and another may follow it",
            "R119",
            one_at_a_time,
        ),
        promise(
            "a publish that is refused leaves the consumer of replies alone",
            "R119, contract",
            refused_publish,
        ),
    ]
    .map(|promise| promise.needing(Capability::DirectReplies))
    .into()
}

fn replies(no_ack: bool) -> Consume {
    Consume { no_ack, ..Consume::new(ShortString::from_static(DIRECT_REPLY_TO), 0) }
}

async fn taking_replies(peer: &Peer) -> Result<Tap, Fault> {
    peer.tap_with(&replies(true)).await
}

/// Returns a message that requests a direct reply.
fn request(exchange: ShortString, queue: &ShortString, body: &'static str) -> Publication {
    let properties =
        Properties { reply_to: Some(ShortString::from_static(DIRECT_REPLY_TO)), ..Properties::default() };
    Publication { properties, ..Publication::new(exchange, queue, body) }
}

/// Gets a request and replies to it.
async fn reply(peer: &Peer, queue: &ShortString, mandatory: bool) -> Result<bool, Fault> {
    let request = peer.arrival(queue).await?;
    let address = request.properties().reply_to.clone().unwrap_or_default();
    holds(
        address.starts_with(DIRECT_REPLY_TO) && address != DIRECT_REPLY_TO,
        "the request carries an address",
        format_args!("the request carries '{address}'"),
    )?;
    let reply = Publication::new(short(""), address, format!("re: {}", body(&request)));
    settled("ack", request.ack())?;
    let outcome = peer.outcome(Publication { mandatory, ..reply }).await?;
    Ok(outcome.is_ok())
}

async fn comes_back(harness: Harness) -> Kept {
    let (asking, answering) = harness.two_sessions().await?;
    let queue = answering.a_queue("q").await?;
    let mut tap = taking_replies(&asking).await?;
    asking.send(request(short(""), &queue, "a")).await?;
    reply(&answering, &queue, false).await?;
    let answer = tap.next().await?;
    same("the answer", body(&answer).as_str(), "re: a")
}

async fn in_order(harness: Harness) -> Kept {
    let (asking, answering) = harness.two_sessions().await?;
    let queue = answering.a_queue("q").await?;
    let mut tap = taking_replies(&asking).await?;
    for body in ["a", "b", "c"] {
        asking.send(request(short(""), &queue, body)).await?;
    }
    for _ in 0..3 {
        reply(&answering, &queue, false).await?;
    }
    for expected in ["re: a", "re: b", "re: c"] {
        same("the answer", body(&tap.next().await?).as_str(), expected)?;
    }
    Ok(())
}

async fn mandatory(harness: Harness) -> Kept {
    let (asking, answering) = harness.two_sessions().await?;
    let queue = answering.a_queue("q").await?;
    let mut tap = taking_replies(&asking).await?;
    asking.send(request(short(""), &queue, "a")).await?;
    let taken = reply(&answering, &queue, true).await?;
    same("whether the mandatory reply counts as routed", &taken, &false)?;
    same("the answer", body(&tap.next().await?).as_str(), "re: a")
}

const NO_CONSUMER: &str = "PRECONDITION_FAILED - fast reply consumer does not exist";
const NO_ACKNOWLEDGING: &str = "PRECONDITION_FAILED - reply consumer cannot acknowledge";
const ONE: &str = "PRECONDITION_FAILED - reply consumer already set";

async fn no_consumer(harness: Harness) -> Kept {
    let peer = harness.session().await?;
    let queue = peer.a_queue("q").await?;
    match peer.failure(request(short(""), &queue, "a")).await? {
        PublishErrorKind::Refused(refusal) => {
            harness.same_refusal("a request", &refusal, &BrokerError::channel(406, NO_CONSUMER))
        }
        other => Err(Fault::new("refused", other)),
    }
}

async fn acknowledging(harness: Harness) -> Kept {
    let peer = harness.session().await?;
    harness.refused("consuming replies", peer.consume(&replies(false)), 406, NO_ACKNOWLEDGING).await
}

async fn one_at_a_time(harness: Harness) -> Kept {
    let (asking, answering) = harness.two_sessions().await?;
    let queue = answering.a_queue("q").await?;
    let first = taking_replies(&asking).await?;
    harness.refused("consuming replies again", asking.consume(&replies(true)), 406, ONE).await?;
    drop(first);
    let next = harness
        .until("another consumer of replies", || async { Ok(asking.consume(&replies(true)).await.ok()) });
    let mut next = Tap::new(next.await?, harness.clone(), DIRECT_REPLY_TO);
    asking.send(request(short(""), &queue, "a")).await?;
    reply(&answering, &queue, false).await?;
    same("the answer", body(&next.next().await?).as_str(), "re: a")
}

async fn refused_publish(harness: Harness) -> Kept {
    let (asking, answering) = harness.two_sessions().await?;
    let queue = answering.a_queue("q").await?;
    let mut tap = taking_replies(&asking).await?;
    asking.send(request(short(""), &queue, "a")).await?;
    let nowhere = harness.name("nowhere");
    for publication in [request(nowhere.clone(), &queue, "lost"), Publication::new(&nowhere, &queue, "lost")]
    {
        match asking.failure(publication).await? {
            PublishErrorKind::Refused(refusal) => same("the code", &refusal.code, &404)?,
            other => return Err(Fault::new("refused", other)),
        }
    }
    reply(&answering, &queue, false).await?;
    same("the answer", body(&tap.next().await?).as_str(), "re: a")
}
