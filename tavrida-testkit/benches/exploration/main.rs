//! How fast explorations find planted bugs and shrink their schedules.
//!
//! `cargo bench -p tavrida-testkit --bench exploration`. Times are processor time of one thread; each bug is searched from several seeds,
//! and the row is their median.

#![expect(clippy::print_stdout, reason = "a bench prints what it measured")]

#[path = "../simulation/clock.rs"]
mod clock;
#[path = "../../tests/exploration/planted.rs"]
#[expect(dead_code, reason = "the tests have more scenarios")]
mod planted;

use tavrida::message::Failure;
use tavrida_testkit::explore;
use tavrida_testkit::explore::Explore;
use tavrida_testkit::fault::Faults;
use tavrida_testkit::sim::Sim;

use clock::{median, processor_seconds};
use planted::{
    a_cancel_finds_its_order, each_charge_counts_once, y_and_z_are_not_after_the_third_x,
    y_is_not_after_the_third_x,
};

const SEEDS: [u64; 9] = [1, 2000, 4000, 6000, 8000, 10_000, 12_000, 14_000, 16_000];

fn main() {
    println!(
        "{:<44} {:>9} {:>12} {:>10} {:>9} {:>9}",
        "bug (medians)", "found in", "schedules/s", "decisions", "replays", "shrink ms"
    );
    find("cancel overtakes create", a_cancel_finds_its_order, |explore| explore);
    find("Y right after the third of five X", y_is_not_after_the_third_x, |explore| explore);
    find("Y and Z right after the third of five X", y_and_z_are_not_after_the_third_x, |explore| explore);
    find("charged twice, at-least-once faults", each_charge_counts_once, |explore| {
        explore.faults(Faults::at_least_once())
    });
}

/// A scenario, and the settings of its exploration.
fn find<F, Fut>(bug: &str, scenario: F, with: impl Fn(Explore<F>) -> Explore<F>)
where
    F: Fn(Sim) -> Fut + Sync + Copy,
    Fut: Future<Output = Result<(), Failure>>,
{
    let (mut found, mut rate, mut shrink) = (Vec::new(), Vec::new(), Vec::new());
    let (mut decisions, mut replays) = (Vec::new(), Vec::new());
    for seed in SEEDS {
        let search = |replays| {
            let explore = with(explore(scenario).without_environment().seed(seed));
            let began = processor_seconds();
            let report = explore.schedules(10_000).threads(1).shrink_within(replays).run();
            (report, processor_seconds() - began)
        };
        let (report, searched) = search(1);
        let (short, both) = search(2000);
        let failure = short.failure().unwrap_or_else(|| panic!("{bug} was not found from seed {seed}"));
        found.push(report.schedules() as f64);
        rate.push(report.schedules() as f64 / searched);
        shrink.push((both - searched).max(0.0) * 1e3);
        decisions.push(failure.schedule.len() as f64);
        replays.push(f64::from(failure.replays));
    }
    let [found, rate, decisions, replays, shrink] = [found, rate, decisions, replays, shrink].map(median);
    println!("{bug:<44} {found:>9.0} {rate:>12.0} {decisions:>10.0} {replays:>9.0} {shrink:>9.2}");
}
