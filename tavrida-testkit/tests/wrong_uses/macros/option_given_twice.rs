//! An option that is given twice.
//!
//~ `seeds` is given twice

use tavrida_testkit::sim::Sim;

#[tavrida_testkit::test(seeds = 7, seeds = 8)]
async fn it_holds(sim: Sim) {}
