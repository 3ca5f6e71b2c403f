//! The options of a node.

use std::{
    fmt::Display,
    path::{Path, PathBuf},
    time::Duration,
};

use crate::site::Site;

/// An idle machine with two cores boots a node in 3 seconds; a test run keeps many of them busy.
const BOOT_LIMIT: Duration = Duration::from_secs(120);

/// A second listener, with TLS.
#[derive(Clone, Debug)]
pub(crate) struct TlsListener {
    certificate: PathBuf,
    key: PathBuf,
    clients: Option<PathBuf>,
}

impl TlsListener {
    /// Returns the lines of `rabbitmq.conf` that make the node listen at `port`.
    pub(crate) fn lines(&self, port: u16) -> Vec<String> {
        let option = |name: &str, value: &str| format!("ssl_options.{name} = {value}");
        let file = |name: &str, path: &Path| option(name, &path.display().to_string());
        let mut lines = vec![
            format!("listeners.ssl.1 = 127.0.0.1:{port}"),
            file("certfile", &self.certificate),
            file("keyfile", &self.key),
        ];
        if let Some(ca) = &self.clients {
            lines.push(file("cacertfile", ca));
            lines.push(option("verify", "verify_peer"));
            lines.push(option("fail_if_no_peer_cert", "true"));
        }
        lines
    }
}

/// Options of a [`Node`](crate::Node), made by [`Node::builder`](crate::Node::builder).
#[derive(Clone, Debug)]
#[must_use = "nothing runs before `start` is called"]
pub struct NodeBuilder {
    name: Option<String>,
    pub(crate) config: Vec<String>,
    pub(crate) variables: Vec<String>,
    pub(crate) plugins: Vec<String>,
    pub(crate) tls: Option<TlsListener>,
    pub(crate) scripts: Option<PathBuf>,
    pub(crate) boot_limit: Duration,
}

impl NodeBuilder {
    pub(crate) fn new() -> Self {
        Self {
            name: None,
            config: Vec::new(),
            variables: Vec::new(),
            plugins: Vec::new(),
            tls: None,
            scripts: None,
            boot_limit: BOOT_LIMIT,
        }
    }

    /// Returns the given name, or one that no other site has.
    pub(crate) fn name_on(&self, site: &Site) -> String {
        self.name.clone().unwrap_or_else(|| format!("tavrida-{}", site.random_name()))
    }

    /// Sets the part of the node's name before `@localhost`. The default is `tavrida-` and six random characters.
    ///
    /// Letters, digits, `-` and `_` are allowed. Nodes of the same name do not disturb each other: each has its own `epmd`.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Adds a line to the node's `rabbitmq.conf`, such as `heartbeat = 5`.
    pub fn config_line(mut self, line: impl Into<String>) -> Self {
        self.config.push(line.into());
        self
    }

    /// Sets a variable of the application `rabbit` that has no line in `rabbitmq.conf`; the value is an Erlang term.
    ///
    /// An example is `dead_letter_worker_publisher_confirm_timeout`, in milliseconds, 3 minutes by default: how long a quorum queue waits
    /// before it retries a dead letter that its target did not accept.
    pub fn variable(mut self, name: &str, value: impl Display) -> Self {
        self.variables.push(format!("{{{name}, {value}}}"));
        self
    }

    /// Sets how long a consumer may keep a delivery unacknowledged before its channel is closed (RabbitMQ's default: 30 minutes). RabbitMQ
    /// checks once a minute unless a `channel_tick_interval` line, in milliseconds, says otherwise.
    pub fn consumer_timeout(self, timeout: Duration) -> Self {
        self.config_line(format!("consumer_timeout = {}", timeout.as_millis()))
    }

    /// Sets the share of the machine's memory above which publishers are blocked. The default is 0.4.
    pub fn memory_watermark(self, share: f64) -> Self {
        self.config_line(format!("vm_memory_high_watermark.relative = {share:?}"))
    }

    /// Enables a plugin, such as `rabbitmq_shovel`; by default none is enabled. A plugin that listens does so where its own configuration
    /// says: give it a free port of loopback with [`config_line`](Self::config_line).
    pub fn plugin(mut self, name: impl Into<String>) -> Self {
        self.plugins.push(name.into());
        self
    }

    /// Also listens for TLS connections, at [`tls_port`](crate::Node::tls_port), with this certificate (and its chain) and key. Both are
    /// paths of PEM files that must stay in place while the node lives.
    pub fn tls(mut self, certificate: impl Into<PathBuf>, key: impl Into<PathBuf>) -> Self {
        self.tls = Some(TlsListener { certificate: certificate.into(), key: key.into(), clients: None });
        self
    }

    /// Requires a client certificate of this authority (a path of a PEM file) on TLS connections, and allows login with it: with the
    /// mechanism `EXTERNAL`, the common name of the certificate is the user name.
    ///
    /// # Panics
    ///
    /// Panics if no [`tls`](Self::tls) listener is configured.
    pub fn client_certificates(mut self, ca: impl Into<PathBuf>) -> Self {
        let listener = self.tls.as_mut().expect("`tls` is called first: it says where clients connect");
        listener.clients = Some(ca.into());
        let builder =
            self.plugin("rabbitmq_auth_mechanism_ssl").config_line("ssl_cert_login_from = common_name");
        // A configured list replaces the default one.
        ["PLAIN", "AMQPLAIN", "EXTERNAL"].into_iter().zip(1..).fold(
            builder,
            |builder, (mechanism, number)| {
                builder.config_line(format!("auth_mechanisms.{number} = {mechanism}"))
            },
        )
    }

    /// Sets the folder of the scripts `rabbitmq-server` and `rabbitmqctl`, if neither the environment variable `TAVRIDA_RABBITMQ`, the path
    /// nor the usual folders of packages lead to the version under test.
    pub fn scripts(mut self, folder: impl Into<PathBuf>) -> Self {
        self.scripts = Some(folder.into());
        self
    }

    /// Sets how long the broker may take to boot. The default is 120 seconds.
    pub fn boot_limit(mut self, limit: Duration) -> Self {
        self.boot_limit = limit;
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tls_listener_asks_for_client_certificates_only_when_told_to() {
        let builder = NodeBuilder::new().tls("/c.pem", "/k.pem");
        let lines = builder.tls.as_ref().expect("it was asked for").lines(7);
        let own = [
            "listeners.ssl.1 = 127.0.0.1:7",
            "ssl_options.certfile = /c.pem",
            "ssl_options.keyfile = /k.pem",
        ];
        assert_eq!(lines, own);

        let builder = builder.client_certificates("/ca.pem");
        let lines = builder.tls.as_ref().expect("it was asked for").lines(7);
        let more = ["ssl_options.cacertfile = /ca.pem", "ssl_options.verify = verify_peer"];
        assert_eq!(lines[..3], own);
        assert_eq!(lines[3..5], more);
        assert_eq!(lines[5..], ["ssl_options.fail_if_no_peer_cert = true"]);
        assert_eq!(builder.plugins, ["rabbitmq_auth_mechanism_ssl"]);
        assert!(builder.config.contains(&"auth_mechanisms.3 = EXTERNAL".to_owned()));
    }
}
