//! [`Reducer`]: proposes smaller schedules, one after the other.
//!
//! First the empty schedule, then the schedule without faults, then faults alone; then it removes each half, quarter, ... single decision
//! (delta debugging), faults before orders; then it lowers each number by bisection. The result fails only as a whole.

use rustc_hash::FxHashSet;

use crate::fault::{Fault, Point};
use crate::schedule::{Choice, Deviations};

/// How often numbers are lowered and removals tried again.
const ROUNDS: u32 = 3;

type Decisions = Vec<(Point, Choice)>;

/// Proposes smaller schedules as long as there are candidates; the caller reports which of them fail.
#[derive(Debug, Clone)]
pub(crate) struct Reducer {
    /// The smallest schedule that fails; faults first.
    best: Decisions,
    /// The latest proposal.
    proposed: Decisions,
    passing: FxHashSet<Decisions>,
    stage: ReductionStage,
    rounds: u32,
    changed: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ReductionStage {
    Nothing,
    WithoutFaults,
    FaultsAlone,
    /// Removes `size` decisions, starting at `at`.
    Without {
        size: usize,
        at: usize,
    },
    /// Lowers the number of the decision `at`: it fails with `fails` and passes with `passes`.
    Lower {
        at: usize,
        passes: Option<u64>,
        fails: u64,
    },
    Over,
}

impl Reducer {
    /// Starts from a schedule that fails.
    pub(crate) fn new(failing: &Deviations) -> Self {
        Self {
            best: sorted(failing),
            proposed: Vec::new(),
            passing: FxHashSet::default(),
            stage: if failing.is_empty() { ReductionStage::Over } else { ReductionStage::Nothing },
            rounds: 0,
            changed: false,
        }
    }

    /// Returns the smallest failing schedule so far.
    #[cfg(any(test, feature = "proptest"))]
    pub(crate) fn best(&self) -> Deviations {
        self.best.iter().copied().collect()
    }

    /// Returns the next proposal. `None` if there are no more candidates.
    pub(crate) fn propose(&mut self) -> Option<Deviations> {
        loop {
            let proposed = match self.stage {
                ReductionStage::Over => return None,
                ReductionStage::Nothing => Some(Vec::new()),
                ReductionStage::WithoutFaults => Some(self.only(|choice| !choice.is_fault())),
                ReductionStage::FaultsAlone => Some(self.only(Choice::is_fault)),
                ReductionStage::Without { size, at } => self.without(at, size),
                ReductionStage::Lower { at, passes, fails } => self.lowered(at, passes, fails),
            };
            match proposed {
                Some(proposed) if proposed != self.best && !self.passing.contains(&proposed) => {
                    self.proposed = proposed;
                    return Some(self.proposed.iter().copied().collect());
                }
                Some(proposed) => {
                    self.proposed = proposed;
                    self.passed();
                }
                None => self.next_stage(),
            }
        }
    }

    /// Reports that the proposal fails, and how much of it was carried out.
    pub(crate) fn failed(&mut self, carried_out: &Deviations) {
        self.changed = true;
        match self.stage {
            ReductionStage::Lower { at, passes, .. } => {
                self.best = std::mem::take(&mut self.proposed);
                let fails = number(self.best[at].1);
                self.stage = ReductionStage::Lower { at, passes, fails };
            }
            ReductionStage::Nothing => {
                self.best.clear();
                self.stage = ReductionStage::Over;
            }
            stage => {
                self.best = sorted(carried_out);
                if stage == ReductionStage::WithoutFaults {
                    self.stage = self.halves();
                }
                if stage == ReductionStage::FaultsAlone {
                    self.stage = self.halves();
                }
            }
        }
    }

    /// Reports that the proposal passes.
    pub(crate) fn passed(&mut self) {
        let proposed = std::mem::take(&mut self.proposed);
        self.stage = match self.stage {
            ReductionStage::Nothing => ReductionStage::WithoutFaults,
            ReductionStage::WithoutFaults => ReductionStage::FaultsAlone,
            ReductionStage::FaultsAlone => self.halves(),
            ReductionStage::Without { size, at } => ReductionStage::Without { size, at: at + size },
            ReductionStage::Lower { at, fails, .. } => {
                let passes = proposed.get(at).map(|(_, choice)| number(*choice));
                ReductionStage::Lower { at, passes, fails }
            }
            ReductionStage::Over => ReductionStage::Over,
        };
        self.passing.insert(proposed);
    }

    fn halves(&self) -> ReductionStage {
        ReductionStage::Without { size: self.best.len().div_ceil(2).max(1), at: 0 }
    }

    fn only(&self, keep: impl Fn(Choice) -> bool) -> Decisions {
        self.best.iter().copied().filter(|(_, choice)| keep(*choice)).collect()
    }

    fn without(&self, at: usize, size: usize) -> Option<Decisions> {
        let left = self.best.get(at..).filter(|rest| !rest.is_empty())?;
        let mut rest = self.best[..at].to_vec();
        rest.extend_from_slice(&left[size.min(left.len())..]);
        Some(rest)
    }

    /// Returns the schedule with a lower number in one decision. `None` if the number cannot be lower.
    fn lowered(&self, at: usize, passes: Option<u64>, fails: u64) -> Option<Decisions> {
        let (_, choice) = self.best.get(at)?;
        let least = passes.map_or(least(*choice), |passes| passes + 1);
        let middle = (least < fails).then(|| least + (fails - least) / 2)?;
        let mut lowered = self.best.clone();
        lowered[at].1 = with_number(*choice, middle);
        Some(lowered)
    }

    /// Moves to the next stage.
    fn next_stage(&mut self) {
        self.stage = match self.stage {
            ReductionStage::Without { size, .. } if size > 1 => {
                ReductionStage::Without { size: size.div_ceil(2), at: 0 }
            }
            ReductionStage::Without { .. } if std::mem::take(&mut self.changed) => {
                ReductionStage::Without { size: 1, at: 0 }
            }
            ReductionStage::Without { .. } if self.rounds < ROUNDS => {
                self.rounds += 1;
                self.lower_from(0)
            }
            ReductionStage::Lower { at, .. } if at + 1 < self.best.len() => self.lower_from(at + 1),
            ReductionStage::Lower { .. } if self.changed => ReductionStage::Without { size: 1, at: 0 },
            _ => ReductionStage::Over,
        };
    }

    fn lower_from(&self, at: usize) -> ReductionStage {
        match self.best.get(at) {
            Some((_, choice)) => ReductionStage::Lower { at, passes: None, fails: number(*choice) },
            None => ReductionStage::Over,
        }
    }
}

/// Sorts faults first, so that they are removed first.
fn sorted(schedule: &Deviations) -> Decisions {
    let mut all: Decisions = schedule.iter().collect();
    all.sort_by_key(|(_, choice)| !choice.is_fault());
    all
}

/// Returns the number in a decision; 0 if it has none.
fn number(mut choice: Choice) -> u64 {
    let time = match &mut choice {
        Choice::Passed(times) | Choice::Fault(Fault::Overtaken(times)) => return u64::from(*times),
        Choice::Delayed(delay) => Some(delay),
        Choice::Fault(fault) => fault.time(),
    };
    time.map_or(0, |time| u64::try_from(time.as_millis()).unwrap_or(u64::MAX))
}

/// Returns the lowest number that is still a decision.
fn least(choice: Choice) -> u64 {
    if choice.is_fault() { 0 } else { 1 }
}

fn with_number(mut choice: Choice, number: u64) -> Choice {
    let time = std::time::Duration::from_millis(number);
    match &mut choice {
        Choice::Passed(times) | Choice::Fault(Fault::Overtaken(times)) => {
            *times = u32::try_from(number).unwrap_or(u32::MAX);
        }
        Choice::Delayed(delay) => *delay = time,
        Choice::Fault(fault) => {
            if let Some(lasts) = fault.time() {
                *lasts = time;
            }
        }
    }
    choice
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::fault::Site;

    fn at(key: u64) -> Point {
        Point { site: Site::Deliver, key, nth: 1 }
    }

    fn late(by: u64) -> Choice {
        Choice::Delayed(Duration::from_millis(by))
    }

    /// Returns the smallest schedule found, and how many were tried.
    fn reduced(from: &Deviations, fails: impl Fn(&Deviations) -> bool) -> (Deviations, u32) {
        assert!(fails(from));
        let mut reducer = Reducer::new(from);
        let mut tried = 0;
        while let Some(proposed) = reducer.propose() {
            tried += 1;
            assert!(tried < 10_000, "it comes to no end at {proposed}");
            if fails(&proposed) { reducer.failed(&proposed) } else { reducer.passed() }
        }
        assert!(fails(&reducer.best()));
        (reducer.best(), tried)
    }

    #[test]
    fn only_the_decisions_that_matter_are_left_with_the_lowest_numbers() {
        let all: Deviations = (0..100).map(|key| (at(key), late(100))).collect();
        let fails = |schedule: &Deviations| {
            schedule.delay(at(17)) >= Duration::from_millis(7)
                && schedule.delay(at(80)) > schedule.delay(at(17))
        };
        let first = at(80);
        let all: Deviations = all.iter().chain([(first, late(101))]).collect();
        let (least, tried) = reduced(&all, fails);
        assert_eq!(least, Deviations::from_iter([(at(17), late(7)), (at(80), late(8))]));
        assert!(tried < 80, "{tried} were tried");
    }

    #[test]
    fn faults_go_before_delays_do() {
        let crash = Choice::Fault(Fault::Crash(Duration::from_secs(3)));
        let all: Deviations = (0..8).flat_map(|key| [(at(key), crash), (at(key), late(9))]).collect();
        let (least, _) = reduced(&all, |schedule| schedule.len() >= 3);
        assert_eq!((least.len(), least.faults()), (3, 0));
        let (least, _) = reduced(&all, |schedule| schedule.faults() >= 2);
        let crash = Choice::Fault(Fault::Crash(Duration::ZERO));
        assert!(least.len() == 2 && least.iter().all(|(_, choice)| choice == crash), "{least}");
    }

    #[test]
    fn the_numbers_of_faults_are_lowered_too() {
        let by = Duration::from_secs(3);
        let all = [Fault::Overtaken(9), Fault::Slow(by)];
        let all: Deviations = (0..).map(at).zip(all.map(Choice::Fault)).collect();
        let fails = |schedule: &Deviations| {
            let mut times = schedule.iter().map(|(_, choice)| number(choice));
            times.next().is_some_and(|times| times >= 4) && times.next().is_some_and(|by| by >= 250)
        };
        let (least, _) = reduced(&all, fails);
        let lowest: Vec<Choice> = least.iter().map(|(_, choice)| choice).collect();
        let lowest = lowest.iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(lowest, ["overtaken(4)", "slow(250ms)"]);
    }

    #[test]
    fn what_fails_anyway_has_no_decisions() {
        let all: Deviations = (0..8).map(|key| (at(key), Choice::Passed(9))).collect();
        assert_eq!(reduced(&all, |_| true), (Deviations::none(), 1));
    }

    #[test]
    fn a_failure_that_needs_everything_keeps_everything() {
        let all: Deviations = (0..30).map(|key| (at(key), Choice::Passed(1))).collect();
        let (least, tried) = reduced(&all, |schedule| schedule.len() == 30);
        assert_eq!(least, all);
        assert!(tried < 100, "{tried} were tried");
    }
}
