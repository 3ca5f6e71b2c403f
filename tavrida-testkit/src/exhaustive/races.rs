//! Races: two dependent steps of a run that could have come in the other order.
//!
//! The search turns each race of each run around, which reaches all orders of dependent steps (source sets: Abdulla et al., "Optimal
//! dynamic partial order reduction", 2014).

use super::footprint::Footprint;
use crate::fault::Point;

/// A step of a run.
pub(super) struct RunStep<'a> {
    /// The index of its decision in the path of the search.
    pub(super) node: usize,
    /// What came.
    pub(super) arrival: Point,
    /// What could have come instead, and itself.
    pub(super) options: &'a [Point],
    pub(super) footprint: &'a Footprint,
    /// How often time had passed before it.
    pub(super) instant: u32,
}

/// A step that could have come after a later one.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Race {
    /// The index of its decision in the path of the search.
    pub(super) node: usize,
    /// Each of these begins a run in which it comes after the other one; the other one is the first of them if it could come at once.
    pub(super) beginnings: Vec<Point>,
}

/// Returns the races of a run whose later step is decided at `from` or behind it in the path.
pub(super) fn races(steps: &[RunStep<'_>], from: usize) -> Vec<Race> {
    let mut causes: Vec<Vec<bool>> = Vec::with_capacity(steps.len());
    let mut races = Vec::new();
    for (later, step) in steps.iter().enumerate() {
        let mut of_step = vec![false; later];
        let possible_from = step.possible_from(&steps[..later]);
        for earlier in (0..later).rev() {
            let other = &steps[earlier];
            let enabled = earlier + 1 == possible_from || other.instant != step.instant;
            if of_step[earlier] || !(enabled || other.footprint.meets(step.footprint)) {
                continue;
            }
            if !enabled && step.node >= from {
                let beginnings = beginnings(steps, &causes, &of_step, earlier);
                races.push(Race { node: other.node, beginnings });
            }
            of_step[earlier] = true;
            of_step.iter_mut().zip(&causes[earlier]).for_each(|(all, of_other)| *all |= of_other);
        }
        causes.push(of_step);
    }
    races
}

/// Returns the steps that can come first of those that `earlier` does not cause, up to the later one of a race.
fn beginnings(steps: &[RunStep<'_>], causes: &[Vec<bool>], of_later: &[bool], earlier: usize) -> Vec<Point> {
    let later = of_later.len();
    let causes_of = |step: usize| causes.get(step).map_or(of_later, Vec::as_slice);
    let free: Vec<usize> =
        (earlier + 1..=later).filter(|step| *step == later || !causes_of(*step)[earlier]).collect();
    let is_first = |step: &&usize| !free.iter().any(|other| other < step && causes_of(**step)[*other]);
    free.iter().filter(is_first).rev().map(|step| steps[*step].arrival).collect()
}

impl RunStep<'_> {
    /// Returns since which of the steps before it, by index, it could have come.
    fn possible_from(&self, before: &[Self]) -> usize {
        let possible = |step: &&RunStep<'_>| step.options.contains(&self.arrival);
        before.len() - before.iter().rev().take_while(possible).count()
    }
}
