//! [`Director`]: makes the decisions of one run, and writes them down.

use std::time::Duration;

use rustc_hash::FxHashMap;

use super::{Choice, Deviations};
use crate::fault::{At, Fault, Faults, Point, Site};
use crate::random::Random;

/// How a run decides what arrives next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Policy {
    /// What was sent first arrives first.
    Fifo,
    /// Any of what could arrive, all alike.
    Random,
}

/// A message that could arrive now.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Candidate {
    pub(crate) point: Point,
}

/// What a message is called, for scripted faults.
#[derive(Clone, Copy)]
pub(crate) struct Label<'a> {
    pub(crate) topic: &'a str,
    pub(crate) exchange: &'a str,
}

/// A scripted fault, and how often its place came to pass.
struct Script {
    at: At,
    fault: Fault,
    seen: u32,
}

pub(crate) struct Director {
    policy: Policy,
    faults: Faults,
    seed: u64,
    random: Random,
    replay: Option<Deviations>,
    scripts: Vec<Script>,
    /// How many messages passed those that wait.
    passed: FxHashMap<Point, u32>,
    made: Deviations,
    healed: bool,
}

impl Director {
    pub(crate) fn new(policy: Policy, faults: Faults, seed: u64) -> Self {
        Self {
            policy,
            faults,
            seed,
            random: Random::new(seed),
            replay: None,
            scripts: Vec::new(),
            passed: FxHashMap::default(),
            made: Deviations::none(),
            healed: false,
        }
    }

    /// Carries out this schedule and decides nothing else.
    pub(crate) fn replaying(schedule: Deviations) -> Self {
        Self { replay: Some(schedule), ..Self::new(Policy::Fifo, Faults::none(), 0) }
    }

    pub(crate) fn script(&mut self, at: At, fault: Fault) {
        self.scripts.push(Script { at, fault, seen: 0 });
    }

    /// What was decided, other than the default.
    pub(crate) fn take_deviations(&mut self) -> Deviations {
        std::mem::take(&mut self.made)
    }

    /// Whether anything can go wrong.
    pub(crate) fn is_active(&self) -> bool {
        !self.healed && (!self.scripts.is_empty() || self.replay.is_some() || !self.faults.is_none())
    }

    /// Nothing goes wrong from now on.
    pub(crate) fn heal(&mut self) {
        self.healed = true;
    }

    /// A message reached these queues.
    pub(crate) fn reached(&mut self, queues: &mut dyn Iterator<Item = &str>) {
        let _ = queues;
    }

    /// Which of the messages that could arrive does; they are sorted, the oldest first.
    pub(crate) fn pick(&mut self, candidates: &[Candidate]) -> usize {
        let picked = match &self.replay {
            Some(schedule) => candidates
                .iter()
                .position(|candidate| {
                    let passed = self.passed.get(&candidate.point).copied().unwrap_or(0);
                    passed >= schedule.passed(candidate.point)
                })
                .unwrap_or(0),
            None if candidates.len() == 1 => 0,
            None => match self.policy {
                Policy::Fifo => 0,
                Policy::Random => self.random.below(candidates.len()),
            },
        };
        for candidate in &candidates[..picked] {
            let passed = self.passed.entry(candidate.point).or_default();
            *passed += 1;
            self.made.insert(candidate.point, Choice::Passed(*passed));
        }
        picked
    }

    /// How long a message is on its way.
    pub(crate) fn delay(&mut self, point: Point) -> Duration {
        let Some(schedule) = &self.replay else { return Duration::ZERO };
        let delay = schedule.delay(point);
        if !delay.is_zero() {
            self.made.insert(point, Choice::Delayed(delay));
        }
        delay
    }

    /// What goes wrong at a point, if anything does.
    pub(crate) fn fault(&mut self, point: Point, label: Label<'_>) -> Option<Fault> {
        let scripted = self.scripted(point.site, label);
        let drawn = || match &self.replay {
            Some(schedule) => schedule.fault(point),
            None => self.faults.at(self.seed, point),
        };
        let fault = scripted.or_else(drawn)?;
        if scripted.is_none() {
            self.made.insert(point, Choice::Fault(fault));
        }
        Some(fault)
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
