//! Tests for Tavrida: whole graphs of services in a deterministic simulation, a private RabbitMQ node, and the conformance suite
//! of a transport.
//!
//! # A graph of services, without a broker and without waiting
//!
//! The services are the production services; the broker and the network between them are simulated. [`macro@test`] runs one scenario under
//! many schedules: which message arrives next, which is late, what goes wrong.
//!
//! ```
//! use serde::{Deserialize, Serialize};
//! use tavrida::prelude::*;
//! use tavrida_testkit::fault::{At, Fault};
//! use tavrida_testkit::run::Ack;
//! use tavrida_testkit::sim::Sim;
//!
//! #[derive(Serialize, Deserialize, Rpc)]
//! #[rpc("orders.create", reply = Created)]
//! struct Create {
//!     cents: u64,
//! }
//!
//! #[derive(Serialize, Deserialize)]
//! struct Created {
//!     receipt: u64,
//! }
//!
//! #[derive(Serialize, Deserialize, Rpc)]
//! #[rpc("billing.charge", reply = Receipt)]
//! struct Charge {
//!     cents: u64,
//! }
//!
//! #[derive(Serialize, Deserialize)]
//! struct Receipt {
//!     number: u64,
//! }
//!
//! struct Orders;
//!
//! #[tavrida::service("orders")]
//! impl Orders {
//!     #[rpc(Create)]
//!     async fn create(&self, proxy: Proxy, new: Create) -> Result<Created> {
//!         let receipt = proxy.ask(Charge { cents: new.cents }).await?;
//!         Ok(Created { receipt: receipt.number })
//!     }
//! }
//!
//! struct Billing;
//!
//! #[tavrida::service("billing")]
//! impl Billing {
//!     #[rpc(Charge)]
//!     async fn charge(&self, _new: Charge) -> Receipt {
//!         Receipt { number: 1 }
//!     }
//! }
//!
//! # /*
//! #[tavrida_testkit::test(schedules = 64)]
//! # */
//! async fn an_order_is_billed(sim: Sim) -> Result<()> {
//!     let graph = sim
//!         .graph()
//!         .service(|| Orders.into_service())
//!         .service(|| Billing.into_service())
//!         .client("web")
//!         .start()
//!         .await;
//!     // Billing's connection is lost before its first ack: the request is redelivered.
//!     sim.fault(At::before_ack("billing.charge").nth(1), Fault::ConnectionLost);
//!
//!     let answer = graph.client("web").ask(Create { cents: 500 }).in_full().await?;
//!     assert_eq!(answer.receipt, 1);
//!
//!     let run = graph.settle().await; // exact, without a sleep
//!     run.handled::<Charge>().assert_count(2).assert_all(|charge| charge.cents == 500);
//!     run.handled::<Create>().assert_count(1).assert_settled(Ack);
//!     run.assert_none::<ErrorReply>(); // no need to wait for a negative: the run has ended
//!     Ok(())
//! }
//! # fn main() {
//! #     tavrida_testkit::explore(an_order_is_billed).schedules(64).check();
//! # }
//! ```
//!
//! | to | see |
//! |---|---|
//! | write a test | [`macro@test`], or [`explore`](explore()) and [`check`](explore::Explore::check), which it calls |
//! | put a graph together | [`graph`]: services, servers, replicas, stubs, clients |
//! | ask what happened | [`run`]: by contract, entry point, chain; [`trace`]: events, stable text, digest; [`picture`]: diagrams and pages |
//! | check what holds in the end, or at the same time | [`Sim::eventually`](sim::Sim::eventually); [`Run::history`](run::Run::history): linearizability |
//! | deploy | [`Graph::upgrade`](graph::Graph::upgrade): another version of a service; [`skew`](graph::GraphBuilder::skew): clocks that differ |
//! | inject faults | [`fault`]: at a place, or at random by family |
//! | check what holds in every run | [`laws`] |
//! | search | [`explore`](explore()): many schedules, shrunk where they fail; [`exhaustive`](exhaustive()): all of them |
//! | repeat a failed run | [`replay`], or `TAVRIDA_REPLAY`: [`explore`](mod@explore) lists all variables |
//! | attack a service | [`hostile`]: messages that no service may stop at |
//! | stand in for a database | [`Sim::store`](sim::Sim::store): transactions, conflicts, crashes before and after a commit; [`yield_point`] for a stand-in of your own |
//! | know what a run depends on | [`sim`]: what makes it nondeterministic, and which check detects it |
//!
//! A complete example: `double-charge`, a shop of four services, one of which charges twice.
//!
//! # RabbitMQ, and transports
//!
//! [`conformance`] is the contract of [`Transport`](tavrida::transport::Transport) as a list of promises, one line each, that runs against
//! any transport. The feature `rabbitmq` adds private RabbitMQ nodes that a test starts, stops, kills, pauses and cuts off.

pub mod random;
pub mod trace;
mod waits;
pub mod run;
pub mod problem;
pub mod laws;
pub mod fault;
pub mod schedule;
pub mod sim;
mod twice;
pub mod picture;
pub mod graph;
pub mod explore;
pub mod exhaustive;

#[doc(no_inline)]
pub use tavrida_conformance as conformance;
pub use tavrida_conformance::hostile;
#[cfg(feature = "rabbitmq")]
#[doc(no_inline)]
pub use tavrida_rabbitmq as rabbitmq;

pub use exhaustive::exhaustive;
pub use explore::{explore, replay};
pub use sim::yield_point;
pub use tavrida_testkit_macros::test;
