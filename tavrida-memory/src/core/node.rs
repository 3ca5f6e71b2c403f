//! [`Node`]: what holds for all parts of the broker.

use tavrida_behaviour::Behaviour;

use super::ids::Now;
use super::names::Names;

/// The node: how it behaves, and what time it is.
#[derive(Debug, Clone)]
pub(crate) struct Node {
    pub(crate) behaviour: Behaviour,
    /// The latest time known.
    pub(crate) now: Now,
    /// The source of generated names.
    pub(crate) names: Names,
    /// The reason of the alarm, if there is one.
    pub(crate) alarm: Option<String>,
}

impl Node {
    pub(crate) fn new(behaviour: Behaviour, seed: u64) -> Self {
        Self { behaviour, now: Now::default(), names: Names::new(seed), alarm: None }
    }
}
