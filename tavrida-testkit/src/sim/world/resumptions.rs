//! [`Resumption`]: what code waits for until the run lets it go on.

use std::task::Waker;
use std::time::Duration;

use tavrida::time::later;
use tavrida_memory::{Heads, NetworkSession, PublishFate};
use tokio::time::Instant;

use super::State;
use super::probe::Work;
use crate::fault::{Point, Site};
use crate::schedule::{Candidate, yield_key};
use crate::trace::{ActorId, MessageId};

/// Code that goes on when the run picks it.
pub(crate) struct Resumption {
    point: Point,
    pub(crate) actor: ActorId,
    pub(crate) number: u64,
    pub(crate) awaits: Awaits,
    /// When it can go on.
    due: Instant,
}

/// What it waits for.
pub(crate) enum Awaits {
    /// The confirm of its message, on its way to its session.
    Confirm { message: MessageId, session: u32 },
    /// Its turn, at a yield point, behind which it touches this subject.
    Turn { work: Option<Work>, nth: u32, subject: u64, waker: Waker },
}

impl State {
    /// Lets the confirm of a message come when the run picks it, after this delay.
    pub(super) fn suspend_sender(
        &mut self,
        point: Point,
        by: Duration,
        session: NetworkSession,
        message: MessageId,
    ) -> PublishFate {
        let awaits = Awaits::Confirm { message, session: session.number };
        PublishFate::ConfirmLate(self.suspend(point, by, ActorId::of_peer(session.peer), awaits))
    }

    /// Decides whether code that reached a yield point waits until the run picks it. Returns the number of its resumption, if so.
    pub(crate) fn reach_yield_point(&mut self, subject: u64, waker: &Waker) -> Option<u64> {
        let work = self.work();
        let actor = work.map_or(ActorId::of_peer(0), |work| work.actor);
        let message = work.and_then(|work| work.message);
        let message_key = message.map(|message| self.trace.message(message).key());
        let key = yield_key(message_key, self.trace.actor(actor).name());
        let nth = self.yields.entry(key).or_default();
        *nth += 1;
        let nth = *nth;
        let point = Point { site: Site::Yield, key, nth };
        if let Some(guide) = self.director.guide() {
            guide.touched(subject);
        }
        let by = self.director.delay(point);
        let suspends = !by.is_zero() || self.director.suspends(point, true);
        suspends.then(|| {
            self.suspend(point, by, actor, Awaits::Turn { work, nth, subject, waker: waker.clone() })
        })
    }

    fn suspend(&mut self, point: Point, by: Duration, actor: ActorId, awaits: Awaits) -> u64 {
        self.planned += 1;
        let (number, due) = (self.planned, later(self.time.now(), by));
        self.resumptions.push(Resumption { point, actor, number, awaits, due });
        number
    }

    /// Returns whether code still awaits its turn; if so, it is woken by this waker.
    pub(crate) fn awaits_turn(&mut self, number: u64, by: &Waker) -> bool {
        let mut resumptions = self.resumptions.iter_mut();
        let Some(resumption) = resumptions.find(|resumption| resumption.number == number) else {
            return false;
        };
        if let Awaits::Turn { waker, .. } = &mut resumption.awaits {
            waker.clone_from(by);
        }
        true
    }

    /// Forgets code that does not go on.
    pub(crate) fn forget_turn(&mut self, number: u64) {
        self.resumptions.retain(|resumption| resumption.number != number);
    }

    /// Adds what can go on now to the candidates. Returns when the next of the others can.
    pub(crate) fn add_resumptions(&mut self, heads: &Heads<'_>, now: Instant) -> Option<Instant> {
        let mut resumptions = std::mem::take(&mut self.resumptions);
        resumptions.retain(|resumption| match resumption.awaits {
            Awaits::Confirm { session, .. } => heads.awaits_confirm(session, resumption.number),
            Awaits::Turn { .. } => true,
        });
        let mut next: Option<Instant> = None;
        for resumption in &resumptions {
            let is_confirm = matches!(resumption.awaits, Awaits::Confirm { .. });
            if is_confirm && self.actor(resumption.actor).is_deaf() {
                continue;
            }
            if resumption.due > now {
                next = Some(next.map_or(resumption.due, |next| next.min(resumption.due)));
                continue;
            }
            let process = self.process_of(resumption.actor);
            let mut candidate = Candidate::resumption(resumption.point, process);
            if let Awaits::Turn { subject, .. } = resumption.awaits {
                candidate.contended = Some(subject);
            }
            self.candidates.push(candidate);
        }
        self.resumptions = resumptions;
        next
    }

    /// Removes the resumption that the run picked.
    pub(crate) fn take_resumption(&mut self, point: Point) -> Option<Resumption> {
        let picked = self.resumptions.iter().position(|resumption| resumption.point == point)?;
        Some(self.resumptions.remove(picked))
    }
}
