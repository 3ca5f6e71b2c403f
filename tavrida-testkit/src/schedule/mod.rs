//! Schedules: what a run decides where it could go either way.
//!
//! A run that decides nothing is the default: whatever was sent first arrives first, at once, and nothing goes wrong. A schedule is
//! the [`Deviations`] from that, each named by the message that it concerns and not by its number in the run, so that leaving
//! one out changes no other. Every subset of a schedule is a schedule; what it says of messages that are not sent counts for nothing.
//!
//! A [`Policy`] makes schedules up, from a seed. What it made up is written down, and carried out again by a
//! [`Replay`], which is one line of text.
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
//! let runs = (0..10).map(|seed| Setup { policy: Policy::Random, ..Setup::new(seed) }.run(two_casts));
//! let turned = runs.into_iter().find(|run| !run.schedule.is_empty()).expect("half of the runs have another order");
//! // The second message arrived first.
//! assert!(turned.schedule.labelled(&turned.trace).starts_with("request/one.work@deliver:"));
//! assert!(turned.schedule.to_string().ends_with("#1:passed(1)"));
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
pub(crate) use director::{Candidate, Director, Label};
pub(crate) use guide::Guide;
pub use policy::Policy;
pub use replay::Replay;
pub(crate) use replay::parse_seed;
pub use text::ScheduleError;
