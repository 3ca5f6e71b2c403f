//! How fast the simulation is: schedules and virtual time for each second of one processor.
//!
//! `cargo bench -p tavrida-testkit --bench simulation`. Rates are those of the processor's own time for this thread, medians of
//! rounds, beside the goals that we set ourselves. `-- profile N` makes N runs and nothing else, for a profiler; `-- profile N start`
//! starts graphs and sends nothing.

#![expect(clippy::print_stdout, reason = "a bench prints what it measured")]

#[path = "../../tests/simulation/chain.rs"]
mod chain;
mod clock;

use tavrida_testkit::schedule::Policy;
use tavrida_testkit::sim::{Setup, Sim, Verdict};

use clock::{median, processor_seconds};

const ROUNDS: usize = 5;

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    if let Some(at) = arguments.iter().position(|argument| argument == "profile") {
        let runs = arguments.get(at + 1).and_then(|runs| runs.parse().ok()).unwrap_or(1000);
        return match arguments.get(at + 2).map(String::as_str) {
            Some("start") => (0..runs).for_each(start),
            _ => (0..runs).for_each(|seed| one(Policy::Random, seed)),
        };
    }
    println!("{:<58} {:>12} {:>10}", "per second of one processor", "measured", "goal");
    let random = rate(2000, |seed| one(Policy::Random, seed));
    println!("{:<58} {random:>12.0} {:>10}", "G11 schedules of 3 services x 3 requests, random", ">= 25000");
    let fifo = rate(2000, |seed| one(Policy::Fifo, seed));
    println!("{:<58} {fifo:>12.0} {:>10}", "    the same, first come first served", "");
    let starts = rate(2000, start);
    println!("{:<58} {:>9.1} us {:>10}", "G14 a new run of the graph, nothing sent", 1e6 / starts, "< 10 us");
}

fn one(policy: Policy, seed: u64) {
    let finished = Setup { policy, ..Setup::new(seed) }.run(chain::three_requests);
    assert_eq!(finished.verdict, Verdict::Passed, "seed {seed}");
}

fn start(seed: u64) {
    let finished = Setup::new(seed).run(|sim: Sim| async move {
        chain::graph(&sim).await;
    });
    assert_eq!(finished.verdict, Verdict::Passed, "seed {seed}");
}

/// How often a second something is done: the median of some rounds.
fn rate(times: u64, mut what: impl FnMut(u64)) -> f64 {
    let rates = (0..ROUNDS).map(|_| {
        let began = processor_seconds();
        (0..times).for_each(&mut what);
        times as f64 / (processor_seconds() - began)
    });
    median(rates.collect())
}
