//! The promises of every [`Transport`](tavrida::transport::Transport), as a suite that runs against any transport.
//!
//! The suite uses only the traits. It opens sessions, declares what it needs under its own names, checks the results, and prints one line
//! for each promise:
//!
//! ```text
//! ok   publishing: a mandatory message that no queue is bound for comes back as unroutable
//! skip loss: consumers end with the loss (no breaker was given)
//! FAIL settling: a requeued delivery comes first again, marked as redelivered [R98]
//!      expected body and redelivered: ("a", true)
//!      seen     body and redelivered: ("a", false)
//! RabbitMQ 4.0.5: promises: 268, kept: 262, skipped: 5 (RabbitMQ 4.0 differs: 3, no breaker was given: 2), broken: 1
//! ```
//!
//! All promises are checked, whatever the earlier results; [`Report::assert_ok`] fails once, with the list. Checks are independent: each
//! opens its own sessions, and neither a panic nor a hang of the transport ends the run.
//!
//! # For your own transport
//!
//! Pass your transport to the suite, say what its broker lacks, and assert the report:
//!
//! ```no_run
//! use std::sync::Arc;
//! use std::time::Duration;
//!
//! use tavrida::transport::Transport;
//! use tavrida_conformance::{Capability, Suite};
//!
//! async fn conforms(transport: Arc<dyn Transport>) {
//!     let report = Suite::new(transport)
//!         .prefix("nightly-17") // of all names of the suite
//!         .without(Capability::HeadersExchange) // its promises are printed as skipped
//!         .with_breaker(|| async { /* make the broker close the connections of the suite */ })
//!         .with_alarm(|_raised| async { /* make the broker short of memory, or no longer */ })
//!         .dead_letters_anew_within(Duration::from_secs(3 * 60))
//!         .run()
//!         .await;
//!     report.assert_ok();
//! }
//! ```
//!
//! - **A shared broker** works: all names begin with the [prefix](Suite::prefix), and what was declared is deleted after each promise. Only
//!   a [breaker](Suite::with_breaker) or an [alarm](Suite::with_alarm) may disturb others.
//! - **A broker with fewer features than RabbitMQ**: exclude what it lacks with [`Suite::without`]. The report lists all excluded promises.
//! - **Versions of RabbitMQ**: where their values differ, each version has its own promise, and those of the others are skipped. The broker
//!   reports its version at connect; [`Suite::like`] chooses another, or that of a broker that reports none.
//! - **RabbitMQ 4.3** refuses shared queues that a restart deletes, by default: [`Capability::TransientQueues`]. No promise needs a global
//!   prefetch, which it refuses too: a [`Session`](tavrida::transport::Session) has no way to ask for one.
//! - **A broker with other texts**: [`Capability::RabbitWording`] covers the texts of errors; codes and scopes are compared in any case.
//! - **Clocks**: the suite uses only tokio's clock, so an in-process broker can run on a paused one (`start_paused = true` of
//!   `#[tokio::test]`). What must happen is waited for up to the [patience](Suite::patience). What must not happen is not waited for: a
//!   later event that the broker orders after it is the proof. Only two kinds of promises let time pass: those about expiry, 50 to 200 ms,
//!   checked after five times as long; and those about at-least-once dead letters, if you say [how long](Suite::dead_letters_anew_within)
//!   the broker takes to retry them.
//! - **While you write the transport**, [`Suite::only`] runs the promises of one room.
//!
//! Each promise cites its source: `R..` is a rule of the broker semantics in this repository, `contract` the text of
//! [`tavrida::transport`]. [`promises`] lists them all.

pub mod hostile;
mod capability;
mod check;
mod values;
mod settings;
mod harness;
mod tap;
mod peer;
mod promise;
mod promises;
mod report;
mod suite;

pub use capability::Capability;
pub use promise::Promise;
pub use promises::promises;
pub use report::{Finding, Report, Verdict};
pub use suite::Suite;
