//! While the broker is short of memory or disk, publishes wait; all other operations continue.

use tavrida::transport::Publication;

use crate::Promise;
use crate::check::{Fault, Kept, holds, same, settled};
use crate::harness::Harness;
use crate::peer::Peer;
use crate::promise::promise;
use crate::values::{body, short};

pub(super) fn promises() -> Vec<Promise> {
    vec![
        promise("a session that publishes is told that it is blocked, and when it is no more", "R10", told),
        promise("what is published meanwhile waits, and is taken afterwards in order", "R10", waits),
        promise("a session that is blocked consumes and settles as before", "contract", consumes),
        promise("a session that does not publish is not blocked", "R10", others),
    ]
    .into_iter()
    .map(Promise::needing_alarm)
    .collect()
}

/// Waits until a session is blocked, or no longer blocked.
async fn blocked(harness: &Harness, peer: &Peer, expected: bool) -> Kept {
    let what = if expected { "the session is blocked" } else { "the session is no longer blocked" };
    harness.until(what, async || Ok((peer.blocked().is_some() == expected).then_some(()))).await
}

/// Raises the alarm, and waits until a publisher is blocked.
async fn raise(harness: &Harness) -> Kept {
    let probe = harness.session().await?;
    let queue = probe.a_queue("probe").await?;
    harness.alarm(true).await?;
    harness
        .until("the alarm is in force", async || {
            drop(probe.start(vec![Publication::new(short(""), &queue, "m")]).await);
            Ok(probe.blocked())
        })
        .await
        .map(drop)
}

async fn told(harness: Harness) -> Kept {
    let peer = harness.session().await?;
    let queue = peer.a_queue("q").await?;
    for _ in 0..2 {
        raise(&harness).await?;
        let started = peer.start(vec![Publication::new(short(""), &queue, "m")]).await;
        blocked(&harness, &peer, true).await?;
        let reason = peer.blocked().unwrap_or_default();
        holds(!reason.trim().is_empty(), "the broker's reason", format_args!("{reason:?}"))?;
        harness.alarm(false).await?;
        blocked(&harness, &peer, false).await?;
        for outcome in peer.outcomes(started).await? {
            outcome.map_err(|unpublished| Fault::new("the publish is taken", unpublished))?;
        }
    }
    Ok(())
}

async fn waits(harness: Harness) -> Kept {
    let (publishing, looking) = harness.two_sessions().await?;
    let queue = publishing.a_queue("q").await?;
    raise(&harness).await?;
    let texts = ["a", "b", "c", "d"];
    let publications = texts.map(|text| Publication::new(short(""), &queue, text));
    let started = publishing.start(publications.to_vec()).await;
    blocked(&harness, &publishing, true).await?;
    same("messages that went through during the alarm", &looking.ready(&queue).await?, &0)?;
    harness.alarm(false).await?;
    for outcome in publishing.outcomes(started).await? {
        outcome.map_err(|unpublished| Fault::new("every publish is taken", unpublished))?;
    }
    looking.holds(&queue, &texts).await
}

async fn consumes(harness: Harness) -> Kept {
    let peer = harness.session().await?;
    let queue = peer.a_queue("q").await?;
    peer.fill(&queue, &["a", "b"]).await?;
    let mut tap = peer.tap(&queue, 1).await?;
    let first = tap.next().await?;
    raise(&harness).await?;
    let started = peer.start(vec![Publication::new(short(""), &queue, "c")]).await;
    blocked(&harness, &peer, true).await?;
    settled("ack during the alarm", first.ack())?;
    // With a prefetch of one it comes only after the broker has the acknowledgement.
    same("the next delivery", body(&tap.next().await?).as_str(), "b")?;
    harness.alarm(false).await?;
    peer.outcomes(started).await.map(drop)
}

async fn others(harness: Harness) -> Kept {
    let (publishing, other) = harness.two_sessions().await?;
    let queue = publishing.a_queue("q").await?;
    publishing.fill(&queue, &["m"]).await?;
    raise(&harness).await?;
    let started = publishing.start(vec![Publication::new(short(""), &queue, "late")]).await;
    blocked(&harness, &publishing, true).await?;
    other.tap(&queue, 1).await?.gives(&["m"]).await?;
    other.a_queue("another").await?;
    same("blocked", &other.blocked(), &None::<String>)?;
    harness.alarm(false).await?;
    publishing.outcomes(started).await.map(drop)
}
