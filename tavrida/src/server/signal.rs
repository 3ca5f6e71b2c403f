//! The signals that stop a server.

use std::future::Future;

use crate::error::{Error, Kind};

/// Starts to listen; the future completes at the first SIGTERM or ctrl-c.
pub(super) fn terminate() -> Result<impl Future<Output = ()> + Send, Error> {
    let failed = |error| Error::new(Kind::Transport, "the signals cannot be listened to").caused_by(error);
    #[cfg(unix)]
    let mut terminate =
        tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()).map_err(failed)?;
    #[cfg(unix)]
    let mut interrupt =
        tokio::signal::unix::signal(tokio::signal::unix::SignalKind::interrupt()).map_err(failed)?;
    Ok(async move {
        #[cfg(unix)]
        tokio::select! {
            biased;
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        #[cfg(not(unix))]
        if let Err(error) = tokio::signal::ctrl_c().await {
            tracing::error!(error = %failed(error), "stopping, for nobody could stop this later");
        }
        tracing::info!("a signal asks to stop");
    })
}
