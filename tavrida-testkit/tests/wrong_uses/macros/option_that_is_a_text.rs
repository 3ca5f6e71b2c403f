//! A text in place of options.
//!
//~ options are written as `#[tavrida_testkit::test(schedules = 64)]`; there are `schedules`, `policy`, `faults`, `threads`, `horizon`, `reaches`, `live` and `crate`

use tavrida_testkit::sim::Sim;

#[tavrida_testkit::test("it holds")]
async fn it_holds(sim: Sim) {}
