//! The concrete scenarios of section 19 of the broker semantics, by their numbers.

mod first;
mod second;

use tavrida::field::{Table, Value};

use crate::rig::*;

fn x_death_queues(headers: &Table) -> Vec<String> {
    deaths(headers).into_iter().map(|(queue, _, _)| queue).collect()
}

/// Queue, reason and count of each entry.
fn deaths(headers: &Table) -> Vec<(String, String, i64)> {
    let Some(Value::Array(deaths)) = headers.get("x-death") else { return Vec::new() };
    deaths
        .iter()
        .map(|death| {
            let Value::Table(death) = death else { panic!("{death:?} is no table") };
            let text = |name| death.get(name).and_then(Value::as_str).expect("a text").to_owned();
            let count = death.get("count").and_then(Value::as_i64).expect("a count");
            (text("queue"), text("reason"), count)
        })
        .collect()
}

fn dead_letter_to(exchange: &str, key: &str) -> Table {
    args(&[("x-dead-letter-exchange", exchange), ("x-dead-letter-routing-key", key)])
}
