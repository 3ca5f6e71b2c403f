//! Schedules: the decisions of a run.
//!
//! The default schedule has no decisions: messages arrive at once in the order in which they were sent, and no fault happens. A schedule is
//! the set of [`Deviations`] from that. Each names the message that it concerns and not its number in the run, so that removing one changes
//! no other. Every subset of a schedule is a schedule; decisions about messages that are not sent have no effect.
//!
//! A [`Policy`] makes schedules from a seed. The decisions are recorded, and a [`Replay`], which is one line of text, repeats them.
//!
//! ```
//! use tavrida::Service;
//! use tavrida::message::Failure;
//! use tavrida_testkit::schedule::{Policy, Replay};
//! use tavrida_testkit::sim::{Setup, Sim};
//!
//! fn service(name: &'static str) -> Service {
//!     async fn work() {}
//!     Service::new(name).rpc("work", work)
//! }
//!
//! async fn two_casts(sim: Sim) -> Result<(), Failure> {
//!     let graph =
//!         sim.graph().service(|| service("one")).service(|| service("two")).client("web").start().await;
//!     graph.client("web").to("one.work").cast().await?;
//!     graph.client("web").to("two.work").cast().await?;
//!     graph.settle().await;
//!     Ok(())
//! }
//!
//! let runs = (0..100).map(|seed| Setup { policy: Policy::Random, ..Setup::new(seed) }.run(two_casts));
//! // The second message arrived first, and nothing else was other than usual.
//! let is_turned = |text: &str| text.starts_with("deliver:") && text.ends_with("#1:passed(1)");
//! let turned = runs.into_iter().find(|run| run.schedule.len() == 1 && is_turned(&run.schedule.to_string()));
//! let turned = turned.expect("no confirm is late in many of the runs, and half of those have another order");
//! assert!(turned.schedule.labelled(&turned.trace).starts_with("request/one.work@deliver:"));
//!
//! let replay: Replay = turned.schedule.to_string().parse()?;
//! let again = Setup { replay: Some(replay.schedule), ..Setup::new(0) }.run(two_casts);
//! assert_eq!(again.trace.events(), turned.trace.events());
//! # Ok::<(), tavrida_testkit::schedule::ScheduleError>(())
//! ```

mod deviations;
mod director;
mod guide;
mod labels;
mod pct;
mod policy;
mod replay;
mod text;

pub use deviations::{Choice, Deviations};
pub(crate) use director::{Candidate, Director, Label, yield_key};
pub(crate) use guide::Guide;
pub(crate) use labels::decision_of;
pub use policy::Policy;
pub use replay::Replay;
pub(crate) use replay::parse_seed;
pub use text::ScheduleError;
