//! [`Peer`]: what has to send what the memory broker predicts: RabbitMQ, or a port.

use tavrida_memory::core::Operator;
#[cfg(feature = "port")]
use tavrida_memory::{MemoryBroker, port};
use tavrida_rabbitmq::Node;

use crate::barrier::Barrier;
#[cfg(feature = "port")]
use crate::names::short;
use crate::run::Site;
use crate::wire::LinkError;

/// A broker that a program reaches by frames.
pub(crate) enum Peer<'n> {
    Node {
        node: &'n Node,
        barrier: Barrier<'n>,
    },
    /// A broker for one program, behind its port.
    #[cfg(feature = "port")]
    Port {
        broker: MemoryBroker,
        port: port::Port,
    },
}

impl<'n> Peer<'n> {
    /// Returns RabbitMQ.
    pub(crate) fn node(site: &'n Site<'_>) -> Self {
        Self::Node { node: site.node, barrier: Barrier::new(site.node, &site.vhost) }
    }

    /// Opens the port of a new broker.
    #[cfg(feature = "port")]
    pub(crate) async fn port(site: &Site<'_>) -> Self {
        let broker = MemoryBroker::builder().virtual_host(short(&site.vhost)).like(site.version).build();
        let port = broker.listen("127.0.0.1:0").await.expect("a port");
        Self::Port { broker, port }
    }

    /// Returns its name for a report.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Node { .. } => "RabbitMQ",
            #[cfg(feature = "port")]
            Self::Port { .. } => "the port",
        }
    }

    /// Returns the number of its TCP port.
    pub(crate) fn number(&self) -> u16 {
        match self {
            Self::Node { node, .. } => node.port(),
            #[cfg(feature = "port")]
            Self::Port { port, .. } => port.addr().port(),
        }
    }

    /// Returns when all queues have processed what they received before, and, if requested, when there are as many channels as expected.
    pub(crate) async fn queues(&self, channels: Option<usize>) -> Result<(), LinkError> {
        match self {
            Self::Node { barrier, .. } => barrier.queues(channels).await,
            // Its queues have processed what it has read.
            #[cfg(feature = "port")]
            Self::Port { broker, .. } => {
                let open = || -> usize {
                    broker.snapshot().connections.iter().map(|connection| connection.channels.len()).sum()
                };
                while channels.is_some_and(|expected| expected != open()) {
                    tokio::task::yield_now().await;
                }
                Ok(())
            }
        }
    }

    /// Sets a policy or clears one, raises an alarm or ends it.
    pub(crate) async fn operate(&self, operator: &Operator) -> Result<(), LinkError> {
        match self {
            Self::Node { barrier, .. } => barrier.operate(operator).await,
            #[cfg(feature = "port")]
            Self::Port { broker, .. } => {
                broker.operate(operator.clone());
                Ok(())
            }
        }
    }

    /// Deletes all policies, all queues, and all exchanges but the predeclared ones.
    pub(crate) async fn clean(&self) -> Result<(), LinkError> {
        match self {
            Self::Node { barrier, .. } => barrier.clean().await,
            // It ends with its program.
            #[cfg(feature = "port")]
            Self::Port { .. } => Ok(()),
        }
    }
}
