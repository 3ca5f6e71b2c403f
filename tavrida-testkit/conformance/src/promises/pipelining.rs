//! Many publishes under way at once: their order, and the outcome of each.

use tavrida::field::ShortString;
use tavrida::transport::{ExchangeKind, Publication, PublishError, PublishErrorKind};

use super::publishing::full_queue;
use crate::check::{Fault, Kept, same, settled};
use crate::harness::Harness;
use crate::peer::Peer;
use crate::promise::promise;
use crate::values::short;
use crate::{Capability, Promise};

pub(super) fn promises() -> Vec<Promise> {
    vec![
        promise("messages that were published in turn without waiting keep their order", "contract", order),
        promise("many publishes at once each get the outcome that is theirs", "contract", many)
            .needing(Capability::LengthLimits),
        promise("refused publishes do no harm to others under way", "contract", no_harm),
        promise("outcomes of concurrent tasks and sessions do not mix", "contract", concurrent)
            .needing(Capability::LengthLimits),
        promise("a publish that is dropped before its first poll is not sent", "contract", dropped_unpolled),
        promise("a publish that is dropped after its first poll harms no other", "contract", dropped_polled),
        promise("a publish that nobody waits for holds up no other", "contract", held),
    ]
}

fn to(queue: &ShortString, text: impl Into<String>) -> Publication {
    Publication::new(short(""), queue, text.into())
}

async fn order(harness: Harness) -> Kept {
    let peer = harness.session().await?;
    let queue = peer.a_queue("q").await?;
    let texts: Vec<String> = (0..500).map(|number| number.to_string()).collect();
    let started = peer.start(texts.iter().map(|text| to(&queue, text.as_str())).collect()).await;
    for outcome in peer.outcomes(started).await? {
        outcome.map_err(|unpublished| Fault::new("every message is taken", unpublished))?;
    }
    let mut tap = peer.tap(&queue, 100).await?;
    tap.gives(&texts.iter().map(String::as_str).collect::<Vec<_>>()).await
}

/// The four outcomes that a living session can report.
#[derive(Debug, Clone, Copy, PartialEq)]
enum PublishOutcome {
    Routed,
    Unroutable,
    Nacked,
    Refused,
}

impl PublishOutcome {
    fn of(outcome: &Result<(), PublishError>) -> Result<Self, Fault> {
        match outcome {
            Ok(()) => Ok(Self::Routed),
            Err(PublishError { reason: PublishErrorKind::Unroutable, .. }) => Ok(Self::Unroutable),
            Err(PublishError { reason: PublishErrorKind::Nacked, .. }) => Ok(Self::Nacked),
            Err(PublishError { reason: PublishErrorKind::Refused(refusal), .. }) if refusal.code == 404 => {
                Ok(Self::Refused)
            }
            Err(other) => Err(Fault::new("one of the four outcomes of a living session", other)),
        }
    }
}

/// Addresses with the outcomes of messages sent to them.
struct Addresses {
    good: ShortString,
    full: ShortString,
    nobody: ShortString,
    missing: ShortString,
}

impl Addresses {
    async fn declare(harness: &Harness, peer: &Peer, local: &str) -> Result<Self, Fault> {
        Ok(Self {
            good: peer.a_queue(&format!("good-{local}")).await?,
            full: full_queue(peer, &format!("full-{local}")).await?,
            nobody: harness.name(&format!("nobody-{local}")),
            missing: harness.name(&format!("missing-{local}")),
        })
    }

    fn publication(&self, fate: PublishOutcome, text: String) -> Publication {
        match fate {
            PublishOutcome::Routed => to(&self.good, text),
            PublishOutcome::Unroutable => to(&self.nobody, text),
            PublishOutcome::Nacked => to(&self.full, text),
            PublishOutcome::Refused => Publication::new(&self.missing, short("k"), text),
        }
    }

    /// Publishes concurrently with these outcomes, and compares each outcome, each returned publication, and the final content of the good
    /// queue.
    async fn try_out(&self, peer: &Peer, fates: impl Iterator<Item = PublishOutcome>) -> Kept {
        let planned: Vec<(PublishOutcome, Publication)> = fates
            .enumerate()
            .map(|(number, fate)| (fate, self.publication(fate, number.to_string())))
            .collect();
        let started = peer.start(planned.iter().map(|(_, publication)| publication.clone()).collect()).await;
        for ((fate, publication), outcome) in planned.iter().zip(peer.outcomes(started).await?) {
            let text = String::from_utf8_lossy(&publication.body);
            same(&format!("the outcome of publish {text}"), &PublishOutcome::of(&outcome)?, fate)?;
            if let Err(unpublished) = outcome {
                same("the publication that came back", &*unpublished.publication, publication)?;
            }
        }
        let routed = planned.iter().filter(|(fate, _)| *fate == PublishOutcome::Routed);
        let expected: Vec<_> = routed.map(|(_, publication)| publication.body.clone()).collect();
        let mut tap = peer.tap(&self.good, 100).await?;
        for text in &expected {
            let delivery = tap.next().await?;
            same("the next message in the good queue", delivery.body(), text)?;
            settled("ack", delivery.ack())?;
        }
        same("messages left in the good queue", &peer.ready(&self.good).await?, &0)
    }
}

async fn many(harness: Harness) -> Kept {
    let peer = harness.session().await?;
    let addresses = Addresses::declare(&harness, &peer, "a").await?;
    let fates = [PublishOutcome::Routed, PublishOutcome::Unroutable, PublishOutcome::Nacked];
    // Runs of one outcome and quick changes: three steps of the first to twelve of the last.
    addresses.try_out(&peer, (0..600).map(|number| fates[(number * number / 7) % 3])).await
}

async fn no_harm(harness: Harness) -> Kept {
    let peer = harness.session().await?;
    let queue = peer.a_queue("good").await?;
    let missing = harness.name("missing");
    let publication = |number: usize| match number % 20 {
        7 => Publication::new(&missing, short("k"), "m"),
        _ => to(&queue, number.to_string()),
    };
    let outcomes = peer.outcomes(peer.start((0..200).map(publication).collect()).await).await?;
    for (number, outcome) in outcomes.iter().enumerate() {
        let expected = if number % 20 == 7 { PublishOutcome::Refused } else { PublishOutcome::Routed };
        same(&format!("the outcome of publish {number}"), &PublishOutcome::of(outcome)?, &expected)?;
    }
    same("messages in the queue", &peer.ready(&queue).await?, &190)
}

async fn concurrent(harness: Harness) -> Kept {
    let (first, second) = harness.two_sessions().await?;
    let mine = Addresses::declare(&harness, &first, "a").await?;
    let others = Addresses::declare(&harness, &second, "b").await?;
    let third = first.clone();
    let thirds = Addresses::declare(&harness, &third, "c").await?;
    let pattern = |shift: usize| {
        let fates = [
            PublishOutcome::Routed,
            PublishOutcome::Unroutable,
            PublishOutcome::Routed,
            PublishOutcome::Refused,
            PublishOutcome::Routed,
        ];
        (0..150).map(move |number| fates[(number + shift) % 5])
    };
    let outcomes = tokio::join!(
        mine.try_out(&first, pattern(0)),
        others.try_out(&second, pattern(1)),
        thirds.try_out(&third, pattern(2)),
    );
    outcomes.0.and(outcomes.1).and(outcomes.2)
}

async fn dropped_unpolled(harness: Harness) -> Kept {
    let peer = harness.session().await?;
    let queue = peer.a_queue("q").await?;
    drop(peer.publish(to(&queue, "dropped")));
    peer.fill(&queue, &["sent"]).await?;
    peer.holds(&queue, &["sent"]).await
}

async fn dropped_polled(harness: Harness) -> Kept {
    let peer = harness.session().await?;
    let queue = peer.a_queue("q").await?;
    let exchange = peer.an_exchange("x", ExchangeKind::Fanout).await?;
    for number in 0..50 {
        drop(peer.start(vec![Publication::new(&exchange, short(""), "nobody hears it")]).await);
        drop(peer.start(vec![to(&queue, format!("dropped {number}"))]).await);
        peer.send(to(&queue, format!("kept {number}"))).await?;
    }
    let bodies = peer.drain(&queue).await?;
    let kept: Vec<_> = bodies.into_iter().filter(|text| text.starts_with("kept")).collect();
    let expected: Vec<_> = (0..50).map(|number| format!("kept {number}")).collect();
    same("the messages that were waited for", &kept, &expected)
}

async fn held(harness: Harness) -> Kept {
    let peer = harness.session().await?;
    let queue = peer.a_queue("q").await?;
    let held = peer.start(vec![to(&queue, "held")]).await;
    let managed =
        harness.done("checking a queue meanwhile", peer.admin().declare_queue_passive(&queue)).await;
    peer.fill(&queue, &["other"]).await?;
    managed?;
    for outcome in peer.outcomes(held).await? {
        outcome.map_err(|unpublished| Fault::new("the held publish is taken", unpublished))?;
    }
    peer.holds(&queue, &["held", "other"]).await
}
