//! [`Actor`]: a participant of a run.

use std::fmt;
use std::sync::Arc;

/// The number of an actor in its [`Trace`](super::Trace).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ActorId(u32);

impl ActorId {
    pub(crate) fn new(index: usize) -> Self {
        Self(u32::try_from(index).expect("a run has fewer than four billion actors"))
    }

    /// Returns its index in [`Trace::actors`](super::Trace::actors).
    pub fn index(self) -> usize {
        self.0 as usize
    }

    /// Returns its number in the broker's network.
    pub(crate) fn peer(self) -> u32 {
        self.0
    }

    pub(crate) fn of_peer(peer: u32) -> Self {
        Self(peer)
    }
}

/// A participant of a run. Clones are cheap.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    name: Arc<str>,
    kind: ActorKind,
}

/// The kind of an actor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ActorKind {
    /// The simulation itself: faults, time, the broker as a whole.
    Simulation,
    /// A server with its services; each replica is a separate actor.
    Service,
    /// A stand-in for a service.
    Stub,
    /// A client.
    Client,
}

impl Actor {
    pub(crate) fn new(name: &str, kind: ActorKind) -> Self {
        Self { name: name.into(), kind }
    }

    /// Returns its name; the name of a replica has its number, as `billing/2`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns its kind.
    pub fn kind(&self) -> ActorKind {
        self.kind
    }

    /// Returns its name without the number of a replica.
    pub fn service(&self) -> &str {
        self.name.split_once('/').map_or(&self.name, |(service, _)| service)
    }
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.name)
    }
}
