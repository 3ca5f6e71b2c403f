//! The broker of a run behaves like the version of RabbitMQ that the scenario names.

use tavrida::prelude::*;
use tavrida_testkit::sim::{RabbitMq, Setup, Sim, Verdict};

/// A service with asks and an event in its handler, as most have.
async fn shop(sim: Sim) -> Result<()> {
    let till = || Service::new("till").rpc("pay", async || {});
    async fn buy(proxy: Proxy) -> Result<()> {
        proxy.to("till.pay").ask().await?;
        Ok(())
    }
    let shop = || Service::new("shop").rpc("buy", buy);
    let graph = sim.graph().service(till).service(shop).client("web").start().await;
    graph.client("web").to("shop.buy").ask().await?;
    Ok(())
}

/// RabbitMQ 4 sorts the headers of what it delivers: that is no other message than the one that was sent.
#[test]
fn the_laws_hold_whatever_the_version() {
    for version in [RabbitMq::V3_10, RabbitMq::V4_0] {
        let finished = Setup::new(1).run(async |sim: Sim| {
            sim.like(version);
            shop(sim).await
        });
        assert_eq!(finished.verdict, Verdict::Passed, "{version}");
    }
}

/// Priorities of quorum queues came with 4.0.
#[test]
fn what_a_queue_delivers_first_depends_on_the_version() {
    use tavrida::field::ShortString;
    use tavrida::transport::{Publication, Queue, Transport};

    let bodies = |version| {
        let bodies = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
        let seen = bodies.clone();
        let finished = Setup::new(1).run(async move |sim: Sim| {
            sim.like(version);
            let session = sim.transport("stranger").connect().await.unwrap();
            let quorum = Queue::durable(ShortString::from_static("q"))
                .argument(ShortString::from_static("x-queue-type"), "quorum");
            session.admin().declare_queue(&quorum).await.unwrap();
            for (body, priority) in [("low", 1), ("high", 9)] {
                let mut publication =
                    Publication::new(ShortString::default(), ShortString::from_static("q"), body.to_owned());
                publication.properties.priority = Some(priority);
                session.publish(publication).await.unwrap();
            }
            while let Some(got) = session.get("q").await.unwrap() {
                seen.lock().unwrap().push(String::from_utf8_lossy(got.delivery.body()).into_owned());
                got.delivery.ack().unwrap();
            }
        });
        assert_eq!(finished.verdict, Verdict::Passed, "{version}");
        std::mem::take(&mut *bodies.lock().unwrap())
    };
    assert_eq!(bodies(RabbitMq::V3_10), ["low", "high"]);
    assert_eq!(bodies(RabbitMq::V4_0), ["high", "low"]);
}

#[test]
#[should_panic(expected = "it comes first, and once")]
fn a_broker_that_somebody_uses_is_what_it_is() {
    let finished = Setup::new(1).run(async |sim: Sim| {
        shop(sim.clone()).await?;
        sim.like(RabbitMq::V4_0);
        Ok::<_, Failure>(())
    });
    if let Verdict::Failed(problem) = finished.verdict {
        panic!("{problem}");
    }
}
