//! A scenario that is not an async fn.
//!
//~ a scenario is async: write `async fn it_holds`

use tavrida_testkit::sim::Sim;

#[tavrida_testkit::test]
fn it_holds(sim: Sim) {}
