//! What a test may choose about its node.

use std::{fmt::Display, path::PathBuf, time::Duration};

use super::site::Site;

/// An idle machine of two cores boots a node in 3 seconds; a test run keeps many of them busy.
const BOOT_LIMIT: Duration = Duration::from_secs(120);

/// Options of a [`Node`](super::Node); made by [`Node::builder`](super::Node::builder).
#[derive(Clone, Debug)]
#[must_use = "nothing runs before `start` is called"]
pub struct NodeBuilder {
    name: Option<String>,
    pub(super) config: Vec<String>,
    pub(super) variables: Vec<String>,
    pub(super) plugins: Vec<String>,
    pub(super) scripts: Option<PathBuf>,
    pub(super) boot_limit: Duration,
}

impl NodeBuilder {
    pub(super) fn new() -> Self {
        Self {
            name: None,
            config: Vec::new(),
            variables: Vec::new(),
            plugins: Vec::new(),
            scripts: None,
            boot_limit: BOOT_LIMIT,
        }
    }

    /// The name that was given, else one that no other site has.
    pub(super) fn name_on(&self, site: &Site) -> String {
        self.name.clone().unwrap_or_else(|| format!("tavrida-{}", site.random_name()))
    }

    /// The part of the node's name before `@localhost`; `tavrida-` and six random characters by default.
    ///
    /// Letters, digits, `-` and `_`. Nodes of the same name do not disturb each other: each has an `epmd` of
    /// its own.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Adds a line to the node's `rabbitmq.conf`, such as `heartbeat = 5`.
    pub fn config_line(mut self, line: impl Into<String>) -> Self {
        self.config.push(line.into());
        self
    }

    /// Sets a variable of the application `rabbit` that has no line in `rabbitmq.conf`; the value is written in Erlang.
    ///
    /// `dead_letter_worker_publisher_confirm_timeout`, in milliseconds and 3 minutes by default, is one of interest: so long a
    /// quorum queue waits before it dead-letters anew what its target did not take.
    pub fn variable(mut self, name: &str, value: impl Display) -> Self {
        self.variables.push(format!("{{{name}, {value}}}"));
        self
    }

    /// How long a consumer may keep a delivery unacknowledged before its channel is closed (RabbitMQ's
    /// default: 30 minutes). RabbitMQ looks once a minute unless a `channel_tick_interval` line, in
    /// milliseconds, says otherwise.
    pub fn consumer_timeout(self, timeout: Duration) -> Self {
        self.config_line(format!("consumer_timeout = {}", timeout.as_millis()))
    }

    /// The share of the machine's memory above which publishers are blocked; 0.4 by default.
    pub fn memory_watermark(self, share: f64) -> Self {
        self.config_line(format!("vm_memory_high_watermark.relative = {share:?}"))
    }

    /// Enables a plugin, such as `rabbitmq_shovel`; by default none is. A plugin that listens does so where
    /// its own configuration says: give it a free port of loopback with [`config_line`](Self::config_line).
    pub fn plugin(mut self, name: impl Into<String>) -> Self {
        self.plugins.push(name.into());
        self
    }

    /// The folder of the scripts `rabbitmq-server` and `rabbitmqctl`, if neither the path nor the usual
    /// places of packages lead to the version to be tested.
    pub fn scripts(mut self, folder: impl Into<PathBuf>) -> Self {
        self.scripts = Some(folder.into());
        self
    }

    /// How long the broker may take to boot, 120 seconds by default.
    pub fn boot_limit(mut self, limit: Duration) -> Self {
        self.boot_limit = limit;
        self
    }
}
