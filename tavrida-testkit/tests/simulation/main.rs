//! Whole graphs of services in the simulation.

mod chain;
mod exhaustive;
mod faults;
#[cfg(all(feature = "live", feature = "rabbitmq", unix))]
mod live;
mod queries;
mod runs;
mod shop;
mod text;
