//! The report of a run of the suite.

use std::collections::BTreeMap;
use std::fmt;

use tavrida::transport::Broker;

/// The results of all promises.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[must_use = "a report that nobody looks at proves nothing: call `assert_ok`"]
pub struct Report {
    broker: Option<Broker>,
    findings: Vec<Finding>,
}

/// The result of one promise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The room that the promise belongs to.
    pub room: &'static str,
    /// What was promised.
    pub promise: &'static str,
    /// The source of the promise.
    pub source: &'static str,
    /// The result.
    pub verdict: Verdict,
}

/// The result of a promise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It was kept.
    Kept,
    /// It was broken.
    Broken {
        /// What was expected.
        expected: String,
        /// What was observed.
        seen: String,
    },
    /// It was not checked, for this reason.
    Skipped(String),
}

impl Report {
    pub(crate) fn new(broker: Option<Broker>) -> Self {
        Self { broker, findings: Vec::new() }
    }

    pub(crate) fn add(&mut self, finding: Finding) {
        self.findings.push(finding);
    }

    /// Returns the results in the order in which the promises were checked.
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// Returns the broken promises.
    pub fn broken(&self) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(|finding| matches!(finding.verdict, Verdict::Broken { .. }))
    }

    /// Returns the number of promises.
    pub fn promises(&self) -> usize {
        self.findings.len()
    }

    /// Returns how many were kept.
    pub fn kept(&self) -> usize {
        self.findings.iter().filter(|finding| finding.verdict == Verdict::Kept).count()
    }

    /// Returns how many were skipped.
    pub fn skipped(&self) -> usize {
        self.findings.iter().filter(|finding| matches!(finding.verdict, Verdict::Skipped(_))).count()
    }

    /// Returns what the broker reported when the suite connected, if it reported anything.
    pub fn broker(&self) -> Option<&Broker> {
        self.broker.as_ref()
    }

    /// Returns the broker and the counts, in one line; of what was skipped, the reasons too.
    pub fn summary(&self) -> String {
        let broken = self.broken().count();
        let mut line = self.broker.iter().map(|broker| format!("{broker}: ")).collect::<String>();
        line += &format!("promises: {}, kept: {}, skipped: {}", self.promises(), self.kept(), self.skipped());
        let mut reasons = BTreeMap::<_, usize>::new();
        for finding in &self.findings {
            if let Verdict::Skipped(reason) = &finding.verdict {
                *reasons.entry(reason).or_default() += 1;
            }
        }
        if !reasons.is_empty() {
            let reasons: Vec<_> =
                reasons.iter().map(|(reason, count)| format!("{reason}: {count}")).collect();
            line += &format!(" ({})", reasons.join(", "));
        }
        if broken > 0 {
            line += &format!(", broken: {broken}");
        }
        line
    }

    /// Asserts that no promise was broken and at least one was kept.
    ///
    /// # Panics
    ///
    /// Panics otherwise, with the list of broken promises.
    #[track_caller]
    pub fn assert_ok(&self) {
        let broken: Vec<String> = self.broken().map(Finding::to_string).collect();
        assert!(broken.is_empty(), "promises were not kept:\n{}\n{}", broken.join("\n"), self.summary());
        assert!(self.kept() > 0, "no promise was looked at: {}", self.summary());
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for finding in &self.findings {
            writeln!(f, "{finding}")?;
        }
        f.write_str(&self.summary())
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { room, promise, source, verdict } = self;
        match verdict {
            Verdict::Kept => write!(f, "ok   {room}: {promise}"),
            Verdict::Skipped(reason) => write!(f, "skip {room}: {promise} ({reason})"),
            Verdict::Broken { expected, seen } => {
                write!(f, "FAIL {room}: {promise} [{source}]\n     expected {expected}\n     seen     {seen}")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::*;

    fn finding(promise: &'static str, verdict: Verdict) -> Finding {
        Finding { room: "publishing", promise, source: "R91", verdict }
    }

    fn report(findings: impl IntoIterator<Item = Finding>) -> Report {
        Report { broker: None, findings: findings.into_iter().collect() }
    }

    #[test]
    fn a_report_counts_and_tells_each_promise_in_a_line() {
        let report = report([
            finding("it arrives", Verdict::Kept),
            finding("it waits", Verdict::Skipped("no clock".to_owned())),
            finding("it stays", Verdict::Broken { expected: "1".to_owned(), seen: "0".to_owned() }),
        ]);
        assert_eq!(
            report.to_string(),
            "ok   publishing: it arrives\n\
             skip publishing: it waits (no clock)\n\
             FAIL publishing: it stays [R91]\n     expected 1\n     seen     0\n\
             promises: 3, kept: 1, skipped: 1 (no clock: 1), broken: 1"
        );
    }

    #[test]
    #[should_panic(expected = "FAIL publishing: it stays [R91]")]
    fn a_broken_promise_fails_the_assertion_by_name() {
        let broken = Verdict::Broken { expected: "1".to_owned(), seen: "0".to_owned() };
        report([finding("it arrives", Verdict::Kept), finding("it stays", broken)]).assert_ok();
    }

    #[test]
    #[should_panic(expected = "no promise was looked at")]
    fn a_run_that_skipped_everything_is_no_success() {
        report([finding("it waits", Verdict::Skipped("no clock".to_owned()))]).assert_ok();
    }
}
