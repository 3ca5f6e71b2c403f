//! Schedules: written down, carried out again, searched for those that fail, and made short.

#[path = "../simulation/chain.rs"]
mod chain;
mod fan_out;
mod replays;
mod text;
