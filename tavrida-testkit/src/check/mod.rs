//! [`check()`]: tests a scenario. `#[tavrida_testkit::test]` expands to a call of it.
//!
//! ```
//! use tavrida::Service;
//! use tavrida::message::Failure;
//! use tavrida_testkit::Options;
//! use tavrida_testkit::sim::Sim;
//!
//! fn echo() -> Service {
//!     Service::new("echo").rpc("say", || async {})
//! }
//!
//! async fn every_word_is_heard(sim: Sim) -> Result<(), Failure> {
//!     let graph = sim.graph().service(echo).client("web").start().await;
//!     graph.client("web").to("echo.say").ask().await?;
//!     Ok(())
//! }
//!
//! tavrida_testkit::check("every_word_is_heard", Options::new().schedules(20), every_word_is_heard);
//! ```
//!
//! The test is a plain function without a runtime: each run makes its own runtime. Tests can therefore run in parallel, in the threads of
//! `cargo test` or in the processes of nextest, and what a seed does depends on neither.

mod live;
mod options;
mod second;
mod source;

use std::future::Future;

pub use options::Options;

use second::{Part, Second};

use crate::explore::{Environment, explore};
use crate::sim::{Ended, Sim};

/// Runs a scenario under many schedules, as an [exploration](explore()) with these options does. `name` is the path of the test; a leading
/// crate name, as `module_path!()` has it, is removed.
///
/// The first two schedules are also run in a second process, if this is a test of Rust's harness of this name: the program is started once
/// more, with the variable `TAVRIDA_SECOND_PROCESS` and the arguments `NAME --exact`. What comes before the call in the test runs there too.
/// With `TAVRIDA_SECOND_PROCESS=off` there is no second process.
///
/// Notes are printed on stderr, also if the test passes: a [mark](Sim::sometimes) that was never reached, faults that never happened.
///
/// # Panics
///
/// Panics if the scenario fails, or if a stored or given schedule concerns nothing that happens; the message is the text of the [report](crate::explore::Report). Panics inside a runtime. Panics if the
/// scenario fails on a live broker, or cannot run there although its variable is set.
#[track_caller]
pub fn check<F, Fut>(name: &str, options: Options, scenario: F)
where
    F: Fn(Sim) -> Fut + Sync,
    Fut: Future<Output: Ended>,
{
    let name = name.split_once("::").map_or(name, |(_, path)| path);
    let mut exploration = explore(&scenario)
        .schedules(options.schedules)
        .policy(options.policy)
        .faults(options.faults)
        .horizon(options.horizon)
        .reaches(options.reaches)
        .named(name)
        .without_source();
    if let Some(threads) = options.threads {
        exploration = exploration.threads(threads);
    }
    let test = name.rsplit("::").next().unwrap_or(name);
    if let Some(file) = options.source.and_then(|source| source.regressions_of(test)) {
        exploration = exploration.regressions(file);
    }
    let part = Part::of(name);
    if let Some(Part::Second { of_this_test }) = part {
        // The rest of the test is for the first process.
        if of_this_test {
            second::write(&exploration.first_runs());
        }
        return;
    }
    let is_replay = || Environment::read().is_ok_and(|environment| environment.replay.is_some());
    let compared = part.filter(|_| !is_replay()).and_then(|_| Second::start(name));
    let compared = compared.map(|second| (second, exploration.first_runs()));
    let report = exploration.run();
    report.assert_ok();
    report.print_notes(name);
    match compared.map(|(second, runs)| second.compare(&runs)) {
        Some(Ok(Some(problem))) => panic!("{problem}"),
        Some(Err(why)) => eprintln!("{name}: not compared with a second process: {why}"),
        Some(Ok(None)) | None => {}
    }
    if let Some(variable) = options.live {
        live::check(name, &variable, options.horizon, scenario);
    }
}
