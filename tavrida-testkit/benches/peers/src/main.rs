//! Other simulators on the same logical chain: `web` makes three concurrent requests, `orders` asks `billing`, which asks `audit`, and the
//! answers come back: 18 messages. Each peer uses what it simulates: madsim endpoints, turmoil UDP, shuttle channels between threads. None
//! of them encodes anything; ours runs the whole stack, envelope and JSON included.
//!
//! Rates are per processor time, medians of rounds in which all take turns.

mod clock;
mod ours;
mod with_shuttle;
mod with_turmoil;

use std::process::Command;

use clock::{median, processor_seconds};

const ROUNDS: usize = 5;

/// A measured program: makes a number of runs, and returns the total virtual time in seconds.
struct Lane {
    name: &'static str,
    runs: u64,
    what: fn(std::ops::Range<u64>) -> f64,
}

const SCHEDULES: [Lane; 3] = [
    Lane { name: "tavrida-testkit, random", runs: 1000, what: ours::random },
    Lane { name: "shuttle, random", runs: 2000, what: with_shuttle::random },
    Lane { name: "turmoil, 1 to 2 ms", runs: 400, what: with_turmoil::fast },
];

const LATENCY: [Lane; 2] = [
    Lane { name: "tavrida-testkit", runs: 1000, what: ours::delayed },
    Lane { name: "turmoil", runs: 200, what: with_turmoil::slow },
];

/// Returns runs and virtual seconds for each second of processor time.
fn rates(lane: &Lane, first: u64) -> (f64, f64) {
    let began = processor_seconds();
    let virtual_seconds = (lane.what)(first..first + lane.runs);
    let took = processor_seconds() - began;
    (lane.runs as f64 / took, virtual_seconds / took)
}

/// Returns what the program with madsim measured: schedules a second, and virtual seconds a second with latency.
fn madsim() -> Option<(f64, f64)> {
    let output = Command::new(std::env::var_os("MADSIM")?).output().expect("the program with madsim runs");
    let text = String::from_utf8(output.stdout).expect("it prints text");
    let mut numbers = text.split_whitespace().map(|word| word.parse().expect("it prints two numbers"));
    Some((numbers.next()?, numbers.next()?))
}

fn main() {
    let mut schedules = vec![Vec::new(); SCHEDULES.len() + 1];
    let mut latency = vec![Vec::new(); LATENCY.len() + 1];
    for round in 0..ROUNDS {
        let first = round as u64 * 10_000;
        for (lane, rounds) in SCHEDULES.iter().zip(&mut schedules) {
            rounds.push(rates(lane, first).0);
        }
        for (lane, rounds) in LATENCY.iter().zip(&mut latency) {
            rounds.push(rates(lane, first).1);
        }
        if let Some((runs, virtual_seconds)) = madsim() {
            schedules[SCHEDULES.len()].push(runs);
            latency[LATENCY.len()].push(virtual_seconds);
        }
    }
    let names = SCHEDULES.iter().map(|lane| lane.name).chain(["madsim, 1 to 10 ms"]);
    table("G11 schedules for each second of one processor, goal >= 25000, floor 10000", names, schedules);
    let names = LATENCY.iter().map(|lane| lane.name).chain(["madsim"]);
    table("G12 virtual against processor time, 0 to 100 ms latency, goal >= 5000x, floor 1000x", names, latency);
}

/// Prints medians, and the ratio of the first to each.
fn table(title: &str, names: impl Iterator<Item = &'static str>, rounds: Vec<Vec<f64>>) {
    println!("{title}");
    let mut ours = None;
    for (name, rounds) in names.zip(rounds) {
        if rounds.is_empty() {
            println!("    {name:<28} not measured: MADSIM does not name its program");
            continue;
        }
        let rate = median(rounds);
        let base = *ours.get_or_insert(rate);
        println!("    {name:<28} {rate:>10.0}    {:.2}x", base / rate);
    }
}
