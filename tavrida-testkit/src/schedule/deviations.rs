//! [`Deviations`]: a schedule, as its differences from the default.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::fault::{Fault, Point, Site, in_milliseconds};

/// A decision at a [`Point`] that differs from the default.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Choice {
    /// This many later messages arrive before this one, although it could arrive. At [`Site::Publish`] its confirm comes after this many
    /// steps of others, and at [`Site::Yield`] the code goes on; with 0 when no task can go on, before the next message arrives.
    Passed(u32),
    /// It arrives this much later, in whole milliseconds.
    Delayed(Duration),
    /// This fault happens.
    Fault(Fault),
}

/// A schedule. One point can have one choice of each kind.
///
/// It is written as one line, and read from it: see [`Replay`](super::Replay).
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Deviations(BTreeMap<(Point, u8), Choice>);

impl Choice {
    /// Returns the rank of its kind among the choices of one point.
    fn rank(self) -> u8 {
        match self {
            Self::Passed(_) => 0,
            Self::Delayed(_) => 1,
            Self::Fault(_) => 2,
        }
    }

    /// Returns whether it is a fault.
    pub fn is_fault(self) -> bool {
        matches!(self, Self::Fault(_))
    }

    /// Truncates to whole milliseconds.
    fn rounded(mut self) -> Self {
        match &mut self {
            Self::Delayed(delay) => *delay = in_milliseconds(*delay),
            Self::Fault(fault) => {
                if let Some(time) = fault.time() {
                    *time = in_milliseconds(*time);
                }
            }
            Self::Passed(_) => {}
        }
        self
    }
}

impl Deviations {
    /// Returns the default schedule.
    pub fn none() -> Self {
        Self::default()
    }

    /// Returns whether it is the default.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns how many decisions differ from the default.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Returns how many decisions are faults.
    pub fn faults(&self) -> usize {
        self.iter().filter(|(_, choice)| choice.is_fault()).count()
    }

    /// Returns all decisions, sorted.
    pub fn iter(&self) -> impl Iterator<Item = (Point, Choice)> {
        self.0.iter().map(|((point, _), choice)| (*point, *choice))
    }

    /// Sets a decision, in place of a decision of the same kind at the same point. Times are truncated to whole milliseconds. Zero delay
    /// is the default and removes the decision, and so are zero passed messages, except at [`Site::Publish`] and [`Site::Yield`].
    pub fn insert(&mut self, point: Point, choice: Choice) {
        let choice = choice.rounded();
        match choice {
            Choice::Passed(0) if !matches!(point.site, Site::Publish | Site::Yield) => {
                self.0.remove(&(point, choice.rank()));
            }
            Choice::Delayed(Duration::ZERO) => {
                self.0.remove(&(point, choice.rank()));
            }
            _ => {
                self.0.insert((point, choice.rank()), choice);
            }
        }
    }

    /// Returns how many later messages arrive first at a point.
    pub fn passed(&self, point: Point) -> u32 {
        match self.0.get(&(point, 0)) {
            Some(Choice::Passed(times)) => *times,
            _ => 0,
        }
    }

    /// Returns whether code at a point waits until the run picks it.
    pub(crate) fn suspends(&self, point: Point) -> bool {
        self.0.contains_key(&(point, 0))
    }

    /// Returns how much later than it could a message arrives, or code goes on.
    pub fn delay(&self, point: Point) -> Duration {
        match self.0.get(&(point, 1)) {
            Some(Choice::Delayed(delay)) => *delay,
            _ => Duration::ZERO,
        }
    }

    /// Returns the fault at a point.
    pub fn fault(&self, point: Point) -> Option<Fault> {
        match self.0.get(&(point, 2)) {
            Some(Choice::Fault(fault)) => Some(*fault),
            _ => None,
        }
    }
}

impl FromIterator<(Point, Choice)> for Deviations {
    fn from_iter<I: IntoIterator<Item = (Point, Choice)>>(choices: I) -> Self {
        let mut all = Self::default();
        choices.into_iter().for_each(|(point, choice)| all.insert(point, choice));
        all
    }
}
