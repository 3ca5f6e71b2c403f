//! A scenario that takes more than the simulation.
//!
//~ a scenario takes the simulation, and nothing else: write `async fn it_holds(sim: Sim)`

use tavrida_testkit::sim::Sim;

#[tavrida_testkit::test]
async fn it_holds(sim: Sim, seed: u64) {}
