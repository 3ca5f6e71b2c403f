//! A run depends only on its seed; violations are reported.

#[path = "../simulation/chain.rs"]
mod chain;
mod culprits;
mod digest;
mod healthy;
mod twice;
