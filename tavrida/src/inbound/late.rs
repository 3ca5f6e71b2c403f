//! What comes too late: the session has ended, and the broker delivers again what was not settled.

use futures_util::FutureExt;

use crate::transport::{ConnectionLost, Session};

/// Whether the broker delivers again what is not settled. A publish can be lost while its session goes on: a direct reply has its own
/// connection, and a channel on which nothing is confirmed is given up.
pub(super) fn has_ended(session: &dyn Session) -> bool {
    session.closed().now_or_never().is_some()
}

pub(super) fn tell_of_loss(settled: Result<(), ConnectionLost>) {
    if let Err(loss) = settled {
        tracing::info!(%loss, "a settlement came too late: the broker delivers the message again");
    }
}
