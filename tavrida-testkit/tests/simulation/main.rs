//! Whole graphs of services in the simulation.

mod asks;
mod broken;
mod chain;
mod deploys;
mod exhaustive;
mod crooked;
mod faults;
mod healthy;
mod history;
#[cfg(all(feature = "live", feature = "rabbitmq", unix))]
mod live;
mod orders;
mod queries;
mod runs;
mod shop;
mod store;
mod strict;
mod stubs;
mod text;
mod timeouts;
mod versions;
