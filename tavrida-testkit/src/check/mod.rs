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
mod source;

use std::future::Future;

pub use options::Options;

use crate::explore::explore;
use crate::sim::{Ended, Sim};

/// Runs a scenario under many schedules, as an [exploration](explore()) with these options does. `name` is the path of the test; a leading
/// crate name, as `module_path!()` has it, is removed.
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
    let report = exploration.run();
    report.assert_ok();
    report.print_notes(name);
    if let Some(variable) = options.live {
        live::check(name, &variable, options.horizon, scenario);
    }
}
