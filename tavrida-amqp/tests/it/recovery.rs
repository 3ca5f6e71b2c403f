//! Effects of broker failures on whole servers and clients, with their health and counters.

use std::time::Duration;

use futures_util::future::join_all;
use tavrida::discovery::Registry;
use tavrida::prelude::*;
use tavrida::{Backoff, Health};
use tavrida_rabbitmq::{Node, Proxy as Wire};
use tokio::time::{Instant, sleep, timeout};

use crate::causes::{self, Cause};
use crate::fixture::{Notes, client, client_builder, consuming, eventually, run, server, work};
use crate::support::{Place, config, connect, count, soon};

/// The wire is silent: no loss is reported, and heartbeats detect it.
#[tokio::test]
async fn a_silent_wire_is_found_out_by_heartbeats_and_no_ask_hangs() {
    let (place, notes) = (Place::new().await, Notes::new());
    let wire = Wire::to(place.vhost.node()).await.unwrap();
    let uri = wire.uri_for(place.vhost.name());
    let handle = run(server(&uri, work(&notes))).await;
    let client = client(&uri).await;
    let asking = tokio::spawn(client.to("work.gated").param("n", 1).ask());
    notes.reach(1).await;

    wire.hold();
    eventually(
        "the silence shows before the loss",
        async || matches!(client.health(), Health::Blocked { why } if why.contains("nothing was received")),
    )
    .await;
    assert!(soon(asking).await.unwrap().is_err());
    eventually("both say so", async || {
        [handle.health(), client.health()].iter().all(|health| matches!(health, Health::Reconnecting { .. }))
    })
    .await;
    wire.release();
    notes.open_gate();

    consuming(&handle).await;
    assert!(soon(client.to("work.echo").ask()).await.is_ok());
    notes.until(|notes| notes.iter().filter(|note| *note == "end 1").count() == 2).await;
    eventually("nothing is left", async || count(&place.session, "work").await == 0).await;
}

/// One round of each; the bench `recovery` measures twenty.
#[tokio::test]
async fn after_each_cause_of_an_outage_a_server_with_default_delays_is_back() {
    let (node, notes) = (Node::start().await.unwrap(), Notes::new());
    let uri = causes::prepare(&node).await.unwrap();
    let backoff = Backoff::default();
    let handle = run(server(&uri, work(&notes)).reconnect(backoff.clone())).await;
    let client = client_builder(&uri).reconnect(backoff).build().await.unwrap();
    for (round, cause) in Cause::ALL.into_iter().enumerate() {
        let admin = connect(config(&node.uri_for(causes::VHOST))).await;
        cause.pass(&node, &*admin, "work", Duration::from_secs(2)).await.unwrap();
        let begin = Instant::now();
        eventually("a message is handled", async || {
            let _ = client.to("work.note").param("n", round as i64).cast().await;
            notes.all().contains(&round.to_string())
        })
        .await;
        println!("{cause:?}: handled again after {:?}", begin.elapsed());
        consuming(&handle).await;
    }
}

/// A service whose exchange exists without a queue, and one without an exchange.
fn strangers() -> Registry {
    Registry::new()
        .remote_service("work", "work_exchange")
        .remote_service("unbound", "work_exchange")
        .remote_service("missing", "no_exchange")
        .local_publisher("town", "town_notifications")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_outcome_is_told_and_counted_exactly_among_thousands_at_once() {
    let (place, notes) = (Place::new().await, Notes::new());
    let wire = Wire::to(place.vhost.node()).await.unwrap();
    let _server = run(server(&place.vhost.uri(), work(&notes))).await;
    let builder = client_builder(&wire.uri_for(place.vhost.name())).discovery(strangers());
    let client = builder.build().await.unwrap();

    let sends = (0..4_000).map(|n| {
        let client = client.clone();
        async move {
            match n % 8 {
                0 => client.publish().topic("town.silence").param("n", n).send().await,
                1 => client.to("unbound.note").param("n", n).cast().await,
                2 if n % 100 == 2 => client.to("missing.note").param("n", n).cast().await,
                _ => client.to("work.note").param("n", n).cast().await,
            }
        }
    });
    let told = soon(join_all(sends)).await;

    let mut routed = 0;
    for (n, told) in told.iter().enumerate() {
        let as_it_is = match n % 8 {
            0 => matches!(told, Ok(Sent::Unheard)),
            1 => matches!(told, Err(error) if error.is_unroutable()),
            2 if n % 100 == 2 => matches!(told, Err(error) if error.is_refused()),
            _ => {
                routed += 1;
                matches!(told, Ok(Sent::Routed))
            }
        };
        assert!(as_it_is, "{n}: {told:?}");
    }
    let counters = client.counters();
    assert_eq!((counters.unheard, counters.unroutable, counters.ambiguous), (500, 500, 0));
    assert_eq!(notes.reach(routed).await.len(), routed);

    // What is sent when the wire falls silent is unconfirmed when it breaks.
    wire.hold();
    let held = (0..300).map(|n| tokio::spawn(client.to("work.note").param("n", n).cast()));
    let held: Vec<_> = held.collect();
    sleep(Duration::from_millis(300)).await;
    wire.cut().await;
    wire.release();
    let held = timeout(crate::support::SOON, join_all(held)).await.unwrap();
    let ambiguous = held.iter().filter(|told| matches!(told, Ok(Err(error)) if error.is_ambiguous())).count();
    assert_eq!((ambiguous, client.counters().ambiguous), (300, 300));
}
