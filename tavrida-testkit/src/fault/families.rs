//! [`Faults`]: which faults a run may draw at random, and how often.

use super::{Fault, Point};

/// Which faults a run may draw at random, and how often.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Faults {}

impl Faults {
    /// None: only scripted faults happen.
    pub fn none() -> Self {
        Self::default()
    }

    /// Whether none can happen.
    pub fn is_none(&self) -> bool {
        true
    }

    /// What goes wrong at a point in the run of a seed. The same point has the same fault in each run of the seed, whatever else
    /// happens.
    pub(crate) fn at(&self, seed: u64, point: Point) -> Option<Fault> {
        let _ = (seed, point);
        None
    }
}
