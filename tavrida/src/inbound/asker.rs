//! Until when an asker waits.

use std::time::{Duration, SystemTime};

use tokio::time::Instant;

use crate::message::Message;
use crate::time::{Clock, unix_millis};
use crate::transport::Properties;

/// Until when the asker of a request waits, on this process's clock. None for a message that is no ask, or has no deadline.
///
/// The time of day says it, and clocks differ. A message as its asker sent it also has a time to live: no broker delivers it later
/// than that, so that a clock by which it arrived too late is wrong, as one by which it has longer to live than that. The time to
/// live since its arrival is the limit then.
pub(super) fn waits_until(
    request: &Message,
    time_to_live: Option<Duration>,
    arrived: Instant,
    clock: &dyn Clock,
) -> Option<Instant> {
    let deadline = request.parts().deadline?;
    let wall = clock.now().checked_sub(arrived.elapsed()).unwrap_or(SystemTime::UNIX_EPOCH);
    let left = deadline.checked_sub(unix_millis(wall)).filter(|left| *left > 0).map(Duration::from_millis);
    let left = match (left, time_to_live) {
        (Some(left), Some(limit)) => left.min(limit),
        (None, Some(limit)) => limit,
        (left, None) => left.unwrap_or_default(),
    };
    // A time beyond the clock's range never comes.
    arrived.checked_add(left)
}

/// The time that a message has to live, as its sender said.
pub(super) fn time_to_live(properties: &Properties) -> Option<Duration> {
    properties.expiration.as_deref()?.parse().ok().map(Duration::from_millis)
}

/// Whether an asker waits no longer.
pub(super) fn is_over(waits_until: Option<Instant>) -> bool {
    waits_until.is_some_and(|at| at <= Instant::now())
}
