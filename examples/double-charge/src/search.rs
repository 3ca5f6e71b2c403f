//! The searches: for the schedule that charges twice, and for one that breaks the repaired service.

use std::time::Duration;

use tavrida_testkit::exhaustive::{self, exhaustive};
use tavrida_testkit::explore::{self, explore};
use tavrida_testkit::fault::{Family, Fault, Faults, Site};

use crate::scenario::{first_try, repaired, second_try};

/// Runs schedules of the first version, with processes killed at any moment, until a customer is charged twice.
pub fn find(schedules: u64) -> explore::Report {
    explore(first_try).named("a_customer_is_charged_once").schedules(schedules).faults(kills()).run()
}

/// The same search in the second version.
pub fn find_again(schedules: u64) -> explore::Report {
    explore(second_try).named("receipts_do_not_help").schedules(schedules).faults(kills()).run()
}

fn kills() -> Faults {
    let families = [
        Family::CrashAtPublish,
        Family::CrashAtStart,
        Family::CrashInHandler,
        Family::CrashBeforeAck,
        Family::CrashAfterAck,
    ];
    families.into_iter().fold(Faults::none(), |faults, family| faults.with(family, 0.02))
}

/// Runs as many schedules of the repaired shop, with all faults that a service must survive.
pub fn check(schedules: u64) -> explore::Report {
    explore(repaired)
        .named("a_customer_is_charged_once")
        .schedules(schedules)
        .faults(Faults::at_least_once())
        .run()
}

/// Runs every order of deliveries of the repaired shop, with a process killed before any one of the acks.
pub fn prove() -> exhaustive::Report {
    exhaustive(repaired).fault(Site::Ack, Fault::Crash(Duration::ZERO)).max_faults(1).run()
}
