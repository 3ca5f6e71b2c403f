//! A scenario that is also a tokio test.
//!
//~ a second test attribute: this one makes the function a test already, and a simulation has a runtime of its own: leave the other out

use tavrida_testkit::sim::Sim;

#[tavrida_testkit::test]
#[tokio::test]
async fn it_holds(sim: Sim) {}
