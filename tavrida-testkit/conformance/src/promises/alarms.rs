//! While the broker is short of memory or disk, publishes wait; all other operations continue.

use tavrida::transport::Publication;

use crate::Promise;
use crate::check::{Fault, Kept, holds, same, settled};
use crate::peer::Peer;
use crate::promise::promise;
use crate::stage::Stage;
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
async fn blocked(stage: &Stage, peer: &Peer, expected: bool) -> Kept {
    let what = if expected { "the session is blocked" } else { "the session is no longer blocked" };
    stage.until(what, async || Ok((peer.blocked().is_some() == expected).then_some(()))).await
}

/// Raises the alarm, and waits until a publisher is blocked.
async fn raise(stage: &Stage) -> Kept {
    let probe = stage.session().await?;
    let queue = probe.a_queue("probe").await?;
    stage.alarm(true).await?;
    stage
        .until("the alarm is in force", async || {
            drop(probe.start(vec![Publication::new(short(""), &queue, "m")]).await);
            Ok(probe.blocked())
        })
        .await
        .map(drop)
}

async fn told(stage: Stage) -> Kept {
    let peer = stage.session().await?;
    let queue = peer.a_queue("q").await?;
    for _ in 0..2 {
        raise(&stage).await?;
        let started = peer.start(vec![Publication::new(short(""), &queue, "m")]).await;
        blocked(&stage, &peer, true).await?;
        let reason = peer.blocked().unwrap_or_default();
        holds(!reason.trim().is_empty(), "the broker's reason", format_args!("{reason:?}"))?;
        stage.alarm(false).await?;
        blocked(&stage, &peer, false).await?;
        for outcome in peer.outcomes(started).await? {
            outcome.map_err(|unpublished| Fault::new("the publish is taken", unpublished))?;
        }
    }
    Ok(())
}

async fn waits(stage: Stage) -> Kept {
    let (publishing, looking) = stage.two_sessions().await?;
    let queue = publishing.a_queue("q").await?;
    raise(&stage).await?;
    let texts = ["a", "b", "c", "d"];
    let publications = texts.map(|text| Publication::new(short(""), &queue, text));
    let started = publishing.start(publications.to_vec()).await;
    blocked(&stage, &publishing, true).await?;
    same("messages that went through during the alarm", &looking.ready(&queue).await?, &0)?;
    stage.alarm(false).await?;
    for outcome in publishing.outcomes(started).await? {
        outcome.map_err(|unpublished| Fault::new("every publish is taken", unpublished))?;
    }
    looking.holds(&queue, &texts).await
}

async fn consumes(stage: Stage) -> Kept {
    let peer = stage.session().await?;
    let queue = peer.a_queue("q").await?;
    peer.fill(&queue, &["a", "b"]).await?;
    let mut tap = peer.tap(&queue, 1).await?;
    let first = tap.next().await?;
    raise(&stage).await?;
    let started = peer.start(vec![Publication::new(short(""), &queue, "c")]).await;
    blocked(&stage, &peer, true).await?;
    settled("ack during the alarm", first.ack())?;
    // With a prefetch of one it comes only after the broker has the acknowledgement.
    same("the next delivery", body(&tap.next().await?).as_str(), "b")?;
    stage.alarm(false).await?;
    peer.outcomes(started).await.map(drop)
}

async fn others(stage: Stage) -> Kept {
    let (publishing, other) = stage.two_sessions().await?;
    let queue = publishing.a_queue("q").await?;
    publishing.fill(&queue, &["m"]).await?;
    raise(&stage).await?;
    let started = publishing.start(vec![Publication::new(short(""), &queue, "late")]).await;
    blocked(&stage, &publishing, true).await?;
    other.tap(&queue, 1).await?.gives(&["m"]).await?;
    other.a_queue("another").await?;
    same("blocked", &other.blocked(), &None::<String>)?;
    stage.alarm(false).await?;
    publishing.outcomes(started).await.map(drop)
}
