//! Schedules: recorded, replayed, searched for failures, and shrunk.

#![expect(clippy::print_stdout, reason = "some tests print what they found")]

#[path = "../simulation/chain.rs"]
mod chain;
mod environment;
mod fan_out;
mod keys;
mod marks;
#[cfg(feature = "proptest")]
mod plans;
mod planted;
mod regressions;
mod replays;
mod reports;
mod search;
mod text;
