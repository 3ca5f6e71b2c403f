//! The searches: for the schedule that charges twice, and for one that the repaired service does not bear.

use tavrida_testkit::explore::{self, explore};
use tavrida_testkit::fault::Faults;

use crate::scenario::{first_try, repaired};

/// Tries schedules of the first try until a customer is charged twice.
pub fn find(schedules: u64) -> explore::Report {
    explore(first_try)
        .named("a_customer_is_charged_once")
        .schedules(schedules)
        .faults(Faults::at_least_once())
        .run()
}

/// Tries as many schedules of the repaired shop.
pub fn check(schedules: u64) -> explore::Report {
    explore(repaired)
        .named("a_customer_is_charged_once")
        .schedules(schedules)
        .faults(Faults::at_least_once())
        .run()
}
