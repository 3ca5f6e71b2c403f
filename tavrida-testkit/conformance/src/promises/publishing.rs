//! The outcome of a publish: each kind exactly, with the publication returned if it was not accepted.

use tavrida::field::{ShortString, Value};
use tavrida::transport::{Binding, BrokerError, ExchangeKind, Properties, Publication, PublishErrorKind};

use crate::check::{Fault, Kept, holds, same};
use crate::harness::Harness;
use crate::peer::Peer;
use crate::promise::{V4_0, promise};
use crate::values::{as_sent, body, optional, short, table};
use crate::{Capability, Promise};

pub(super) fn promises() -> Vec<Promise> {
    vec![
        promise(
            "a routed message is in its queue, for every session, when the publish is done",
            "R94, contract",
            routed,
        ),
        promise("a mandatory message that no queue is bound for comes back as unroutable", "R91", unroutable),
        promise("a message that is not mandatory may reach nobody", "R91", unheard),
        promise("a missing exchange is refused (404), and the session works on", "R88", missing_exchange),
        promise("a queue that is full and refuses makes the publish nacked", "R75, R91", nacked)
            .needing(Capability::LengthLimits),
        promise("one refusing queue of several makes it nacked, the others keep it", "R76", partly_nacked)
            .needing(Capability::LengthLimits),
        promise("a wrong user id is refused (406), the right one is not", "R89", user_id)
            .needing(Capability::PropertyChecks),
        promise("an invalid expiration is refused (406)", "R66, R89, S25", invalid)
            .needing(Capability::PropertyChecks),
        promise("an unknown delivery mode is refused (406)", "R66, R89", unknown_mode)
            .needing(Capability::PropertyChecks)
            .before(V4_0),
        promise("an unknown delivery mode is accepted", "R66, R89", unknown_mode_4).since(V4_0),
        promise("keys in CC and BCC are routed too, and BCC is taken out", "R87, R90, S15", copies)
            .needing(Capability::CarbonCopies),
    ]
}

fn to(queue: &ShortString, text: impl Into<String>) -> Publication {
    Publication::new(short(""), queue, text.into())
}

async fn routed(harness: Harness) -> Kept {
    let (publisher, other) = harness.two_sessions().await?;
    let queue = publisher.a_queue("q").await?;
    for number in 1..=20 {
        publisher.fill(&queue, &["m"]).await?;
        same("messages that the other session sees", &other.ready(&queue).await?, &number)?;
    }
    Ok(())
}

async fn unroutable(harness: Harness) -> Kept {
    let peer = harness.session().await?;
    let exchange = peer.an_exchange("x", ExchangeKind::Direct).await?;
    let mut publication = Publication::new(&exchange, short("nobody"), "the body");
    publication.properties.headers = Some(table([("trace", "abc".into())]));
    publication.properties.correlation_id = Some(short("17"));
    peer.fails(publication, &PublishErrorKind::Unroutable).await?;
    peer.fails(to(&harness.name("no-queue"), "m"), &PublishErrorKind::Unroutable).await
}

async fn unheard(harness: Harness) -> Kept {
    let peer = harness.session().await?;
    let exchange = peer.an_exchange("x", ExchangeKind::Fanout).await?;
    peer.send(optional(Publication::new(&exchange, short(""), "m"))).await?;
    peer.send(optional(to(&harness.name("no-queue"), "m"))).await
}

/// Publishes a message that must be refused with this code and text.
async fn refused(harness: &Harness, peer: &Peer, publication: Publication, code: u16, text: String) -> Kept {
    let what = format!("publishing to '{}'", publication.exchange);
    match peer.failure(publication).await? {
        PublishErrorKind::Refused(refusal) => {
            harness.same_refusal(&what, &refusal, &BrokerError::channel(code, text))
        }
        other => Err(Fault::new(format_args!("{what}: refused with {code}, {text}"), other)),
    }
}

async fn missing_exchange(harness: Harness) -> Kept {
    let peer = harness.session().await?;
    let queue = peer.a_queue("q").await?;
    let missing = harness.name("missing");
    let text = format!("NOT_FOUND - no {}", harness.exchange_text(&missing));
    for publication in
        [Publication::new(&missing, short("k"), "m"), optional(Publication::new(&missing, short("k"), "m"))]
    {
        refused(&harness, &peer, publication, 404, text.clone()).await?;
    }
    peer.fill(&queue, &["after"]).await?;
    peer.holds(&queue, &["after"]).await
}

/// Declares a queue for one message that refuses the next.
pub(super) async fn full_queue(peer: &Peer, local: &str) -> Result<ShortString, Fault> {
    let limits = [("x-max-length", 1.into()), ("x-overflow", "reject-publish".into())];
    let queue = peer.a_queue_with(local, table(limits)).await?;
    peer.fill(&queue, &["first"]).await?;
    Ok(queue)
}

async fn nacked(harness: Harness) -> Kept {
    let peer = harness.session().await?;
    let queue = full_queue(&peer, "q").await?;
    peer.fails(to(&queue, "second"), &PublishErrorKind::Nacked).await?;
    peer.fails(optional(to(&queue, "second")), &PublishErrorKind::Nacked).await?;
    peer.holds(&queue, &["first"]).await?;
    peer.fill(&queue, &["third"]).await
}

async fn partly_nacked(harness: Harness) -> Kept {
    let peer = harness.session().await?;
    let exchange = peer.an_exchange("x", ExchangeKind::Fanout).await?;
    let (full, free) = (full_queue(&peer, "full").await?, peer.a_queue("free").await?);
    for queue in [&full, &free] {
        peer.tie(&Binding::queue(queue, &exchange, short(""))).await?;
    }
    peer.fails(Publication::new(&exchange, short(""), "m"), &PublishErrorKind::Nacked).await?;
    peer.holds(&full, &["first"]).await?;
    // The free queue is independent: its copy may arrive a moment after the refusal by the other.
    same("what the free queue got", body(&peer.arrival(&free).await?).as_str(), "m")
}

async fn user_id(harness: Harness) -> Kept {
    let peer = harness.session().await?;
    let queue = peer.a_queue("q").await?;
    let by = |user: ShortString| Publication {
        properties: Properties { user_id: Some(user), ..Properties::default() },
        ..to(&queue, "m")
    };
    peer.send(by(harness.login())).await?;
    for user in ["somebody-else", ""] {
        let text = format!(
            "PRECONDITION_FAILED - user_id property set to '{user}' but authenticated user was '{}'",
            harness.login()
        );
        refused(&harness, &peer, by(short(user)), 406, text).await?;
    }
    same("messages in the queue", &peer.ready(&queue).await?, &1)
}

async fn invalid(harness: Harness) -> Kept {
    let peer = harness.session().await?;
    let queue = peer.a_queue("q").await?;
    for (expiration, reason) in [
        ("abc", "no_integer"),
        ("", "no_integer"),
        ("1.5", "{leftover_string,\".5\"}"),
        ("-1", "{value_negative,-1}"),
        ("315360000001", "{value_too_large,315360000001}"),
    ] {
        let mut publication = to(&queue, "m");
        publication.properties.expiration = Some(short(expiration));
        let text = format!("PRECONDITION_FAILED - invalid expiration '{expiration}': {reason}");
        refused(&harness, &peer, publication, 406, text).await?;
    }
    holds(peer.ready(&queue).await? == 0, "an empty queue", "messages")
}

async fn unknown_mode(harness: Harness) -> Kept {
    let peer = harness.session().await?;
    let queue = peer.a_queue("q").await?;
    let mut publication = to(&queue, "m");
    publication.properties.delivery_mode = Some(3);
    let text = "PRECONDITION_FAILED - invalid message: {delivery_mode_unknown,3}".to_owned();
    refused(&harness, &peer, publication, 406, text).await?;
    holds(peer.ready(&queue).await? == 0, "an empty queue", "messages")
}

async fn unknown_mode_4(harness: Harness) -> Kept {
    let peer = harness.session().await?;
    let queue = peer.a_queue("q").await?;
    for mode in [0, 3] {
        let mut publication = to(&queue, "m");
        publication.properties.delivery_mode = Some(mode);
        peer.send(publication).await?;
    }
    peer.holds(&queue, &["m", "m"]).await
}

async fn copies(harness: Harness) -> Kept {
    let peer = harness.session().await?;
    let (cc, bcc) = (peer.a_queue("cc").await?, peer.a_queue("bcc").await?);
    let nobody = harness.name("nobody");
    let keys = |name: &ShortString| Value::Array(vec![name.clone().into()]);
    let mut publication = to(&nobody, "m");
    publication.properties.headers = Some(table([("CC", keys(&cc)), ("BCC", keys(&bcc)), ("x", 1.into())]));
    peer.send(publication.clone()).await?;
    publication.properties.headers = Some(table([("CC", keys(&cc)), ("x", 1.into())]));
    for queue in [&cc, &bcc] {
        let delivery = peer.head(queue).await?;
        same("the copy", &as_sent(&delivery), &publication)?;
    }
    Ok(())
}
