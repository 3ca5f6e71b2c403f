//! The task that watches both connections: the end of one is the end of both.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use lapin::Event;
use tavrida::transport::ConnectionLost;
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};

use super::{Liveness, OpenConnection};
use crate::wire::{Closed, interpret};

/// How long the broker may take to answer a close. Then the socket is cut.
pub(crate) const CLOSE_TIMEOUT: Duration = Duration::from_secs(5);

/// lapin reports each end as an event, except one whose code it does not know. Polling finds that one.
const CHECK_INTERVAL: Duration = Duration::from_secs(1);

/// Ends a life if the watching task is dropped, because the runtime was shut down.
struct Watcher(Arc<Liveness>);

impl Drop for Watcher {
    fn drop(&mut self) {
        self.0.lose(ConnectionLost::broken("the runtime was shut down"));
        self.0.mark_closed();
    }
}

/// Watches until one of the connections ends, or `life` does; then runs `last`, which may still write, and closes both.
pub(super) fn watch(
    life: Arc<Liveness>,
    publisher: OpenConnection,
    consumer: OpenConnection,
    last: impl FnOnce() + Send + 'static,
) {
    // Made here, so that it is dropped with a task that is never polled, too.
    let watcher = Watcher(life.clone());
    tokio::spawn(async move {
        let _watcher = watcher;
        let mut publisher = WatchedConnection::new(publisher, life.clone());
        let mut consumer = WatchedConnection::new(consumer, life.clone());
        tokio::select! {
            biased;
            _ = life.ended() => {}
            () = publisher.watch(|blocked| life.set_blocked(blocked)) => {}
            // Nothing is published on it, so the broker does not block it.
            () = consumer.watch(|_| ()) => {}
        }
        last();
        tokio::join!(publisher.close(), consumer.close());
    });
}

/// Watches a single connection until its `life` ends, or the session does; then closes it.
pub(crate) fn watch_alone(life: Arc<Liveness>, session: Arc<Liveness>, opened: OpenConnection) {
    tokio::spawn(async move {
        let _watcher = Watcher(life.clone());
        let mut watched = WatchedConnection::new(opened, life.clone());
        tokio::select! {
            biased;
            _ = life.ended() => {}
            loss = session.ended() => { life.lose(loss); }
            () = watched.watch(|blocked| life.set_blocked(blocked)) => {}
        }
        watched.close().await;
    });
}

struct WatchedConnection {
    opened: OpenConnection,
    life: Arc<Liveness>,
}

impl WatchedConnection {
    fn new(opened: OpenConnection, life: Arc<Liveness>) -> Self {
        Self { opened, life }
    }

    /// Returns when the connection has ended; `life` then has the cause.
    async fn watch(&mut self, blocked: impl Fn(Option<String>)) {
        let mut checks = interval(CHECK_INTERVAL);
        checks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut due = Instant::now();
        loop {
            let event = tokio::select! {
                biased;
                event = self.opened.events.next() => {
                    self.life.judge_timer(due.elapsed());
                    event
                }
                _ = checks.tick() => {
                    self.life.judge_timer(due.elapsed());
                    due = Instant::now() + CHECK_INTERVAL;
                    if self.opened.connection.status().connected() { continue } else { None }
                }
            };
            match event {
                Some(Event::ConnectionBlocked(reason)) => blocked(Some(reason)),
                Some(Event::ConnectionUnblocked) => blocked(None),
                Some(Event::Error(error)) => {
                    // Channel errors also appear here; their owners handle them.
                    if let Closed::Connection(loss) = interpret(&error, self.life.endpoint()) {
                        self.life.lose(loss);
                        return;
                    }
                }
                Some(_) => {}
                None => {
                    self.life.lose(ConnectionLost::broken(format!(
                        "{}: the connection was closed",
                        self.life.endpoint()
                    )));
                    return;
                }
            }
        }
    }

    async fn close(self) {
        let OpenConnection { connection, cut, .. } = self.opened;
        // lapin would not write the close before the broker's alarm ends.
        let closed = !connection.status().blocked()
            && matches!(timeout(CLOSE_TIMEOUT, connection.close(200, "OK".into())).await, Ok(Ok(())));
        if !closed {
            cut.cut();
        }
    }
}
