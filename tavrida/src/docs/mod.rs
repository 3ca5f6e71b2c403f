//! Chapters to read, each tested as far as it holds code.

#[doc = include_str!("architecture.md")]
pub mod architecture {}

#[doc = include_str!("failure.md")]
pub mod failure {}

#[doc = include_str!("wire.md")]
pub mod wire {}
