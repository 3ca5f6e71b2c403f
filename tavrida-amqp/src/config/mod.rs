//! Where the broker is, and how to connect to it.

mod auth;
mod error;
mod tls;
mod uri;

use std::fmt;
use std::time::Duration;

pub use auth::AuthMechanism;
pub use error::ConfigError;
pub use tls::Tls;
#[cfg(feature = "tls")]
pub(crate) use tls::read;

/// Where RabbitMQ is and how to connect to it; what [`AmqpTransport`](crate::AmqpTransport) is made from.
///
/// From a URI, or from parts:
///
/// ```
/// use std::time::Duration;
/// use tavrida_amqp::AmqpConfig;
///
/// let config = AmqpConfig::from_uri("amqp://user:secret@rabbit-1:5672/orders?heartbeat=10")?
///     .or_host("rabbit-2", 5672)
///     .connection_name("billing")
///     .connect_timeout(Duration::from_secs(3));
/// assert_eq!(config.endpoint(), "amqp://rabbit-1:5672,rabbit-2:5672/orders");
/// # Ok::<(), tavrida_amqp::ConfigError>(())
/// ```
#[derive(Clone, PartialEq)]
pub struct AmqpConfig {
    pub(crate) hosts: Vec<Host>,
    pub(crate) virtual_host: String,
    pub(crate) username: String,
    pub(crate) password: String,
    pub(crate) mechanism: AuthMechanism,
    pub(crate) tls: Option<Tls>,
    pub(crate) connection_name: Option<String>,
    pub(crate) connect_timeout: Duration,
    pub(crate) heartbeat: Option<u16>,
    pub(crate) channel_max: Option<u16>,
    pub(crate) frame_max: Option<u32>,
    pub(crate) locale: String,
    pub(crate) publish_window: usize,
}

/// One address of a broker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Host {
    pub(crate) name: String,
    pub(crate) port: u16,
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, port } = self;
        if name.contains(':') { write!(f, "[{name}]:{port}") } else { write!(f, "{name}:{port}") }
    }
}

impl AmqpConfig {
    /// How many publishes may be unconfirmed at a time, unless told otherwise.
    ///
    /// Measured: a window of 256 gives nine tenths of what a window of 1,024 gives; beyond it, nothing more.
    pub const PUBLISH_WINDOW: usize = 1024;

    /// How long one attempt to connect may take, unless told otherwise.
    pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

    /// A broker at `host` and `port`, with RabbitMQ's own defaults: user and password `guest`, virtual host `/`, and the
    /// server's heartbeat, channel and frame limits.
    pub fn new(host: impl Into<String>, port: u16) -> Self {
        Self {
            hosts: vec![Host { name: host.into(), port }],
            virtual_host: "/".into(),
            username: "guest".into(),
            password: "guest".into(),
            mechanism: AuthMechanism::default(),
            tls: None,
            connection_name: None,
            connect_timeout: Self::CONNECT_TIMEOUT,
            heartbeat: None,
            channel_max: None,
            frame_max: None,
            locale: "en_US".into(),
            publish_window: Self::PUBLISH_WINDOW,
        }
    }

    /// Reads an AMQP URI: `amqp://user:password@host:port/vhost?key=value`, parts left out having RabbitMQ's defaults.
    ///
    /// The virtual host is percent-encoded: no path at all is `/`, a path of `/` alone is the virtual host with the empty
    /// name, `/%2f` is `/`. Keys: `heartbeat` (seconds), `connection_timeout` (milliseconds), `channel_max`,
    /// `frame_max` (bytes), `auth_mechanism`. With `amqps://` also the paths `cacertfile`, `certfile` and `keyfile`, and
    /// `server_name_indication`; `verify` may be `verify_peer` alone.
    ///
    /// # Errors
    ///
    /// What cannot be read, or is not known, by its name; never with the password.
    pub fn from_uri(uri: &str) -> Result<Self, ConfigError> {
        uri::parse(uri)
    }

    /// One more address, tried when those before it cannot be reached.
    #[must_use = "the config comes back with the host"]
    pub fn or_host(mut self, host: impl Into<String>, port: u16) -> Self {
        self.hosts.push(Host { name: host.into(), port });
        self
    }

    /// Who logs in.
    #[must_use = "the config comes back with the credentials"]
    pub fn credentials(mut self, username: impl Into<String>, password: impl Into<String>) -> Self {
        (self.username, self.password) = (username.into(), password.into());
        self
    }

    /// How the login is proven.
    #[must_use = "the config comes back with the mechanism"]
    pub fn auth_mechanism(mut self, mechanism: AuthMechanism) -> Self {
        self.mechanism = mechanism;
        self
    }

    /// Encrypts the connections. Needs the feature `tls` of this crate.
    #[must_use = "the config comes back with the settings"]
    pub fn tls(mut self, tls: Tls) -> Self {
        self.tls = Some(tls);
        self
    }

    /// The virtual host.
    #[must_use = "the config comes back with the virtual host"]
    pub fn virtual_host(mut self, name: impl Into<String>) -> Self {
        self.virtual_host = name.into();
        self
    }

    /// The name that operators see. A session has two connections, told apart by a suffix: `(publish)`, `(consume)`.
    #[must_use = "the config comes back with the name"]
    pub fn connection_name(mut self, name: impl Into<String>) -> Self {
        self.connection_name = Some(name.into());
        self
    }

    /// How long one attempt may take for each host, name look-up and handshake included.
    #[must_use = "the config comes back with the timeout"]
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// The heartbeat in seconds; the lower one of this and the server's counts. A broker that is silent for twice as long
    /// is given up. 0 takes the server's.
    #[must_use = "the config comes back with the heartbeat"]
    pub fn heartbeat(mut self, seconds: u16) -> Self {
        self.heartbeat = Some(seconds);
        self
    }

    /// How many channels a connection may open; the lower one of this and the server's counts. 0 takes the server's.
    #[must_use = "the config comes back with the limit"]
    pub fn channel_max(mut self, channels: u16) -> Self {
        self.channel_max = Some(channels);
        self
    }

    /// The largest frame in bytes; the lower one of this and the server's counts. 0 takes the server's.
    ///
    /// A connection keeps two buffers of 32 frames: 8 MiB at RabbitMQ's default of 131,072 bytes.
    #[must_use = "the config comes back with the limit"]
    pub fn frame_max(mut self, bytes: u32) -> Self {
        self.frame_max = Some(bytes);
        self
    }

    /// The locale of the broker's texts; RabbitMQ knows `en_US` alone.
    #[must_use = "the config comes back with the locale"]
    pub fn locale(mut self, locale: impl Into<String>) -> Self {
        self.locale = locale.into();
        self
    }

    /// How many publishes may be unconfirmed at a time; further ones wait in line.
    ///
    /// # Panics
    ///
    /// When it is 0, for then nothing could ever be published.
    #[must_use = "the config comes back with the window"]
    pub fn publish_window(mut self, publishes: usize) -> Self {
        assert!(publishes > 0, "a publish window of 0 publishes nothing");
        self.publish_window = publishes;
        self
    }

    /// The user's name, if that is how the broker knows the user.
    pub(crate) fn login(&self) -> Option<&str> {
        self.mechanism.uses_username().then_some(self.username.as_str())
    }

    /// The addresses and the virtual host; never a secret.
    pub fn endpoint(&self) -> String {
        let hosts: Vec<_> = self.hosts.iter().map(ToString::to_string).collect();
        let virtual_host = if self.virtual_host == "/" { "%2f" } else { &self.virtual_host };
        let scheme = if self.tls.is_some() { "amqps" } else { "amqp" };
        format!("{scheme}://{}/{virtual_host}", hosts.join(","))
    }
}

impl fmt::Debug for AmqpConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AmqpConfig")
            .field("hosts", &self.hosts)
            .field("virtual_host", &self.virtual_host)
            .field("username", &self.username)
            .field("password", &"***")
            .field("mechanism", &self.mechanism)
            .field("tls", &self.tls)
            .field("connection_name", &self.connection_name)
            .field("connect_timeout", &self.connect_timeout)
            .field("heartbeat", &self.heartbeat)
            .field("channel_max", &self.channel_max)
            .field("frame_max", &self.frame_max)
            .field("locale", &self.locale)
            .field("publish_window", &self.publish_window)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neither_debug_nor_the_endpoint_shows_the_password() {
        let config = AmqpConfig::new("localhost", 5672).credentials("guest", "hunter2");
        assert!(!format!("{config:?}").contains("hunter2"));
        assert!(!config.endpoint().contains("hunter2"));
    }
}
