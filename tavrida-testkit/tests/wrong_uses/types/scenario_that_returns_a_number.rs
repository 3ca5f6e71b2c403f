//! A scenario that returns neither nothing nor a result.
//!
//~ `i32` is no result of a scenario
//~ a scenario returns nothing or a `Result`

use tavrida_testkit::explore;
use tavrida_testkit::sim::Sim;

async fn it_holds(_: Sim) -> i32 {
    1
}

fn try_it() {
    explore(it_holds).check();
}
