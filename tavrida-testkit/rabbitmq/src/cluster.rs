//! Several private nodes that form one RabbitMQ cluster.

use std::{sync::Arc, time::Duration};

use tokio::{task::JoinSet, time};

use crate::{
    error::{Error, Result},
    node::Node,
    options::NodeBuilder,
    site::Site,
};

/// Nodes discover each other within milliseconds once they have joined.
const MEET_LIMIT: Duration = Duration::from_secs(30);
const POLL: Duration = Duration::from_millis(20);

/// A cluster of private nodes, which share a folder, an Erlang cookie and an `epmd` with each other only.
///
/// ```no_run
/// # async fn example() -> tavrida_rabbitmq::Result<()> {
/// use tavrida_rabbitmq::Cluster;
///
/// let cluster = Cluster::start(3).await?;
/// cluster.node(0).kill().await?;
/// println!("connect to {}", cluster.node(1).uri());
/// cluster.node(0).start_again().await?;
/// # Ok(())
/// # }
/// ```
///
/// Each node is a [`Node`] with all its methods. If nodes are stopped one after another, start the last one first: the others wait for it,
/// since it may have newer state.
#[derive(Debug)]
pub struct Cluster {
    nodes: Vec<Node>,
}

impl Cluster {
    /// Starts `size` nodes with default options and joins them.
    ///
    /// # Errors
    /// As [`Cluster::start_with`].
    ///
    /// # Panics
    /// If `size` is 0.
    pub async fn start(size: usize) -> Result<Self> {
        Self::start_with(size, Node::builder()).await
    }

    /// Starts `size` nodes with the same options and joins them. Their names are the builder's, or `tavrida-` and six random characters,
    /// followed by `-1`, `-2` and so on.
    ///
    /// Cancel safe: dropping the future ends every process it started.
    ///
    /// # Errors
    /// RabbitMQ is not installed, a node did not boot, or one could not join.
    ///
    /// # Panics
    /// If `size` is 0.
    pub async fn start_with(size: usize, options: NodeBuilder) -> Result<Self> {
        assert!(size > 0, "a cluster has at least one node");
        let site = Arc::new(Site::start(options.scripts.as_deref()).await?);
        let name = options.name_on(&site);
        let members = (1..=size).map(|number| options.clone().name(format!("{name}-{number}")));
        let cluster = Self { nodes: start_all(&site, members).await? };
        cluster.join().await?;
        Ok(cluster)
    }

    /// Returns one node, counted from 0.
    ///
    /// # Panics
    /// Panics if there is no such node.
    #[must_use]
    pub fn node(&self, index: usize) -> &Node {
        &self.nodes[index]
    }

    /// Returns all nodes, running or not.
    #[must_use]
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    async fn join(&self) -> Result<()> {
        let [first, others @ ..] = &self.nodes[..] else { return Ok(()) };
        // One after another: two that join concurrently change the same tables.
        for node in others {
            node.stop_app().await?;
            node.rabbitmqctl(["join_cluster", first.name()]).await?;
            node.start_app().await?;
        }
        for node in &self.nodes {
            self.wait_until_met(node).await?;
        }
        Ok(())
    }

    /// Waits until `node` knows that all others are running.
    async fn wait_until_met(&self, node: &Node) -> Result<()> {
        let all = self.nodes.len().to_string();
        let met = time::timeout(MEET_LIMIT, async {
            while node.eval("length(rabbit_nodes:all_running())").await? != all {
                time::sleep(POLL).await;
            }
            Ok(())
        });
        let late = |_| Err(Error::timed_out(format!("meeting the cluster from {}", node.name()), MEET_LIMIT));
        met.await.unwrap_or_else(late)
    }
}

/// Starts all members concurrently. Returns them in order.
async fn start_all(site: &Arc<Site>, members: impl Iterator<Item = NodeBuilder>) -> Result<Vec<Node>> {
    let mut starting = JoinSet::new();
    for (index, member) in members.enumerate() {
        let site = site.clone();
        starting.spawn(async move { Node::start_on(site, member).await.map(|node| (index, node)) });
    }
    let mut started = Vec::new();
    while let Some(joined) = starting.join_next().await {
        started.push(joined.expect("nobody aborts the start of a node, and it does not panic")?);
    }
    started.sort_by_key(|&(index, _)| index);
    Ok(started.into_iter().map(|(_, node)| node).collect())
}
