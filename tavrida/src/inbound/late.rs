//! What comes too late: after the end of its session, whose broker delivers again what was not settled, or after its asker has gone.

use futures_util::FutureExt;
use tokio::time::Instant;

use super::asker;
use crate::counters::Tally;
use crate::disposition::Outcome;
use crate::outbound::{SendError, Sent};
use crate::show::shown;
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

/// Returns the outcome, for the delivery of a request, of a reply that could not be sent.
pub(super) fn outcome_of_reply(
    sent: Result<Sent, SendError>,
    session: &dyn Session,
    waits_until: Option<Instant>,
    tally: &Tally,
) -> Outcome {
    match sent {
        Ok(_) => {
            if asker::is_over(waits_until) {
                tally.late.add_one();
            }
            Outcome::Handled
        }
        Err(error) if error.is_unroutable() => {
            tracing::info!(error = %shown(&error), "who asked is gone");
            tally.late.add_one();
            Outcome::Handled
        }
        Err(error) if (error.is_closed() || error.is_ambiguous()) && has_ended(session) => Outcome::Lost,
        Err(error) => Outcome::Failed(error.into()),
    }
}
