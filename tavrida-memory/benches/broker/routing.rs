//! Topic and headers tables with few and with many bindings.

use std::hint::black_box;
use std::time::Instant;

use bytes::Bytes;
use fastrand::Rng;
use tavrida::field::{ShortString, Table};
use tavrida_memory::core::routing::{HeadersTable, TopicTable};

use crate::{line, median};

const ROUNDS: usize = 5;
const KEYS: usize = 4096;

pub(crate) fn measure() {
    let (thousand, bind) = topics(1_000);
    line("G5 topic, 1,000 bindings, keys never seen", rate(cold(&thousand)), ">= 2.5 M/s", "1 M/s");
    line("   the same, keys seen before", rate(cached(thousand)), ">= 30 M/s", "15 M/s");
    line("   bind", format!("{:.2} us", bind * 1e6), "<= 5 us", "");
    let (many, bind) = topics(100_000);
    line("   topic, 100,000 bindings, keys never seen", rate(cold(&many)), ">= 0.7 M/s", "0.3 M/s");
    line("   bind", format!("{:.2} us", bind * 1e6), "<= 5 us", "");
    line("G6 headers, 1,000 bindings", rate(headers(1_000)), ">= 1.2 M/s", "0.5 M/s");
    line("   headers, 100,000 bindings", rate(headers(100_000)), ">= 0.25 M/s", "0.1 M/s");
    line("   headers, 10 bindings", rate(headers(10)), "", "");
}

fn rate(per_second: f64) -> String {
    format!("{:.2} M/s", per_second / 1e6)
}

/// Returns a word of a key; some words are frequent, as in practice.
fn word(random: &mut Rng) -> String {
    let spread = if random.u8(..4) == 0 { 2000 } else { 40 };
    format!("w{}", random.u32(..spread))
}

fn key(random: &mut Rng) -> Bytes {
    let words: Vec<String> = (0..random.usize(2..=4)).map(|_| word(random)).collect();
    Bytes::from(words.join("."))
}

/// Most are exact in most words; one in five has `*`, one in ten ends in `#`.
fn pattern(random: &mut Rng) -> Bytes {
    let mut words: Vec<String> = (0..random.usize(2..=4)).map(|_| word(random)).collect();
    if random.u8(..5) == 0 {
        let at = random.usize(..words.len());
        words[at] = "*".to_owned();
    }
    if random.u8(..10) == 0 {
        words.push("#".to_owned());
    }
    Bytes::from(words.join("."))
}

/// Returns a table, and how long one binding took, in seconds.
fn topics(bindings: u32) -> (TopicTable<u32>, f64) {
    let mut random = Rng::with_seed(7);
    let patterns: Vec<Bytes> = (0..bindings).map(|_| pattern(&mut random)).collect();
    let mut table = TopicTable::new();
    let begun = Instant::now();
    for (destination, pattern) in (0..).zip(&patterns) {
        table.insert(pattern, destination);
    }
    (table, begun.elapsed().as_secs_f64() / f64::from(bindings))
}

fn keys() -> Vec<Bytes> {
    let mut random = Rng::with_seed(8);
    (0..KEYS).map(|_| key(&mut random)).collect()
}

fn cold(table: &TopicTable<u32>) -> f64 {
    let keys = keys();
    per_second(|into| {
        for key in &keys {
            into.clear();
            table.search(key, into);
            black_box(&into);
        }
    })
}

fn cached(mut table: TopicTable<u32>) -> f64 {
    let keys = &keys()[..1000];
    per_second(|into| {
        for key in keys.iter().cycle().take(KEYS) {
            into.clear();
            table.route(key, into);
            black_box(&into);
        }
    })
}

fn headers(bindings: u32) -> f64 {
    let mut random = Rng::with_seed(9);
    let table_of = |random: &mut Rng, pairs: usize| -> Table {
        (0..pairs).fold(Table::new(), |table, _| {
            let name = ShortString::try_from(format!("h{}", random.u8(..12))).expect("a short name");
            table.with(name, format!("v{}", random.u32(..1000)))
        })
    };
    let mut table = HeadersTable::new();
    for destination in 0..bindings {
        let pairs = random.usize(1..=3);
        let kind = if random.u8(..4) == 0 { "any" } else { "all" };
        let arguments = table_of(&mut random, pairs).with(ShortString::from_static("x-match"), kind);
        table.insert(&arguments, destination).expect("arguments that fit");
    }
    let messages: Vec<Table> = (0..KEYS).map(|_| table_of(&mut random, 6)).collect();
    per_second(|into| {
        for headers in &messages {
            into.clear();
            table.route(headers, into);
            black_box(&into);
        }
    })
}

/// Returns the look-ups a second, in rounds with one look-up for each key.
fn per_second(mut round: impl FnMut(&mut Vec<u32>)) -> f64 {
    let mut into = Vec::new();
    round(&mut into);
    let rates = (0..ROUNDS).map(|_| {
        let begun = Instant::now();
        for _ in 0..8 {
            round(&mut into);
        }
        8.0 * KEYS as f64 / begun.elapsed().as_secs_f64()
    });
    median(rates.collect())
}
