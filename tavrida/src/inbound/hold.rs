//! Deliveries that failed and of which no copy can be made for now: they wait beside the handlers, not in their place.

use std::sync::Arc;
use std::time::Duration;

use smol_str::SmolStr;
use tokio::time::sleep;

use super::copy::{Copies, CopyKind, CopyTarget, NoCopy};
use super::late::{has_ended, tell_of_loss};
use crate::counters::Tally;
use crate::link::Epoch;
use crate::show::shown;
use crate::transport::Delivery;

/// How often a copy is tried that the broker refuses.
const TRIES: u32 = 6;

/// The longest time between two tries.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// A delivery, and the copy that it is to become.
pub(super) struct Held {
    pub(super) delivery: Delivery,
    pub(super) copy: CopyKind,
    pub(super) due: Vec<SmolStr>,
    pub(super) epoch: Epoch,
    pub(super) copies: Arc<Copies>,
    pub(super) tally: Arc<Tally>,
}

impl Held {
    /// Tries again after 1 s, 2 s, 4 s, ... up to a minute, until there is a copy, or the session ends: the broker then delivers the
    /// message again.
    ///
    /// What the broker refuses, and not only has no room for, is given up after some tries: a queue that dead-letters gets it rejected;
    /// from any other it would be gone, so that it stays unacknowledged, where an operator sees it.
    pub(super) async fn wait(self, mut reason: NoCopy) {
        let tally = self.tally.clone();
        let _counted = tally.stuck.during();
        for tried in 1.. {
            let pause = Duration::from_secs(1 << (tried - 1).min(6)).min(LONGEST_PAUSE);
            tracing::error!(reason = %shown(&reason), tried, ?pause, "no copy of a failed message can be made: it is held");
            tokio::select! {
                biased;
                _ = self.epoch.session.closed() => return,
                () = sleep(pause) => {}
            }
            reason = match self.copies.make(&self.delivery, &self.copy, &self.due, &*self.epoch.session).await
            {
                Ok(place) => return self.settle(place),
                Err(_) if has_ended(&*self.epoch.session) => return,
                Err(reason) => reason,
            };
            if tried >= TRIES && reason.is_permanent() {
                return self.give_up(&reason).await;
            }
        }
    }

    fn settle(self, place: CopyTarget) {
        place.count(&self.tally);
        self.copies.ack(self.delivery);
    }

    async fn give_up(self, reason: &NoCopy) {
        let reason = shown(reason);
        if self.copies.broker_dead_letters() {
            tracing::error!(%reason, "a failed message is rejected: its queue dead-letters it");
            self.tally.dead_lettered.add_one();
            return tell_of_loss(self.delivery.reject());
        }
        tracing::error!(%reason, "a failed message stays unacknowledged: nothing takes its copy");
        self.epoch.session.closed().await;
    }
}
