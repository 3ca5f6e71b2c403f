//! Pictures of runs: their structure, not their appearance.

mod mermaid;
mod page;
mod scenarios;
