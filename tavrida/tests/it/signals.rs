//! A running server ends on a signal, in good order.

use std::process::Command;
use std::time::Duration;

use tavrida::prelude::*;

use crate::town::Town;

#[tokio::test]
async fn sigterm_stops_a_server_that_runs() {
    let town = Town::new();
    let server = town.server(Service::new("work").rpc("do", || async {})).build().expect("a server");
    let handle = server.handle();
    let running = tokio::spawn(server.run());
    handle.ready(Duration::from_secs(30)).await.expect("it comes up");
    // Sent to this process: the server listens, so that nothing else is ended by it.
    let sent =
        Command::new("kill").args(["-TERM", &std::process::id().to_string()]).status().expect("kill runs");
    assert!(sent.success());
    let ended = tokio::time::timeout(Duration::from_secs(30), running).await.expect("it ends");
    ended.expect("no panic").expect("in good order");
    assert_eq!(handle.health(), tavrida::Health::Stopped);
}
