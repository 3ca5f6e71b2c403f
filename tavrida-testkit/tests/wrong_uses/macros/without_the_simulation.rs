//! A scenario that takes nothing.
//!
//~ a scenario takes the simulation, and nothing else: write `async fn it_holds(sim: Sim)`

#[tavrida_testkit::test]
async fn it_holds() {}
