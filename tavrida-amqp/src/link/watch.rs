//! The task that watches both connections of a session: the end of one is the end of both.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use lapin::{Connection, Event};
use tavrida::transport::ConnectionLost;
use tokio::sync::oneshot;
use tokio::time::{MissedTickBehavior, interval, timeout};

use super::dial::Cut;
use super::{Dialled, Life};
use crate::wire::{Fate, fate};

/// How long the broker may take to answer a close. Then the socket is cut.
const FAREWELL: Duration = Duration::from_secs(5);

/// lapin reports each end as an event, except one whose code it does not know. Polling finds that one.
const LOOK: Duration = Duration::from_secs(1);

/// Signals that both connections are closed: `Ok` if the broker has read all acks. (It has all publishes once it has confirmed them.)
pub(crate) type Over = oneshot::Receiver<Result<(), ConnectionLost>>;

/// Watches until one of the connections ends, or `life` does; then runs `last`, which may still write, and closes both. The result of
/// `last` is dropped after that.
pub(crate) fn watch<K: Send>(
    life: Arc<Life>,
    publisher: Dialled,
    consumer: Dialled,
    last: impl FnOnce() -> K + Send + 'static,
) -> Over {
    let (over, when_over) = oneshot::channel();
    tokio::spawn(async move {
        let mut publisher = Side::new(publisher, life.clone());
        let mut consumer = Side::new(consumer, life.clone());
        tokio::select! {
            biased;
            _ = life.ended() => {}
            () = publisher.watch(|blocked| life.set_blocked(blocked)) => {}
            // Nothing is published on it, so the broker does not block it.
            () = consumer.watch(|_| ()) => {}
        }
        let _kept = last();
        let (_, consumer) = tokio::join!(publisher.close(), consumer.close());
        life.bury();
        // Nothing waits for it if the session was lost.
        let _ = over.send(consumer);
    });
    when_over
}

struct Side {
    dialled: Dialled,
    life: Arc<Life>,
}

impl Side {
    fn new(dialled: Dialled, life: Arc<Life>) -> Self {
        Self { dialled, life }
    }

    /// Returns when the connection has ended; `life` then has the cause.
    async fn watch(&mut self, blocked: impl Fn(Option<String>)) {
        let mut look = interval(LOOK);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let event = tokio::select! {
                biased;
                event = self.dialled.events.next() => event,
                _ = look.tick() => {
                    if self.dialled.connection.status().connected() { continue } else { None }
                }
            };
            match event {
                Some(Event::ConnectionBlocked(reason)) => blocked(Some(reason)),
                Some(Event::ConnectionUnblocked) => blocked(None),
                Some(Event::Error(error)) => {
                    // Channel errors also appear here; their owners handle them.
                    if let Fate::Connection(loss) = fate(&error, self.life.endpoint()) {
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

    async fn close(self) -> Result<(), ConnectionLost> {
        let Dialled { connection, cut, .. } = self.dialled;
        let closed = Self::say_goodbye(&connection, &cut).await;
        closed.map_err(|why| ConnectionLost::broken(format!("{}: {why}", self.life.endpoint())))
    }

    async fn say_goodbye(connection: &Connection, cut: &Cut) -> Result<(), String> {
        if connection.status().blocked() {
            // lapin would not write the close before the broker's alarm ends.
            cut.cut();
            return Err("the broker blocks the connection".into());
        }
        match timeout(FAREWELL, connection.close(200, "OK".into())).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => {
                cut.cut();
                Err(error.to_string())
            }
            Err(_) => {
                cut.cut();
                Err(format!("the broker did not answer the close within {FAREWELL:?}"))
            }
        }
    }
}
