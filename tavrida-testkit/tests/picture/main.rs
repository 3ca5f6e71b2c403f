//! Pictures of runs: their structure, not their looks.

mod mermaid;
mod scenarios;
