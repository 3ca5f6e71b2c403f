//! Whole servers and clients over RabbitMQ: they work, and recover automatically from broker failures.

use tavrida::Health;
use tavrida::prelude::*;
use tavrida_rabbitmq::{Node, Proxy as Wire};

use crate::fixture::{Notes, client, consuming, eventually, other, run, server, work};
use crate::support::{Place, config, connect, count, name, soon};

#[tokio::test]
async fn calls_with_continuations_asks_and_notifications_arrive() {
    let (vhost, notes) = (tavrida_rabbitmq::shared_vhost().await.unwrap(), Notes::new());
    let uri = vhost.uri();
    let _servers = (run(server(&uri, work(&notes))).await, run(server(&uri, other())).await);
    let client = client(&uri).await;

    let sent = client.to("work.chain").param("n", 21).cast().await.unwrap();
    assert_eq!(sent, Sent::Routed);
    assert_eq!(notes.reach(1).await, ["doubled 42"]);

    let answer = soon(client.to("work.echo").ask()).await.unwrap();
    assert_eq!(answer.payload().get::<String>("from").unwrap(), "client_app");

    let heard = client.publish().topic("town.fanfare").param("n", 3).send().await.unwrap();
    let unheard = client.publish().topic("town.silence").send().await.unwrap();
    assert_eq!((heard, unheard), (Sent::Routed, Sent::Unheard));
    assert_eq!(notes.reach(2).await[1..], ["heard 3"]);
}

#[tokio::test]
async fn a_deleted_queue_is_consumed_again_though_all_handlers_are_busy_and_what_they_had_is_handled() {
    for (concurrency, prefetch) in [(1, 1), (1, 10), (4, 20)] {
        let (place, notes) = (Place::new().await, Notes::new());
        let uri = place.vhost.uri();
        let _server = run(server(&uri, work(&notes)).concurrency(concurrency).prefetch(prefetch)).await;
        let client = client(&uri).await;
        for n in 0..prefetch {
            client.to("work.gated").param("n", n).cast().await.unwrap();
        }
        notes.reach(concurrency).await;
        eventually("all are with the server", async || count(&place.session, "work").await == 0).await;

        place.session.admin().delete_queue("work", false, false).await.unwrap();
        eventually("there is a queue, and it is consumed", async || {
            place.session.admin().declare_queue_passive("work").await.is_ok_and(|queue| queue.consumers == 1)
        })
        .await;
        assert_eq!(notes.all().len(), concurrency, "no handler has come to its end");

        notes.open_gate();
        notes.until(|notes| (0..prefetch).all(|n| notes.contains(&format!("end {n}")))).await;
        client.to("work.note").param("n", 1).cast().await.unwrap();
        notes.until(|notes| notes.iter().any(|note| note == "1")).await;
    }
}

#[tokio::test]
async fn a_consumer_whose_queue_was_deleted_leaves_no_task_behind() {
    let tasks = || tokio::runtime::Handle::current().metrics().num_alive_tasks();
    let place = Place::new().await;
    let handle = run(server(&place.vhost.uri(), work(&Notes::new()))).await;
    let before = tasks();

    place.session.admin().delete_queue("work", false, false).await.unwrap();
    eventually("health tells of it", async || matches!(handle.health(), Health::Reconnecting { .. })).await;
    consuming(&handle).await;
    eventually("no more tasks than before", async || tasks() <= before).await;
}

#[tokio::test]
async fn topology_that_vanished_during_an_outage_is_declared_again() {
    let (place, notes) = (Place::new().await, Notes::new());
    let wire = Wire::to(place.vhost.node()).await.unwrap();
    let handle = run(server(&wire.uri_for(place.vhost.name()), work(&notes))).await;

    wire.refuse().await;
    wire.cut().await;
    place.session.admin().delete_queue("work", false, false).await.unwrap();
    place.session.admin().delete_exchange("work_exchange", false).await.unwrap();
    eventually("health tells of it", async || matches!(handle.health(), Health::Reconnecting { .. })).await;
    wire.accept().await.unwrap();

    consuming(&handle).await;
    client(&place.vhost.uri()).await.to("work.note").param("n", 1).cast().await.unwrap();
    assert_eq!(notes.reach(1).await, ["1"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_a_kill_of_the_broker_what_it_had_confirmed_is_handled() {
    let (node, notes) = (Node::start().await.unwrap(), Notes::new());
    let handle = run(server(&node.uri(), work(&notes)).prefetch(10)).await;
    let client = client(&node.uri()).await;
    // The broker writes declarations to its disk a little later; a kill must not come before.
    node.eval("mnesia:sync_log()").await.unwrap();
    for n in 0..50 {
        assert_eq!(client.to("work.gated").param("n", n).cast().await.unwrap(), Sent::Routed);
    }

    node.kill().await.unwrap();
    eventually("health tells of it", async || matches!(handle.health(), Health::Reconnecting { .. })).await;
    notes.open_gate();
    node.start_again().await.unwrap();

    consuming(&handle).await;
    let all_there = |notes: &[String]| (0..50).all(|n| notes.contains(&format!("end {n}")));
    notes.until(all_there).await;
    let session = connect(config(&node.uri())).await;
    assert_eq!(session.admin().declare_queue_passive(&name("work")).await.unwrap().consumers, 1);
    eventually("nothing is left", async || count(&session, "work").await == 0).await;
}
