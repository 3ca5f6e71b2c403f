//! An option that is given twice.
//!
//~ `schedules` is given twice

use tavrida_testkit::sim::Sim;

#[tavrida_testkit::test(schedules = 7, schedules = 8)]
async fn it_holds(sim: Sim) {}
