//! A running server ends on a signal, in good order.

use std::process::Command;
use std::time::Duration;

use tavrida::prelude::*;
use tokio::sync::Mutex;

use crate::fixture::{Fixture, Notes};

/// A signal reaches every server of the process: one test at a time.
static ALONE: Mutex<()> = Mutex::const_new(());

/// To this very process: the server listens, so that no other part of it is ended.
fn terminate() {
    let sent =
        Command::new("kill").args(["-TERM", &std::process::id().to_string()]).status().expect("kill runs");
    assert!(sent.success());
}

#[tokio::test]
async fn sigterm_stops_a_server_that_runs() {
    let _alone = ALONE.lock().await;
    let fixture = Fixture::new();
    let server = fixture.server(Service::new("work").rpc("do", || async {})).build().expect("a server");
    let handle = server.handle();
    let running = tokio::spawn(server.run());
    handle.ready(Duration::from_secs(30)).await.expect("it comes up");
    terminate();
    let ended = tokio::time::timeout(Duration::from_secs(30), running).await.expect("it ends");
    ended.expect("no panic").expect("in good order");
    assert_eq!(handle.health(), tavrida::Health::Stopped);
}

#[tokio::test]
async fn a_second_sigterm_ends_the_drain() {
    async fn never(notes: State<Notes>) {
        notes.add("begin");
        std::future::pending().await
    }
    let _alone = ALONE.lock().await;
    let (fixture, notes) = (Fixture::new(), Notes::default());
    let service = Service::new("work").state(notes.clone()).rpc("never", never);
    let server =
        fixture.server(service).shutdown_timeout(Duration::from_secs(3600)).build().expect("a server");
    let handle = server.handle();
    let mut running = tokio::spawn(server.run());
    handle.ready(Duration::from_secs(30)).await.expect("it comes up");
    fixture.client(&["work"]).await.to("work.never").cast().await.expect("sent");
    notes.reach(1).await;

    terminate();
    // Signals of one kind that are pending at the same time are one: the second is sent once the first has had its effect.
    let stops = async {
        while fixture
            .session()
            .await
            .admin()
            .declare_queue_passive("work")
            .await
            .expect("the queue is there")
            .consumers
            > 0
        {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), stops).await.expect("it stops taking");
    assert!(tokio::time::timeout(Duration::from_millis(100), &mut running).await.is_err(), "it drains");
    terminate();
    let ended = tokio::time::timeout(Duration::from_secs(30), running).await.expect("it ends");
    ended.expect("no panic").expect("in good order");
    assert_eq!(fixture.depth("work").await, 1);
}
