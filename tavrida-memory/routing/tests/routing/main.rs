//! The laws of routing: a topology predicts what a broker does.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
#![expect(clippy::print_stdout, reason = "how much was compared, for `--nocapture`")]

mod decisions;
mod declaring;
mod definitions;
mod exhaustive;
mod hostile;
mod lint;
mod node;
mod pictures;
mod random;
mod servers;
mod snapshots;
mod strategies;
mod tables;
mod versions;
