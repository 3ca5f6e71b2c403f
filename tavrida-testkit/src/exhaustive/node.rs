//! [`Node`]: a decision of the search, with the choices that are explored and those that are not yet.

use super::footprint::Footprint;
use super::races::RunStep;
use crate::fault::{Fault, Point};

/// A decision of a run.
pub(super) enum Node {
    Arrivals(Box<Arrivals>),
    Faults(FaultChoice),
}

/// A step that was already explored from here.
#[derive(Debug, Clone)]
pub(super) struct Sleeper {
    /// The arrival that the step begins with: it has the same key in each order of independent steps.
    arrival: Point,
    footprint: Footprint,
}

/// One of several messages arrives.
pub(super) struct Arrivals {
    options: Vec<Point>,
    /// For each option, whether it is to be explored.
    planned: Vec<Exploration>,
    /// The sleeping steps when the run reached this place.
    asleep: Vec<Sleeper>,
    /// The steps already explored from here.
    done: Vec<Sleeper>,
    /// The choice of this run.
    current: usize,
    /// What the current choice touches in this run.
    footprint: Footprint,
    /// What the current choice touches without a fault: recorded the first time.
    unharmed: Option<Footprint>,
    /// Whether a fault may happen after this.
    may_fail: bool,
    /// Whether to skip equivalent orders.
    reduce: bool,
    /// How often time had passed.
    instant: u32,
}

/// Whether an option is explored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Exploration {
    /// Nothing yet.
    Open,
    Planned,
    Explored,
}

/// No fault, or one of the faults.
pub(super) struct FaultChoice {
    options: Vec<Fault>,
    current: Option<usize>,
}

impl Node {
    /// Returns the step of this run that it decides on. `None` if it is no arrival.
    pub(super) fn step(&self, node: usize) -> Option<RunStep<'_>> {
        let Self::Arrivals(arrivals) = self else { return None };
        let Arrivals { options, footprint, instant, .. } = &**arrivals;
        Some(RunStep { node, arrival: options[arrivals.current], options, footprint, instant: *instant })
    }
}

impl Arrivals {
    /// Takes the first choice: one that is awake, or, if a fault may happen in it, a sleeping one. `None` if there is none.
    pub(super) fn new(
        options: Vec<Point>,
        asleep: Vec<Sleeper>,
        may_fail: bool,
        reduce: bool,
        instant: u32,
    ) -> Option<Self> {
        let mut node = Self {
            planned: vec![Exploration::Open; options.len()],
            options,
            asleep,
            done: Vec::new(),
            current: 0,
            footprint: Footprint::default(),
            unharmed: None,
            may_fail,
            reduce,
            instant,
        };
        let awake = (0..node.options.len()).find(|option| !node.is_asleep(*option));
        node.current = match awake {
            Some(awake) => awake,
            None if may_fail => 0,
            None => return None,
        };
        // Where all sleep, runs end, and have no later steps that could race.
        if !reduce || awake.is_none() {
            node.planned.fill(Exploration::Planned);
        }
        node.planned[node.current] = Exploration::Explored;
        Some(node)
    }

    pub(super) fn options(&self) -> &[Point] {
        &self.options
    }

    pub(super) fn current(&self) -> usize {
        self.current
    }

    pub(super) fn is_current_asleep(&self) -> bool {
        self.is_asleep(self.current)
    }

    fn is_asleep(&self, option: usize) -> bool {
        self.asleep.iter().any(|sleeper| sleeper.arrival == self.options[option])
    }

    /// Returns whether to explore an option at all: a sleeping one only if a fault may happen in it.
    fn is_worth_it(&self, option: usize) -> bool {
        self.may_fail || !self.is_asleep(option)
    }

    /// Records what the current choice touched.
    pub(super) fn ran(&mut self, footprint: Footprint) {
        self.unharmed.get_or_insert_with(|| footprint.clone());
        self.footprint = footprint;
    }

    /// Returns the steps that sleep after one with this footprint.
    pub(super) fn sleepers_after(&self, footprint: &Footprint) -> Vec<Sleeper> {
        let sleepers = self.asleep.iter().chain(&self.done);
        sleepers.filter(|sleeper| !sleeper.footprint.meets(footprint)).cloned().collect()
    }

    /// Plans to explore one of these arrivals, unless one of them is planned, explored or not worth it.
    pub(super) fn plan_one_of(&mut self, arrivals: &[Point]) {
        let options = arrivals.iter().filter_map(|arrival| self.options.iter().position(|it| it == arrival));
        let options: Vec<usize> = options.collect();
        if options.is_empty() {
            // Not expected: a step that can come first could come before. All of them cost time, and miss nothing.
            self.planned
                .iter_mut()
                .filter(|plan| **plan == Exploration::Open)
                .for_each(|plan| *plan = Exploration::Planned);
        } else if options
            .iter()
            .all(|option| self.planned[*option] == Exploration::Open && self.is_worth_it(*option))
        {
            self.planned[options[0]] = Exploration::Planned;
        }
    }

    /// Moves to the next choice. Returns `false` if there is none.
    pub(super) fn advance(&mut self) -> bool {
        let unharmed = self.unharmed.take();
        if self.reduce
            && !self.is_current_asleep()
            && let Some(footprint) = unharmed
        {
            self.done.push(Sleeper { arrival: self.options[self.current], footprint });
        }
        let is_next =
            |option: &usize| self.planned[*option] == Exploration::Planned && self.is_worth_it(*option);
        let Some(next) = (0..self.options.len()).find(is_next) else { return false };
        self.planned[next] = Exploration::Explored;
        self.current = next;
        true
    }
}

impl FaultChoice {
    /// Begins without a fault.
    pub(super) fn new(options: Vec<Fault>) -> Self {
        Self { options, current: None }
    }

    /// Returns the fault of this run, if any.
    pub(super) fn current(&self) -> Option<Fault> {
        Some(self.options[self.current?])
    }

    pub(super) fn advance(&mut self) -> bool {
        let next = self.current.map_or(0, |current| current + 1);
        self.current = Some(next);
        next < self.options.len()
    }
}
