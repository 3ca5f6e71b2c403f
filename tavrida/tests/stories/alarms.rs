//! During an alarm the broker reads nothing from a publisher: neither a publish nor a close.

use std::time::Duration;

use tavrida::Health;
use tavrida::prelude::*;

use super::Operator;
use super::fixture::{Notes, client, eventually, held_by_alarm, run, serve, server, soon, work};

pub(crate) async fn an_alarm_shows_in_health_and_holds_what_is_sent_until_its_end<O: Operator>() {
    let (broker, notes) = (O::begin().await, Notes::new());
    let handle = run(server(broker.transport(), work(&notes))).await;
    let client = client(broker.transport()).await;
    client.to("work.note").param("n", 0).cast().await.expect("sent");

    broker.block().await;
    let held = held_by_alarm(&client, 1).await;
    assert_eq!(client.health(), Health::Blocked { why: "low on memory".to_owned() });
    let asking = client.to("work.echo").ask().timeout(Duration::from_millis(300));
    assert!(soon(asking).await.expect_err("it is held").is_timeout(), "an ask does not outlast its time");
    assert!(!held.is_finished());
    assert_eq!(handle.health(), Health::Ready, "it has nothing to publish");

    broker.unblock().await;
    assert_eq!(soon(held).await.expect("no panic").expect("sent"), Sent::Routed);
    eventually("the alarm is over", async || client.health() == Health::Ready).await;
    notes.until(|notes| notes.iter().any(|note| note == "1")).await;
    assert_eq!(handle.health(), Health::Ready);
    assert_eq!((handle.counters().losses, client.counters().losses), (0, 0));
}

pub(crate) async fn an_alarm_does_not_keep_a_server_or_a_client_from_ending<O: Operator>() {
    let (broker, notes) = (O::begin().await, Notes::new());
    let (handle, serving) = serve(server(broker.transport(), work(&notes))).await;
    let client = client(broker.transport()).await;
    broker.block().await;
    let held = held_by_alarm(&client, 1).await;

    handle.stop();
    let ending = async { tokio::join!(serving, client.close()).0 };
    soon(ending).await.expect("no panic").expect("it ends well");

    assert!(soon(held).await.expect("no panic").is_err(), "it is told that it was not sent, or not surely");
    broker.unblock().await;
}
