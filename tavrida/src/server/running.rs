//! [`RunningServer`]: a server that consumes.

use std::fmt;
use std::ops::Deref;

use tokio::task::JoinHandle;

use super::{Server, ServerHandle};
use crate::error::{Error, Kind};
use crate::task::OwnTask;

/// A server that was [started](Server::start) and runs in the background.
///
/// It has all methods of [`ServerHandle`]: health, counters, requeueing of dead letters.
///
/// Dropping it shuts the server down in the background, as [`shutdown`](RunningServer::shutdown) does, and logs a warning, because the
/// result of the shutdown is lost.
#[must_use = "a running server that is dropped shuts down"]
pub struct RunningServer {
    handle: ServerHandle,
    /// Taken by [`RunningServer::shutdown`] and [`RunningServer::stopped`].
    task: Option<JoinHandle<Result<(), Error>>>,
}

impl RunningServer {
    /// Starts the server and waits until it consumes.
    pub(super) async fn start(server: Server) -> Result<Self, Error> {
        let handle = server.handle();
        let own = OwnTask::begin();
        let task = tokio::spawn(async move {
            let _own = own;
            server.serve(std::future::pending()).await
        });
        let mut starting = Starting { handle: handle.clone(), task: Some(task) };
        let task = starting.task.as_mut().expect("it is taken below");
        tokio::select! {
            // An end is reported before readiness: both can happen at once.
            biased;
            ended = task => {
                starting.task = None;
                Err(ended_result(ended).err().unwrap_or_else(|| {
                    Error::new(Kind::Closed, "the server was stopped before it consumed")
                }))
            }
            () = handle.until_ready() => Ok(Self { handle, task: starting.task.take() }),
        }
    }

    /// Returns a handle of the server, to keep elsewhere.
    pub fn handle(&self) -> &ServerHandle {
        &self.handle
    }

    /// Stops consuming, lets running handlers finish, flushes and closes.
    ///
    /// Takes at most the [shutdown timeout](super::ServerBuilder::shutdown_timeout) and the time to close: a handler still running then is
    /// dropped, and its message is requeued.
    ///
    /// # Errors
    ///
    /// The server had already failed: its attempts to connect were used up.
    ///
    /// # Panics
    ///
    /// Propagates a panic of the server's task, which is a bug of this library.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped, the shutdown continues in the background.
    pub async fn shutdown(self) -> Result<(), Error> {
        self.handle.stop();
        self.stopped().await
    }

    /// Waits until the server has stopped, by its [handle](ServerHandle::stop) or because it failed.
    ///
    /// # Errors
    ///
    /// The attempts to connect are used up.
    ///
    /// # Panics
    ///
    /// As [`shutdown`](RunningServer::shutdown).
    ///
    /// # Cancel safety
    ///
    /// Dropping the future drops the running server, which shuts down in the background.
    pub async fn stopped(mut self) -> Result<(), Error> {
        let task =
            self.task.as_mut().expect("only this method takes the task, and it takes the server by value");
        let ended = task.await;
        self.task = None;
        ended_result(ended)
    }
}

/// A server that does not consume yet. Dropping it stops the server.
struct Starting {
    handle: ServerHandle,
    task: Option<JoinHandle<Result<(), Error>>>,
}

impl Drop for Starting {
    fn drop(&mut self) {
        if self.task.is_some() {
            self.handle.stop();
        }
    }
}

fn ended_result(ended: Result<Result<(), Error>, tokio::task::JoinError>) -> Result<(), Error> {
    match ended {
        Ok(result) => result,
        Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
        Err(error) => Err(Error::new(Kind::Closed, "the server's runtime was shut down").caused_by(error)),
    }
}

impl Deref for RunningServer {
    type Target = ServerHandle;

    fn deref(&self) -> &ServerHandle {
        &self.handle
    }
}

impl Drop for RunningServer {
    fn drop(&mut self) {
        let Some(task) = &self.task else { return };
        if !task.is_finished() && !self.handle.stop.is_triggered() {
            tracing::warn!("a running server was dropped: it shuts down in the background");
        }
        self.handle.stop();
    }
}

impl fmt::Debug for RunningServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RunningServer").field("health", &self.handle.health()).finish_non_exhaustive()
    }
}
