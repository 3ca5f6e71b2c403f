//! One node for all tests of a process, with a new virtual host for each.

use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::OnceCell;

use crate::{admin::delete_vhost, error::Result, node::Node};

/// A static is never dropped: the node's watchdog ends the node with this process.
static NODE: OnceCell<Node> = OnceCell::const_new();
static VHOSTS: AtomicU64 = AtomicU64::new(1);

/// Returns the node that all tests of this process share; the first call starts it.
///
/// Tests must leave it running and intact: a test that kills, stops or pauses a node starts its own.
///
/// Cancel safe: if the first caller gives up, the next one starts the node.
///
/// # Errors
/// As [`Node::start`]; the next call tries again.
pub async fn shared() -> Result<&'static Node> {
    NODE.get_or_try_init(Node::start).await
}

/// Returns a virtual host of the [`shared`] node that nothing else uses.
///
/// ```no_run
/// # async fn example() -> tavrida_rabbitmq::Result<()> {
/// let vhost = tavrida_rabbitmq::shared_vhost().await?;
/// println!("connect to {}", vhost.uri());
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// As [`shared`] and [`Node::add_vhost`].
pub async fn shared_vhost() -> Result<VirtualHost> {
    let node = shared().await?;
    let vhost = VirtualHost { node, name: format!("test-{}", VHOSTS.fetch_add(1, Ordering::Relaxed)) };
    node.add_vhost(&vhost.name).await?;
    Ok(vhost)
}

/// A virtual host for one test. Dropping it deletes it, with its queues, exchanges and connections, without waiting.
#[derive(Debug)]
#[must_use = "dropping it deletes the virtual host"]
pub struct VirtualHost {
    node: &'static Node,
    name: String,
}

impl VirtualHost {
    /// Returns its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns its address for the user guest.
    #[must_use]
    pub fn uri(&self) -> String {
        self.node.uri_for(&self.name)
    }

    /// Returns its node, shared by all tests of this process.
    #[must_use]
    pub fn node(&self) -> &'static Node {
        self.node
    }
}

impl Drop for VirtualHost {
    fn drop(&mut self) {
        // What cannot be deleted now is deleted with the node.
        let _ = self.node.control.tell(&delete_vhost(&self.name));
    }
}
