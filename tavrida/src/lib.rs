//! Services that communicate by messages, over RabbitMQ or over an in-process broker.
//!
//! A service answers requests, handles the answers and errors of its calls (as continuations, not blocked threads), and subscribes to other
//! services' notifications. A chain of calls keeps one correlation id and a context that grows at each hop. The wire format is that of the
//! Python library of the same name, in both directions.
//!
//! ```
//! use tavrida::prelude::*;
//! use tavrida_memory::MemoryBroker;
//!
//! struct Calc;
//!
//! #[derive(serde::Serialize)]
//! struct Sum {
//!     sum: i64,
//! }
//!
//! #[tavrida::service("calc")]
//! impl Calc {
//!     #[rpc]
//!     async fn sum(&self, a: i64, b: i64) -> Result<Sum> {
//!         let sum = a.checked_add(b).ok_or_else(|| Failure::new("calc.Overflow", "too large").with_code(4000))?;
//!         Ok(Sum { sum })
//!     }
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<()> {
//! let broker = MemoryBroker::new().transport(); // or tavrida_amqp::AmqpTransport
//! let server = Server::builder(broker.clone()).service(Calc.into_service()).start().await?;
//!
//! let client = Client::builder(broker).source("script").build().await?;
//! let answer = client.to("calc.sum").param("a", 1).param("b", 2).ask().await?;
//! assert_eq!(answer.payload().get::<i64>("sum")?, 3);
//!
//! server.shutdown().await?; // in a program: `.build()?.run()`, until SIGTERM
//! # Ok(())
//! # }
//! ```
//!
//! # Chapters
//!
//! [The tutorial](docs::tutorial), [services](docs::services), [calls](docs::calls), [context](docs::context),
//! [answering later](docs::later), [failure](docs::failure), [testing](docs::testing), [production](docs::production), [security](docs::security),
//! [migrating from the Python original](docs::migration), [the wire format](docs::wire), [architecture](docs::architecture).
//!
//! # Overview
//!
//! | you want to | see |
//! |---|---|
//! | write a service | [`Service`], [`handler`] (extractors, replies, [`params`](handler::params)), [`middleware`] |
//! | run it | [`Server`] ([`Plan`](server::Plan), [`Health`], [`Counters`](counters::Counters), shutdown) |
//! | call services, from a handler or from outside | [`proxy`] (call, cast, transfer, publish, ask), [`Client`] |
//! | read and write messages | [`message`]: [`Request`](message::Request), [`Response`](message::Response), [`ErrorReply`](message::ErrorReply), [`Notification`](message::Notification), [`Context`](message::Context), [`Headers`](message::Headers), [`Payload`](message::Payload) |
//! | decide what happens after failures | [`FailurePolicy`], [`Retry`], [`Failure`](message::Failure); the chapter on [`failure`](docs::failure) |
//! | find services | [`discovery`]: [`Registry`](discovery::Registry), `.ds` files, your own [`Discovery`](discovery::Discovery) |
//! | address them | [`EntryPoint`] |
//! | know how a send ended | [`Sent`](outbound::Sent), [`SendError`](outbound::SendError), [`AskError`](proxy::AskError), [`Error`] |
//! | survive the loss of the broker | [`Backoff`], [`Health`], [`link`] |
//! | choose a broker, or write a transport | [`transport`]; `tavrida-amqp`, `tavrida-memory`; the conformance suite `tavrida-conformance` |
//! | control ids and time | [`id`], [`time`] |
//! | wait for several things, and let a simulation choose | [`select!`] |
//! | spawn tasks that a simulation sees | [`task::spawn`] |
//! | name states that tests should reach, or must not | [`sometimes!`], [`reachable!`], [`unreachable!`]; [`mark`] |
//! | communicate with the Python original | [`envelope`]; the chapter on the [wire format](docs::wire) |
//! | understand or change this library | the chapter on its [architecture](docs::architecture) |
//!
//! `tracing` records each hop at level debug (kind, addresses, ids, outcome, time), dead letters and losses at warn. Payloads are not
//! logged unless [enabled](server::ServerBuilder::log_payloads); secrets among the headers are masked.

#[cfg(test)]
mod seeded;

mod show;
pub mod field;
pub mod entry_point;
pub mod error;
pub mod id;
pub mod time;
pub mod select;
pub mod task;
pub mod mark;
pub mod counters;
pub mod json;
pub mod message;
pub mod contract;
pub mod transport;
pub mod envelope;
pub mod link;
pub mod discovery;
pub mod middleware;
mod caught;
mod cold;
pub mod outbound;
mod asks;
pub mod proxy;
pub mod client;
pub mod handler;
pub mod service;
mod slots;
mod disposition;
mod inbound;
pub mod server;
pub mod prelude;
#[doc(hidden)]
pub mod __private;
pub mod docs;

pub use client::Client;
pub use contract::{Event, Rpc};
pub use disposition::{FailurePolicy, Retry};
pub use entry_point::EntryPoint;
pub use error::Error;
pub use link::Health;
pub use proxy::Proxy;
pub use server::Server;
pub use service::Service;
#[cfg(feature = "macros")]
pub use tavrida_macros::{Event, Rpc, service};
pub use transport::Backoff;
