//! How fast the simulation is: schedules and virtual time for each second of processor time.
//!
//! `cargo bench -p tavrida-testkit --bench simulation`. Times are processor time of this thread, medians of rounds, beside our goals and
//! the floors below which we do not ship; `reached` is the measured part of the goal, at least 100 % if it is met. `-- profile N` only
//! makes N runs, for a profiler; `-- profile N start` starts graphs and sends nothing.

#![expect(clippy::print_stdout, reason = "a bench prints what it measured")]

#[path = "../../tests/simulation/chain.rs"]
mod chain;
mod clock;
mod table;

use std::time::Duration;

use tavrida_memory::MemoryBroker;
use tavrida_testkit::exhaustive::{Report, exhaustive};
use tavrida_testkit::schedule::Policy;
use tavrida_testkit::sim::{Finished, Setup, Sim, Verdict};

use clock::{median, processor_seconds};
use table::{Row, at_least, at_most};

const ROUNDS: usize = 5;

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    if let Some(at) = arguments.iter().position(|argument| argument == "profile") {
        let runs = arguments.get(at + 1).and_then(|runs| runs.parse().ok()).unwrap_or(1000);
        return match arguments.get(at + 2).map(String::as_str) {
            Some("start") => (0..runs).for_each(start),
            _ => (0..runs).for_each(|seed| drop(one(Policy::Random, seed))),
        };
    }
    Row::head();
    let random = rate(2000, |seed| drop(one(Policy::Random, seed)));
    at_least("G11 schedules a second, 3 services x 3 requests", random, 25_000.0).floor(10_000.0).print();
    let fifo = rate(2000, |seed| drop(one(Policy::Fifo, seed)));
    at_least("    the same, first come first served", fifo, 25_000.0).floor(10_000.0).print();
    at_least("G12 virtual time for processor time, 0..100 ms", latency(500), 5_000.0).floor(1_000.0).print();
    let (report, seconds) = searched();
    at_most("G13 runs of the exhaustive search", report.runs as f64, 150.0).print();
    at_most("    its milliseconds", seconds * 1e3, 20.0).print();
    let brokers = rate(2000, |_| drop(MemoryBroker::new()));
    at_most("G14 microseconds for a new broker", 1e6 / brokers, 10.0).print();
    let starts = rate(2000, start);
    at_most("    for a new run of the graph, nothing sent", 1e6 / starts, 10.0).print();
}

fn one(policy: Policy, seed: u64) -> Finished {
    let finished = Setup { policy, ..Setup::new(seed) }.run(chain::three_requests);
    assert_eq!(finished.verdict, Verdict::Passed, "seed {seed}");
    finished
}

fn start(seed: u64) {
    let finished = Setup::new(seed).run(|sim: Sim| async move {
        chain::graph(&sim).await;
    });
    assert_eq!(finished.verdict, Verdict::Passed, "seed {seed}");
}

/// Returns the virtual time for each second of processor time, when messages take up to 100 ms.
fn latency(times: u64) -> f64 {
    let policy = Policy::Delay { percent: 100, max: Duration::from_millis(100) };
    let ratios = (0..ROUNDS).map(|_| {
        let began = processor_seconds();
        let passed = |seed| one(policy, seed).trace.events().last().map_or(Duration::ZERO, |event| event.at);
        let virtual_time: Duration = (0..times).map(passed).sum();
        virtual_time.as_secs_f64() / (processor_seconds() - began)
    });
    median(ratios.collect())
}

/// Searches the chain's schedules exhaustively. Returns the report and the seconds it took.
fn searched() -> (Report, f64) {
    let search = || {
        let report = exhaustive(chain::three_requests).run();
        report.assert_ok();
        report
    };
    let report = search();
    (report, 1.0 / rate(10, |_| drop(search())))
}

/// Returns how often a second `what` completes: the median of some rounds.
fn rate(times: u64, mut what: impl FnMut(u64)) -> f64 {
    let rates = (0..ROUNDS).map(|_| {
        let began = processor_seconds();
        (0..times).for_each(&mut what);
        times as f64 / (processor_seconds() - began)
    });
    median(rates.collect())
}
