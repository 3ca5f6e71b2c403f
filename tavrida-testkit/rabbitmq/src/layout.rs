//! The files of one node in its site's folder, and the command line that makes RabbitMQ use only those.

use std::{
    fs, io,
    path::{Path, PathBuf},
    process::Command,
};

use crate::{
    error::{Error, Result},
    options::NodeBuilder,
    site::Site,
};

/// Enough for thousands of connections (a connection with its channels is some twenty Erlang processes); RabbitMQ's default of one million
/// costs memory and time. Idle schedulers sleep and are not bound to cores: nodes and tests share the machine.
const SERVER_ERL_ARGS: &str = "+P 131072 +stbt u +sbwt none +sbwtdcpu none +sbwtdio none";

/// The size of a log excerpt in an error, in bytes and in lines.
const TAIL_BYTES: usize = 16 * 1024;
const TAIL_LINES: usize = 80;

/// The names, ports and files of one node, which restarts keep.
#[derive(Debug)]
pub(crate) struct Layout {
    /// The Erlang node, `name@localhost`.
    pub(crate) node: String,
    pub(crate) port: u16,
    pub(crate) tls_port: Option<u16>,
    pub(crate) dist_port: u16,
    folder: PathBuf,
}

/// Checks what Erlang allows in the name of a node, which is also the name of its folder.
fn check_name(name: &str) -> Result<()> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if !name.is_empty() && name.chars().all(allowed) {
        return Ok(());
    }
    let why = format!("a node's name holds letters, digits, '-' and '_' only, and not nothing: {name:?}");
    Err(Error::io("naming a node", io::Error::new(io::ErrorKind::InvalidInput, why)))
}

impl Layout {
    /// Creates the node's folder and writes its configuration, over an existing one.
    pub(crate) fn write(site: &Site, name: &str, ports: [u16; 3], options: &NodeBuilder) -> Result<Self> {
        check_name(name)?;
        let [port, dist_port, tls_port] = ports;
        let tls_port = options.tls.is_some().then_some(tls_port);
        let layout = Self {
            node: format!("{name}@localhost"),
            port,
            tls_port,
            dist_port,
            folder: site.folder().join(name),
        };
        let written = layout.write_files(options);
        written.map_err(|e| Error::io(format!("writing the configuration of {}", layout.node), e))?;
        Ok(layout)
    }

    fn write_files(&self, options: &NodeBuilder) -> io::Result<()> {
        // RabbitMQ reads every file of conf.d, by default the machine's.
        fs::create_dir_all(self.folder.join("conf.d"))?;
        let own = format!("listeners.tcp.1 = 127.0.0.1:{}", self.port);
        let tls = options.tls.iter().zip(self.tls_port).flat_map(|(tls, port)| tls.lines(port));
        let lines: Vec<_> = std::iter::once(own).chain(tls).chain(options.config.iter().cloned()).collect();
        fs::write(self.folder.join("rabbitmq.conf"), lines.join("\n") + "\n")?;
        let variables = options.variables.join(", ");
        fs::write(self.folder.join("advanced.config"), format!("[{{rabbit, [{variables}]}}].\n"))?;
        fs::write(self.folder.join("enabled_plugins"), format!("[{}].\n", options.plugins.join(",")))
    }

    /// Completes the server's command: all paths, and `erlang`, which runs once the broker has booted.
    pub(crate) fn apply(&self, server: &mut Command, erlang: &str) {
        for (variable, file) in [
            ("RABBITMQ_CONFIG_FILE", "rabbitmq.conf"),
            ("RABBITMQ_CONFIG_FILES", "conf.d"),
            ("RABBITMQ_ADVANCED_CONFIG_FILE", "advanced.config"),
            ("RABBITMQ_ENABLED_PLUGINS_FILE", "enabled_plugins"),
            ("RABBITMQ_MOTD_FILE", "motd"),
            ("RABBITMQ_MNESIA_BASE", "data"),
            ("RABBITMQ_LOG_BASE", "log"),
        ] {
            server.env(variable, self.folder.join(file));
        }
        server.env("RABBITMQ_NODENAME", &self.node).env("RABBITMQ_DIST_PORT", self.dist_port.to_string());
        // Everything goes to standard output, including the last messages of a VM that dies.
        server.env("RABBITMQ_LOGS", "-");
        // The script then becomes the VM instead of waiting for it: the child's id is the VM's.
        server.env("RUNNING_UNDER_SYSTEMD", "true");
        server.env("RABBITMQ_SERVER_ERL_ARGS", SERVER_ERL_ARGS);
        server.current_dir(&self.folder).args(["-eval", erlang]);
    }

    pub(crate) fn log(&self) -> PathBuf {
        self.folder.join("node.log")
    }

    /// Returns the last lines of the log.
    pub(crate) fn log_tail(&self) -> String {
        tail(&self.log()).unwrap_or_else(|error| format!("(no log: {error})"))
    }

    /// Returns the id file: beside the folder, where the watchdog looks.
    pub(crate) fn id_file(&self) -> PathBuf {
        self.folder.with_extension("node.pid")
    }

    pub(crate) fn control_socket(&self) -> PathBuf {
        self.folder.with_extension("control")
    }
}

fn tail(log: &Path) -> io::Result<String> {
    let bytes = fs::read(log)?;
    let text = String::from_utf8_lossy(&bytes[bytes.len().saturating_sub(TAIL_BYTES)..]);
    let lines: Vec<_> = text.lines().collect();
    Ok(lines[lines.len().saturating_sub(TAIL_LINES)..].join("\n"))
}
