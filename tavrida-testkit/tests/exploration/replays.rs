//! The schedule of a policy's run replays it, to the last event.

use std::collections::BTreeSet;
use std::time::Duration;

use tavrida_testkit::schedule::{Deviations, Policy};
use tavrida_testkit::sim::{Ended, Setup, Sim, Verdict};

use crate::chain::three_requests;
use crate::fan_out::two_orders;

const SEEDS: u64 = 200;

fn replays<Fut: Future<Output: Ended>>(policy: Policy, scenario: fn(Sim) -> Fut) {
    let mut schedules = BTreeSet::new();
    for seed in 0..SEEDS {
        let made = Setup { policy, ..Setup::new(seed) }.run(scenario);
        assert_eq!(made.verdict, Verdict::Passed, "seed {seed}");
        let text = made.schedule.to_string();
        let schedule: Deviations = text.parse().expect("it reads as it was written");
        let replayed = Setup { replay: Some(schedule), ..Setup::new(seed) }.run(scenario);
        assert_eq!(replayed.trace.events(), made.trace.events(), "seed {seed}: {text}");
        assert_eq!(replayed.schedule, made.schedule, "seed {seed}");
        schedules.insert(text);
    }
    let distinct = schedules.len() as u64;
    assert!(distinct > 20, "{policy} made {distinct} schedules of {SEEDS} seeds");
}

#[test]
fn random_schedules() {
    replays(Policy::Random, three_requests);
    replays(Policy::Random, two_orders);
}

#[test]
fn delayed_schedules() {
    replays(Policy::DELAY, three_requests);
    replays(Policy::Delay { percent: 60, max: Duration::from_millis(7) }, two_orders);
}

#[test]
fn schedules_by_priority() {
    replays(Policy::Pct { depth: 3 }, three_requests);
    replays(Policy::Pct { depth: 5 }, two_orders);
}

#[test]
fn schedules_of_the_portfolio() {
    replays(Policy::Portfolio, three_requests);
    replays(Policy::Portfolio, two_orders);
}

#[test]
fn the_portfolio_draws_from_the_seed() {
    let (mut counts, mut late) = ([0; 3], 0);
    for seed in 0..10_000 {
        let policy = Policy::Portfolio.of_seed(seed);
        match policy {
            Policy::Delay { .. } => counts[0] += 1,
            Policy::Pct { depth } | Policy::PctDelay { depth, .. } => {
                assert!((2..=5).contains(&depth), "seed {seed} has depth {depth}");
                counts[1] += 1;
            }
            Policy::Random | Policy::RandomDelay { .. } => counts[2] += 1,
            other => panic!("seed {seed} has {other:?}"),
        }
        if let Policy::Delay { percent, max }
        | Policy::PctDelay { percent, max, .. }
        | Policy::RandomDelay { percent, max } = policy
        {
            assert!((10..=80).contains(&percent) && (30..=1920).contains(&max.as_millis()), "{policy}");
            late += 1;
        }
    }
    let about = |of_100: i32, count: i32| (count - of_100 * 100).abs() < 200;
    assert!(about(80, late), "{late}");
    assert!(about(40, counts[0]) && about(40, counts[1]) && about(20, counts[2]), "{counts:?}");
}

#[test]
fn a_schedule_says_in_words_which_messages_it_is_about() {
    let made = Setup { policy: Policy::Random, ..Setup::new(3) }.run(two_orders);
    let labelled = made.schedule.labelled(&made.trace);
    assert_eq!(labelled.parse(), Ok(made.schedule.clone()));
    let words: Vec<&str> = labelled.split(' ').collect();
    assert_eq!(words.len(), made.schedule.len());
    for word in words {
        let known = ["request/orders.create@", "notification/orders.create@", "request/ledger.add@"];
        assert!(known.iter().any(|label| word.starts_with(label)), "{word}");
    }
}
