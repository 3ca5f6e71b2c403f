//! Servers that run in the background of an example.

use std::time::Duration;

use tavrida::Server;
use tavrida::server::ServerHandle;
use tokio::task::JoinHandle;

use crate::Result;

/// A server that runs in its own task.
#[must_use = "stop it, to see how it ended"]
pub struct Running {
    handle: ServerHandle,
    task: JoinHandle<std::result::Result<(), tavrida::Error>>,
}

impl Running {
    /// Starts a server and waits until it consumes.
    ///
    /// # Errors
    ///
    /// The server does not consume within ten seconds.
    pub async fn start(server: Server) -> Result<Self> {
        let handle = server.handle();
        let task = tokio::spawn(server.serve(std::future::pending()));
        handle.ready(Duration::from_secs(10)).await?;
        Ok(Self { handle, task })
    }

    /// Returns the server's handle.
    pub fn handle(&self) -> &ServerHandle {
        &self.handle
    }

    /// Stops the server in good order.
    ///
    /// # Errors
    ///
    /// The server ended with an error.
    pub async fn stop(self) -> Result<()> {
        self.handle.stop();
        Ok(self.task.await??)
    }
}
