//! Finds the moment at which a customer is charged twice, shrinks the schedule, shows it, and checks the repaired service.
//!
//! `cargo run --release -p double-charge [PAGE]` writes the picture to `PAGE`. The default is `target/double-charge.html`.

#![expect(clippy::print_stdout, reason = "this is what it is for")]

use std::fs;
use std::path::PathBuf;

use tavrida::prelude::{Failure, Result};

use double_charge::search::{check, find, find_again, prove};

const SCHEDULES: u64 = 10_000;

fn main() -> Result<()> {
    let page =
        std::env::args_os().nth(1).map_or_else(|| PathBuf::from("target/double-charge.html"), PathBuf::from);

    println!("Looking for a schedule under which a customer is charged twice.\n");
    let search = find(SCHEDULES);
    let (Some(failure), Some(after)) = (search.failure(), search.found_after()) else {
        return Err(Failure::new("double_charge.Failed", format!("nothing was found: {search}")));
    };
    println!("{failure}");
    let replay = failure.replay().to_string();
    let picture =
        failure.run.picture().named("A customer is charged twice").seed(failure.seed).replay(&replay);
    println!("As a diagram (Mermaid):\n\n{}", picture.mermaid());
    if let Some(folder) = page.parent() {
        fs::create_dir_all(folder)?;
    }
    picture.write_to(&page)?;
    println!("As a page: {}\n", page.display());

    println!("Looking again, in a service that keeps its receipts in a database.\n");
    let again = find_again(SCHEDULES);
    let (Some(second), Some(after_again)) = (again.failure(), again.found_after()) else {
        return Err(Failure::new("double_charge.Failed", format!("nothing was found: {again}")));
    };
    println!("{second}");

    println!("Checking the repaired service.\n");
    let checked = check(SCHEDULES);
    if !checked.is_ok() {
        return Err(Failure::new("double_charge.Failed", format!("the repaired service fails: {checked}")));
    }
    let proven = prove();
    if !proven.is_ok() {
        return Err(Failure::new("double_charge.Failed", format!("the repaired service fails: {proven}")));
    }

    println!("found after {after} schedules");
    println!("shrunk to {}", count(failure.schedule.len(), "fault"));
    println!(
        "with receipts: found after {after_again} schedules, shrunk to {}",
        count(second.schedule.len(), "fault")
    );
    println!("{} schedules: ok", checked.schedules());
    println!("{proven}");
    Ok(())
}

fn count(number: usize, what: &str) -> String {
    if number == 1 { format!("1 {what}") } else { format!("{number} {what}s") }
}
