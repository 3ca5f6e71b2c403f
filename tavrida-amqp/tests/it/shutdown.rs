//! Orderly shutdown: stop consuming, let running handlers end, settle, close; with a limit for all of that.

use std::collections::BTreeSet;
use std::time::Duration;

use futures_util::future::join_all;
use tavrida::Health;
use tavrida_rabbitmq::Node;
use tokio::time::{Instant, sleep};

use crate::support::{Place, count, drain, poll_once, soon};
use crate::town::{Notes, client, eventually, held_by_alarm, serve, server, work};

/// Publishes calls to the queue, and waits until `under_way` of them are being handled.
async fn busy(uri: &str, notes: &Notes, casts: i64, under_way: usize) {
    let client = client(uri).await;
    for n in 0..casts {
        client.to("work.gated").param("n", n).cast().await.unwrap();
    }
    notes.reach(under_way).await;
    client.close().await;
}

#[tokio::test]
async fn a_server_that_is_stopped_ends_what_is_under_way_and_gives_the_rest_back() {
    let (place, notes) = (Place::new().await, Notes::new());
    let uri = place.vhost.uri();
    let (handle, serving) = serve(server(&uri, work(&notes)).concurrency(4).prefetch(10)).await;
    busy(&uri, &notes, 20, 4).await;
    let client = client(&uri).await;
    let mut asking = Box::pin(client.to("work.echo").ask());
    assert!(poll_once(&mut asking).is_pending());

    handle.stop();
    eventually("what was sent ahead is back", async || count(&place.session, "work").await >= 16).await;
    assert_eq!(notes.all().len(), 4, "nothing new begins");
    assert!(!serving.is_finished());
    notes.open_gate();

    soon(serving).await.unwrap().unwrap();
    assert_eq!(handle.health(), Health::Stopped);
    assert_eq!((handle.counters().handled, handle.counters().in_flight), (4, 0));
    let done: BTreeSet<_> =
        notes.all().iter().filter_map(|note| note.strip_prefix("end ").map(str::to_owned)).collect();
    let left = drain(&place.session, "work").await;
    let left: BTreeSet<_> = left
        .iter()
        .filter_map(|body| body.split_once("\"n\":")?.1.split_once('}').map(|(n, _)| n.to_owned()))
        .collect();
    let all: BTreeSet<_> = (0..20).map(|n| n.to_string()).collect();
    assert_eq!(done.len(), 4);
    assert_eq!(left, &all - &done, "what is done is settled, and what is not is there");
}

#[tokio::test]
async fn what_is_not_done_by_the_deadline_goes_back_to_the_queue() {
    let (place, notes) = (Place::new().await, Notes::new());
    let uri = place.vhost.uri();
    let limited = server(&uri, work(&notes)).shutdown_timeout(Duration::from_millis(300));
    let (handle, serving) = serve(limited).await;
    busy(&uri, &notes, 5, 5).await;

    let begin = Instant::now();
    handle.stop();
    soon(serving).await.unwrap().unwrap();

    assert!((Duration::from_millis(300)..Duration::from_secs(6)).contains(&begin.elapsed()));
    eventually("all are back", async || count(&place.session, "work").await == 5).await;
    let fetched = place.session.get("work").await.unwrap().unwrap();
    assert!(fetched.delivery.redelivered());
    assert!(notes.all().iter().all(|note| note.starts_with("begin")), "they were dropped");
}

/// During an alarm the broker reads nothing from a publisher: neither a publish nor a close.
#[tokio::test]
async fn an_alarm_of_the_broker_does_not_keep_a_server_or_a_client_from_ending() {
    let (node, notes) = (Node::start().await.unwrap(), Notes::new());
    let (handle, serving) = serve(server(&node.uri(), work(&notes))).await;
    let client = client(&node.uri()).await;
    node.set_memory_watermark(0.0).await.unwrap();
    let held = held_by_alarm(&client, 1).await;

    handle.stop();
    let ending = async { tokio::join!(serving, client.close()).0 };
    soon(ending).await.unwrap().unwrap();

    assert!(soon(held).await.unwrap().is_err(), "it is told that it was not sent, or not surely");
    node.set_memory_watermark(0.4).await.unwrap();
}

#[tokio::test]
async fn clients_that_close_with_sends_under_way_wait_for_their_confirms() {
    let place = Place::new().await;
    let uri = place.vhost.uri();
    let (handle, serving) = serve(server(&uri, work(&Notes::new()))).await;
    handle.stop();
    soon(serving).await.unwrap().unwrap();
    let client = client(&uri).await;
    let sends: Vec<_> = (0..500).map(|n| tokio::spawn(client.to("work.note").param("n", n).cast())).collect();
    sleep(Duration::from_millis(1)).await;
    client.close().await;

    let sent = join_all(sends).await.into_iter().filter(|sent| sent.as_ref().unwrap().is_ok()).count();
    assert_eq!(count(&place.session, "work").await as usize, sent, "each is confirmed, or was not sent");
}
