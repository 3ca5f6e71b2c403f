//! The mutants: each breaks one promise, which the suite must name.

mod deliveries;
mod messages;
mod topology;

use crate::twist::Twist;

/// One mutant.
pub(crate) struct Mutant {
    /// Its fault.
    pub(crate) fault: &'static str,
    pub(crate) twist: Twist,
    /// The room of the broken promise, and words of that promise.
    pub(crate) room: &'static str,
    pub(crate) promise: &'static str,
}

const fn mutant(fault: &'static str, twist: Twist, room: &'static str, promise: &'static str) -> Mutant {
    Mutant { fault, twist, room, promise }
}

pub(crate) fn mutants() -> Vec<Mutant> {
    [
        topology::declaring(),
        topology::looking(),
        topology::arguments(),
        messages::publishing(),
        messages::carrying(),
        deliveries::consuming(),
        deliveries::settling(),
        deliveries::ending(),
    ]
    .into_iter()
    .flatten()
    .collect()
}
