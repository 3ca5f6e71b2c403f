//! The addresses of the broker, and the settings of its connections.

mod address;
mod auth;
mod draft;
mod error;
#[cfg(feature = "config-file")]
mod file;
mod tls;
mod uri;

use std::fmt;
use std::net::Ipv6Addr;
use std::time::Duration;

pub use auth::AuthMechanism;
pub use error::ConfigError;
#[cfg(feature = "config-file")]
pub use file::{ConfigFile, ServerConfig};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use tavrida::transport::Backoff;
pub use tls::Tls;
#[cfg(feature = "tls")]
pub(crate) use tls::read;

/// The addresses of RabbitMQ and the settings of its connections; [`AmqpTransport`](crate::AmqpTransport) is created from it.
///
/// Built in code, from a [URI](AmqpConfig::from_uri), or (feature `config-file`) from a file with the environment overriding it:
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
    pub(crate) connection_attempts: Option<u32>,
    pub(crate) reconnect_attempts: Option<u32>,
    pub(crate) retry_delay: Duration,
    pub(crate) publish_window: usize,
}

/// What is not written as it is in a part of a URI.
const OF_A_URI: &AsciiSet = &CONTROLS.add(b' ').add(b'/').add(b'?').add(b'#').add(b'%');

/// One address of a broker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Host {
    pub(crate) name: String,
    pub(crate) port: u16,
}

impl Host {
    /// An IPv6 address may stand in brackets, as in a URI.
    fn new(name: String, port: u16) -> Self {
        let inner = name.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
        let address: Option<Ipv6Addr> = inner.and_then(|inner| inner.parse().ok());
        Self { name: address.map_or(name, |address| address.to_string()), port }
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, port } = self;
        if name.contains(':') { write!(f, "[{name}]:{port}") } else { write!(f, "{name}:{port}") }
    }
}

impl AmqpConfig {
    /// The default maximum number of unconfirmed publishes.
    ///
    /// Measured: a window of 256 gives 90 % of the throughput of 1,024; a larger one gives no more.
    pub const PUBLISH_WINDOW: usize = 1024;

    /// The default heartbeat in seconds: within the 5 to 20 s that RabbitMQ's guide recommends, and the default of its Go client.
    pub const HEARTBEAT: u16 = 10;

    /// The default maximum frame size in bytes, which is also RabbitMQ's.
    pub const FRAME_MAX: u32 = 131_072;

    /// The smallest frame that AMQP allows, in bytes.
    pub const MIN_FRAME_MAX: u32 = 4096;

    /// The largest frame that counts, in bytes: 16 MiB. RabbitMQ's own limit is far below, and the buffers of a connection grow with it.
    pub const MAX_FRAME_MAX: u32 = 16 << 20;

    /// The most bytes of the names of a virtual host and a locale, which AMQP sends as short strings.
    pub(crate) const MAX_NAME: usize = 255;

    /// The minimum `channel_max` of a connection: consumers, asks, management and publishes need channels, and a closing channel overlaps
    /// with its successor.
    pub const MIN_CHANNELS: u16 = 8;

    /// The default limit of one attempt to connect.
    pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

    /// The default delay before the second attempt to connect; the following ones grow.
    pub const RETRY_DELAY: Duration = Duration::from_millis(100);

    /// The maximum delay between attempts, unless [`retry_delay`](Self::retry_delay) is longer.
    pub const LONGEST_RETRY_DELAY: Duration = Duration::from_secs(3);

    /// Creates a configuration for a broker at `host` and `port`, with RabbitMQ's own defaults: user and password `guest`, virtual host
    /// `/`, and the server's heartbeat, channel and frame limits.
    pub fn new(host: impl Into<String>, port: u16) -> Self {
        Self {
            hosts: vec![Host::new(host.into(), port)],
            virtual_host: "/".into(),
            username: "guest".into(),
            password: "guest".into(),
            mechanism: AuthMechanism::default(),
            tls: None,
            connection_name: None,
            connect_timeout: Self::CONNECT_TIMEOUT,
            heartbeat: Some(Self::HEARTBEAT),
            channel_max: None,
            frame_max: Some(Self::FRAME_MAX),
            locale: "en_US".into(),
            connection_attempts: None,
            reconnect_attempts: None,
            retry_delay: Self::RETRY_DELAY,
            publish_window: Self::PUBLISH_WINDOW,
        }
    }

    /// Parses an AMQP URI: `amqp://user:password@host:port/vhost?key=value`. Omitted parts have RabbitMQ's defaults.
    ///
    /// The virtual host is percent-encoded: no path at all is `/`, a path of `/` alone is the virtual host with the empty
    /// name, `/%2f` is `/`. Several hosts are separated by commas: `amqp://rabbit-1,rabbit-2:5673/orders`.
    ///
    /// RabbitMQ's parameters: `heartbeat` (seconds), `connection_timeout` (milliseconds), `channel_max`, `frame_max` (bytes),
    /// `auth_mechanism`; with `amqps://` also the paths `cacertfile`, `certfile` and `keyfile`, and `server_name_indication`; `verify` may
    /// only be `verify_peer`. Parameters of this library, and of the original's client library: `locale`, `connection_name`,
    /// `connection_attempts`, `retry_delay` (seconds), `reconnect_attempts`, `publish_window`.
    ///
    /// # Errors
    ///
    /// An invalid or unknown part, by its name and without the password.
    pub fn from_uri(uri: &str) -> Result<Self, ConfigError> {
        uri::parse(uri)
    }

    /// Adds an address that is tried if those before it cannot be reached.
    #[must_use = "the config comes back with the host"]
    pub fn or_host(mut self, host: impl Into<String>, port: u16) -> Self {
        self.hosts.push(Host::new(host.into(), port));
        self
    }

    /// Sets user name and password.
    #[must_use = "the config comes back with the credentials"]
    pub fn credentials(mut self, username: impl Into<String>, password: impl Into<String>) -> Self {
        (self.username, self.password) = (username.into(), password.into());
        self
    }

    /// Sets the authentication mechanism.
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

    /// Sets the virtual host. Connecting fails if the name has over 255 bytes, which AMQP cannot send.
    #[must_use = "the config comes back with the virtual host"]
    pub fn virtual_host(mut self, name: impl Into<String>) -> Self {
        self.virtual_host = name.into();
        self
    }

    /// Sets the name that operators see. A session has two connections, distinguished by a suffix: `(publish)`, `(consume)`.
    #[must_use = "the config comes back with the name"]
    pub fn connection_name(mut self, name: impl Into<String>) -> Self {
        self.connection_name = Some(name.into());
        self
    }

    /// Sets the limit of one attempt for each host, including name look-up and handshake.
    #[must_use = "the config comes back with the timeout"]
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// Sets the heartbeat in seconds ([10](Self::HEARTBEAT) by default); the lower of this and the server's counts. The connection to a
    /// broker that is silent for twice as long is given up. 0 takes the server's.
    #[must_use = "the config comes back with the heartbeat"]
    pub fn heartbeat(mut self, seconds: u16) -> Self {
        self.heartbeat = Some(seconds);
        self
    }

    /// Sets the maximum number of channels of a connection; the lower of this and the server's counts. 0 takes the server's. Connecting to
    /// a broker that grants fewer than [8](Self::MIN_CHANNELS) fails.
    ///
    /// # Panics
    ///
    /// Panics if it is 1 to 7: a session would fail at its first ask.
    #[must_use = "the config comes back with the limit"]
    pub fn channel_max(mut self, channels: u16) -> Self {
        assert!(
            channels == 0 || channels >= Self::MIN_CHANNELS,
            "a channel_max of {channels} is too small for a session, which needs {}",
            Self::MIN_CHANNELS
        );
        self.channel_max = Some(channels);
        self
    }

    /// Sets the maximum frame size in bytes ([131,072](Self::FRAME_MAX) by default); the lowest of this, the server's and
    /// [16 MiB](Self::MAX_FRAME_MAX) counts. 0 takes the server's. The headers of a message must fit into one frame.
    ///
    /// A connection reserves two buffers of 32 frames, 8 MiB by default. Their memory is used as data passes through them, but from the
    /// start if this is 0.
    ///
    /// # Panics
    ///
    /// Panics if it is 1 to 4,095: AMQP has [no smaller frames](Self::MIN_FRAME_MAX).
    #[must_use = "the config comes back with the limit"]
    pub fn frame_max(mut self, bytes: u32) -> Self {
        assert!(
            bytes == 0 || bytes >= Self::MIN_FRAME_MAX,
            "a frame_max of {bytes} is too small: AMQP's smallest frame has {} bytes",
            Self::MIN_FRAME_MAX
        );
        self.frame_max = Some(bytes);
        self
    }

    /// Sets the locale of the broker's texts; RabbitMQ only knows `en_US`. Connecting fails if it has over 255 bytes.
    #[must_use = "the config comes back with the locale"]
    pub fn locale(mut self, locale: impl Into<String>) -> Self {
        self.locale = locale.into();
        self
    }

    /// Sets the maximum number of attempts before the first session; `None`, the default, is no limit. One attempt tries each host in turn.
    #[must_use = "the config comes back with the limit"]
    pub fn connection_attempts(mut self, limit: impl Into<Option<u32>>) -> Self {
        self.connection_attempts = limit.into();
        self
    }

    /// Sets the maximum number of attempts after the loss of a session; `None`, the default, is no limit. With 0 a loss is final.
    #[must_use = "the config comes back with the limit"]
    pub fn reconnect_attempts(mut self, limit: impl Into<Option<u32>>) -> Self {
        self.reconnect_attempts = limit.into();
        self
    }

    /// Sets the delay before the second attempt to connect ([100 ms](Self::RETRY_DELAY) by default). Each further delay is twice as long,
    /// up to [3 s](Self::LONGEST_RETRY_DELAY), and each is randomly shortened by up to half.
    #[must_use = "the config comes back with the delay"]
    pub fn retry_delay(mut self, delay: Duration) -> Self {
        self.retry_delay = delay;
        self
    }

    /// Sets the maximum number of unconfirmed publishes; further ones wait.
    ///
    /// # Panics
    ///
    /// Panics if it is 0, because nothing could be published.
    #[must_use = "the config comes back with the window"]
    pub fn publish_window(mut self, publishes: usize) -> Self {
        assert!(publishes > 0, "a publish window of 0 publishes nothing");
        self.publish_window = publishes;
        self
    }

    /// Returns the retry schedule for servers and clients: [`retry_delay`](Self::retry_delay),
    /// [`connection_attempts`](Self::connection_attempts), [`reconnect_attempts`](Self::reconnect_attempts).
    pub fn backoff(&self) -> Backoff {
        Backoff::between(self.retry_delay, Self::LONGEST_RETRY_DELAY)
            .max_attempts(self.reconnect_attempts)
            .max_first_attempts(self.connection_attempts)
    }

    /// Returns the user name, if the broker knows the user by it.
    pub(crate) fn login(&self) -> Option<&str> {
        self.mechanism.uses_username().then_some(self.username.as_str())
    }

    /// Returns the addresses and the virtual host as a URI, without secrets.
    pub fn endpoint(&self) -> String {
        let hosts: Vec<_> = self.hosts.iter().map(ToString::to_string).collect();
        let virtual_host =
            utf8_percent_encode(&self.virtual_host, OF_A_URI).to_string().replace("%2F", "%2f");
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
            .field("connection_attempts", &self.connection_attempts)
            .field("reconnect_attempts", &self.reconnect_attempts)
            .field("retry_delay", &self.retry_delay)
            .field("publish_window", &self.publish_window)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ipv6_address_may_stand_in_brackets() {
        let config = AmqpConfig::new("[::1]", 5672).or_host("[2001:DB8::1]", 1);
        assert_eq!(config, AmqpConfig::new("::1", 5672).or_host("2001:db8::1", 1));
        assert_eq!(config.endpoint(), "amqp://[::1]:5672,[2001:db8::1]:1/%2f");
    }

    #[test]
    fn neither_debug_nor_the_endpoint_shows_the_password() {
        let config = AmqpConfig::new("localhost", 5672).credentials("guest", "hunter2");
        assert!(!format!("{config:?}").contains("hunter2"));
        assert!(!config.endpoint().contains("hunter2"));
    }
}
