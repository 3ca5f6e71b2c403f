//! A configuration file, with environment variables overriding it.

mod connection;
mod environment;
mod ini;
mod keys;
mod server;
mod setting;
#[cfg(test)]
mod tests;
mod toml_text;

use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};

pub use server::ServerConfig;

use super::draft::Draft;
use super::{AmqpConfig, ConfigError};
use toml_text::{Section, Text};

/// A configuration file (TOML) with environment variables overriding it. Needs the feature `config-file` of this crate.
///
/// ```
/// use std::time::Duration;
/// use tavrida_amqp::{AmqpConfig, ConfigFile};
///
/// let file = ConfigFile::of_text(
///     r#"
///     [connection]                        # each key may be left out
///     hosts = ["rabbit-1", "rabbit-2:5673"]  # or host = "rabbit-1"; the next is tried when one cannot be reached
///     port = 5672                         # of hosts that name none; 5671 with TLS
///     virtual_host = "orders"
///     username = "shop"
///     password = "secret"
///     heartbeat = 10                      # seconds
///     connect_timeout = 3.0               # seconds, for each host
///     connection_attempts = 10            # until the first session is there; -1, the default: no limit
///     retry_delay = 0.5                   # seconds, before the second attempt; doubles
///     reconnect_attempts = -1             # after a loss
///     connection_name = "billing"
///
///     [server]
///     queue = "billing"
///     exchange = "billing_exchange"
///     services = ["billing"]              # which of those that the program has; all of them if left out
///     discovery = "services.ds"           # relative to the folder of this file
///     "#,
/// )
/// .variables([("TAVRIDA_CONNECTION__PASSWORD", "another"), ("TAVRIDA_SERVER__QUEUE", "billing_2")]);
///
/// let in_code = AmqpConfig::new("rabbit-1", 5672)
///     .or_host("rabbit-2", 5673)
///     .virtual_host("orders")
///     .credentials("shop", "another")
///     .heartbeat(10)
///     .connect_timeout(Duration::from_secs(3))
///     .connection_attempts(10)
///     .retry_delay(Duration::from_millis(500))
///     .reconnect_attempts(None)
///     .connection_name("billing");
/// assert_eq!(file.connection()?, in_code);
/// assert_eq!(file.server()?.queue(), "billing_2");
/// # Ok::<(), tavrida_amqp::ConfigError>(())
/// ```
///
/// # Keys
///
/// `[connection]`: the settings of [`AmqpConfig`], under the names of its methods; times in seconds. `host` or `hosts`, `port`,
/// `virtual_host`, `username`, `password`, `auth_mechanism`, `channel_max`, `frame_max`, `heartbeat`, `connect_timeout`,
/// `connection_attempts`, `retry_delay`, `reconnect_attempts`, `locale`, `connection_name`, `publish_window`. Alternatively a
/// [`uri`](AmqpConfig::from_uri), with further settings beside it that add to it or override it.
///
/// `[connection.tls]`: the section turns TLS on, with `cacertfile`, `certfile`, `keyfile` and `server_name_indication` as in the URI;
/// `verify` may only be `verify_peer`.
///
/// `[server]`: `queue` and `exchange`, which are required; `services`, `discovery`, `prefetch`, `concurrency`, and
/// `declare_mode` (`declare`, `check` or `skip`).
///
/// # Environment
///
/// `TAVRIDA_CONNECTION__HEARTBEAT`, `TAVRIDA_CONNECTION__TLS__CACERTFILE`, `TAVRIDA_SERVER__QUEUE`: the prefix, the section and the key,
/// with two underscores between them. A list is separated by commas. A variable overrides the file, key by key; a `uri` overrides the
/// settings that it contains, and no others. A relative path is relative to the working directory.
///
/// # Errors
///
/// An unknown section, key or variable, with the known ones; a value of the wrong kind; a key of the original that was renamed or removed.
/// Each error names the file with its line, or the variable, and does not show a password.
#[derive(Clone)]
pub struct ConfigFile {
    name: String,
    folder: PathBuf,
    text: String,
    variables: Vec<(OsString, OsString)>,
}

impl ConfigFile {
    /// Reads a file, and the environment of this process. Blocks while it reads.
    ///
    /// # Errors
    ///
    /// The file cannot be read. Errors in its content are returned when it is evaluated.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, ConfigError> {
        let path = path.as_ref();
        let name = path.display().to_string();
        let text = std::fs::read_to_string(path)
            .map_err(|error| ConfigError::new("", format!("it cannot be read: {error}")).at(&name))?;
        let folder = path.parent().map(Path::to_owned).unwrap_or_default();
        Ok(Self { name, folder, text, variables: std::env::vars_os().collect() })
    }

    /// Uses no file, only the environment of this process.
    pub fn environment() -> Self {
        Self { name: "environment".into(), variables: std::env::vars_os().collect(), ..Self::of_text("") }
    }

    /// Uses the text of a file, and no environment; for tests.
    pub fn of_text(text: impl Into<String>) -> Self {
        Self { name: "text".into(), folder: PathBuf::new(), text: text.into(), variables: Vec::new() }
    }

    /// Uses these variables instead of the environment of this process.
    #[must_use = "the file comes back with the variables"]
    pub fn variables<N: Into<OsString>, V: Into<OsString>>(
        mut self,
        variables: impl IntoIterator<Item = (N, V)>,
    ) -> Self {
        self.variables = variables.into_iter().map(|(name, value)| (name.into(), value.into())).collect();
        self
    }

    /// Returns the settings of the connection.
    ///
    /// # Errors
    ///
    /// An error in `[connection]`, or an unknown key anywhere.
    pub fn connection(&self) -> Result<AmqpConfig, ConfigError> {
        self.connection_of(&self.layers()?)
    }

    /// Returns the settings of a server, including its connection.
    ///
    /// # Errors
    ///
    /// As [`connection`](ConfigFile::connection), or an error in `[server]`.
    pub fn server(&self) -> Result<ServerConfig, ConfigError> {
        let layers = self.layers()?;
        let connection = self.connection_of(&layers)?;
        let of_server = layers.iter().flatten().filter(|section| section.name == keys::SERVER);
        let settings: Vec<_> = of_server.flat_map(|section| &section.settings).collect();
        server::read(&settings, connection, &self.name)
    }

    /// Returns the settings of the file and of the environment.
    fn layers(&self) -> Result<[Vec<Section>; 2], ConfigError> {
        let file = Text { file: &self.name, folder: &self.folder, text: &self.text };
        Ok([file.sections()?, environment::sections(&self.variables)?])
    }

    fn connection_of(&self, layers: &[Vec<Section>]) -> Result<AmqpConfig, ConfigError> {
        let mut draft = Draft::new();
        for layer in layers {
            let of_connection = |section: &&Section| section.name != keys::SERVER;
            let sections: Vec<_> = layer.iter().filter(of_connection).collect();
            connection::apply(&mut draft, &sections)?;
        }
        draft.finish().map_err(|error| {
            ConfigError::new(format!("{}.{}", keys::TLS, error.key()), error.problem()).at(&self.name)
        })
    }
}

impl fmt::Debug for ConfigFile {
    /// Hides the text and the variables: they may contain a password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConfigFile").field("name", &self.name).finish_non_exhaustive()
    }
}

impl AmqpConfig {
    /// Reads the connection from a [configuration file](ConfigFile), with the environment of this process overriding it.
    ///
    /// # Errors
    ///
    /// As [`ConfigFile::open`] and [`ConfigFile::connection`].
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self, ConfigError> {
        ConfigFile::open(path)?.connection()
    }
}

impl ServerConfig {
    /// Reads a server from a [configuration file](ConfigFile), with the environment of this process overriding it.
    ///
    /// # Errors
    ///
    /// As [`ConfigFile::open`] and [`ConfigFile::server`].
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self, ConfigError> {
        ConfigFile::open(path)?.server()
    }
}
