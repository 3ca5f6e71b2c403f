//! [`Inbound`]: what handles the deliveries of a server.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use tokio::time::Instant;

use super::copy::Copies;
use super::limit::HandlerLimit;
use crate::asks::{Asks, ServerAsks};
use crate::counters::Tally;
use crate::disposition::FailurePolicy;
use crate::id::{IdScope, IdSource};
use crate::link::Epoch;
use crate::message::Message;
use crate::outbound::Outbound;
use crate::service::Router;
use crate::time::Clock;
use crate::transport::Delivery;

/// Handles the deliveries of a server.
pub(crate) struct Inbound {
    pub(crate) router: Router,
    pub(crate) policy: FailurePolicy,
    pub(crate) copies: Arc<Copies>,
    /// For answers that come from no local service: those to requests without a handler.
    pub(crate) outbound: Arc<Outbound>,
    pub(crate) asks: Arc<Asks>,
    pub(crate) server_asks: Arc<ServerAsks>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) ids: Arc<dyn IdSource>,
    pub(crate) tally: Arc<Tally>,
    pub(crate) limit: HandlerLimit,
    /// Whether payloads may be logged.
    pub(crate) log_payloads: bool,
    /// Whether a message was ignored that is no notification and came by the pattern of a subscription.
    pub(crate) overheard: AtomicBool,
}

/// A delivery, with the session that it came on, and when.
pub(crate) struct Arrived {
    pub(crate) delivery: Delivery,
    pub(crate) epoch: Epoch,
    pub(crate) at: Instant,
}

impl Inbound {
    /// Returns a scope for the ids that a message causes.
    pub(super) fn ids_of(&self, message: &Message) -> IdScope {
        IdScope::new(self.ids.clone(), message.parts().message_id.clone())
    }
}
