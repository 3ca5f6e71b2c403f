//! How long it takes to create a broker.

use std::hint::black_box;
use std::time::Instant;

use tavrida_memory::MemoryBroker;

use crate::{line, median};

const ROUNDS: usize = 7;
const TIMES: u32 = 2_000;

pub(crate) fn measure() {
    let times = (0..ROUNDS).map(|_| {
        let begun = Instant::now();
        for _ in 0..TIMES {
            black_box(MemoryBroker::new());
        }
        begun.elapsed().as_secs_f64() / f64::from(TIMES)
    });
    let start = median(times.collect());
    line("G14 a new broker, and its end", format!("{:.1} us", start * 1e6), "< 10 us", "");
}
