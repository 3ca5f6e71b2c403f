//! Exploration: finds schedules under which a scenario fails, and shrinks them.
//!
//! [`explore`](explore()) runs a scenario under many schedules. Each is made from a seed: which message arrives next, which is late, what
//! goes wrong. A schedule that fails is shrunk: decisions are removed and numbers lowered as long as the run still fails in the same way.
//! The result is usually a few decisions, which name the messages that must come late.
//!
//! ```
//! use std::sync::{Arc, Mutex};
//!
//! use tavrida::Service;
//! use tavrida::message::Failure;
//! use tavrida_testkit::explore;
//! use tavrida_testkit::sim::Sim;
//!
//! /// Two messages to two services: the second does not wait for the first.
//! async fn goods_are_there_when_they_are_shipped(sim: Sim) -> Result<(), Failure> {
//!     let done = Arc::new(Mutex::new(Vec::new()));
//!     let service = |name: &'static str| {
//!         let done = done.clone();
//!         move || {
//!             let done = done.clone();
//!             Service::new(name).rpc("work", move || {
//!                 done.lock().unwrap().push(name);
//!                 async {}
//!             })
//!         }
//!     };
//!     let graph = sim.graph().service(service("stock")).service(service("shipping")).client("web").start().await;
//!     graph.client("web").to("stock.work").cast().await?;
//!     graph.client("web").to("shipping.work").cast().await?;
//!     graph.settle().await;
//!     assert_eq!(*done.lock().unwrap(), ["stock", "shipping"]);
//!     Ok(())
//! }
//!
//! let report = explore(goods_are_there_when_they_are_shipped).schedules(1000).run();
//! let failure = report.failure().expect("it does not hold in every order");
//! // One late message is enough.
//! assert_eq!(failure.schedule.len(), 1);
//! assert!(failure.schedule.labelled(&failure.run.trace).starts_with("request/stock.work@deliver:"));
//! ```
//!
//! When the scenario fails, the text of [`Report`] and [`Failure`] shows the problem, the decisions that lead there, the events that matter, a
//! command that repeats the run, and a test to paste, which calls [`replay`]. A test made by [`macro@crate::test`] cannot be called from
//! another: its failures are stored in a file beside its source, and where they are not, the line to add is printed.
//!
//! # The environment
//!
//! | variable | effect |
//! |---|---|
//! | `TAVRIDA_SEED=0x2a` | runs the default schedule and the schedule of this seed |
//! | `TAVRIDA_SCHEDULES=100000` | runs this many schedules |
//! | `TAVRIDA_REPLAY='seed:0x2a ...'` | runs this schedule once; if it passes, it runs again, and both runs must be equal |
//! | `TAVRIDA_TRACE=text`, `mermaid` or `html` | prints the events of the failed run, or of the run of `TAVRIDA_REPLAY`; a page is written to a file |
//! | `TAVRIDA_SECOND_PROCESS=off` | [`check`](Explore::check), and therefore `#[tavrida_testkit::test]`, starts no second process |
#![doc = ""]
#![doc = include_str!("reports.md")]

mod again;
mod builder;
mod conduct;
mod env;
mod events;
mod failure;
mod live;
#[cfg(feature = "proptest")]
mod plan;
mod progress;
mod reduce;
mod regressions;
mod report;
mod search;
mod second;
mod show;
mod shrink;
mod source;

use std::future::Future;

pub(crate) use again::TestNames;
pub use builder::Explore;
pub use env::{Environment, TraceFormat, VariableError};
pub use failure::{Failure, Origin};
#[cfg(feature = "proptest")]
pub use plan::{Plan, PlanTree, Plans, plans};
pub use progress::Progress;
pub use report::Report;
pub(crate) use show::show;
pub(crate) use shrink::shrink;

use crate::schedule::Replay;
use crate::sim::{Ended, Sim};

/// Explores the schedules of a scenario: see the [module](self).
pub fn explore<F, Fut>(scenario: F) -> Explore<F>
where
    F: Fn(Sim) -> Fut + Sync,
    Fut: Future<Output: Ended>,
{
    Explore::new(scenario)
}

/// Repeats a run of a scenario, with a schedule as a [`Failure`] prints it: for regression tests. If some of its decisions concern
/// nothing that happens any more, that is reported on stderr; if all do, it fails. A run that passes is repeated, and fails if the second run differs.
///
/// ```
/// use tavrida::message::Failure;
/// use tavrida_testkit::sim::Sim;
///
/// async fn the_answer(sim: Sim) -> Result<(), Failure> {
///     assert_eq!(sim.seed(), 42);
///     Ok(())
/// }
///
/// tavrida_testkit::replay("seed:42", the_answer);
/// ```
///
/// # Panics
///
/// Panics if the run fails, with the text of the [`Failure`], or if the text is not a schedule.
#[track_caller]
pub fn replay<F, Fut>(schedule: &str, scenario: F)
where
    F: Fn(Sim) -> Fut + Sync,
    Fut: Future<Output: Ended>,
{
    let replay: Replay = schedule.parse().unwrap_or_else(|error| panic!("{error}"));
    let report = explore(scenario).replay(replay).run();
    report.assert_ok();
    report.print_notes("replay");
}
