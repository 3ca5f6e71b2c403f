//! Private RabbitMQ nodes, started by the tests that need them.
//!
//! ```no_run
//! # async fn example() -> tavrida_rabbitmq::Result<()> {
//! // A new virtual host on the node that all tests of this process share.
//! let vhost = tavrida_rabbitmq::shared_vhost().await?;
//! println!("connect to {}", vhost.uri());
//!
//! // A private node, for destructive tests.
//! let node = tavrida_rabbitmq::Node::start().await?;
//! node.kill().await?;
//! node.start_again().await?;
//! # Ok(())
//! # }
//! ```
//!
//! A node boots in three to four seconds on two idle cores (its VM loads a thousand modules), a cluster of three in about ten; a virtual
//! host takes 20 milliseconds. `cargo test` runs each file of `tests/` as a separate process, each of which boots a shared node: a suite
//! that uses a broker is fastest as one file with modules.
//!
//! RabbitMQ has to be installed, not running: `apt-get install rabbitmq-server`. A node of the machine is neither used nor disturbed. Nodes
//! end with the process that started them, even if it is killed.
//!
//! The environment variable `TAVRIDA_RABBITMQ` chooses another installation: the folder of its scripts `rabbitmq-server` and `rabbitmqctl`,
//! with its `epmd` if that is not the machine's. [`Node::version`] returns what runs.
//!
//! Only Unix is supported, and the runtime's clock must not be paused while a method of this crate is
//! awaited.

#![cfg(unix)]

mod error;
mod say;
mod install;
mod version;
mod ports;
mod process;
mod site;
mod control;
mod options;
mod layout;
mod node;
mod admin;
mod shared;
mod cluster;
mod proxy;

pub use cluster::Cluster;
pub use error::{Error, Result};
pub use node::Node;
pub use options::NodeBuilder;
pub use proxy::Proxy;
pub use say::say;
pub use shared::{VirtualHost, shared, shared_vhost};
pub use version::Version;
