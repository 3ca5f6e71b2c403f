//! [`Deviations`]: a schedule, as the few things that differ from the default.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::fault::{Fault, Point, in_milliseconds};

/// What was decided at a [`Point`], other than the default.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Choice {
    /// So many later messages arrive before this one, though it could arrive.
    Passed(u32),
    /// It is so long on its way, in whole milliseconds.
    Delayed(Duration),
    /// This goes wrong.
    Fault(Fault),
}

/// A schedule. One point can have one choice of each kind.
///
/// It is written as one line, and read from it: see [`Replay`](super::Replay).
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Deviations(BTreeMap<(Point, u8), Choice>);

impl Choice {
    /// The place of its kind among the choices of one point.
    fn rank(self) -> u8 {
        match self {
            Self::Passed(_) => 0,
            Self::Delayed(_) => 1,
            Self::Fault(_) => 2,
        }
    }

    /// Whether it is something that goes wrong.
    pub fn is_fault(self) -> bool {
        matches!(self, Self::Fault(_))
    }

    /// Without parts of milliseconds.
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
    /// The default schedule.
    pub fn none() -> Self {
        Self::default()
    }

    /// Whether it is the default.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many decisions differ from the default.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// How many of them are faults.
    pub fn faults(&self) -> usize {
        self.iter().filter(|(_, choice)| choice.is_fault()).count()
    }

    /// All of them, sorted.
    pub fn iter(&self) -> impl Iterator<Item = (Point, Choice)> {
        self.0.iter().map(|((point, _), choice)| (*point, *choice))
    }

    /// Decides something, in place of what was decided of the same kind at the same point. Times lose what is less than a
    /// millisecond; to pass no times and to delay by nothing are the default, and no deviations.
    pub fn insert(&mut self, point: Point, choice: Choice) {
        let choice = choice.rounded();
        match choice {
            Choice::Passed(0) | Choice::Delayed(Duration::ZERO) => {
                self.0.remove(&(point, choice.rank()));
            }
            _ => {
                self.0.insert((point, choice.rank()), choice);
            }
        }
    }

    /// How many later messages go first at a point.
    pub fn passed(&self, point: Point) -> u32 {
        match self.0.get(&(point, 0)) {
            Some(Choice::Passed(times)) => *times,
            _ => 0,
        }
    }

    /// How long a message is on its way.
    pub fn delay(&self, point: Point) -> Duration {
        match self.0.get(&(point, 1)) {
            Some(Choice::Delayed(delay)) => *delay,
            _ => Duration::ZERO,
        }
    }

    /// What goes wrong at a point.
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
