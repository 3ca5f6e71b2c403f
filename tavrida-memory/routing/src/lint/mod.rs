//! Lint: probable problems of a topology, and of a graph of services.

mod code;
mod report;
mod services;
mod topology;

pub use code::{Code, Severity};
pub use report::{Finding, Report};

use crate::services::Services;
use crate::topology::Topology;

/// A lint run: its subjects, and the allowed findings.
///
/// ```
/// use tavrida_routing::{Code, Lint, Queue, Topology};
///
/// let topology = Topology::builder().queue(Queue::quorum("orders").dead_letter("missing", "orders")).build()?;
/// let report = Lint::new()
///     .topology(&topology)
///     .allow(Code::UnboundedQueue, "queue 'orders'", "its consumers are watched")
///     .allow(Code::UnreachableQueue, "queue 'orders'", "published to by the default exchange")
///     .run();
/// assert_eq!(report.findings()[0].code, Code::DeadLetterMissing);
/// println!("{report}");
/// # Ok::<(), tavrida_routing::BrokerError>(())
/// ```
#[derive(Debug, Default)]
#[must_use = "a lint finds nothing until `run`"]
pub struct Lint<'a> {
    topology: Option<&'a Topology>,
    services: Option<&'a Services>,
    beside: Vec<(&'a str, &'a Topology)>,
    allowed: Vec<Allowed>,
}

/// A finding that is known.
#[derive(Debug, Clone)]
pub(crate) struct Allowed {
    code: Code,
    place: String,
    reason: String,
}

impl<'a> Lint<'a> {
    /// Returns a run without a subject.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a topology to check.
    pub fn topology(self, topology: &'a Topology) -> Self {
        Self { topology: Some(topology), ..self }
    }

    /// Adds a graph of services to check; with a topology it also checks whether what they send arrives.
    pub fn services(self, services: &'a Services) -> Self {
        Self { services: Some(services), ..self }
    }

    /// Checks whether another topology, such as that of one more server, can be declared in addition; `who` names it.
    pub fn beside(mut self, who: &'a str, other: &'a Topology) -> Self {
        self.beside.push((who, other));
        self
    }

    /// Allows a finding, for a reason. The place is that of the finding, such as `queue 'audit'`. An allowed finding that does not occur is
    /// a finding itself.
    pub fn allow(mut self, code: Code, place: impl Into<String>, reason: impl Into<String>) -> Self {
        self.allowed.push(Allowed { code, place: place.into(), reason: reason.into() });
        self
    }

    /// Runs the checks.
    pub fn run(self) -> Report {
        let mut findings = Vec::new();
        if let Some(topology) = self.topology {
            topology::check(topology, &mut findings);
        }
        if let Some(services) = self.services {
            services::check(services, self.topology, &mut findings);
        }
        let mut node = self.topology.cloned().unwrap_or_default();
        for (who, other) in self.beside {
            if let Err(refusal) = node.merge(other) {
                let fix = "declare it with the same properties everywhere";
                findings.push(Finding::new(Code::DeclarationClash, who, refusal, fix));
            }
        }
        Report::new(findings, self.allowed)
    }
}

impl Topology {
    /// Checks this topology for probable problems. [`Lint`] does the same and can allow findings.
    pub fn lint(&self) -> Report {
        Lint::new().topology(self).run()
    }
}

impl Services {
    /// Checks this graph for probable problems. [`Lint`] does the same, with a topology and with allowed findings.
    pub fn lint(&self) -> Report {
        Lint::new().services(self).run()
    }
}
