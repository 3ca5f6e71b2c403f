//! Pictures of runs: their structure, not their looks.

mod mermaid;
mod page;
mod scenarios;
