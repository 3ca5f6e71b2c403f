//! A session lives until it ends, independent of others.

use futures_util::FutureExt;
use futures_util::future::join_all;

use crate::Promise;
use crate::check::{Fault, Kept, holds, same};
use crate::harness::Harness;
use crate::promise::promise;

pub(super) fn promises() -> Vec<Promise> {
    vec![
        promise("the endpoint says where it connects to", "contract", endpoint),
        promise("a session is alive after connecting, and not blocked", "contract", alive),
        promise("many sessions open at the same time", "contract", many),
        promise("many operations at once on one session each get their own answer", "contract", at_once),
        promise("a session works on when another one is closed", "contract", apart),
    ]
}

async fn endpoint(harness: Harness) -> Kept {
    holds(!harness.endpoint().trim().is_empty(), "an address for people", "an empty text")
}

async fn alive(harness: Harness) -> Kept {
    let peer = harness.session().await?;
    let queue = peer.a_queue("q").await?;
    peer.queue_exists(&queue, true).await?;
    same("blocked", &peer.blocked(), &None::<String>)?;
    match peer.closed().now_or_never() {
        None => Ok(()),
        Some(loss) => Err(Fault::new("a session without an end", loss)),
    }
}

async fn many(harness: Harness) -> Kept {
    let peers: Vec<_> =
        join_all((0..8).map(|_| harness.session())).await.into_iter().collect::<Result<_, _>>()?;
    let queue = peers[0].a_queue("q").await?;
    for peer in &peers {
        peer.fill(&queue, &["m"]).await?;
    }
    same("messages of 8 sessions", &peers[0].ready(&queue).await?, &8)
}

async fn at_once(harness: Harness) -> Kept {
    let peer = harness.session().await?;
    let checks = (0..24_u32).map(|number| {
        let (harness, peer) = (harness.clone(), peer.clone());
        tokio::spawn(async move {
            let queue = peer.a_queue(&format!("q{number}")).await?;
            for _ in 0..number {
                peer.fill(&queue, &["m"]).await?;
            }
            peer.queue_exists(&harness.name(&format!("missing{number}")), false).await?;
            same(&format!("messages in '{queue}'"), &peer.ready(&queue).await?, &number)
        })
    });
    for check in join_all(checks).await {
        check.map_err(|error| Fault::new("a task that ends", error))??;
    }
    Ok(())
}

async fn apart(harness: Harness) -> Kept {
    let (staying, leaving) = harness.two_sessions().await?;
    let queue = staying.a_queue("q").await?;
    let mut tap = staying.tap(&queue, 10).await?;
    leaving.finish().await?;
    staying.fill(&queue, &["after"]).await?;
    tap.gives(&["after"]).await
}
