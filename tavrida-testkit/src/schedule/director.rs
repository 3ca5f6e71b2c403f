//! [`Director`]: makes and records the decisions of one run.

use std::time::Duration;

use rustc_hash::FxHashMap;

use super::policy::Steering;
use super::{Choice, Deviations, Guide, Policy};
use crate::fault::{At, Fault, Faults, Means, Point, Site, Unmet};
use crate::random::{hash, join};
use crate::trace::ActorId;

/// What could happen next: a message arrives, the confirm of one comes to its sender, or code goes on at a yield point.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Candidate {
    pub(crate) point: Point,
    /// Identifies the consumer of a message that arrives.
    pub(crate) consumer: u64,
    /// The process that it would happen to.
    pub(crate) process: ActorId,
    /// The hash of the queue that it comes from, if the time of its arrival matters to that queue; or what code touches that goes on.
    pub(crate) contended: Option<u64>,
}

impl Candidate {
    /// Returns code of this process that goes on.
    pub(crate) fn resumption(point: Point, process: ActorId) -> Self {
        Self { point, consumer: 0, process, contended: None }
    }

    /// Returns whether a message arrives.
    pub(crate) fn is_arrival(&self) -> bool {
        self.point.site == Site::Deliver
    }
}

/// Returns the key of the arrival of a message at a [consumer](crate::trace::Trace::consumer_key).
pub(crate) fn arrival_key(message: u64, consumer: u64) -> u64 {
    join(message, consumer)
}

/// Returns the key of the yield points of code that handles a message, if any, in the process with this name.
pub(crate) fn yield_key(message: Option<u64>, process: &str) -> u64 {
    join(message.unwrap_or(0), hash(process.as_bytes()))
}

/// How scripted faults name a message.
#[derive(Clone, Copy)]
pub(crate) struct Label<'a> {
    pub(crate) topic: &'a str,
    pub(crate) exchange: &'a str,
}

/// A scripted fault, and how often its place was reached.
struct Script {
    at: At,
    fault: Fault,
    seen: u32,
}

pub(crate) struct Director {
    steering: Steering,
    faults: Faults,
    /// Whether there are any: cached, since each message asks several times.
    draws_faults: bool,
    seed: u64,
    replay: Option<Deviations>,
    guide: Option<Box<dyn Guide>>,
    scripts: Vec<Script>,
    /// How many messages passed each waiting message.
    passed: FxHashMap<Point, u32>,
    /// How often each message was picked for each consumer.
    picked: FxHashMap<u64, u32>,
    made: Deviations,
    /// How many random faults happened.
    struck: u32,
    healed: bool,
}

impl Director {
    /// Decides by a policy, for a run with about `length` arrivals.
    pub(crate) fn new(policy: Policy, faults: Faults, seed: u64, length: u32) -> Self {
        // Capacity for the messages of a usual run, so that the tables do not grow in each run.
        fn room<K>() -> FxHashMap<K, u32> {
            FxHashMap::with_capacity_and_hasher(28, Default::default())
        }
        Self {
            steering: Steering::new(policy, seed, length),
            draws_faults: !faults.is_none(),
            faults,
            seed,
            replay: None,
            guide: None,
            scripts: Vec::new(),
            passed: room(),
            picked: room(),
            made: Deviations::none(),
            struck: 0,
            healed: false,
        }
    }

    /// Replays this schedule and decides nothing else.
    pub(crate) fn replaying(schedule: Deviations) -> Self {
        Self { replay: Some(schedule), ..Self::new(Policy::Fifo, Faults::none(), 0, 1) }
    }

    /// Leaves the decisions to a guide.
    pub(crate) fn guided(guide: Box<dyn Guide>) -> Self {
        Self { guide: Some(guide), ..Self::new(Policy::Fifo, Faults::none(), 0, 1) }
    }

    pub(crate) fn script(&mut self, at: At, fault: Fault) {
        self.scripts.push(Script { at, fault, seen: 0 });
    }

    /// Returns the decisions that differ from the default.
    pub(crate) fn take_deviations(&mut self) -> Deviations {
        std::mem::take(&mut self.made)
    }

    /// Returns the scripted faults whose places were not reached.
    pub(crate) fn unmet(&self) -> impl Iterator<Item = Unmet> {
        let unmet = self.scripts.iter().filter(|script| script.seen < script.at.nth_time());
        unmet.map(|Script { at, fault, seen }| Unmet { at: at.clone(), fault: *fault, seen: *seen })
    }

    /// Returns whether any fault can happen.
    pub(crate) fn is_active(&self) -> bool {
        let guided = || self.guide.as_ref().is_some_and(|guide| guide.has_faults());
        !self.healed && (self.draws_faults || !self.scripts.is_empty() || self.replay.is_some() || guided())
    }

    /// Stops all faults from now on.
    pub(crate) fn heal(&mut self) {
        self.healed = true;
    }

    /// Returns the guide, if there is one.
    pub(crate) fn guide(&mut self) -> Option<&mut (dyn Guide + 'static)> {
        self.guide.as_deref_mut()
    }

    /// Returns a message that could arrive at a consumer of its receiver.
    pub(crate) fn candidate(&self, message: u64, receiver: ActorId, consumer: u64) -> Candidate {
        let key = arrival_key(message, consumer);
        let nth = self.picked.get(&key).copied().unwrap_or(0) + 1;
        Candidate {
            point: Point { site: Site::Deliver, key, nth },
            consumer,
            process: receiver,
            contended: None,
        }
    }

    /// Picks what happens next: of what could go on and of the messages that could arrive, each the oldest first. `None` if the run is
    /// abandoned.
    pub(crate) fn pick(&mut self, candidates: &[Candidate]) -> Option<usize> {
        let picked = match (&mut self.guide, &self.replay) {
            (Some(guide), _) => guide.pick(candidates)?,
            (None, Some(schedule)) => {
                let due = |candidate: &Candidate| {
                    self.times_passed(candidate.point) >= schedule.passed(candidate.point)
                };
                candidates.iter().position(due).unwrap_or(0)
            }
            (None, None) => self.steer(candidates),
        };
        for candidate in &candidates[..picked] {
            let passed = self.passed.entry(candidate.point).or_default();
            *passed += 1;
            self.made.insert(candidate.point, Choice::Passed(*passed));
        }
        if candidates[picked].is_arrival() {
            *self.picked.entry(candidates[picked].point.key).or_default() += 1;
        }
        Some(picked)
    }

    /// Picks code that was passed often enough, or else one of the messages.
    fn steer(&mut self, candidates: &[Candidate]) -> usize {
        let is_due =
            |waiting: &Candidate| self.times_passed(waiting.point) >= self.steering.passed_by(waiting.point);
        let waiting = candidates.iter().take_while(|candidate| !candidate.is_arrival()).count();
        let due = candidates[..waiting].iter().position(is_due);
        if due.is_some() || waiting == candidates.len() {
            return due.unwrap_or(0);
        }
        let messages = &candidates[waiting..];
        let passed = self.times_passed(messages[0].point);
        waiting + self.steering.pick(messages, passed)
    }

    /// Returns whether code waits at a point until the run picks it; otherwise it goes on at once. With a guide, it waits wherever code that
    /// follows `is_awaited` to go on.
    pub(crate) fn suspends(&mut self, point: Point, is_awaited: bool) -> bool {
        let suspends = match (&self.guide, &self.replay) {
            (Some(_), _) => is_awaited,
            (None, Some(schedule)) => schedule.suspends(point),
            (None, None) => self.steering.passed_by(point) > 0,
        };
        if suspends {
            self.made.insert(point, Choice::Passed(0));
        }
        suspends
    }

    fn times_passed(&self, point: Point) -> u32 {
        self.passed.get(&point).copied().unwrap_or(0)
    }

    /// Returns how much later than it could a message arrives, or code goes on.
    pub(crate) fn delay(&mut self, point: Point) -> Duration {
        let delay = match &self.replay {
            Some(schedule) => schedule.delay(point),
            None => self.steering.delay(point),
        };
        if !delay.is_zero() {
            self.made.insert(point, Choice::Delayed(delay));
        }
        delay
    }

    /// Returns the fault at a point at this virtual time, if any.
    ///
    /// # Errors
    ///
    /// The reason why a scripted fault cannot happen there.
    pub(crate) fn fault(
        &mut self,
        point: Point,
        label: Label<'_>,
        means: Means,
        at: Duration,
    ) -> Result<Option<Fault>, String> {
        if let Some(fault) = self.scripted(point.site, label) {
            return match means.lack_for(fault) {
                None => Ok(Some(fault)),
                Some(lack) => Err(format!("{fault} at {} of '{}': {lack}", point.site, label.topic)),
            };
        }
        let can = |fault: Fault| fault.sites().contains(&point.site) && means.lack_for(fault).is_none();
        let drawn = match (&mut self.guide, &self.replay) {
            (Some(guide), _) => guide.fault(point, &can),
            (None, Some(schedule)) => schedule.fault(point).filter(|fault| can(*fault)),
            (None, None) => {
                let wanted = means.restarts || self.faults.are_on_clients();
                let left = wanted && self.faults.are_left(self.struck, at);
                left.then(|| self.faults.at(self.seed, point, can)).flatten()
            }
        };
        if let Some(fault) = drawn {
            self.struck += 1;
            self.made.insert(point, Choice::Fault(fault));
        }
        Ok(drawn)
    }

    fn scripted(&mut self, site: Site, label: Label<'_>) -> Option<Fault> {
        let mut due = None;
        for script in &mut self.scripts {
            if script.at.names(site, label.topic, label.exchange) {
                script.seen += 1;
                if script.seen == script.at.nth_time() {
                    due = due.or(Some(script.fault));
                }
            }
        }
        due
    }
}
