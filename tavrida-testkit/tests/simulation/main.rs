//! Whole graphs of services in the simulation.

mod chain;
mod runs;
