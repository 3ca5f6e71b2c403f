//! The speed of the broker: ratios against a bare channel in the same run, and rates of routing, beside our goals.
//!
//! `cargo bench -p tavrida-memory --bench broker`. Ratios are medians of rounds in which both sides take turns: they are more reliable than
//! rates on a shared machine. `-- profile N` only moves N messages through a session, for a profiler.

#![expect(clippy::print_stdout, reason = "a bench prints what it measured")]
#![expect(clippy::disallowed_methods, reason = "a bench measures real time")]

mod messages;
mod routing;
mod start;

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    if let Some(at) = arguments.iter().position(|argument| argument == "profile") {
        let count = arguments.get(at + 1).and_then(|count| count.parse().ok()).unwrap_or(10_000);
        messages::profile(count);
        return;
    }
    line("", "measured".to_owned(), "goal", "floor");
    messages::measure();
    routing::measure();
    start::measure();
}

/// One line of the table.
fn line(what: &str, measured: String, goal: &str, floor: &str) {
    println!("{what:<66} {measured:>12}   {goal:<22} {floor}");
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
