//! [`check()`]: a test of a scenario, which `#[tavrida_testkit::test]` writes a call of.
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
//! tavrida_testkit::check("every_word_is_heard", Options::new().seeds(20), every_word_is_heard);
//! ```
//!
//! The test is a plain function without a runtime: each run makes one of its own. So tests run side by side in the threads of
//! `cargo test` and in the processes of nextest alike, and what a seed does depends on neither.

mod live;
mod options;
mod source;

use std::future::Future;

pub use options::Options;

use crate::explore::explore;
use crate::sim::{Ended, Sim};

/// Tries a scenario by many schedules, as an [exploration](explore()) with these options does. `name` is the test's path; a crate
/// at its beginning, as `module_path!()` puts it, is left out.
///
/// # Panics
///
/// The scenario fails: the text is the [report](crate::explore::Report)'s. Inside of a runtime. On a live broker, when it fails
/// there, or when it cannot be run there though its variable is set.
#[track_caller]
pub fn check<F, Fut>(name: &str, options: Options, scenario: F)
where
    F: Fn(Sim) -> Fut + Sync,
    Fut: Future<Output: Ended>,
{
    let name = name.split_once("::").map_or(name, |(_, path)| path);
    let mut exploration = explore(&scenario)
        .schedules(options.seeds)
        .policy(options.policy)
        .faults(options.faults)
        .horizon(options.horizon)
        .named(name);
    if let Some(threads) = options.threads {
        exploration = exploration.threads(threads);
    }
    let test = name.rsplit("::").next().unwrap_or(name);
    if let Some(file) = options.source.and_then(|source| source.regressions_of(test)) {
        exploration = exploration.regressions(file);
    }
    exploration.run().assert_ok();
    if let Some(variable) = options.live {
        live::check(name, &variable, options.horizon, scenario);
    }
}
