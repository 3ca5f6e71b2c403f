//! [`Divergence`]: what came differs from the prediction.

use std::fmt;

use crate::heard::Report;
use crate::world::Prediction;

/// What came differs from the prediction.
#[derive(Debug, Clone)]
pub(crate) struct Divergence {
    peer: &'static str,
    step: String,
    expected: Vec<String>,
    heard: Vec<String>,
}

impl Divergence {
    pub(crate) fn new(
        peer: &'static str,
        wanted: &Prediction,
        report: &Report,
        error: Option<String>,
    ) -> Self {
        let mut heard = report.lines();
        heard.extend(error.map(|error| format!("({error})")));
        Self { peer, step: wanted.step.clone(), expected: wanted.report.lines(), heard }
    }
}

impl fmt::Display for Divergence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { peer, step, expected, heard } = self;
        let (expected, heard) = (expected.join("\n    "), heard.join("\n    "));
        write!(f, "at the step: {step}\nthe memory broker:\n    {expected}\n{peer}:\n    {heard}\n")
    }
}
