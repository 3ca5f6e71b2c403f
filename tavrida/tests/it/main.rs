//! The public behaviour of the crate. One binary, so that it is linked once.

mod abandoned;
mod around;
mod asks;
mod asks_built;
mod bad_input;
mod building;
mod capture;
mod circles;
mod classes;
#[cfg(feature = "macros")]
mod compiler;
mod contracts;
mod copies;
mod conversation;
mod deploys;
mod envelope;
mod emits;
mod extremes;
mod failures;
mod forged;
mod golden;
mod gone;
mod later;
mod life;
mod logs;
#[cfg(feature = "macros")]
mod macros;
mod names;
mod nested;
mod newcomer;
mod operator;
mod panics;
mod patterns;
mod recovery;
mod returned;
mod selecting;
mod signals;
mod starting;
#[path = "../stories/mod.rs"]
mod stories;
mod tidy;
#[cfg(feature = "tower")]
mod tower;
mod fixture;
mod unconfirmed;
mod words;
#[cfg(feature = "macros")]
mod wrong_uses;
