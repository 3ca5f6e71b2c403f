//! No law is broken in a service without a mistake, whatever goes wrong: a law that is, raises a false alarm.
//!
//! `TAVRIDA_SCHEDULES=1000000 cargo test --release -p tavrida-testkit --test planted alarm -- --nocapture` searches for longer.

use std::collections::BTreeMap;

use tavrida_testkit::explore::Environment;
use tavrida_testkit::fault::{Family, Faults};
use tavrida_testkit::problem::ProblemKind;
use tavrida_testkit::schedule::{Policy, Replay};
use tavrida_testkit::sim::{Setup, Verdict};

use crate::{PLANTS, Plant};

/// Runs the repaired services of a plant once. Returns the problem if the plant is not to blame for it: a mended service bears its own
/// family, and may well give up or assert something else under others.
fn alarm(plant: &Plant, setup: &Setup) -> Option<String> {
    let finished = setup.run(|sim| (plant.play)(sim, true));
    let Verdict::Failed(problem) = finished.verdict else { return None };
    if matches!(problem.kind, ProblemKind::Assertion | ProblemKind::Error) {
        return None;
    }
    let replay = Replay { seed: setup.seed, schedule: finished.schedule };
    Some(format!("{}: {problem}\n  {replay}", plant.family))
}

/// Schedules that raised a false alarm.
const MENDED: [(Family, &str); 3] = [
    // A consumer whose channel was closed did not come back, since its session was closed: the run was never settled.
    (Family::Overflow, "seed:0xc6 deliver:6a798785f97269b6#1:channel-closed"),
    // A request to a late service that was connected and had no queue yet was unroutable.
    (Family::Mute, "seed:0xec boot:cd21dd9bc6a3e6ac#1:late-start(10000ms)"),
    (
        Family::LateStart,
        "seed:0x25c boot:1e50a0ef2e9bd88e#1:late-start(586ms) boot:8af97972044b8af2#1:late-start(2000ms) \
         start:1b6f77a74cd61f21#1:connection-lost",
    ),
];

#[test]
fn an_alarm_that_was_false_is_not_raised_again() {
    for (family, replay) in MENDED {
        let plant = PLANTS.iter().find(|plant| plant.family == family).expect("each family has its bug");
        let Replay { seed, schedule } = replay.parse().expect("a schedule");
        let setup = Setup { replay: Some(schedule), ..Setup::new(seed) };
        assert_eq!(alarm(plant, &setup), None);
    }
}

#[test]
fn no_alarm_is_false() {
    let environment = Environment::read().expect("the environment can be read");
    let schedules = environment.schedules.unwrap_or(20_000);
    let first = environment.seed.unwrap_or(1);
    let plants = PLANTS.len() as u64;
    let mut alarms: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for number in 0..schedules {
        let plant = &PLANTS[usize::try_from(number % plants).expect("there are few")];
        let seed = first + number / plants;
        let setup =
            Setup { policy: Policy::Portfolio, faults: Faults::any().on_clients(), ..Setup::new(seed) };
        if let Some(alarm) = alarm(plant, &setup) {
            eprintln!("{alarm}");
            alarms.entry(plant.mistake).or_default().push(alarm);
        }
    }
    let count: usize = alarms.values().map(Vec::len).sum();
    eprintln!("false alarms: {count} in {schedules}");
    assert_eq!(count, 0, "{alarms:#?}");
}
