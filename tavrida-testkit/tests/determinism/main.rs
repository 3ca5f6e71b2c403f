//! A run depends on its seed and on nothing else; where it does not, that is told.

#[path = "../simulation/chain.rs"]
mod chain;
mod culprits;
mod digest;
mod healthy;
mod twice;
