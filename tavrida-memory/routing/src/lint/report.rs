//! [`Report`]: findings, as text, JSON and SARIF.

use std::fmt;

use serde_json::{Value as Json, json};

use crate::lint::Allowed;
use crate::lint::code::{Code, Severity};

/// A probable problem.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub struct Finding {
    /// Its severity.
    pub severity: Severity,
    /// The kind.
    pub code: Code,
    /// Its place, such as `queue 'audit'`.
    pub place: String,
    /// The problem.
    pub reason: String,
    /// How to fix it.
    pub fix: String,
}

impl Finding {
    pub(crate) fn new(
        code: Code,
        place: impl Into<String>,
        reason: impl fmt::Display,
        fix: impl Into<String>,
    ) -> Self {
        let (place, fix) = (place.into(), fix.into());
        Self { severity: code.severity(), code, place, reason: reason.to_string(), fix }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { severity, code, place, reason, fix } = self;
        write!(f, "{severity}[{code}] {place}: {reason}\n  fix: {fix}")
    }
}

/// The findings of a lint run, errors first. Its `Display` output is for people.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    findings: Vec<Finding>,
    /// With the reason why.
    allowed: Vec<(Finding, String)>,
}

impl Report {
    pub(crate) fn new(all: Vec<Finding>, allows: Vec<Allowed>) -> Self {
        let mut report = Self::default();
        for finding in all {
            match allows.iter().find(|allow| allow.code == finding.code && allow.place == finding.place) {
                Some(allow) => report.allowed.push((finding, allow.reason.clone())),
                None => report.findings.push(finding),
            }
        }
        for allow in allows {
            let is_used = report
                .allowed
                .iter()
                .any(|(found, _)| found.code == allow.code && found.place == allow.place);
            if !is_used {
                let reason = format!("'{}' is allowed here ({}) and not found", allow.code, allow.reason);
                report.findings.push(Finding::new(
                    Code::UnusedAllow,
                    allow.place,
                    reason,
                    "remove it from the list",
                ));
            }
        }
        report.findings.sort();
        report.findings.dedup();
        report.allowed.sort();
        report
    }

    /// Returns the findings that are not allowed, errors first.
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// Returns the allowed findings, each with its reason.
    pub fn allowed(&self) -> &[(Finding, String)] {
        &self.allowed
    }

    /// Returns the findings of a kind.
    pub fn of(&self, code: Code) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(move |finding| finding.code == code)
    }

    /// Asserts that there is no finding of this severity or higher.
    ///
    /// # Panics
    ///
    /// Panics with those findings.
    #[track_caller]
    pub fn assert_none(&self, worst: Severity) {
        let bad: Vec<String> = self
            .findings
            .iter()
            .filter(|finding| finding.severity <= worst)
            .map(Finding::to_string)
            .collect();
        assert!(bad.is_empty(), "{} findings\n{}", bad.len(), bad.join("\n"));
    }

    /// Returns the findings as a JSON array of objects with `code`, `severity`, `place`, `reason`, `fix`, and `allowed` for an allowed
    /// finding.
    pub fn to_json(&self) -> String {
        let object = |finding: &Finding, allowed: Option<&str>| {
            let mut json = json!({
                "code": finding.code.as_str(),
                "severity": finding.severity.to_string(),
                "place": finding.place,
                "reason": finding.reason,
                "fix": finding.fix,
            });
            if let Some(reason) = allowed {
                json["allowed"] = reason.into();
            }
            json
        };
        let open = self.findings.iter().map(|finding| object(finding, None));
        let allowed = self.allowed.iter().map(|(finding, reason)| object(finding, Some(reason)));
        pretty(&open.chain(allowed).collect::<Vec<_>>().into())
    }

    /// Returns the findings as SARIF 2.1.0, which code hosts show beside a change. `file` is the path of the topology's file, relative to
    /// the root of the repository.
    pub fn to_sarif(&self, file: &str) -> String {
        let result = |finding: &Finding, allowed: Option<&str>| {
            let mut json = json!({
                "ruleId": finding.code.as_str(),
                "level": level(finding.severity),
                "message": { "text": format!("{}: {} ({})", finding.place, finding.reason, finding.fix) },
                "locations": [{
                    "physicalLocation": { "artifactLocation": { "uri": file } },
                    "logicalLocations": [{ "fullyQualifiedName": finding.place }],
                }],
            });
            if let Some(reason) = allowed {
                json["suppressions"] = json!([{ "kind": "external", "justification": reason }]);
            }
            json
        };
        let open = self.findings.iter().map(|finding| result(finding, None));
        let allowed = self.allowed.iter().map(|(finding, reason)| result(finding, Some(reason)));
        let rules = Code::ALL.iter().map(|code| {
            json!({
                "id": code.as_str(),
                "shortDescription": { "text": code.about() },
                "defaultConfiguration": { "level": level(code.severity()) },
            })
        });
        pretty(&json!({
            "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
            "version": "2.1.0",
            "runs": [{
                "tool": { "driver": {
                    "name": env!("CARGO_PKG_NAME"),
                    "version": env!("CARGO_PKG_VERSION"),
                    "rules": rules.collect::<Vec<_>>(),
                } },
                "results": open.chain(allowed).collect::<Vec<_>>(),
            }],
        }))
    }
}

/// SARIF's word for a severity.
fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Info => "note",
    }
}

fn pretty(json: &Json) -> String {
    serde_json::to_string_pretty(json).expect("a JSON value can be written")
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.findings.iter().try_for_each(|finding| writeln!(f, "{finding}"))?;
        for (finding, reason) in &self.allowed {
            writeln!(f, "allowed[{}] {}: {reason}", finding.code, finding.place)?;
        }
        let count = |severity| self.findings.iter().filter(|finding| finding.severity == severity).count();
        let (errors, warnings, infos) =
            (count(Severity::Error), count(Severity::Warning), count(Severity::Info));
        writeln!(f, "{errors} errors, {warnings} warnings, {infos} infos, {} allowed", self.allowed.len())
    }
}
