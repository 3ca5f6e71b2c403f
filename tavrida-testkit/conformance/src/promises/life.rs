//! A session lives until it ends, independent of others.

use futures_util::FutureExt;
use futures_util::future::join_all;

use crate::Promise;
use crate::check::{Fault, Kept, holds, same};
use crate::promise::promise;
use crate::stage::Stage;

pub(super) fn promises() -> Vec<Promise> {
    vec![
        promise("the endpoint says where it connects to", "contract", endpoint),
        promise("a session is alive after connecting, and not blocked", "contract", alive),
        promise("many sessions open at the same time", "contract", many),
        promise("many operations at once on one session each get their own answer", "contract", at_once),
        promise("a session works on when another one is closed", "contract", apart),
    ]
}

async fn endpoint(stage: Stage) -> Kept {
    holds(!stage.endpoint().trim().is_empty(), "an address for people", "an empty text")
}

async fn alive(stage: Stage) -> Kept {
    let peer = stage.session().await?;
    let queue = peer.a_queue("q").await?;
    peer.queue_exists(&queue, true).await?;
    same("blocked", &peer.blocked(), &None::<String>)?;
    match peer.closed().now_or_never() {
        None => Ok(()),
        Some(loss) => Err(Fault::new("a session without an end", loss)),
    }
}

async fn many(stage: Stage) -> Kept {
    let peers: Vec<_> =
        join_all((0..8).map(|_| stage.session())).await.into_iter().collect::<Result<_, _>>()?;
    let queue = peers[0].a_queue("q").await?;
    for peer in &peers {
        peer.fill(&queue, &["m"]).await?;
    }
    same("messages of 8 sessions", &peers[0].ready(&queue).await?, &8)
}

async fn at_once(stage: Stage) -> Kept {
    let peer = stage.session().await?;
    let checks = (0..24_u32).map(|number| {
        let (stage, peer) = (stage.clone(), peer.clone());
        tokio::spawn(async move {
            let queue = peer.a_queue(&format!("q{number}")).await?;
            for _ in 0..number {
                peer.fill(&queue, &["m"]).await?;
            }
            peer.queue_exists(&stage.name(&format!("missing{number}")), false).await?;
            same(&format!("messages in '{queue}'"), &peer.ready(&queue).await?, &number)
        })
    });
    for check in join_all(checks).await {
        check.map_err(|error| Fault::new("a task that ends", error))??;
    }
    Ok(())
}

async fn apart(stage: Stage) -> Kept {
    let (staying, leaving) = stage.two_sessions().await?;
    let queue = staying.a_queue("q").await?;
    let mut tap = staying.tap(&queue, 10).await?;
    leaving.finish().await?;
    staying.fill(&queue, &["after"]).await?;
    tap.gives(&["after"]).await
}
