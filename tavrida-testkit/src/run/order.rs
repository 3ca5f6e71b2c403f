//! [`Settled`]: how deliveries were settled.

use tavrida::transport::AckKind;

use super::Hit;
use crate::trace::{Trace, What};

/// How the deliveries of a trace were settled.
pub(super) struct Settled<'t>(&'t Trace);

impl<'t> Settled<'t> {
    pub(super) fn of(trace: &'t Trace) -> Self {
        Self(trace)
    }

    /// Returns how a match was settled, if it was: the delivery of a handler, or the last delivery of a message.
    pub(super) fn verdict(&self, hit: &Hit) -> Option<AckKind> {
        let about = self.0.events()[hit.event..].iter().filter(|event| match hit.delivery {
            0 => event.message == Some(hit.message),
            _ => hit.is_about(event),
        });
        let mut verdict = None;
        for event in about {
            match &event.what {
                What::Delivered { .. } => verdict = None,
                What::Acked => verdict = Some(AckKind::Ack),
                What::Rejected => verdict = Some(AckKind::Reject),
                What::Requeued => verdict = Some(AckKind::Requeue),
                _ => continue,
            }
        }
        verdict
    }
}
