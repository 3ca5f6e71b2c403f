//! Schedules: what a run decides where it could go either way.
//!
//! A run that decides nothing is the default: whatever was sent first arrives first, at once, and nothing goes wrong. A schedule is
//! the [`Deviations`] from that, each named by the message that it concerns and not by its number in the run, so that leaving
//! one out changes no other. Every subset of a schedule is a schedule; what it says of messages that are not sent counts for nothing.
//!
//! A [`Policy`] makes schedules up, from a seed. What it made up is written down, and carried out again by a
//! [`Replay`](Replay), which is one line of text.

mod deviations;
mod director;
mod labels;
mod pct;
mod policy;
mod replay;
mod text;

pub use deviations::{Choice, Deviations};
pub(crate) use director::{Candidate, Director, Label};
pub use policy::Policy;
pub use replay::Replay;
pub(crate) use replay::parse_seed;
pub use text::NoSchedule;
