//! [`Resumption`]: what a sender waits for until the run lets it go on.

use std::time::Duration;

use tavrida::time::later;
use tavrida_memory::{Heads, NetworkSession, PublishFate};
use tokio::time::Instant;

use super::State;
use crate::fault::Point;
use crate::schedule::Candidate;
use crate::trace::{ActorId, MessageId};

/// The confirm of a message, on its way to the session of its sender.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Resumption {
    pub(crate) point: Point,
    pub(crate) actor: ActorId,
    pub(crate) message: MessageId,
    pub(crate) session: u32,
    /// The broker's number of it.
    pub(crate) number: u64,
    /// When it can come.
    due: Instant,
}

impl State {
    /// Lets the confirm of a message come when the run picks it, after this delay.
    pub(super) fn suspend(
        &mut self,
        point: Point,
        by: Duration,
        session: NetworkSession,
        message: MessageId,
    ) -> PublishFate {
        self.planned += 1;
        let (number, due) = (self.planned, later(self.time.now(), by));
        let (actor, session) = (ActorId::of_peer(session.peer), session.number);
        self.resumptions.push(Resumption { point, actor, message, session, number, due });
        PublishFate::ConfirmLate(number)
    }

    /// Adds the confirms that can come now to the candidates. Returns when the next of the others can.
    pub(crate) fn add_resumptions(&mut self, heads: &Heads<'_>, now: Instant) -> Option<Instant> {
        let mut resumptions = std::mem::take(&mut self.resumptions);
        resumptions.retain(|waiting| heads.awaits_confirm(waiting.session, waiting.number));
        let mut next: Option<Instant> = None;
        for waiting in &resumptions {
            if self.actor(waiting.actor).is_deaf() {
                continue;
            }
            if waiting.due > now {
                next = Some(next.map_or(waiting.due, |next| next.min(waiting.due)));
                continue;
            }
            let process = self.process_of(waiting.actor);
            self.candidates.push(Candidate::confirm(waiting.point, process));
        }
        self.resumptions = resumptions;
        next
    }

    /// Removes the confirm that the run picked.
    pub(crate) fn take_resumption(&mut self, point: Point) -> Option<Resumption> {
        let picked = self.resumptions.iter().position(|waiting| waiting.point == point)?;
        Some(self.resumptions.remove(picked))
    }
}
