//! An unknown option.
//!
//~ unknown `seed`: there are `schedules`, `policy`, `faults`, `threads`, `horizon`, `reaches`, `live` and `crate`

use tavrida_testkit::sim::Sim;

#[tavrida_testkit::test(seed = 7)]
async fn it_holds(sim: Sim) {}
