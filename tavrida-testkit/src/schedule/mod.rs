//! Schedules: what a run decides where it could go either way.
//!
//! A run that decides nothing is the default: whatever was sent first arrives first, at once, and nothing goes wrong. A schedule is
//! the [`Deviations`] from that, each named by the message that it concerns and not by its number in the run, so that leaving
//! one out changes no other. Every subset of a schedule is a schedule.

mod deviations;
mod director;

pub use deviations::{Choice, Deviations};
pub use director::Policy;
pub(crate) use director::{Candidate, Director, Label};
