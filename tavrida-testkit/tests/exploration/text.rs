//! Schedules as text.

use std::time::Duration;

use proptest::prelude::*;
use tavrida_testkit::fault::{Fault, Point, Site};
use tavrida_testkit::schedule::{Choice, Deviations, Replay};

fn faults() -> impl Strategy<Value = Fault> {
    let time = || (0..100_000_u64).prop_map(Duration::from_millis);
    prop_oneof![
        Just(Fault::PublishLost),
        Just(Fault::ConnectionLost),
        Just(Fault::BrokerKilled),
        Just(Fault::Redelivered),
        time().prop_map(Fault::Crash),
        time().prop_map(Fault::Slow),
        time().prop_map(Fault::Deaf),
        any::<i64>().prop_map(Fault::ClockJump),
    ]
}

fn choices() -> impl Strategy<Value = Choice> {
    prop_oneof![
        (1..u32::MAX).prop_map(Choice::Passed),
        (1..1_000_000_u64).prop_map(|by| Choice::Delayed(Duration::from_millis(by))),
        faults().prop_map(Choice::Fault),
    ]
}

fn points() -> impl Strategy<Value = Point> {
    let site = prop::sample::select(&Site::ALL[..]);
    (site, any::<u64>(), 1..u32::MAX).prop_map(|(site, key, nth)| Point { site, key, nth })
}

fn schedules() -> impl Strategy<Value = Deviations> {
    prop::collection::vec((points(), choices()), 0..12).prop_map(Deviations::from_iter)
}

proptest! {
    #[test]
    fn a_schedule_reads_as_it_was_written(seed: u64, schedule in schedules()) {
        let replay = Replay { seed, schedule };
        let text = replay.to_string();
        prop_assert!(!text.contains(['\n', '\'']), "it is one line, and fits between quotes: {text}");
        prop_assert_eq!(text.parse::<Replay>().unwrap(), replay);
    }

    #[test]
    fn labels_are_not_read(schedule in schedules(), label in "[a-z./@~-]{1,20}") {
        let words: Vec<String> = schedule.iter().map(|(p, choice)| format!("{label}@{p}:{choice}")).collect();
        prop_assert_eq!(words.join(" ").parse::<Deviations>().unwrap(), schedule);
    }

    #[test]
    fn other_text_is_refused_and_never_a_panic(text in "\\PC{0,40}") {
        if let Ok(schedule) = text.parse::<Deviations>() {
            prop_assert_eq!(schedule.to_string().parse::<Deviations>().unwrap(), schedule);
        }
    }
}

#[test]
fn the_text_of_a_schedule_is_this_for_good() {
    let point = |site, nth| Point { site, key: 0x9f3a, nth };
    let schedule = Deviations::from_iter([
        (point(Site::Ack, 2), Choice::Fault(Fault::Crash(Duration::ZERO))),
        (point(Site::Deliver, 1), Choice::Delayed(Duration::from_micros(40_900))),
        (point(Site::Deliver, 1), Choice::Passed(3)),
        (point(Site::Deliver, 2), Choice::Passed(0)),
    ]);
    assert_eq!(
        Replay { seed: 42, schedule }.to_string(),
        "seed:0x2a deliver:0000000000009f3a#1:passed(3) deliver:0000000000009f3a#1:+40ms \
         ack:0000000000009f3a#2:crash(0ms)"
    );
    assert_eq!(Replay::default().to_string(), "seed:0x0");
    assert_eq!(Deviations::none().to_string(), "none");
    assert_eq!("none".parse(), Ok(Deviations::none()));
    assert_eq!("  ".parse(), Ok(Deviations::none()));
}

#[test]
fn what_is_wrong_is_named_with_what_was_expected() {
    let cases = [
        ("deliver", "site:message#time:decision"),
        ("arrive:0000000000009f3a#1:+1ms", "boot, publish, deliver, start, wait, ack, done or yield"),
        ("deliver:9f3a#1:+1ms", "16 hexadecimal digits"),
        ("deliver:0000000000009f3a:+1ms", "a '#' after the message"),
        ("deliver:0000000000009f3a#0:+1ms", "a number from 1 after '#'"),
        ("deliver:0000000000009f3a#1", "a ':' before the decision"),
        ("deliver:0000000000009f3a#1:+1s", "'passed(2)', '+40ms' or a fault"),
        ("seed:x2a", "a seed such as 'seed:0x2a'"),
    ];
    for (word, expected) in cases {
        let error = word.parse::<Replay>().expect_err("it is no schedule");
        assert_eq!(error.word(), word);
        assert!(error.to_string().contains(expected), "{error}");
    }
}
