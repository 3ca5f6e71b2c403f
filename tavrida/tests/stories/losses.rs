//! Lost sessions, a restarted broker, a deleted queue: servers and clients recover automatically.

use tavrida::Health;
use tavrida::prelude::*;

use super::fixture::{Notes, client, consuming, count, eventually, is_lost, run, server, soon, work};
use super::{Broker, Operator};

pub(crate) async fn after_lost_sessions_server_and_client_are_back_and_no_ask_hangs<O: Operator>() {
    let (broker, notes) = (O::begin().await, Notes::new());
    let handle = run(server(broker.transport(), work(&notes))).await;
    let client = client(broker.transport()).await;
    let asking = tokio::spawn(client.to("work.gated").param("n", 1).ask());
    notes.reach(1).await;
    assert_eq!(handle.health(), Health::Ready);

    broker.close_sessions("maintenance").await;
    eventually("health tells of the loss", async || {
        [handle.health(), client.health()]
            .iter()
            .all(|health| matches!(health, Health::Reconnecting { why, .. } if why.contains("maintenance")))
    })
    .await;
    let lost = soon(asking).await.expect("no panic").expect_err("the session is lost");
    assert!(is_lost::<O>(&lost), "{lost:?}");

    notes.open_gate();
    client.to("work.note").param("n", 2).cast().await.expect("the client waits for its session");
    assert!(soon(client.to("work.echo").ask()).await.is_ok());
    assert_eq!((handle.health(), client.health()), (Health::Ready, Health::Ready));
    assert_eq!((handle.counters().losses, client.counters().losses), (1, 1));
    // The interrupted message is handled again: its settlement came too late.
    notes.until(|notes| notes.iter().filter(|note| *note == "end 1").count() == 2).await;
    notes.until(|notes| notes.iter().any(|note| note == "2")).await;
}

/// All its handlers are busy, so that it does not ask for more.
pub(crate) async fn after_a_restart_of_the_broker_topology_consumers_and_messages_are_there<O: Operator>() {
    let (broker, notes) = (O::begin().await, Notes::new());
    let handle = run(server(broker.transport(), work(&notes)).concurrency(2).prefetch(4)).await;
    let client = client(broker.transport()).await;
    for n in 0..10 {
        client.to("work.gated").param("n", n).cast().await.expect("sent");
    }
    notes.reach(2).await;

    broker.stop().await;
    let down = |health: Health| matches!(health, Health::Reconnecting { attempts: 1.., .. });
    eventually("both say so", async || down(handle.health()) && down(client.health())).await;
    let waiting = tokio::spawn(client.to("work.note").param("n", 99).cast());
    notes.open_gate();
    broker.start_again().await;

    consuming(&handle).await;
    assert_eq!(soon(waiting).await.expect("no panic").expect("sent"), Sent::Routed);
    let all_there = |notes: &[String]| {
        notes.iter().any(|note| note == "99") && (0..10).all(|n| notes.contains(&format!("end {n}")))
    };
    notes.until(all_there).await;
    let session = broker.session().await;
    assert_eq!(session.admin().declare_queue_passive("work").await.expect("it is there").consumers, 1);
    eventually("nothing is left", async || count(&session, "work").await == 0).await;
    assert!(soon(client.to("work.echo").ask()).await.is_ok());
}

pub(crate) async fn a_deleted_queue_is_declared_and_consumed_again_within_the_session<B: Broker>() {
    let (broker, notes) = (B::begin().await, Notes::new());
    let handle = run(server(broker.transport(), work(&notes))).await;
    let client = client(broker.transport()).await;

    broker.session().await.admin().delete_queue("work", false, false).await.expect("deleted");
    eventually("health tells of it", async || matches!(handle.health(), Health::Reconnecting { .. })).await;
    consuming(&handle).await;
    client.to("work.note").param("n", 1).cast().await.expect("routed");
    assert_eq!(notes.reach(1).await, ["1"]);
    assert_eq!(handle.counters().losses, 0, "the session was never lost");
}
