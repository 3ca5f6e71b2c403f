//! RabbitMQ topologies as values: where a message goes and why, exact comparisons, property tests, lint.
//!
//! You have exchanges, queues, bindings and policies on a RabbitMQ. This crate reads them from an exported definitions file, from code, or
//! from a server of Tavrida, and answers what you would otherwise find out in production:
//!
//! - **Where does this message go, by which bindings, and why not there?** [`Topology::route`], [`Routing::why_not`],
//!   [`Routing::after_death`] for dead letters.
//! - **Does this hold for all messages?** The proptest strategies (module `strategy`), a table in Markdown ([`RoutingTable`]), and the
//!   bindings that your tests never used ([`Coverage`]).
//! - **What does a change affect?** [`Topology::diff`]: each difference with the shortest message that shows it.
//! - **What is wrong here?** [`Lint`], [`Topology::dead_bindings`], [`Topology::unroutable`] and others.
//!
//! Start with the chapter [Test your routing](guide).
//!
//! ```
//! use tavrida_routing::{Exchange, Message, Queue, Topology};
//!
//! let topology = Topology::builder()
//!     .exchange(Exchange::topic("orders"))
//!     .queue(Queue::quorum("billing"))
//!     .bind_queue("billing", "orders", "order.*.paid")
//!     .build()?;
//! let routing = topology.route(&Message::new("orders", "order.7.paid"))?;
//! assert_eq!(routing.queues().collect::<Vec<_>>(), ["billing"]);
//! # Ok::<(), tavrida_routing::BrokerError>(())
//! ```
//!
//! # Dependencies
//!
//! It depends on no runtime and no network, and without features on nothing else of Tavrida but the [list of decisions](Behaviour) in which
//! versions of RabbitMQ differ: any team can use it alone. `tavrida-memory` verifies it: the two share that list and no code, and the test
//! `routing` compares them over every pair of short patterns and keys, over header tables, over random topologies and over random
//! declarations, of both versions. Statements about RabbitMQ are therefore as accurate as that broker, whose own tests run against nodes of
//! both.
//!
//! | feature | adds |
//! |---|---|
//! | `proptest` (default) | module `strategy` |
//! | `tavrida` | topologies from `Server::plan()`, graphs of services from `Service` |
//! | `memory` | topologies from snapshots of `MemoryBroker` |

#[doc = include_str!("../docs/test-your-routing.md")]
pub mod guide {}

mod broker_error;
mod value;
mod erlang;
mod message;
mod mismatch;
mod criteria;
mod topology;
mod matching;
mod routing;
mod why_not;
mod death;
mod keys;
mod decide;
mod table;
mod coverage;
mod services;
mod lint;
mod picture;
#[cfg(feature = "proptest")]
pub mod strategy;
mod definitions;
#[cfg(feature = "tavrida")]
mod convert;
#[cfg(feature = "memory")]
mod snapshot;

pub use broker_error::BrokerError;
#[cfg(feature = "tavrida")]
pub use convert::NotText;
pub use coverage::Coverage;
pub use death::DeathReason;
pub use decide::{
    Change, Cut, DeadBinding, DeadCause, DeadLetterLoop, Decided, DeclarationChange, Diff, Outcome,
};
pub use definitions::{Definitions, DefinitionsError};
pub use keys::{Limits, Pattern, Undecided};
pub use lint::{Code, Finding, Lint, Report, Severity};
pub use message::Message;
pub use mismatch::Mismatch;
pub use routing::{Hop, Path, Routing};
pub use services::{Service, Services};
pub use table::{RoutingTable, TableError, TableMismatch};
pub use tavrida_behaviour::{Behaviour, RabbitMq};
pub use topology::{Binding, Builder, Destination, Exchange, ExchangeType, Queue, QueueType, Topology};
pub use value::{Table, Value};
pub use why_not::WhyNot;
