//! Orderly shutdown: stop consuming, let running handlers end, settle, close; with a limit for all of that.

use std::collections::BTreeSet;
use std::time::Duration;

use futures_util::FutureExt;
use tavrida::Health;
use tokio::time::Instant;

use super::Broker;
use super::fixture::{Notes, client, count, drain, eventually, serve, server, soon, work};

/// Publishes calls to the queue, and waits until `under_way` of them are being handled.
async fn busy(broker: &impl Broker, notes: &Notes, casts: i64, under_way: usize) {
    let client = client(broker.transport()).await;
    for n in 0..casts {
        client.to("work.gated").param("n", n).cast().await.expect("sent");
    }
    notes.reach(under_way).await;
    client.close().await;
}

pub(crate) async fn a_server_that_is_stopped_ends_what_is_under_way_and_gives_the_rest_back<B: Broker>() {
    let (broker, notes) = (B::begin().await, Notes::new());
    let (handle, serving) = serve(server(broker.transport(), work(&notes)).concurrency(4).prefetch(10)).await;
    busy(&broker, &notes, 20, 4).await;
    let (session, client) = (broker.session().await, client(broker.transport()).await);
    let mut asking = client.to("work.echo").ask();
    assert!((&mut asking).now_or_never().is_none());

    handle.stop();
    eventually("what was sent ahead is back", async || count(&session, "work").await >= 16).await;
    assert_eq!(notes.all().len(), 4, "nothing new begins");
    assert!(!serving.is_finished());
    notes.open_gate();

    soon(serving).await.expect("no panic").expect("it ends well");
    assert_eq!(handle.health(), Health::Stopped);
    assert_eq!((handle.counters().handled, handle.counters().in_flight), (4, 0));
    let done: BTreeSet<_> =
        notes.all().iter().filter_map(|note| note.strip_prefix("end ").map(str::to_owned)).collect();
    let left = drain(&session, "work").await;
    let left: BTreeSet<_> = left
        .iter()
        .filter_map(|body| body.split_once("\"n\":")?.1.split_once('}').map(|(n, _)| n.to_owned()))
        .collect();
    let all: BTreeSet<_> = (0..20).map(|n| n.to_string()).collect();
    assert_eq!(done.len(), 4);
    assert_eq!(left, &all - &done, "what is done is settled, and what is not is there");
}

pub(crate) async fn what_is_not_done_by_the_deadline_goes_back_to_the_queue<B: Broker>() {
    const LIMIT: Duration = Duration::from_millis(300);
    let (broker, notes) = (B::begin().await, Notes::new());
    let limited = server(broker.transport(), work(&notes)).shutdown_timeout(LIMIT);
    let (handle, serving) = serve(limited).await;
    busy(&broker, &notes, 5, 5).await;

    let begin = Instant::now();
    handle.stop();
    soon(serving).await.expect("no panic").expect("it ends well");

    assert!((LIMIT..LIMIT + B::LATENCY).contains(&begin.elapsed()), "{:?}", begin.elapsed());
    let session = broker.session().await;
    eventually("all are back", async || count(&session, "work").await == 5).await;
    let fetched = session.get("work").await.expect("it is there").expect("a message");
    assert!(fetched.delivery.redelivered());
    assert!(notes.all().iter().all(|note| note.starts_with("begin")), "they were dropped");
}
